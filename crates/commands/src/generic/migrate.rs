//! `MIGRATE`: keys move to another server.
//!
//! The talk with that server is not the command's business, nor does anybody else wait for it: the command runs
//! in steps, each under the locks of its keys, and between them whoever runs it sends what the step has put into
//! the session's [`Migration`]. What changes meanwhile is noticed as WATCH would, and sent again; what has gone is
//! taken back.

use std::time::Duration;

use command::migration::{Carried, Migration, Moved, Moving, Offer};
use command::{
    Args, Begin, Categories, Ctx, Error, Find, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome,
    Spec,
};
use config::KeyspaceEvents;

use super::dump::view;

const MOVES: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

/// `MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key...]`
pub const MIGRATE: Spec = Spec {
    name: "migrate",
    arity: -6,
    // It takes time in proportion to its values, and for the other server to answer.
    flags: Flags::WRITE.union(Flags::LINEAR),
    categories: Categories::KEYSPACE.union(Categories::DANGEROUS),
    group: Group::Generic,
    keys: &[
        KeySpec::one(3, MOVES),
        KeySpec {
            flags: MOVES.union(KeyFlags::INCOMPLETE),
            begin: Begin::Keyword("KEYS", -2),
            find: Find::Range { last: -1, step: 1, limit: 0 },
        },
    ],
    find_keys: Some(find_keys),
    since: "2.6.0",
    summary: "Moves keys to another server.",
    complexity: "O(N) with N the size of the values, here and at the other server.",
    syntax: "host port:integer key-or-empty-string=(key | \"\") destination-db:integer timeout:integer [COPY] \
             [REPLACE] [authentication=([AUTH password] | [AUTH2 username-password=(username password)])] \
             [KEYS key...]",
    history: &[
        ("3.0.0", "Added `COPY` and `REPLACE`."),
        ("3.0.6", "Added `KEYS`."),
        ("4.0.7", "Added `AUTH`."),
        ("6.0.0", "Added `AUTH2`."),
    ],
    tips: &["nondeterministic_output"],
    run: migrate,
    ..Spec::BASE
};

/// The steps after which a key that changes faster than it travels is left alone.
const STEPS_MAX: u32 = 16;

/// How long to wait for the other server when the caller does not say.
const TIMEOUT_MS: i64 = 1000;

/// What MIGRATE is asked for.
pub struct Request<'a> {
    /// The other server's name.
    pub host: &'a [u8],
    /// Its port.
    pub port: &'a [u8],
    /// The database there.
    pub database: i64,
    /// How long to wait for every answer.
    pub timeout: Duration,
    /// Keeps the keys here.
    pub copy: bool,
    /// Replaces keys there.
    pub replace: bool,
    /// The words of AUTH there, without its name.
    pub credentials: Vec<&'a [u8]>,
    /// The words that name the keys.
    keys: std::ops::Range<usize>,
}

impl<'a> Request<'a> {
    /// Understands the command's words.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn parse(args: Args<'a>) -> Result<Self, Error> {
        let (mut copy, mut replace, mut keys) = (false, false, 3..4);
        let mut credentials = Vec::new();
        let mut word = 6;
        while word < args.len() {
            let more = args.len() - 1 - word;
            if args.is(word, "copy") {
                copy = true;
            } else if args.is(word, "replace") {
                replace = true;
            } else if args.is(word, "auth") && more >= 1 {
                credentials = vec![args.at(word + 1)];
                word += 1;
            } else if args.is(word, "auth2") && more >= 2 {
                credentials = vec![args.at(word + 1), args.at(word + 2)];
                word += 2;
            } else if args.is(word, "keys") {
                if !args.at(3).is_empty() {
                    return Err(Error::fixed(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty \
                         string",
                    ));
                }
                keys = word + 1..args.len();
                break;
            } else {
                return Err(Error::SYNTAX);
            }
            word += 1;
        }
        let timeout_ms = match args.integer(5)? {
            ..=0 => TIMEOUT_MS,
            asked => asked,
        };
        let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
        let (host, port, database) = (args.at(1), args.at(2), args.integer(4)?);
        Ok(Self { host, port, database, timeout, copy, replace, credentials, keys })
    }
}

