//! ACL: users, roles, and what they may do.

mod cat;
mod dryrun;
mod effects;
mod file;
mod genpass;
mod log;
mod roles;
mod rules;
mod show;
mod users;
mod whoami;

use command::{Args, Ctx, Flags, Group, Outcome, Spec};

use crate::help;

pub(crate) use effects::{follow_options, login};
pub use file::cannot_open as cannot_open_users;
pub(crate) use file::{rewritten_roles, rewritten_users};

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[&ACL];

/// What those have in common that everybody may call.
const COMMON: Flags = Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE);
/// The same for those that are about all users.
const ADMIN: Flags = COMMON.union(Flags::ADMIN);

const BASE: Spec = Spec {
    container: Some("acl"),
    group: Group::Server,
    flags: ADMIN,
    since: "6.0.0",
    ..Spec::BASE
};

/// `ACL subcommand ...`
pub const ACL: Spec = Spec {
    name: "acl",
    arity: -2,
    group: Group::Server,
    since: "6.0.0",
    summary: "Holds the commands about users and what they may do.",
    complexity: "Depends on subcommand.",
    subcommands: &[
        &cat::CAT,
        &roles::DELROLE,
        &users::DELUSER,
        &dryrun::DRYRUN,
        &genpass::GENPASS,
        &roles::GETROLE,
        &users::GETUSER,
        &HELP,
        &users::LIST,
        &file::LOAD,
        &log::LOG,
        &roles::ROLES,
        &file::SAVE,
        &roles::SETROLE,
        &users::SETUSER,
        &users::USERS,
        &whoami::WHOAMI,
    ],
    ..Spec::BASE
};

/// `ACL HELP`
const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    run: help,
    ..BASE
};

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    help::reply(
        ctx,
        args,
        &[
            "CAT [<category>]",
            "    The categories of commands, or the commands in one of them.",
            "DELROLE <rolename> [<rolename> ...]",
            "    Delete roles that no user has.",
            "DELUSER <username> [<username> ...]",
            "    Delete users, and close their connections.",
            "DRYRUN <username> <command> [<arg> ...]",
            "    Whether a user may run a command, without running it.",
            "GENPASS [<bits>]",
            "    A password that nobody can guess, of 256 bits unless told otherwise.",
            "GETROLE <rolename>",
            "    The rules of a role, and who has it.",
            "GETUSER <username>",
            "    The rules of a user.",
            "LIST",
            "    All roles and users, as in a file of them.",
            "LOAD",
            "    Read the file of users again.",
            "LOG [<count> | RESET]",
            "    What was denied lately.",
            "ROLES",
            "    The names of the roles.",
            "SAVE",
            "    Write the file of users.",
            "SETROLE <rolename> <rule> [<rule> ...]",
            "    Create a role, or change it.",
            "SETUSER <username> <rule> [<rule> ...]",
            "    Create a user, or change it.",
            "USERS",
            "    The names of the users.",
            "WHOAMI",
            "    The user of this connection.",
        ],
    );
    Ok(())
}
