//! What becomes of an intersection, union or difference.

use command::{Args, Ctx, Error, Outcome};
use config::KeyspaceEvents;
use keyspace::{Key, Payload};
use value::Typed;
use value::set::Set;

use command::Deadline;

/// The keys at the words from `first` on, up to `end`.
pub(super) fn keys<'a>(
    args: Args<'a>,
    first: usize,
    end: usize,
) -> impl Iterator<Item = Key<'a>> + Clone + use<'a> {
    (first..end).map(move |at| args.key(at))
}

/// Puts a result under a key, in place of what is there; an empty one removes it.
pub(super) fn store(ctx: &mut Ctx<'_>, key: Key<'_>, set: Set, event: &'static str) -> Outcome {
    let len = set.len();
    if len > 0 {
        let payload = Payload::Object(set.into_object());
        ctx.db.put(key, payload, Deadline::None);
        ctx.db.changed(key, KeyspaceEvents::SET, event);
    } else if ctx.db.remove(key) {
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
    }
    ctx.reply.integer(len as i64);
    Ok(())
}

/// What commands that only count are asked.
pub(super) struct Request {
    /// The word behind the last key.
    pub(super) end: usize,
    /// Where counting may stop.
    pub(super) limit: usize,
}

const BAD_NUMKEYS: Error = Error::fixed("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS: Error =
    Error::fixed("ERR Number of keys can't be greater than number of args");
const NEGATIVE_LIMIT: Error = Error::fixed("ERR LIMIT can't be negative");

impl Request {
    /// Reads `numkeys key... [LIMIT limit]`, and `[APPROX]` where that is allowed.
    pub(super) fn parse(args: Args<'_>, may_be_approximate: bool) -> Result<Self, Error> {
        let numkeys = args.integer_in(1, 1..=i64::MAX, BAD_NUMKEYS)?;
        let room = args.len().saturating_sub(2);
        let end = match usize::try_from(numkeys) {
            Ok(numkeys) if numkeys <= room => numkeys + 2,
            _ => return Err(TOO_MANY_KEYS),
        };
        let mut limit = 0;
        let mut at = end;
        while at < args.len() {
            if args.is(at, "LIMIT") && at + 1 < args.len() {
                limit = args.integer_in(at + 1, 0..=i64::MAX, NEGATIVE_LIMIT)?;
                at += 2;
            } else if may_be_approximate && args.is(at, "APPROX") {
                at += 1;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
        Ok(Self { end, limit: limit.unwrap_or(usize::MAX) })
    }
}
