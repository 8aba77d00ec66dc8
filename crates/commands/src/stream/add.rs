use std::borrow::Cow;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::stream::{AppendError, Id, NewId, Stream, Trim};

use super::idempotence::Source;
use super::trim::{Options, Replaced, log};
use super::{idempotence, ids, limits, reply};

/// `XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO pid | IDMP pid iid] [MAXLEN | MINID ...] * | id field value [...]`
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
             [idmp=(IDMPAUTO producer-id | IDMP manual=(producer-id idempotent-id))] \
             [trim=(strategy=(MAXLEN | MINID) [operator=(equal== | approximately=~)] threshold \
             [LIMIT count:integer])] id_or_auto=(auto_id=* | id) field_value=(field value)...",
    history: &[
        ("6.2.0", "`NOMKSTREAM`, `MINID` and `LIMIT`."),
        ("7.0.0", "IDs of the form `ms-*`."),
        ("8.2.0", "`KEEPREF`, `DELREF` and `ACKED`."),
        ("8.6.0", "`IDMP` and `IDMPAUTO`."),
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

/// What stands before the fields.
struct Head<'a> {
    make: bool,
    options: Options,
    trim: Option<Trim>,
    source: Option<Source<'a>>,
    id: NewId,
    /// The first field.
    first: usize,
}

impl<'a> Head<'a> {
    fn parse(ctx: &Ctx<'_>, args: Args<'a>, now_ms: u64) -> Result<Self, Error> {
        let mut options = Options::default();
        let (mut make, mut source, mut word) = (true, None, 2);
        let mut id = NewId::Exact(Id::MIN);
        while word < args.len() {
            if args.at(word) != b"*" {
                if let Some(words) = options.read(args, word)? {
                    word += words;
                    continue;
                }
                if let Some((given, words)) = idempotence::source(args, word)? {
                    if source.replace(given).is_some() {
                        return Err(idempotence::TWICE);
                    }
                    word += words;
                    continue;
                }
                if args.is(word, "NOMKSTREAM") {
                    make = false;
                    word += 1;
                    continue;
                }
            }
            id = ids::new_entry(args.at(word), now_ms)?;
            break;
        }
        let trim = options.finish(ctx.config, false, ctx.session.obeys)?;
        Ok(Self { make, options, trim, source, id, first: word + 1 })
    }
}

fn xadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
    let Head { make, options, trim, source, id, first } = Head::parse(ctx, args, now_ms)?;
    let words = args.len().saturating_sub(first);
    if words < 2 || !words.is_multiple_of(2) {
        return Err(Error::arity("xadd"));
    }
    if id == NewId::Exact(Id::MIN) {
        return Err(ZERO);
    }
    if source.is_some() && !matches!(id, NewId::Auto { .. }) {
        return Err(idempotence::AUTO_ONLY);
    }
    let key = args.key(1);
    let limits = limits(ctx.config);
    let retention = idempotence::retention(ctx.config);
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
    let source = source.map(|source| source.name(fields.clone()));
    if let Some((producer, message)) = &source
        && let Some(id) = stream.find_duplicate(producer, message, now_ms)
    {
        reply::id(&mut ctx.reply, id);
        return Ok(());
    }
    let id = stream.append(id, fields, limits).map_err(|error| match error {
        AppendError::Zero => ZERO,
        AppendError::Exhausted => EXHAUSTED,
        AppendError::NotGreater => NOT_GREATER,
    })?;
    if let Some((producer, message)) = &source {
        let known = stream.idempotence_mut(retention);
        known.record(producer, message, id, now_ms);
        known.added += 1;
    }
    let trimmed = trim.is_some_and(|trim| stream.trim(trim) > 0);
    let mut replaced = Replaced::new();
    options.log(stream, &mut replaced);
    if made_up && ctx.effects.wanted() {
        replaced.push((first - 1, id.to_string().into_bytes()));
    }
    match &source {
        None => log(ctx, args, &replaced),
        Some(source) => log_with_source(ctx, args, &replaced, source, id),
    }
    reply::id(&mut ctx.reply, id);
    ctx.db.changed(key, KeyspaceEvents::STREAM, "xadd");
    if trimmed {
        ctx.db.notify(key, KeyspaceEvents::STREAM, "xtrim");
    }
    Ok(())
}

/// Logs the entry without its producer, which goes with made up IDs only, and that it came from there.
fn log_with_source(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    replaced: &Replaced,
    (producer, message): &(&[u8], Cow<'_, [u8]>),
    id: Id,
) {
    if !ctx.effects.wanted() {
        return;
    }
    let words = idempotence::without_source(args).map(|at| {
        let other = replaced.iter().find(|(place, _)| *place == at);
        other.map_or(args.at(at), |(_, word)| word.as_slice())
    });
    ctx.effects.instead(&words.collect::<Vec<_>>());
    let id = id.to_string();
    ctx.effects.beside(&[b"XIDMPRECORD", args.at(1), producer, message, id.as_bytes()]);
}
