use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::stream::{AppendError, Id, NewId, Stream};

use super::trim::{Options, Replaced, log};
use super::{ids, limits, reply};

/// `XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [MAXLEN | MINID ...] * | id field value [...]`
pub const XADD: Spec = Spec {
    name: "xadd",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "5.0.0",
    summary: "Appends an entry to a stream, and makes the stream if there is none.",
    complexity: "O(1), and O(N) to trim N entries",
    syntax: "key [nomkstream=NOMKSTREAM] [condition=(KEEPREF | DELREF | ACKED)] \
             [trim=(strategy=(MAXLEN | MINID) [operator=(equal== | approximately=~)] threshold \
             [LIMIT count:integer])] id_or_auto=(auto_id=* | id) field_value=(field value)...",
    history: &[
        ("6.2.0", "`NOMKSTREAM`, `MINID` and `LIMIT`."),
        ("7.0.0", "IDs of the form `ms-*`."),
        ("8.2.0", "`KEEPREF`, `DELREF` and `ACKED`."),
    ],
    tips: &["nondeterministic_output"],
    run: xadd,
    ..Spec::BASE
};

const ZERO: Error = Error::fixed("ERR The ID specified in XADD must be greater than 0-0");
const EXHAUSTED: Error =
    Error::fixed("ERR The stream has exhausted the last possible ID, unable to add more items");
const NOT_GREATER: Error = Error::fixed(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);

fn xadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut options = Options::default();
    let mut make = true;
    let mut id = NewId::Exact(Id::MIN);
    let mut word = 2;
    while word < args.len() {
        if args.at(word) != b"*" {
            if let Some(words) = options.read(args, word)? {
                word += words;
                continue;
            }
            if args.is(word, "NOMKSTREAM") {
                make = false;
                word += 1;
                continue;
            }
        }
        let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
        id = ids::new_entry(args.at(word), now_ms)?;
        break;
    }
    let trim = options.finish(ctx.config, false, ctx.session.obeys)?;
    let first = word + 1;
    let words = args.len().saturating_sub(first);
    if words < 2 || !words.is_multiple_of(2) {
        return Err(Error::arity("xadd"));
    }
    if id == NewId::Exact(Id::MIN) {
        return Err(ZERO);
    }
    let key = args.key(1);
    let limits = limits(ctx.config);
    let stream = if make {
        ctx.db.write_or_make(key, Stream::new)?
    } else if let Some(stream) = ctx.db.write::<Stream>(key)? {
        stream
    } else {
        ctx.reply.null();
        return Ok(());
    };
    let fields =
        (0..words / 2).map(move |pair| (args.at(first + 2 * pair), args.at(first + 2 * pair + 1)));
    let made_up = !matches!(id, NewId::Exact(_));
    let id = stream.append(id, fields, limits).map_err(|error| match error {
        AppendError::Zero => ZERO,
        AppendError::Exhausted => EXHAUSTED,
        AppendError::NotGreater => NOT_GREATER,
    })?;
    let trimmed = trim.is_some_and(|trim| stream.trim(trim) > 0);
    let mut replaced = Replaced::new();
    options.log(stream, &mut replaced);
    if made_up {
        replaced.push((word, id.to_string().into_bytes()));
    }
    log(ctx, args, &replaced);
    reply::id(&mut ctx.reply, id);
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xadd");
    if trimmed {
        ctx.db.notify(key, KeyspaceEvents::STREAM, "xtrim");
    }
    Ok(())
}
