use command::{Args, Ctx, Error, Outcome};
use config::KeyspaceEvents;
use keyspace::{Key, LARGE};
use resp::Writer;
use value::stream::{Id, Stream};

use super::super::{ids, logged, no_group, reply};
use super::Served;
use super::options::Options;

const LAST_ID: Error = Error::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);

/// What a consumer wants of a stream.
#[derive(Clone, Copy)]
enum From {
    /// What nobody has been given yet.
    New,
    /// What this consumer has been given and has not acknowledged, after an ID.
    History(Id),
}

impl From {
    /// Whether that is so much of a stream that a helper is to give it.
    fn gives_many(self, stream: &Stream, options: &Options, args: Args<'_>) -> bool {
        let limit = options.limit();
        let Some(group) = stream.group(args.at(options.group)) else { return false };
        let pending = match self {
            Self::New if super::gives_many(stream, group.last_id, limit) => return true,
            Self::New if options.claim.is_none() => return false,
            Self::New => group.pending_len(),
            Self::History(_) => group
                .consumer(args.at(options.group + 1))
                .map_or(0, |reader| reader.pending().len()),
        };
        limit.min(pending) >= LARGE
    }
}

pub fn xreadgroup(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(ctx, args, true)?;
    let group = args.at(options.group);
    let mut wanted = Vec::with_capacity(options.streams);
    for (key, id) in options.places() {
        let stream = ctx.db.read::<Stream>(args.key(key))?;
        if stream.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_group(args, key, options.group, " in XREADGROUP with GROUP option"));
        }
        wanted.push(match args.at(id) {
            b"$" => return Err(LAST_ID),
            b">" => From::New,
            _ => match ids::strict(args, id)? {
                // Redis takes the last ID of all for `>`.
                Id::MAX => From::New,
                id => From::History(id),
            },
        });
    }
    if ctx.may_leave {
        for ((key, _), &from) in options.places().zip(&wanted) {
            let stream = ctx.db.read::<Stream>(args.key(key))?;
            if stream.is_some_and(|stream| from.gives_many(stream, &options, args)) {
                return Err(Error::LEAVES);
            }
        }
    }
    let mut out = Served::new(&options, &ctx.reply);
    for ((key, _), &from) in options.places().zip(&wanted) {
        let Some(limit) = out.limit(&ctx.reply) else { break };
        serve(ctx, args, key, from, limit, &mut out)?;
    }
    if !out.finish(&mut ctx.reply) {
        let again = if options.block.is_some() { idle_from(ctx, args, &options)? } else { None };
        options.wait_or_nothing(ctx, args, None, again);
    }
    Ok(())
}

/// When the first pending entry of all the streams will have been idle for long enough.
fn idle_from(ctx: &mut Ctx<'_>, args: Args<'_>, options: &Options) -> Result<Option<i64>, Error> {
    let Some(min_idle_ms) = options.claim else { return Ok(None) };
    let mut first = None;
    for key in options.keys() {
        let stream = ctx.db.write::<Stream>(args.key(key))?;
        let at = stream.and_then(|stream| stream.idle_from(args.at(options.group), min_idle_ms));
        let at = at.and_then(|at| i64::try_from(at).ok());
        first = [first, at].into_iter().flatten().min();
    }
    Ok(first)
}

