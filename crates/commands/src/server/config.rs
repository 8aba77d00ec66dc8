//! CONFIG: options at run time.

use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use config::{Applied, Caller, Rewrite, SetError};

/// `CONFIG`
pub const CONFIG: Spec = Spec {
    name: "config",
    arity: -2,
    group: Group::Server,
    since: "2.0.0",
    summary: "Holds the commands that read and change options.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&GET, &SET, &REWRITE, &RESETSTAT, &HELP],
    ..Spec::BASE
};

/// What the subcommands have in common.
const COMMON: Spec = Spec {
    container: Some("config"),
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE),
    group: Group::Server,
    ..Spec::BASE
};

/// `CONFIG GET`
const GET: Spec = Spec {
    name: "get",
    arity: -3,
    since: "2.0.0",
    summary: "Returns options and their values.",
    complexity: "O(N) in the number of options asked for",
    syntax: "parameter=(parameter)...",
    history: &[("7.0.0", "Several patterns in one call.")],
    run: get,
    ..COMMON
};

/// `CONFIG SET`
const SET: Spec = Spec {
    name: "set",
    arity: -4,
    since: "2.0.0",
    summary: "Changes options, all or none.",
    complexity: "O(N) in the number of options",
    syntax: "(parameter value)...",
    history: &[("7.0.0", "Several options in one call.")],
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: set,
    ..COMMON
};

/// `CONFIG REWRITE`
const REWRITE: Spec = Spec {
    name: "rewrite",
    arity: 2,
    since: "2.8.0",
    summary: "Writes the options as they are now into the configuration file.",
    complexity: "O(1)",
    run: rewrite,
    ..COMMON
};

/// `CONFIG RESETSTAT`
const RESETSTAT: Spec = Spec {
    name: "resetstat",
    arity: 2,
    since: "2.0.0",
    summary: "Starts the statistics of INFO from 0.",
    complexity: "O(1)",
    run: resetstat,
    ..COMMON
};

/// `CONFIG HELP`
const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    since: "5.0.0",
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    run: help,
    ..COMMON
};

fn get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let patterns: Vec<&[u8]> = args.iter_from(2).collect();
    let found = ctx.services.config.get(&patterns);
    ctx.reply.map(found.len());
    for (name, value) in found {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(&value);
    }
    Ok(())
}

fn set(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    let pairs: Vec<(&[u8], &[u8])> =
        (2..args.len()).step_by(2).map(|at| (args.at(at), args.at(at + 1))).collect();
    let caller = Caller {
        local: ctx.session.client.is_local(),
        loading: ctx.services.persistence.is_loading(),
    };
    let store = &ctx.services.config;
    let applied = store.set(&pairs, caller).map_err(|error| refused(&error))?;
    if applied.changed.is_empty() {
        ctx.reply.ok();
        return Ok(());
    }
    if let Err(message) = ctx.services.host.reconfigure(&applied.changed) {
        store.roll_back(&applied);
        // What was in effect before can be put into effect again, short of a fault of the system.
        let _ = ctx.services.host.reconfigure(&applied.changed);
        return Err(refused(&SetError::failed(culprit(&applied), message)));
    }
    crate::acl::follow_options(ctx.services, &applied);
    ctx.reply.ok();
    Ok(())
}

fn refused(error: &SetError) -> Error {
    match error {
        SetError::Loading => Error::new(format!("LOADING {error}")),
        _ => Error::new(format!("ERR {error}")),
    }
}

/// The option that a failure most likely comes from: one that the outside has a say in.
fn culprit(applied: &Applied) -> &'static str {
    const OUTSIDE: [&str; 5] = ["port", "tls-port", "bind", "maxclients", "unixsocket"];
    let of_outside = OUTSIDE.into_iter().find(|name| applied.has(name));
    of_outside.or_else(|| applied.changed.first().copied()).unwrap_or_default()
}

fn rewrite(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    write_file(ctx, false)
}

/// DEBUG CONFIG-REWRITE-FORCE-ALL: writes the options with their defaults as well.
pub fn rewrite_all(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    write_file(ctx, true)
}

fn write_file(ctx: &mut Ctx<'_>, all: bool) -> Outcome {
    let config = ctx.services.config.snapshot();
    let Some(path) = &config.file else {
        return Err(Error::fixed("ERR The server is running without a config file"));
    };
    let rewrite = Rewrite {
        users: Some(crate::acl::rewritten_users(ctx.services)),
        roles: Some(crate::acl::rewritten_roles(ctx.services)),
        all,
    };
    rewrite.file(&config, path).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        Error::new(format!("ERR Rewriting config file: {text}"))
    })?;
    ctx.reply.ok();
    Ok(())
}

fn resetstat(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.statistics.reset();
    ctx.services.acl.log.reset_counts();
    ctx.services.keyspace.reclaimer().reset_freed();
    ctx.reply.ok();
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "GET <pattern> [<pattern> ...]",
            "    Return the options that the patterns match, and their values.",
            "SET <option> <value> [<option> <value> ...]",
            "    Change options: all of them, or none when one is refused.",
            "RESETSTAT",
            "    Start the statistics of INFO from 0.",
            "REWRITE",
            "    Write the options as they are now into the configuration file.",
        ],
    );
    Ok(())
}
