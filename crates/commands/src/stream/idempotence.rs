//! Producers that send again what may have been lost: what they call themselves and their messages.

use std::borrow::Cow;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::{Config, KeyspaceEvents};
use value::stream::{Retention, Stream};
use xxhash_rust::xxh3::Xxh3;

use super::ids;

const BASE: Spec = Spec {
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    complexity: "O(1)",
    ..Spec::BASE
};

/// `XCFGSET key [IDMP-DURATION idmp-duration] [IDMP-MAXSIZE idmp-maxsize]`
pub const XCFGSET: Spec = Spec {
    name: "xcfgset",
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST),
    since: "8.6.0",
    summary: "Sets for how long a stream remembers what its producers sent, and how much of it.",
    syntax: "key [IDMP-DURATION idmp-duration:integer] [IDMP-MAXSIZE idmp-maxsize:integer]",
    run: xcfgset,
    ..BASE
};

/// `XIDMPRECORD key pid iid stream-id`
pub const XIDMPRECORD: Spec = Spec {
    name: "xidmprecord",
    arity: 5,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    since: "8.8.0",
    summary: "Notes which message of a producer an entry was. An internal command.",
    syntax: "key pid iid stream-id",
    run: xidmprecord,
    ..BASE
};

/// XADD was told of two producers.
pub const TWICE: Error = Error::fixed("ERR IDMP/IDMPAUTO specified multiple times");
/// XADD was told of a producer and of an ID.
pub const AUTO_ONLY: Error =
    Error::fixed("ERR IDMP/IDMPAUTO can be used only with auto-generated IDs");
const NO_PRODUCER: Error = Error::fixed("ERR IDMP requires a non-empty producer ID");
const NO_MESSAGE: Error = Error::fixed("ERR IDMP requires a non-empty idempotent ID");
const AUTO_NO_PRODUCER: Error = Error::fixed("ERR IDMPAUTO requires a non-empty producer ID");
const NOTHING_SET: Error = Error::fixed("ERR At least one parameter must be specified");
const BAD_DURATION: Error = Error::fixed("ERR IDMP-DURATION must be between 1 and 86400 seconds");
const BAD_MAXSIZE: Error = Error::fixed("ERR IDMP-MAXSIZE must be between 1 and 10000 entries");
const NO_ENTRY: Error = Error::fixed("ERR The specified stream ID was deleted or doesn't exist");
const OTHER_ENTRY: Error = Error::fixed(
    "ERR The specified IDMP producer-id/idempotent-id pair maps to a different stream ID",
);

/// Where an entry comes from: the producer, and what it calls the message if it has a name for it.
pub struct Source<'a> {
    producer: &'a [u8],
    message: Option<&'a [u8]>,
}

/// Reads XADD's option about the producer at `word`, and gives the number of words that it takes; `None` if that
/// is not there.
///
/// # Errors
/// When a name is empty.
pub fn source(args: Args<'_>, word: usize) -> Result<Option<(Source<'_>, usize)>, Error> {
    let left = args.len() - word - 1;
    let producer = args.at(word + 1);
    if args.is(word, "IDMPAUTO") && left >= 1 {
        if producer.is_empty() {
            return Err(AUTO_NO_PRODUCER);
        }
        return Ok(Some((Source { producer, message: None }, 2)));
    }
    if !args.is(word, "IDMP") || left < 2 {
        return Ok(None);
    }
    let message = args.at(word + 2);
    if producer.is_empty() {
        return Err(NO_PRODUCER);
    }
    if message.is_empty() {
        return Err(NO_MESSAGE);
    }
    Ok(Some((Source { producer, message: Some(message) }, 3)))
}

/// The places of XADD's words without those about the producer, which stand somewhere before the ID.
pub fn without_source(args: Args<'_>) -> impl Iterator<Item = usize> + '_ {
    let found = (2..args.len()).find_map(|at| {
        let (_, words) = source(args, at).ok().flatten()?;
        Some((at, words))
    });
    let (from, words) = found.unwrap_or_default();
    (0..args.len()).filter(move |at| !(from..from + words).contains(at))
}

impl<'a> Source<'a> {
    /// The producer and the message's name, which is made from its content if it has none: then the order of the
    /// fields does not count.
    pub fn name(
        self,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> (&'a [u8], Cow<'a, [u8]>) {
        let message = self.message.map_or_else(|| Cow::Owned(digest(fields)), Cow::Borrowed);
        (self.producer, message)
    }
}

fn digest<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut pairs: Vec<_> = fields.collect();
    pairs.sort_unstable();
    let mut hasher = Xxh3::new();
    for text in pairs.into_iter().flat_map(|(field, value)| [field, value]) {
        // With its length, so that no two contents read the same.
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hasher.digest128().to_be_bytes().to_vec()
}

/// For how long the configuration lets streams remember messages.
pub fn retention(config: &Config) -> Retention {
    Retention {
        duration_s: config.stream_idmp_duration,
        messages: usize::try_from(config.stream_idmp_maxsize).unwrap_or(usize::MAX),
    }
}

fn xcfgset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (mut duration, mut messages) = (None, None);
    for word in (2..args.len()).step_by(2) {
        let option = if args.is(word, "IDMP-DURATION") {
            (&mut duration, 86_400, BAD_DURATION)
        } else if args.is(word, "IDMP-MAXSIZE") {
            (&mut messages, 10_000, BAD_MAXSIZE)
        } else {
            return Err(Error::SYNTAX);
        };
        if word + 1 >= args.len() {
            return Err(Error::SYNTAX);
        }
        let (value, max, error) = option;
        let given = u64::try_from(args.integer(word + 1)?).ok();
        *value = Some(given.filter(|given| (1..=max).contains(given)).ok_or(error)?);
    }
    if duration.is_none() && messages.is_none() {
        return Err(NOTHING_SET);
    }
    let key = args.key(1);
    let default = retention(ctx.config);
    let stream = ctx.db.write::<Stream>(key)?.ok_or(Error::NO_SUCH_KEY)?;
    let known = stream.idempotence_mut(default);
    let before = known.retention();
    let messages = messages.and_then(|messages| usize::try_from(messages).ok());
    known.set_retention(Retention {
        duration_s: duration.unwrap_or(before.duration_s),
        messages: messages.unwrap_or(before.messages),
    });
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xcfgset");
    ctx.reply.ok();
    Ok(())
}

fn xidmprecord(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (producer, message) = (args.at(2), args.at(3));
    if producer.is_empty() {
        return Err(NO_PRODUCER);
    }
    if message.is_empty() {
        return Err(NO_MESSAGE);
    }
    let id = ids::strict(args, 4)?;
    let key = args.key(1);
    let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
    let default = retention(ctx.config);
    let stream = ctx.db.write::<Stream>(key)?.ok_or(Error::NO_SUCH_KEY)?;
    if stream.get(id).is_none() {
        return Err(NO_ENTRY);
    }
    let known = stream.idempotence_mut(default);
    match known.find(producer, message, now_ms) {
        Some(other) if other != id => return Err(OTHER_ENTRY),
        Some(_) => {}
        None => {
            known.record(producer, message, id, now_ms);
            known.added += 1;
            ctx.db.modified(key);
        }
    }
    ctx.reply.ok();
    Ok(())
}
