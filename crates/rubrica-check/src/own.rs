//! `rubrica-check`: any number of files and directories, in words for people.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aof::BackupSums;
use encryption::Keyring;

use crate::kind::Kind;
use crate::log::Wanted;
use crate::{directory, kind, log, repair, snapshot};

const USAGE: &str = "\
Usage: rubrica-check [OPTIONS] PATH...

Checks snapshots (RDB), append-only files, their manifests, and directories with these, as Rubrica, Redis and
Valkey write them. What a file is, its content says.

Options:
  --fix                       cut the damaged end of an append-only file off, after asking
  --until SECONDS             cut off what happened after this time (seconds since the epoch), as far as the
                              file has annotations of time (aof-timestamp-enabled), after asking
  --yes                       do not ask
  --quiet                     say only what is wrong
  --encryption-key-file FILE, --encryption-key-env NAME, --encryption-key-command COMMAND
                              where the keys of encrypted files are, as the server's options of these names say
  -h, --help                  this text
  -v, --version               the version

The exit status is 0 when everything is whole, or was repaired; 1 when something is damaged; 2 when something
could not be read, or the command line was wrong.
";

/// What the command line asks for.
#[derive(Default)]
struct Options<'k> {
    keys: Option<&'k Keyring>,
    fix: bool,
    until_s: Option<i64>,
    yes: bool,
    quiet: bool,
    paths: Vec<PathBuf>,
}

/// How bad it is; the worst of all paths is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Whole,
    Damaged,
    Unreadable,
}

/// What is said of a file's key.
fn encrypted(key: Option<&str>) -> String {
    key.map(|key| format!(", encrypted with the key '{key}'")).unwrap_or_default()
}

/// Runs the program.
pub fn run(args: &[OsString], keys: Option<&Keyring>) -> ExitCode {
    let options = match parse(args) {
        Ok(Some(options)) => Options { keys, ..options },
        Ok(None) => return ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let worst = options.paths.iter().map(|path| options.check(path)).max();
    ExitCode::from(match worst {
        Some(Verdict::Whole) => 0,
        Some(Verdict::Damaged) => 1,
        Some(Verdict::Unreadable) | None => 2,
    })
}

/// The options; `None` when there is nothing more to do.
fn parse<'k>(args: &[OsString]) -> Result<Option<Options<'k>>, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("-h" | "--help") => {
                print!("{USAGE}");
                return Ok(None);
            }
            Some("-v" | "--version") => {
                println!("rubrica-check {}", env!("CARGO_PKG_VERSION"));
                return Ok(None);
            }
            Some("--fix") => options.fix = true,
            Some("--yes") => options.yes = true,
            Some("--quiet") => options.quiet = true,
            Some("--until") => {
                let time = args.next().and_then(|text| text.to_str()?.parse().ok());
                options.until_s = Some(time.ok_or("--until needs seconds since the epoch")?);
            }
            Some(option) if option.starts_with("--") => {
                return Err(format!("unknown option {option}"));
            }
            _ => options.paths.push(arg.into()),
        }
    }
    if options.paths.is_empty() {
        return Err("what is to be checked?".to_owned());
    }
    Ok(Some(options))
}

