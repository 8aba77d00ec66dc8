//! SCRIPT.
use std::sync::Arc;

use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use script::sha1_hex;

use super::{eval, kill};
use crate::help;

const BASE: Spec = Spec {
    container: Some("script"),
    group: Group::Scripting,
    flags: Flags::NOSCRIPT,
    since: "2.6.0",
    complexity: "O(1)",
    ..Spec::BASE
};

/// `SCRIPT subcommand ...`
pub const SCRIPT: Spec = Spec {
    name: "script",
    arity: -2,
    group: Group::Scripting,
    since: "2.6.0",
    summary: "A container for commands about scripts.",
    complexity: "Depends on subcommand.",
    subcommands: &[&DEBUG, &EXISTS, &FLUSH, &HELP, &KILL, &LOAD, &SHOW],
    ..Spec::BASE
};

const DEBUG: Spec = Spec {
    name: "debug",
    arity: 3,
    since: "3.2.0",
    summary: "Would set how scripts are debugged.",
    syntax: "mode=(YES | SYNC | NO)",
    run: debug,
    ..BASE
};

const EXISTS: Spec = Spec {
    name: "exists",
    arity: -3,
    summary: "Tells which scripts the server knows.",
    complexity: "O(N) with N being the number of scripts asked for.",
    syntax: "sha1 ...",
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    run: exists,
    ..BASE
};

const FLUSH: Spec = Spec {
    name: "flush",
    arity: -2,
    summary: "Forgets all scripts.",
    complexity: "O(N) with N being the number of scripts.",
    syntax: "[flush-type=(ASYNC | SYNC)]",
    history: &[("6.2.0", "Takes ASYNC and SYNC.")],
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: flush,
    ..BASE
};

const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    since: "5.0.0",
    summary: "Lists the subcommands.",
    run: help,
    ..BASE
};

const KILL: Spec = Spec {
    name: "kill",
    arity: 2,
    flags: Flags::NOSCRIPT.union(Flags::ALLOW_BUSY),
    summary: "Ends the script that runs.",
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    run: |ctx, _| kill::kill(ctx, true),
    ..BASE
};

const LOAD: Spec = Spec {
    name: "load",
    arity: 3,
    flags: Flags::NOSCRIPT.union(Flags::STALE),
    summary: "Makes a script known without running it.",
    complexity: "O(N) with N being the length of the script in bytes.",
    syntax: "script",
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: load,
    ..BASE
};

const SHOW: Spec = Spec {
    name: "show",
    arity: 3,
    since: "8.0.0",
    summary: "Gives a script's text.",
    syntax: "sha1",
    run: show,
    ..BASE
};

fn debug(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.is(2, "NO") {
        ctx.reply.ok();
        return Ok(());
    }
    Err(Error::fixed(match args.is(2, "YES") || args.is(2, "SYNC") {
        true => "ERR SCRIPT DEBUG is not supported",
        false => "ERR Use SCRIPT DEBUG YES/SYNC/NO",
    }))
}

fn exists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.reply.array(args.len() - 2);
    for word in args.iter_from(2) {
        let known = eval::sha_of(word).is_some_and(|sha| ctx.services.scripts.has(&sha));
        ctx.reply.integer(i64::from(known));
    }
    Ok(())
}

fn flush(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let known = args.len() == 2 || (args.len() == 3 && (args.is(2, "SYNC") || args.is(2, "ASYNC")));
    if !known {
        return Err(Error::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    ctx.services.scripts.flush();
    ctx.reply.ok();
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    help::reply(
        ctx,
        args,
        &[
            "DEBUG (YES|SYNC|NO)",
            "    Is not supported.",
            "EXISTS <sha1> [<sha1> ...]",
            "    Tell which scripts are known.",
            "FLUSH [ASYNC|SYNC]",
            "    Forget all scripts.",
            "KILL",
            "    End the script that runs.",
            "LOAD <script>",
            "    Make a script known without running it.",
            "SHOW <sha1>",
            "    Give a script's text.",
        ],
    );
    Ok(())
}

fn load(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let sha = sha1_hex(args.at(2));
    let source = match ctx.services.scripts.find(&sha) {
        Some(source) => source,
        None => eval::compile(ctx, sha, args.at(2))?,
    };
    ctx.services.scripts.add(sha, Arc::clone(&source), false);
    ctx.reply.bulk(&sha);
    Ok(())
}

fn show(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let source = eval::sha_of(args.at(2)).and_then(|sha| ctx.services.scripts.find(&sha));
    ctx.reply.bulk(&source.ok_or(eval::NO_SCRIPT)?.text);
    Ok(())
}
