//! `DEBUG`: what test suites need of a server beyond its regular commands.
//!
//! Like in Redis its subcommands are words, not commands of their own. It runs alone, so a digest is of
//! one moment and SLEEP stops everybody, as the suites expect.

mod digest;
mod protocol;
mod values;

use std::sync::atomic::Ordering;
use std::time::Duration;

use command::blocked::{Nothing, Wait};
use command::scripts::Libraries;
use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use config::AllowFrom;

use crate::help;

/// `DEBUG <subcommand> ...`
pub const DEBUG: Spec = Spec {
    name: "debug",
    arity: -2,
    flags: Flags::ADMIN
        .union(Flags::NOSCRIPT)
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::EXCLUSIVE),
    group: Group::Server,
    since: "1.0.0",
    summary: "Holds commands for tests of servers and clients.",
    complexity: "Depends on the subcommand.",
    run: debug,
    ..Spec::BASE
};

/// A subcommand: its name, how many words a call has at least and at most, and its code.
type Subcommand = (&'static str, usize, usize, fn(&mut Ctx<'_>, Args<'_>) -> Outcome);

const SUBCOMMANDS: &[Subcommand] = &[
    ("assert", 2, 2, panic_on_purpose),
    ("aof-flush-sleep", 3, 3, aof_flush_sleep),
    ("change-repl-id", 2, 2, accept),
    ("config-rewrite-force-all", 2, 2, crate::server::config::rewrite_all),
    ("dict-resizing", 3, 3, accept),
    ("digest", 2, 2, digest::all),
    ("digest-value", 2, usize::MAX, digest::values),
    ("error", 3, 3, error),
    ("help", 2, 2, print_help),
    ("htstats", 3, 3, values::table_statistics),
    ("htstats-key", 3, 3, values::value_statistics),
    ("leak", 3, 3, accept),
    ("listpack", 3, 3, values::listpack),
    ("loadaof", 2, 2, load_aof),
    ("log", 3, 3, log),
    ("object", 3, 3, values::object),
    ("panic", 2, 2, panic_on_purpose),
    ("pause-cron", 3, 3, pause_cron),
    ("populate", 3, 5, values::populate),
    ("protocol", 3, 3, protocol::sample),
    ("quicklist", 3, 4, values::quicklist),
    ("quicklist-packed-threshold", 3, 3, packed_threshold),
    ("reload", 2, usize::MAX, reload),
    ("replybuffer", 4, 4, reply_buffer),
    ("sdslen", 3, 3, values::string_length),
    ("segfault", 2, 2, segfault),
    ("set-active-expire", 3, 3, set_active_expire),
    ("set-disable-deny-scripts", 3, 3, set_disable_deny_scripts),
    ("set-skip-checksum-validation", 3, 3, skip_checksums),
    ("sleep", 3, 3, sleep),
    ("stringmatch-len", 4, 4, string_match),
    ("structsize", 2, 2, values::struct_sizes),
];

fn debug(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if !allowed(ctx) {
        return Err(Error::fixed(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \
             \"local\", you can run it from a local connection, otherwise you need to set this \
             option in the configuration file, and then restart the server.",
        ));
    }
    let words = args.len();
    let fits = |(name, least, most, _): &&Subcommand| {
        args.is(1, name) && (*least..=*most).contains(&words)
    };
    match SUBCOMMANDS.iter().find(fits) {
        Some((.., run)) => run(ctx, args),
        None => Err(unknown(args)),
    }
}

/// Whether the configuration lets this connection run DEBUG.
fn allowed(ctx: &Ctx<'_>) -> bool {
    let client = &ctx.session.client;
    match ctx.config.enable_debug_command {
        AllowFrom::Yes => true,
        AllowFrom::No => false,
        AllowFrom::Local => {
            let address = client.addr.trim_start_matches('[');
            client.unix || address.starts_with("127.") || address.starts_with("::1")
        }
    }
}

/// No such subcommand, or not with so many words.
fn unknown(args: Args<'_>) -> Error {
    let mut word = args.text(1);
    if let Some((end, _)) = word.char_indices().nth(128) {
        word.truncate(end);
    }
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP."
    ))
}