/// Delivers from the stream at word `key`, if there is anything, at most `limit` entries. The consumer has been there
/// then in any case.
fn serve(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    key: usize,
    from: From,
    limit: usize,
    out: &mut Served<'_>,
) -> Outcome {
    let options = out.options;
    let reader = Reader {
        group: args.at(options.group),
        consumer: args.at(options.group + 1),
        claim: options.claim,
        noack: options.noack,
        limit,
        now_ms: u64::try_from(ctx.now_ms()).unwrap_or_default(),
    };
    let Some(stream) = ctx.db.write::<Stream>(args.key(key))? else { return Ok(()) };
    let Some(state) = stream.group(reader.group) else { return Ok(()) };
    let known = state.consumer(reader.consumer).is_some();
    let new = matches!(from, From::New);
    let writer = &mut ctx.reply;
    let start = writer.len();
    out.begin(writer, args.at(key));
    let header = writer.deferred();
    let mut given = Given::default();
    let count = match from {
        From::New => reader.pending_and_new(stream, writer, out, &mut given),
        From::History(after) => reader.history(stream, after, writer, out),
    };
    if new && count == 0 {
        // There is nothing new, and all that had been idle for long enough is deleted.
        writer.truncate(start);
        out.withdraw();
    } else {
        writer.finish_array(header, count);
        out.entries += count;
    }
    ctx.effects.not_itself();
    if ctx.effects.wanted() {
        if !known && (options.noack || !new || count == 0) {
            let words: [&[u8]; 5] =
                [b"XGROUP", b"CREATECONSUMER", args.at(key), reader.group, reader.consumer];
            ctx.effects.beside(&words);
        }
        given.log(ctx, args.key(key), &reader);
    }
    if !known {
        ctx.db.changed(args.key(key), KeyspaceEvents::STREAM, "xgroup-createconsumer");
    }
    if !new || count > 0 || !given.gone.is_empty() {
        ctx.db.add_changes(1);
    }
    Ok(())
}

/// What a call gave to the consumer, and what it found deleted.
#[derive(Default)]
struct Given {
    claimed: Vec<Id>,
    gone: Vec<Id>,
    new: Vec<Id>,
}

impl Given {
    fn log(&self, ctx: &mut Ctx<'_>, key: Key<'_>, reader: &Reader<'_>) {
        for id in &self.gone {
            let id = id.to_string();
            ctx.effects.beside(&[b"XACK", key.bytes(), reader.group, id.as_bytes()]);
        }
        logged::deliveries(ctx, key, reader.group, &self.claimed, false);
        logged::deliveries(ctx, key, reader.group, &self.new, reader.noack);
    }
}

/// Who reads a stream, and how.
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    claim: Option<u64>,
    noack: bool,
    limit: usize,
    now_ms: u64,
}

impl Reader<'_> {
    /// Whether something is pending that may be claimed.
    fn finds_idle(&self, stream: &mut Stream) -> bool {
        let from = self.claim.and_then(|idle_ms| stream.idle_from(self.group, idle_ms));
        from.is_some_and(|from| from <= self.now_ms)
    }

    /// What has been idle for long enough, then what nobody has been given.
    fn pending_and_new(
        &self,
        stream: &mut Stream,
        writer: &mut Writer<'_>,
        out: &Served<'_>,
        given: &mut Given,
    ) -> usize {
        let &Self { group, consumer, claim, noack, limit, now_ms } = self;
        let mut count = 0;
        if let Some(idle_ms) = claim
            && self.finds_idle(stream)
        {
            let claimed =
                stream.claim_idle(group, consumer, idle_ms, limit, now_ms, |id, entry, nack| {
                    let Some(entry) = entry else {
                        given.gone.push(id);
                        return true;
                    };
                    given.claimed.push(id);
                    let idle = nack.idle_ms(now_ms).map_or(-1, |idle| idle as i64);
                    reply::delivery(writer, entry, idle, nack.count as i64);
                    out.goes_on(writer)
                });
            count = claimed.unwrap_or(0);
            if count == limit || count > 0 && !out.goes_on(writer) {
                return count;
            }
        }
        let left = limit - count;
        let new = stream.deliver(group, consumer, left, noack, now_ms, |entry| {
            given.new.push(entry.id);
            match claim {
                Some(_) => reply::delivery(writer, entry, 0, 0),
                None => reply::entry(writer, entry),
            }
            out.goes_on(writer)
        });
        count + new.unwrap_or(0)
    }

    /// What the consumer has been given and has not acknowledged.
    fn history(
        &self,
        stream: &mut Stream,
        after: Id,
        writer: &mut Writer<'_>,
        out: &Served<'_>,
    ) -> usize {
        let &Self { group, consumer, limit, now_ms, .. } = self;
        let count = stream.replay(group, consumer, after, limit, now_ms, |id, entry| {
            match entry {
                Some(entry) => reply::entry(writer, entry),
                None => {
                    writer.array(2);
                    reply::id(writer, id);
                    writer.null_array();
                }
            }
            out.goes_on(writer)
        });
        count.unwrap_or(0)
    }
}
