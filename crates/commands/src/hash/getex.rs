use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Item;
use value::Kind;
use value::hash::Hash;

use super::{HASH, access};
use crate::lifetime::{Parts, Tally, Time, expire_part, first};
use crate::reply;

/// `HGETEX key [EX seconds | PX milliseconds | EXAT ... | PXAT ... | PERSIST] FIELDS numfields field...`
pub const HGETEX: Spec = Spec {
    name: "hgetex",
    arity: -5,
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "8.0.0",
    summary: "Returns the values of fields of a hash and changes their deadlines.",
    complexity: "O(N) for N fields",
    syntax: "key expiration=[EX seconds:integer | PX milliseconds:integer | \
             EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST] \
             fields=(FIELDS numfields:integer field...)",
    run: hgetex,
    ..HASH
};

/// What becomes of the deadlines.
#[derive(Clone, Copy)]
enum Change {
    Keep,
    Persist,
    Set(i64),
}

impl Change {
    /// The change, and where the word FIELDS has to be.
    fn parse(args: Args<'_>, now: i64) -> Result<(Self, usize), Error> {
        let times = [
            ("EX", Time::SECONDS),
            ("PX", Time::MILLISECONDS),
            ("EXAT", Time::UNIX_SECONDS),
            ("PXAT", Time::UNIX_MILLISECONDS),
        ];
        if let Some((_, time)) = times.into_iter().find(|(name, _)| args.is(2, name)) {
            return Ok((Self::Set(time.deadline(args, 3, now, "hgetex")?), 4));
        }
        Ok(if args.is(2, "PERSIST") { (Self::Persist, 3) } else { (Self::Keep, 2) })
    }

    /// Applies the change to a field that exists.
    fn apply<'a>(self, hash: &mut Hash, name: &'a [u8], now: i64, tally: &mut Tally<'a>) {
        match self {
            Self::Keep => {}
            Self::Persist => {
                if hash.deadline_of(name).flatten().is_some() {
                    hash.change_deadline(name, None);
                    tally.set.push(name);
                }
            }
            Self::Set(deadline) => {
                tally.add(name, expire_part(hash, name, deadline, now, |_| true));
            }
        }
    }
}

fn hgetex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now = ctx.now_ms();
    let key = args.key(1);
    let (change, tally) = access::write(&mut ctx.db, key, |mut hash| {
        let (change, at) = Change::parse(args, now)?;
        let first = first(args, at, Hash::WORDS, Hash::WORDS.not_positive)?;
        ctx.reply.array(args.len() - first);
        let mut tally = Tally::default();
        for name in args.iter_from(first) {
            let Some(hash) = &mut hash else {
                ctx.reply.null();
                continue;
            };
            let Some(value) = hash.get(Item::parse(name)) else {
                ctx.reply.null();
                continue;
            };
            reply::item(&mut ctx.reply, value);
            change.apply(hash, name, now, &mut tally);
        }
        Ok::<_, Error>((change, tally))
    })??;
    match change {
        Change::Keep => {}
        Change::Persist => {
            tally.log(ctx, Kind::Hash, key.bytes(), &[b"HPERSIST", key.bytes(), b"FIELDS"])
        }
        Change::Set(deadline) => {
            let deadline = deadline.to_string();
            let words = [b"HPEXPIREAT", key.bytes(), deadline.as_bytes(), b"FIELDS"];
            tally.log(ctx, Kind::Hash, key.bytes(), &words);
        }
    }
    tell(ctx, key, change, &tally);
    Ok(())
}

fn tell(ctx: &mut Ctx<'_>, key: Key<'_>, change: Change, tally: &Tally<'_>) {
    let (set, deleted) = (tally.set.len(), tally.deleted.len());
    if set > 0 {
        if let Change::Set(deadline) = change {
            ctx.db.note_member_deadline(key, deadline);
        }
        let event = if matches!(change, Change::Persist) { "hpersist" } else { "hexpire" };
        ctx.db.changed_by(set, key, KeyspaceEvents::HASH, event);
    }
    if deleted > 0 {
        ctx.db.changed_by(deleted, key, KeyspaceEvents::HASH, "hdel");
        access::remove_if_empty(&mut ctx.db, key);
    }
}
