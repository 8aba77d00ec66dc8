//! The command lines of `redis-check-rdb` and `redis-check-aof`, with the words that scripts look for in what
//! these print. Exit status 1 is everything but "valid".

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use encryption::Keyring;

use crate::kind::Kind;
use crate::log::Wanted;
use crate::{directory, kind, log, repair, snapshot};

/// What is said before the end.
struct Abort(String);

impl From<String> for Abort {
    fn from(why: String) -> Self {
        Self(why)
    }
}

fn end(result: Result<(), Abort>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Abort(why)) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// `redis-check-rdb FILE`
pub fn check_rdb(program: &str, args: &[OsString], keys: Option<&Keyring>) -> ExitCode {
    match args {
        [arg] if arg == "-v" || arg == "--version" => {
            println!("{program} {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        [path] => end(snapshot_of(Path::new(path), keys).map(drop)),
        _ => {
            eprintln!("Usage: {program} <rdb-file-name>");
            ExitCode::FAILURE
        }
    }
}

/// Says what a snapshot is; gives where it ends.
fn snapshot_of(path: &Path, keys: Option<&Keyring>) -> Result<u64, Abort> {
    println!("[offset 0] Checking RDB file {}", path.display());
    let report = snapshot::check(path, keys)
        .map_err(|error| format!("Cannot open file {}: {error}, aborting...", path.display()))?;
    for (at, name, text) in &report.texts {
        println!("[offset {at}] AUX FIELD {name} = '{text}'");
    }
    if let Some((at, why)) = &report.problem {
        println!("--- RDB ERROR DETECTED ---\n[offset {at}] {why}");
    } else if report.checked {
        println!("[offset {}] Checksum OK", report.end);
    } else {
        println!(
            "[offset {}] RDB file was saved with checksum disabled: no check performed.",
            report.end
        );
    }
    if report.problem.is_none() {
        println!("[offset {}] \\o/ RDB looks OK! \\o/", report.end);
    }
    let statistics = &report.statistics;
    println!("[info] {} keys read", statistics.count());
    println!("[info] {} expires", statistics.volatile);
    println!("[info] {} already expired", statistics.expired);
    match report.problem {
        None => Ok(report.end),
        Some(_) => Err(Abort("The RDB file is damaged.".to_owned())),
    }
}

/// What is to become of damaged or late ends.
#[derive(Clone, Copy, Default)]
struct Wishes<'k> {
    keys: Option<&'k Keyring>,
    fix: bool,
    until_s: Option<i64>,
}

/// What became of a file.
enum Outcome {
    Valid,
    Empty,
    Cut,
    CutTo(i64),
}

/// `redis-check-aof [--fix | --truncate-to-timestamp SECONDS] FILE`
pub fn check_aof(program: &str, args: &[OsString], keys: Option<&Keyring>) -> ExitCode {
    let (wishes, path) = match args {
        [path] => (Wishes { keys, ..Wishes::default() }, path),
        [option, path] if option == "--fix" => (Wishes { keys, fix: true, until_s: None }, path),
        [option, time, path] if option == "--truncate-to-timestamp" => {
            let Some(time_s) = time.to_str().and_then(|text| text.parse().ok()) else {
                println!("Invalid timestamp, aborting...");
                return ExitCode::FAILURE;
            };
            (Wishes { keys, fix: false, until_s: Some(time_s) }, path)
        }
        _ => {
            println!(
                "Usage: {program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"
            );
            return ExitCode::FAILURE;
        }
    };
    let path = Path::new(path);
    end(match kind::of(path, keys) {
        Err(error) => {
            Err(Abort(format!("Cannot open file {}: {error}, aborting...", path.display())))
        }
        Ok(Kind::Manifest) => multi_part(path, wishes),
        Ok(kind) => {
            println!("Start checking Old-Style AOF");
            let name = path.display().to_string();
            one(&name, path, kind == Kind::Snapshot, true, wishes)
                .map(|outcome| say(&format!("AOF {name}"), &name, outcome))
        }
    })
}

fn multi_part(path: &Path, wishes: Wishes<'_>) -> Result<(), Abort> {
    println!("Start checking Multi Part AOF");
    let parts = directory::parts(path).map_err(|error| error.to_string())?;
    let mut incr = false;
    for part in parts {
        let opened = kind::of(&part.path, wishes.keys);
        let is_rdb = matches!(opened, Ok(Kind::Snapshot));
        if part.is_base {
            println!("Start to check BASE AOF ({} format).", if is_rdb { "RDB" } else { "RESP" });
        } else if !std::mem::replace(&mut incr, true) {
            println!("Start to check INCR files.");
        }
        let outcome = one(&part.name, &part.path, is_rdb, part.is_last, wishes)?;
        let kind = if part.is_base { "BASE" } else { "INCR" };
        say(&format!("{kind} AOF {}", part.name), &part.name, outcome);
    }
    println!("All AOF files and manifest are valid");
    Ok(())
}

fn say(subject: &str, name: &str, outcome: Outcome) {
    match outcome {
        Outcome::Valid => println!("{subject} is valid"),
        Outcome::Empty => println!("{subject} is empty"),
        Outcome::Cut => println!("Successfully truncated AOF {name}"),
        Outcome::CutTo(time_s) => {
            println!("Successfully truncated AOF {name} to timestamp {time_s}")
        }
    }
}

fn one(
    name: &str,
    path: &Path,
    has_snapshot: bool,
    is_last: bool,
    wishes: Wishes<'_>,
) -> Result<Outcome, Abort> {
    let unreadable = |error| format!("Cannot open file {}: {error}, aborting...", path.display());
    if matches!(kind::of(path, wishes.keys).map_err(unreadable)?, Kind::Empty) {
        return Ok(Outcome::Empty);
    }
    let mut start = 0;
    if has_snapshot {
        start = snapshot_of(path, wishes.keys).map_err(|Abort(why)| {
            Abort(format!("{why}\nRDB preamble of AOF file is not sane, aborting."))
        })?;
        println!("RDB preamble is OK, proceeding with AOF tail...");
    }
    let wanted = Wanted { start, until_s: wishes.until_s, is_last };
    let report = log::check(path, wanted, wishes.keys).map_err(unreadable)?;
    if let (Some(at), Some(time_s)) = (report.later, wishes.until_s) {
        return cut_to_time(name, path, at, time_s, is_last, wishes.keys);
    }
    if let Some((at, why)) = &report.problem {
        println!("0x{at:16x}: {why}");
    }
    let log::Report { size, whole, line, .. } = report;
    let rest = size - whole;
    if let (0, Some(time_s)) = (rest, wishes.until_s) {
        println!("Truncate nothing in AOF {name} to timestamp {time_s}");
        return Ok(Outcome::Valid);
    }
    println!(
        "AOF analyzed: filename={name}, size={size}, ok_up_to={whole}, ok_up_to_line={line}, diff={rest}"
    );
    if rest == 0 {
        return Ok(Outcome::Valid);
    }
    if !wishes.fix {
        return Err(Abort(format!(
            "AOF {name} is not valid. Use the --fix option to try fixing it."
        )));
    }
    if !is_last {
        return Err(Abort(format!(
            "Failed to truncate AOF {name} because it is not the last file"
        )));
    }
    println!(
        "This will shrink the AOF {name} from {size} bytes, with {rest} bytes, to {whole} bytes"
    );
    if !repair::confirm("Continue?").unwrap_or(false) {
        return Err(Abort("Aborting...".to_owned()));
    }
    repair::cut(path, whole, wishes.keys)
        .map_err(|error| format!("Failed to truncate AOF {name}: {error}"))?;
    Ok(Outcome::Cut)
}

fn cut_to_time(
    name: &str,
    path: &Path,
    at: u64,
    time_s: i64,
    is_last: bool,
    keys: Option<&Keyring>,
) -> Result<Outcome, Abort> {
    if at == 0 {
        let why = format!("AOF {name} has nothing before timestamp {time_s}, aborting...");
        return Err(Abort(why));
    }
    if !is_last {
        return Err(Abort(format!(
            "Failed to truncate AOF {name} to timestamp {time_s} to offset {at} because it is not the last file.\n\
             To go back that far, remove the files behind it, and their lines in the manifest, first."
        )));
    }
    repair::cut(path, at, keys)
        .map_err(|error| format!("Failed to truncate AOF {name} to timestamp {time_s}: {error}"))?;
    Ok(Outcome::CutTo(time_s))
}
