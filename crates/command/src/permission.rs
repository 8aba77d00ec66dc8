//! Whether a client may run a command: the declaration says what the command touches, the user's rules
//! whether that is allowed. The keys are those that [`Spec::keys_of`](crate::Spec::keys_of) finds, by which
//! their shards are locked as well: a command touches no others.

use acl::{Access, Channel, Context, Databases as Asked, Denial, Denied, Reason, Request, User};
use smallvec::SmallVec;

use crate::args::Args;
use crate::client_line::{Running, describe};
use crate::error::Error;
use crate::keys::{KeyFlags, KeyList};
use crate::services::Services;
use crate::session::Session;
use crate::spec::{Categories, Channels, Databases};
use crate::table::Command;

/// Whether `user` may run a command while `database` is selected, one of `databases`.
///
/// # Errors
/// Says what is missing.
pub fn check(user: &User, command: Command, args: Args<'_>, database: usize) -> Result<(), Denied> {
    if user.is_unrestricted() {
        return Ok(());
    }
    ask(command, args, database, |request| user.check(request))
}

/// Whether `user` may run a command that besides its keys reads keys which its data name.
pub fn may_read_every_key(user: &User, command: Command, args: Args<'_>, database: usize) -> bool {
    user.is_unrestricted()
        || ask(command, args, database, |request| user.may_with_every_key(request, Access::READ))
}

/// What a command does with a key, as far as permissions tell it apart.
pub fn access(flags: KeyFlags) -> Access {
    const WRITES: KeyFlags = KeyFlags::INSERT.union(KeyFlags::DELETE).union(KeyFlags::UPDATE);
    let mut access = Access::empty();
    access.set(Access::READ, flags.contains(KeyFlags::ACCESS));
    access.set(Access::WRITE, flags.intersects(WRITES));
    access
}

/// Makes the request out of a command's declaration and words.
fn ask<T>(
    command: Command,
    args: Args<'_>,
    database: usize,
    answer: impl FnOnce(&Request<'_>) -> T,
) -> T {
    // What is wrong with the arguments is told by the command itself, before it touches any key.
    let found = command.keys_of(args).unwrap_or_else(|_| KeyList::new());
    let is_key = |(_, flags): &&(usize, KeyFlags)| !flags.contains(KeyFlags::NOT_KEY);
    let keys: SmallVec<[_; 4]> = found
        .iter()
        .filter(is_key)
        .map(|(word, flags)| (*word, args.at(*word), access(*flags)))
        .collect();
    let (last, is_pattern) = match command.channels {
        Channels::Nothing => (0, false),
        Channels::First => (1, false),
        Channels::Names => (args.len() - 1, false),
        Channels::Patterns => (args.len() - 1, true),
    };
    let channels: SmallVec<[_; 4]> =
        (1..=last).map(|word| (Channel { word, is_pattern }, args.at(word))).collect();
    let databases = databases(command, args, database, !keys.is_empty());
    answer(&Request {
        command: command.id(),
        is_free: command.flags.contains(crate::spec::Flags::NO_AUTH),
        first: args.get(1),
        keys: &keys,
        channels: &channels,
        databases: match command.databases {
            Databases::All => Asked::All,
            _ => Asked::These(&databases),
        },
    })
}

/// The databases that a command touches, and the words that say so.
fn databases(
    command: Command,
    args: Args<'_>,
    selected: usize,
    has_keys: bool,
) -> SmallVec<[(usize, i64); 2]> {
    const WALKS: Categories = Categories::KEYSPACE.union(Categories::READ).union(Categories::WRITE);
    let mut databases = SmallVec::new();
    let walks = matches!(command.databases, Databases::Selected)
        && command.keys.is_empty()
        && command.all_categories().intersects(WALKS);
    if has_keys || walks {
        databases.push((0, selected as i64));
    }
    if let Databases::Named(find) = command.databases {
        let number = |word: usize| Some((word, codec::number::parse_i64(args.get(word)?)?));
        databases.extend(find(args).into_iter().filter_map(number));
    }
    databases
}

/// The error of a command that a client sent.
pub fn error(command: Command, denied: Denied) -> Error {
    match denied.reason {
        Reason::Key => Error::fixed(
            "NOPERM this user has no permissions to access one of the keys used as arguments",
        ),
        Reason::Channel => Error::fixed(
            "NOPERM this user has no permissions to access one of the channels used as arguments",
        ),
        Reason::Database => Error::fixed("NOPERM No permissions to access database"),
        Reason::Command | Reason::Auth => Error::new(format!(
            "NOPERM this user has no permissions to run the '{}' command",
            command.full_name()
        )),
    }
}

/// The error of a command that was allowed when its transaction was put together.
pub fn error_in_transaction(denied: Denied) -> Error {
    let reason = match denied.reason {
        Reason::Key => "no permission to touch the specified keys",
        Reason::Channel => "no permission to access one of the channels used as arguments",
        Reason::Database => "no permission to access database",
        Reason::Command | Reason::Auth => "no permission to execute the command or subcommand",
    };
    Error::new(format!(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. \
         This command is no longer allowed for the following reason: {reason}"
    ))
}

/// What ACL DRYRUN says.
pub fn explain(command: Command, args: Args<'_>, denied: Denied) -> Vec<u8> {
    let mut text = b"This user has no permissions to ".to_vec();
    let word = args.at(denied.word);
    let (before, what, after): (&str, &[u8], &str) = match denied.reason {
        Reason::Key => ("access the '", word, "' key"),
        Reason::Channel => ("access the '", word, "' channel"),
        Reason::Database => ("access database ", word, ""),
        Reason::Command | Reason::Auth => ("run the '", b"", "' command"),
    };
    text.extend_from_slice(before.as_bytes());
    match denied.reason {
        Reason::Command | Reason::Auth => text.extend_from_slice(command.full_name().as_bytes()),
        _ => text.extend_from_slice(what),
    }
    text.extend_from_slice(after.as_bytes());
    text
}

/// Notes in ACL LOG that something was denied to `session`'s user.
pub fn note(
    services: &Services,
    session: &Session,
    context: Context,
    denied: Denied,
    command: Command,
    args: Args<'_>,
) {
    session.client.note_command(command);
    let object = match denied.reason {
        Reason::Command | Reason::Auth => command.full_name().into_bytes(),
        _ => args.at(denied.word).to_vec(),
    };
    let user = session.user.name().to_vec();
    add(services, session, Denial { reason: denied.reason, context, object, user }, args);
}

/// Notes in ACL LOG that somebody could not prove to be `user`.
pub fn note_failed_login(services: &Services, session: &Session, user: &[u8], args: Args<'_>) {
    let context = if session.transaction.is_some() { Context::Multi } else { Context::TopLevel };
    let (object, user) = (args.at(0).to_vec(), user.to_vec());
    add(services, session, Denial { reason: Reason::Auth, context, object, user }, args);
}

fn add(services: &Services, session: &Session, denial: Denial, args: Args<'_>) {
    let now_ms = services.clock.unix_ms();
    let client = &session.client;
    let argument_bytes = args.iter().map(<[u8]>::len).sum::<usize>() as u64;
    let running = Running { client: client.id, argument_bytes };
    let mut line = Vec::new();
    describe(&mut line, client, &services.table, now_ms, running);
    let length = services.config.load().acllog_max_len;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    services.acl.log.add(denial, line, now_ms, length);
}
