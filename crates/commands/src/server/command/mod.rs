//! COMMAND: what commands there are, and what is to be known of them.

mod docs;
mod info;
mod keys;
mod list;

use command::{Args, Categories, Ctx, Error, Flags, Group, Outcome, Spec};

/// `COMMAND`
pub const COMMAND: Spec = Spec {
    name: "command",
    arity: -1,
    since: "2.8.13",
    summary: "Describes all commands.",
    complexity: "O(N) in the number of commands",
    tips: &["nondeterministic_output_order"],
    subcommands: &[
        &COUNT,
        &list::LIST,
        &info::INFO,
        &docs::DOCS,
        &keys::GETKEYS,
        &keys::GETKEYSANDFLAGS,
        &HELP,
    ],
    run: command_all,
    ..COMMON
};

/// What COMMAND and its subcommands have in common.
const COMMON: Spec = Spec {
    flags: Flags::LOADING.union(Flags::STALE),
    categories: Categories::CONNECTION,
    group: Group::Server,
    ..Spec::BASE
};

/// `COMMAND COUNT`
const COUNT: Spec = Spec {
    name: "count",
    container: Some("command"),
    arity: 2,
    since: "2.8.13",
    summary: "Counts the commands.",
    complexity: "O(1)",
    run: count,
    ..COMMON
};

/// `COMMAND HELP`
const HELP: Spec = Spec {
    name: "help",
    container: Some("command"),
    arity: 2,
    since: "5.0.0",
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    run: help,
    ..COMMON
};

fn command_all(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 1 {
        return command::unknown_subcommand(ctx, args);
    }
    info::reply_all(ctx);
    Ok(())
}

fn count(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let count = ctx.services.table.commands().count();
    ctx.reply.integer(i64::try_from(count).map_err(|_| Error::OVERFLOW)?);
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "(no subcommand)",
            "    Describe all commands: arity, flags, keys, categories.",
            "COUNT",
            "    Count the commands.",
            "LIST [FILTERBY <MODULE <module> | ACLCAT <category> | PATTERN <pattern>>]",
            "    List the names of commands and subcommands.",
            "INFO [<command-name> ...]",
            "    Describe some commands; all when none is named.",
            "DOCS [<command-name> ...]",
            "    Document some commands; all when none is named.",
            "GETKEYS <full-command>",
            "    Find the keys in a command.",
            "GETKEYSANDFLAGS <full-command>",
            "    Find the keys in a command, and what is done with them.",
        ],
    );
    Ok(())
}