fn find_keys(args: Args<'_>, keys: &mut KeyList) -> Result<(), Error> {
    let mut words = 3..4;
    let mut word = 6;
    while word < args.len() {
        if args.is(word, "keys") {
            // The command refuses both.
            words = if args.at(3).is_empty() { word + 1..args.len() } else { 0..0 };
            break;
        }
        word += match () {
            () if args.is(word, "auth") => 2,
            () if args.is(word, "auth2") => 3,
            () => 1,
        };
    }
    keys.extend(words.map(|word| (word, MOVES)));
    Ok(())
}

/// One step. It answers only when there is nothing left to send.
fn migrate(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    // Taken in any case: what is not put back is over.
    let migration = ctx.session.migration.take();
    let request = Request::parse(args)?;
    let Some(mut migration) = migration else {
        // Their locks would be held while the other server answers.
        return Err(Error::fixed("ERR MIGRATE is not allowed inside a transaction or a script"));
    };
    if migration.steps == 0 {
        let wanted = |word| Moving { word, ours: false, state: Moved::Wanted };
        migration.keys = request.keys.clone().map(wanted).collect();
    }
    migration.steps += 1;
    settle(ctx, args, &request, &mut migration);
    let is_wanted = |moving: &Moving| matches!(moving.state, Moved::Wanted);
    if migration.steps > STEPS_MAX
        && migration.failure.is_none()
        && migration.keys.iter().any(is_wanted)
    {
        migration.failure =
            Some(Error::fixed("ERR A key changes faster than it can be migrated, and stays here"));
    }
    if migration.failure.is_none() {
        offer(ctx, args, &request, &mut migration);
    }
    if migration.offers().next().is_some() {
        ctx.session.migration = Some(migration);
        return Ok(());
    }
    match migration.failure {
        Some(failure) => return Err(failure),
        None if migration.found => ctx.reply.ok(),
        None => ctx.reply.simple("NOKEY"),
    }
    Ok(())
}

/// Removes the keys that the other server has taken as they are.
fn settle(ctx: &mut Ctx<'_>, args: Args<'_>, request: &Request<'_>, migration: &mut Migration) {
    let mut gone = Vec::new();
    let database = ctx.db.number();
    for moving in &mut migration.keys {
        let Moved::Offered(offer) = &moving.state else { continue };
        let key = args.key(moving.word);
        if request.copy {
            moving.state = Moved::Settled;
            continue;
        }
        let changed = ctx.db.watch_broken(key, offer.version);
        ctx.db.shard_of(key.hash()).marks.unwatch(database, key.bytes());
        if offer.taken && changed {
            (moving.ours, moving.state) = (offer.value.is_some(), Moved::Wanted);
            continue;
        }
        if offer.taken && offer.value.is_some() {
            gone.push(moving.word);
        }
        moving.state = Moved::Settled;
    }
    // Behind the look at all versions: a key may be named twice.
    gone.retain(|word| {
        let key = args.key(*word);
        let removed = ctx.db.remove(key);
        if removed {
            ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        }
        removed
    });
    if gone.is_empty() {
        ctx.effects.not_itself();
    } else {
        ctx.effects.instead_list(&[b"DEL"], gone.iter().map(|word| args.at(*word)));
    }
}

/// Puts together what the other server is to be told.
fn offer(ctx: &mut Ctx<'_>, args: Args<'_>, request: &Request<'_>, migration: &mut Migration) {
    let compress = ctx.config.rdbcompression;
    for moving in &mut migration.keys {
        if !matches!(moving.state, Moved::Wanted) {
            continue;
        }
        let key = args.key(moving.word);
        let first = migration.steps == 1;
        let entry = if first { ctx.db.get(key) } else { ctx.db.inspect(key) };
        let value = entry.map(|entry| Carried {
            payload: rdb::dump(view(entry), compress),
            deadline_ms: entry.deadline_ms(),
        });
        migration.found |= value.is_some();
        moving.state = Moved::Settled;
        if value.is_some() || moving.ours {
            let version = if request.copy { 0 } else { ctx.db.watch(key) };
            moving.state = Moved::Offered(Offer { version, value, taken: false });
        }
    }
}
