//! SLOWLOG, and COMMANDLOG, which Valkey 8.1 made of it: commands that took long, or whose request or
//! reply was large.

use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use observe::CommandLog;

/// `SLOWLOG`
pub const SLOWLOG: Spec = Spec {
    name: "slowlog",
    arity: -2,
    group: Group::Server,
    since: "2.2.12",
    summary: "Holds the commands of the log of slow commands.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "get",
            arity: -2,
            summary: "Returns the newest entries of the slow log.",
            complexity: "O(N) in the number of entries returned",
            syntax: "[count:integer]",
            history: &[("4.0.0", "Entries tell the client's address and name.")],
            tips: &["request_policy:all_nodes", "nondeterministic_output"],
            run: slow_get,
            ..SLOW
        },
        &Spec {
            name: "len",
            arity: 2,
            summary: "Counts the entries of the slow log.",
            complexity: "O(1)",
            tips: &[
                "request_policy:all_nodes",
                "response_policy:agg_sum",
                "nondeterministic_output",
            ],
            run: slow_len,
            ..SLOW
        },
        &Spec {
            name: "reset",
            arity: 2,
            summary: "Empties the slow log.",
            complexity: "O(N) in the number of entries",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: slow_reset,
            ..SLOW
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            since: "6.2.0",
            summary: "Lists the subcommands.",
            complexity: "O(1)",
            run: slow_help,
            ..SLOW
        },
    ],
    ..Spec::BASE
};

const SLOW: Spec = Spec {
    container: Some("slowlog"),
    flags: Flags::ADMIN.union(Flags::LOADING).union(Flags::STALE),
    group: Group::Server,
    since: "2.2.12",
    ..Spec::BASE
};

/// `COMMANDLOG`
pub const COMMANDLOG: Spec = Spec {
    name: "commandlog",
    arity: -2,
    group: Group::Server,
    since: "8.1.0",
    summary: "Holds the commands of the logs of slow commands and large requests and replies.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "get",
            arity: 4,
            summary: "Returns the newest entries of a log.",
            complexity: "O(N) in the number of entries returned",
            syntax: "count:integer type=(SLOW | LARGE-REQUEST | LARGE-REPLY)",
            tips: &["request_policy:all_nodes", "nondeterministic_output"],
            run: log_get,
            ..LOG
        },
        &Spec {
            name: "len",
            arity: 3,
            summary: "Counts the entries of a log.",
            complexity: "O(1)",
            syntax: "type=(SLOW | LARGE-REQUEST | LARGE-REPLY)",
            tips: &[
                "request_policy:all_nodes",
                "response_policy:agg_sum",
                "nondeterministic_output",
            ],
            run: log_len,
            ..LOG
        },
        &Spec {
            name: "reset",
            arity: 3,
            summary: "Empties a log.",
            complexity: "O(N) in the number of entries",
            syntax: "type=(SLOW | LARGE-REQUEST | LARGE-REPLY)",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: log_reset,
            ..LOG
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            summary: "Lists the subcommands.",
            complexity: "O(1)",
            run: log_help,
            ..LOG
        },
    ],
    ..Spec::BASE
};

const LOG: Spec = Spec { container: Some("commandlog"), since: "8.1.0", ..SLOW };

/// Entries that SLOWLOG GET returns when nobody says how many.
const COUNT_DEFAULT: usize = 10;

fn slow_get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(subcommand_syntax(args));
    }
    let count = if args.len() == 3 { count(args.at(2))? } else { COUNT_DEFAULT };
    entries(ctx, |ctx| &ctx.services.logs.slow, count);
    Ok(())
}

fn slow_len(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let len = ctx.services.logs.slow.len();
    ctx.reply.integer(len as i64);
    Ok(())
}

fn slow_reset(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.logs.slow.reset();
    ctx.reply.ok();
    Ok(())
}

fn log_get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let which = which(args, 3)?;
    let count = count(args.at(2))?;
    entries(ctx, which, count);
    Ok(())
}

fn log_len(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = which(args, 2)?(ctx).len();
    ctx.reply.integer(len as i64);
    Ok(())
}

fn log_reset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    which(args, 2)?(ctx).reset();
    ctx.reply.ok();
    Ok(())
}

/// A number of entries; -1 is all.
fn count(word: &[u8]) -> Result<usize, Error> {
    const REFUSED: Error = Error::fixed("ERR count should be greater than or equal to -1");
    match codec::number::parse_i64(word) {
        Some(-1) => Ok(usize::MAX),
        Some(count) => usize::try_from(count).map_err(|_| REFUSED),
        None => Err(REFUSED),
    }
}

type Which = for<'c> fn(&'c Ctx<'_>) -> &'c CommandLog;

/// The log that a word names.
fn which(args: Args<'_>, word: usize) -> Result<Which, Error> {
    if args.is(word, "slow") {
        Ok(|ctx| &ctx.services.logs.slow)
    } else if args.is(word, "large-request") {
        Ok(|ctx| &ctx.services.logs.large_request)
    } else if args.is(word, "large-reply") {
        Ok(|ctx| &ctx.services.logs.large_reply)
    } else {
        Err(Error::fixed(
            "ERR type should be one of the following: slow, large-request, large-reply",
        ))
    }
}

fn subcommand_syntax(args: Args<'_>) -> Error {
    let word = args.at(1);
    let word = String::from_utf8_lossy(word.get(..128).unwrap_or(word));
    let container = args.text(0).to_uppercase();
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
    ))
}

fn entries(ctx: &mut Ctx<'_>, which: Which, count: usize) {
    let entries = which(ctx).newest(count);
    ctx.reply.array(entries.len());
    for entry in entries {
        ctx.reply.array(6);
        ctx.reply.integer(i64::try_from(entry.id).unwrap_or(i64::MAX));
        ctx.reply.integer(entry.time_s);
        ctx.reply.integer(entry.value);
        ctx.reply.array(entry.args.len());
        entry.args.iter().for_each(|word| ctx.reply.bulk(word));
        ctx.reply.bulk(entry.peer.as_bytes());
        ctx.reply.bulk(&entry.name);
    }
}

fn slow_help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "GET [<count>]",
            "    Return the newest <count> entries (10 when not given, -1 means all). Each has",
            "    id, time, microseconds, arguments, client address and client name.",
            "LEN",
            "    Count the entries.",
            "RESET",
            "    Drop all entries.",
        ],
    );
    Ok(())
}

fn log_help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "GET <count> <type>",
            "    Return the newest <count> entries of a log (-1 means all). Each has id, time,",
            "    microseconds or bytes, arguments, client address and client name.",
            "LEN <type>",
            "    Count the entries of a log.",
            "RESET <type>",
            "    Drop all entries of a log.",
            "<type>",
            "    slow, large-request or large-reply.",
        ],
    );
    Ok(())
}
