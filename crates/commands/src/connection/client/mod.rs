//! CLIENT: what connected clients are, and what may be done to them.

mod filter;
mod id;
mod kill;
mod list;
mod modes;
mod names;
mod pause;
mod tracking;
mod unblock;

pub use names::set_name;

use command::{Args, Ctx, Flags, Group, Outcome, Spec};

use crate::help;

/// What all subcommands but HELP may do without.
const COMMON: Flags = Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE);
/// The same for those that concern other clients.
const ADMIN: Flags = COMMON.union(Flags::ADMIN);

/// What subcommands' declarations start from.
const BASE: Spec = Spec {
    container: Some("client"),
    group: Group::Connection,
    complexity: "O(1)",
    flags: COMMON,
    ..Spec::BASE
};

/// `CLIENT subcommand ...`
pub const CLIENT: Spec = Spec {
    name: "client",
    arity: -2,
    group: Group::Connection,
    since: "2.4.0",
    summary: "A container for commands about clients.",
    complexity: "Depends on subcommand.",
    subcommands: &[
        &tracking::CACHING,
        &modes::CAPA,
        &names::GETNAME,
        &tracking::GETREDIR,
        &HELP,
        &id::ID,
        &list::INFO,
        &kill::KILL,
        &list::LIST,
        &modes::NO_EVICT,
        &modes::NO_TOUCH,
        &pause::PAUSE,
        &modes::REPLY,
        &names::SETINFO,
        &names::SETNAME,
        &tracking::TRACKING,
        &tracking::TRACKINGINFO,
        &unblock::UNBLOCK,
        &pause::UNPAUSE,
    ],
    ..Spec::BASE
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

fn help(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let lines = [
        "CACHING (YES|NO)",
        "    Track, or do not track, what the next command reads (TRACKING with OPTIN or OPTOUT).",
        "CAPA <capability> [<capability> ...]",
        "    Say what the client can do (REDIRECT: follow redirections outside of a cluster).",
        "GETNAME",
        "    The name of this connection.",
        "GETREDIR",
        "    The id of the connection that gets the invalidations of this one.",
        "ID",
        "    The id of this connection.",
        "INFO",
        "    This connection as LIST shows it.",
        "KILL <ip:port>",
        "    Close the connection from this address.",
        "KILL <filter> <value> [<filter> <value> ...]",
        "    Close the connections that pass all filters; filters are:",
        "    * ID <id> [<id> ...], ADDR <ip:port>, LADDR <ip:port>, IP <ip>, USER <name>,",
        "      TYPE (NORMAL|MASTER|REPLICA|PUBSUB), NAME <name>, LIB-NAME <name>, LIB-VER <version>,",
        "      DB <index>, FLAGS <letters>, CAPA <letters>: those that are so.",
        "    * MAXAGE <seconds>, IDLE <seconds>: those that are at least so old, or idle for so long.",
        "    * SKIPME (YES|NO): whether this connection is left out (YES by default).",
        "LIST [<filter> <value> ...]",
        "    The connections that pass all filters; they are KILL's, with SKIPME NO by default.",
        "NO-EVICT (ON|OFF)",
        "    Exempt this connection when clients are closed for lack of memory.",
        "NO-TOUCH (ON|OFF)",
        "    Leave access times and frequencies as they are when this connection reads keys.",
        "PAUSE <milliseconds> [WRITE|ALL]",
        "    Hold all commands back for a time, or those that write.",
        "REPLY (ON|OFF|SKIP)",
        "    Send replies, or send none, or not the next one.",
        "SETINFO (LIB-NAME|LIB-VER) <value>",
        "    Say which library this connection is used by.",
        "SETNAME <name>",
        "    Name this connection.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
        "    Tell this connection which of the keys that it has read change.",
        "TRACKINGINFO",
        "    How this connection tracks keys.",
        "UNBLOCK <id> [TIMEOUT|ERROR]",
        "    End the wait of a client in a blocking command, as by timeout or with an error.",
        "UNPAUSE",
        "    End a pause.",
    ];
    help::write(ctx, "CLIENT", &lines)
}