fn set_disable_deny_scripts(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let on = leading_integer(args.at(2)) != 0;
    ctx.services.scripts.allow_all.store(on, std::sync::atomic::Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

/// Ends the process as an error of its own would.
fn panic_on_purpose(_ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    panic!("DEBUG was asked for it");
}

/// Ends the process by SIGSEGV.
fn segfault(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.host.segfault();
    Ok(())
}

/// Switches something that this server does not have.
fn accept(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.ok();
    Ok(())
}

/// Answers with the error that the client asks for.
fn error(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let line: Vec<u8> = args
        .at(2)
        .iter()
        .map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte })
        .collect();
    ctx.reply.error_bytes(&line);
    Ok(())
}

/// Loads everything anew from the append-only files; the client waits for it.
fn load_aof(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    if !ctx.may_wait {
        return Err(Error::fixed("ERR DEBUG LOADAOF can't be used inside a transaction"));
    }
    ctx.services.aof.ask_reload(ctx.session.client.id);
    let nothing = Nothing::Null;
    ctx.wait(Wait { keys: Vec::new(), deadline_ms: None, nothing, retry: None, again_ms: None });
    Ok(())
}

/// Delays every write to the append-only file.
fn aof_flush_sleep(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let delay_us = args.integer(2)?.max(0).unsigned_abs();
    ctx.services.aof.flush_delay_us.store(delay_us, std::sync::atomic::Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

fn log(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    tracing::warn!("DEBUG LOG: {}", args.text(2));
    ctx.reply.ok();
    Ok(())
}

/// A word as C's `atoi` reads it: digits at its beginning, 0 when there are none.
fn leading_integer(word: &[u8]) -> i64 {
    let (negative, digits) = match word.trim_ascii_start() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let magnitude = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0i64, |value, byte| value.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    if negative { -magnitude } else { magnitude }
}

fn set_active_expire(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let on = leading_integer(args.at(2)) != 0;
    ctx.services.active_expire.store(on, Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

fn pause_cron(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let on = leading_integer(args.at(2)) != 0;
    ctx.services.cron_paused.store(on, Ordering::SeqCst);
    ctx.reply.ok();
    Ok(())
}

/// `DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]`: saves, empties everything, and loads.
fn reload(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (mut save, mut flush, mut merge) = (true, true, false);
    for word in args.iter_from(2) {
        match word.to_ascii_lowercase().as_slice() {
            b"nosave" => save = false,
            b"noflush" => flush = false,
            b"merge" => merge = true,
            _ => {
                return Err(Error::fixed(
                    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
                ));
            }
        }
    }
    if save {
        ctx.services.host.save(ctx.services, ctx.db.held())?;
    }
    if flush {
        for number in 0..ctx.services.keyspace.databases() {
            ctx.db.within(number, |db| db.clear(false));
        }
        ctx.services.scripts.set_libraries(Libraries::default());
    }
    ctx.services.host.load(ctx.services, ctx.db.held(), merge)?;
    tracing::warn!("DB reloaded by DEBUG RELOAD");
    ctx.reply.ok();
    Ok(())
}

fn skip_checksums(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let skip = leading_integer(args.at(2)) != 0;
    ctx.services.persistence.skip_checksums.store(skip, Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}

/// Stops the whole server for a while: nobody else is inside the gate.
fn sleep(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let seconds = codec::number::parse_f64(args.at(2)).unwrap_or_default();
    if let Ok(pause) = Duration::try_from_secs_f64(seconds) {
        std::thread::sleep(pause);
    }
    ctx.reply.ok();
    Ok(())
}

/// Checks the size and leaves the lists alone: their nodes take items of any size.
fn packed_threshold(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    const LIMIT: u64 = (4 << 30) - (1 << 20);
    if memory_size(args.at(2)).is_none_or(|size| size > LIMIT) {
        return Err(Error::fixed(
            "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ));
    }
    ctx.reply.ok();
    Ok(())
}

/// A number of bytes with a unit of the configuration file: `b`, `k`, `kb`, `m`, `mb`, `g`, `gb`.
fn memory_size(word: &[u8]) -> Option<u64> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = word.split_at(digits);
    let scale = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    if number.is_empty() && unit.is_empty() {
        return Some(0);
    }
    codec::number::parse_u64(number)?.checked_mul(scale)
}

/// Output buffers here have no peaks that are reset: checks the words, as Redis does.
fn reply_buffer(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.is(2, "peak-reset-time") {
        if !args.is(3, "never") && !args.is(3, "reset") {
            args.integer(3)?;
        }
    } else if !args.is(2, "resizing") {
        return Err(unknown(args));
    }
    ctx.reply.ok();
    Ok(())
}

fn string_match(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let matches = codec::glob::matches(args.at(2), args.at(3), false);
    ctx.reply.integer(i64::from(matches));
    Ok(())
}

fn print_help(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    help::write(
        ctx,
        "DEBUG",
        &[
            "CHANGE-REPL-ID",
            "    Accepted; this server has no replication id of its own yet.",
            "DIGEST",
            "    Show a hash of all keys and values.",
            "DIGEST-VALUE <key> [<key> ...]",
            "    Show a hash of the value of each key.",
            "ERROR <string>",
            "    Answer with the error <string>.",
            "HTSTATS <dbid>",
            "    Show the size of the key tables of a database.",
            "HTSTATS-KEY <key>",
            "    Show the size of the table that the value of <key> is kept in.",
            "LISTPACK <key>",
            "    Check that the value of <key> is packed.",
            "LOG <message>",
            "    Write <message> to the log.",
            "OBJECT <key>",
            "    Show how the value of <key> is stored.",
            "PANIC",
            "ASSERT",
            "    End the server as an error of its own would.",
            "POPULATE <count> [<prefix>] [<size>]",
            "    Create <count> strings called <prefix>:0, <prefix>:1 and so on.",
            "PROTOCOL <type>",
            "    Answer with a sample of a reply type: string, integer, double, bignum, null, array,",
            "    set, map, attrib, push, verbatim, true or false.",
            "QUICKLIST <key> [<0|1>]",
            "    Check that the value of <key> is a list of several nodes.",
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    Accepted; list nodes take items of any size.",
            "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
            "    Save the data set and load it again; leave out the saving (NOSAVE) or the emptying",
            "    before loading (NOFLUSH), replace keys that are there (MERGE).",
            "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>",
            "REPLYBUFFER RESIZING <0|1>",
            "    Accepted; output buffers shrink by themselves.",
            "SDSLEN <key>",
            "    Show the lengths of a key and of the string that it holds.",
            "SEGFAULT",
            "    End the server as a wrong access to memory would.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Stop or start removing expired keys that nobody touches.",
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    Let RESTORE take payloads with a wrong checksum.",
            "SLEEP <seconds>",
            "    Stop the server for a while.",
            "STRINGMATCH-LEN <pattern> <string>",
            "    Say whether a string matches a pattern.",
            "STRUCTSIZE",
            "    Show the sizes of some data structures.",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_the_units_of_the_configuration_file() {
        assert_eq!(memory_size(b"100"), Some(100));
        assert_eq!(memory_size(b"1KB"), Some(1024));
        assert_eq!(memory_size(b"2g"), Some(2_000_000_000));
        assert_eq!(memory_size(b"2x"), None);
        assert_eq!(memory_size(b"-1"), None);
    }

    #[test]
    fn switches_are_read_as_atoi_reads_them() {
        for (word, value) in [("1", 1), ("0", 0), ("-3x", -3), ("x", 0), (" 7", 7), ("", 0)] {
            assert_eq!(leading_integer(word.as_bytes()), value, "{word}");
        }
    }
}
