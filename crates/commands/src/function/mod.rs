//! Functions: libraries of them, FCALL.
mod call;
mod dump;
mod library;
mod list;

pub use library::add as add_library;

use command::{Args, Ctx, Flags, Group, Outcome, Spec};

use crate::help;
use crate::script::kill;

/// The commands of this family.
pub const COMMANDS: &[&Spec] = &[&call::FCALL, &call::FCALL_RO, &FUNCTION];

/// What subcommands' declarations start from.
const BASE: Spec = Spec {
    container: Some("function"),
    group: Group::Scripting,
    flags: Flags::NOSCRIPT,
    since: "7.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

const FUNCTION: Spec = Spec {
    name: "function",
    arity: -2,
    group: Group::Scripting,
    since: "7.0.0",
    summary: "A container for commands about functions.",
    complexity: "Depends on subcommand.",
    subcommands: &[
        &library::DELETE,
        &dump::DUMP,
        &library::FLUSH,
        &HELP,
        &KILL,
        &list::LIST,
        &library::LOAD,
        &dump::RESTORE,
        &list::STATS,
    ],
    ..Spec::BASE
};

const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    summary: "Lists the subcommands.",
    run: help,
    ..BASE
};

const KILL: Spec = Spec {
    name: "kill",
    arity: 2,
    flags: Flags::NOSCRIPT.union(Flags::ALLOW_BUSY),
    summary: "Ends the function that runs.",
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    run: |ctx, _| kill::kill(ctx, false),
    ..BASE
};

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    help::reply(
        ctx,
        args,
        &[
            "LOAD [REPLACE] <FUNCTION CODE>",
            "    Add a library with its functions.",
            "DELETE <LIBRARY NAME>",
            "    Take a library away.",
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "    Describe libraries and their functions, with WITHCODE their text too.",
            "STATS",
            "    Tell which function runs, and how many there are.",
            "KILL",
            "    End the function that runs.",
            "FLUSH [ASYNC|SYNC]",
            "    Take all libraries away.",
            "DUMP",
            "    Give all libraries in a form that RESTORE takes.",
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
            "    Add libraries that DUMP gave: in place of all (FLUSH), beside those that there are (APPEND,",
            "    the default), or in place of those of the same names (REPLACE).",
        ],
    );
    Ok(())
}