impl Options<'_> {
    fn say(&self, text: &str) {
        if !self.quiet {
            println!("{}", text.trim_end());
        }
    }

    fn check(&self, path: &Path) -> Verdict {
        let shown = path.display();
        let unreadable = |error: std::io::Error| {
            println!("{shown}: {error}");
            Verdict::Unreadable
        };
        match kind::of(path, self.keys) {
            Err(error) => unreadable(error),
            Ok(Kind::Empty) => {
                self.say(&format!(
                    "{shown}: empty, which is right for a file nothing was written to yet"
                ));
                Verdict::Whole
            }
            Ok(Kind::Unknown) => {
                println!("{shown}: neither a snapshot, nor an append-only file, nor a manifest");
                Verdict::Damaged
            }
            Ok(Kind::Directory(files)) if files.is_empty() => {
                println!("{shown}: there is no snapshot and no manifest here");
                Verdict::Damaged
            }
            Ok(Kind::Directory(files)) => {
                let checked = files.iter().map(|file| self.check(file)).max();
                checked.unwrap_or(Verdict::Whole).max(self.backup(path))
            }
            Ok(Kind::Manifest) => self.manifest(path),
            Ok(Kind::Snapshot) => self.file(path, true, true).unwrap_or_else(unreadable),
            Ok(Kind::Log) => self.file(path, false, true).unwrap_or_else(unreadable),
        }
    }

    /// Compares a backup's files with what was noted when they were written; what is no backup is whole.
    fn backup(&self, directory: &Path) -> Verdict {
        let sums = match BackupSums::read(directory) {
            Ok(None) => return Verdict::Whole,
            Ok(Some(sums)) => sums,
            Err(error) => {
                println!("{}: {error}", directory.display());
                return Verdict::Damaged;
            }
        };
        let mut worst = Verdict::Whole;
        for file in &sums.files {
            let path = directory.join(&file.name);
            let keys = snapshot::check(&path, self.keys)
                .map(|report| report.statistics.count() + report.empty);
            let wrong = match (file.mismatch(directory), keys) {
                (Ok(Some(why)), _) => Some(why),
                (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
                (Ok(None), Ok(keys)) if keys != file.keys => {
                    Some(format!("it has {keys} keys, and was written with {}", file.keys))
                }
                (Ok(None), Ok(_)) => None,
            };
            match wrong {
                Some(why) => {
                    println!("{}: NOT AS IT WAS BACKED UP: {why}", path.display());
                    worst = Verdict::Damaged;
                }
                None => self.say(&format!("{}: as it was backed up", path.display())),
            }
        }
        worst
    }

    fn manifest(&self, path: &Path) -> Verdict {
        let parts = match directory::parts(path) {
            Ok(parts) => parts,
            Err(error) => {
                println!("{}: {error}", path.display());
                return Verdict::Damaged;
            }
        };
        self.say(&format!("{}: a manifest of {} files", path.display(), parts.len()));
        let mut worst = Verdict::Whole;
        for part in parts {
            let checked = kind::of(&part.path, self.keys).and_then(|kind| match kind {
                Kind::Empty => Ok(Verdict::Whole),
                kind => self.file(&part.path, kind == Kind::Snapshot, part.is_last),
            });
            let verdict = checked.unwrap_or_else(|error| {
                println!("{}: named in the manifest, but: {error}", part.path.display());
                Verdict::Damaged
            });
            worst = worst.max(verdict);
        }
        worst
    }

    /// Checks a file: a snapshot, commands, or both, one behind the other.
    fn file(&self, path: &Path, has_snapshot: bool, is_last: bool) -> std::io::Result<Verdict> {
        let mut start = 0;
        if has_snapshot {
            let report = snapshot::check(path, self.keys)?;
            self.describe_snapshot(path, &report);
            if let Some((at, why)) = report.problem {
                println!("{}: DAMAGED at byte {at}: {why}", path.display());
                println!("  A snapshot cannot be repaired; restore another copy of it.");
                return Ok(Verdict::Damaged);
            }
            start = report.end;
            if start == report.size {
                return Ok(Verdict::Whole);
            }
        }
        let wanted = Wanted { start, until_s: self.until_s, is_last };
        let report = log::check(path, wanted, self.keys)?;
        self.describe_log(path, &report);
        let cut_at = match (&report.problem, report.later) {
            (Some((at, why)), _) => {
                println!("{}: DAMAGED at byte {at}, line {}: {why}", path.display(), report.line);
                Some(report.whole).filter(|_| self.fix)
            }
            (None, Some(at)) => Some(at),
            (None, None) => return Ok(Verdict::Whole),
        };
        let lost = report.size - cut_at.unwrap_or(report.whole);
        let Some(at) = cut_at else {
            println!(
                "  {lost} bytes are not whole. --fix cuts them off, if this is the last file."
            );
            return Ok(Verdict::Damaged);
        };
        if !is_last {
            println!("  It cannot be cut off: other files follow it.");
            return Ok(Verdict::Damaged);
        }
        let question = format!("  Cut off {lost} of {} bytes, from byte {at} on?", report.size);
        if !self.yes && !repair::confirm(&question)? {
            println!("  Nothing was changed.");
            return Ok(Verdict::Damaged);
        }
        repair::cut(path, at, self.keys)?;
        println!("  {lost} bytes were cut off.");
        Ok(Verdict::Whole)
    }

    fn describe_snapshot(&self, path: &Path, report: &snapshot::Report) {
        let snapshot::Report { version, size, statistics, functions, empty, .. } = report;
        let key = encrypted(report.key.as_deref());
        let path = path.display();
        self.say(&format!("{path}: a snapshot of version {version}, {size} bytes{key}"));
        for (_, name, text) in &report.texts {
            self.say(&format!("  {name}: {text}"));
        }
        let keys = statistics.count();
        if keys > 0 {
            self.say(&statistics.table("keys", "elements"));
        }
        let (volatile, expired) = (statistics.volatile, statistics.expired);
        self.say(&format!("  {keys} keys, {volatile} with a deadline, {expired} of them past it"));
        if *functions > 0 {
            self.say(&format!("  {functions} function libraries"));
        }
        if *empty > 0 {
            self.say(&format!("  {empty} empty collections, which a server passes over"));
        }
        if report.problem.is_none() {
            let sum = if report.checked { "right" } else { "none" };
            self.say(&format!("  whole; checksum: {sum}"));
        }
    }

    fn describe_log(&self, path: &Path, report: &log::Report) {
        let log::Report { size, statistics, times, .. } = report;
        let (path, key) = (path.display(), encrypted(report.key.as_deref()));
        self.say(&format!("{path}: {} commands, {size} bytes{key}", statistics.count()));
        if statistics.count() > 0 {
            self.say(&statistics.table("commands", "words"));
        }
        if let Some((first, last)) = times {
            self.say(&format!("  annotations of time from {first} to {last}"));
        }
        if report.problem.is_none() {
            self.say("  whole");
        }
    }
}
