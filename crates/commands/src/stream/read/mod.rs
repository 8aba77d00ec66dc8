//! XREAD and XREADGROUP.

mod group;
mod options;

use command::blocked::{Nothing, Wait};
use command::{
    Args, Begin, Ctx, Error, Find, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome, OwnedArgs,
    Spec,
};
use keyspace::LARGE;
use resp::{Deferred, Protocol, Writer};
use value::stream::{Id, Stream};

use super::{ids, reply};
use options::{Options, streams_word};

/// `XREAD [COUNT count] [MAXCOUNT maxcount] [MAXSIZE maxsize] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`
pub const XREAD: Spec = Spec {
    name: "xread",
    arity: -4,
    flags: Flags::READONLY.union(Flags::BLOCKING),
    keys: &[KeySpec { flags: KeyFlags::READ, begin: Begin::Keyword("STREAMS", 1), find: HALF }],
    summary: "Returns the entries of streams after given IDs, or waits for some.",
    complexity: "O(N) with N entries returned from each stream; O(M) for an XADD that M wait for",
    syntax: "[COUNT count:integer] [MAXCOUNT maxcount:integer] [MAXSIZE maxsize:integer] \
             [BLOCK milliseconds:integer] STREAMS streams=(key... id...)",
    history: &[("8.10.0", "`MAXCOUNT` and `MAXSIZE`.")],
    run: xread,
    ..BASE
};

/// `XREADGROUP GROUP group consumer [COUNT count] ... [CLAIM min-idle-time] [NOACK] STREAMS key [...] id [...]`
pub const XREADGROUP: Spec = Spec {
    name: "xreadgroup",
    arity: -7,
    flags: Flags::WRITE.union(Flags::BLOCKING),
    keys: &[KeySpec { flags: KeyFlags::READ, begin: Begin::Keyword("STREAMS", 4), find: HALF }],
    summary: "Delivers entries of streams to a consumer of a group, or waits for some.",
    complexity: "O(M) with M entries returned from each stream; O(N) for an XADD that N wait for",
    syntax: "GROUP group_consumer=(group consumer) [COUNT count:integer] \
             [MAXCOUNT maxcount:integer] [MAXSIZE maxsize:integer] [BLOCK milliseconds:integer] \
             [CLAIM min-idle-time:integer] [noack=NOACK] STREAMS streams=(key... id...)",
    history: &[("8.4.0", "`CLAIM`."), ("8.10.0", "`MAXCOUNT` and `MAXSIZE`.")],
    run: group::xreadgroup,
    ..BASE
};

const HALF: Find = Find::Range { last: -1, step: 1, limit: 2 };

const BASE: Spec =
    Spec { group: Group::Stream, find_keys: Some(find_keys), since: "5.0.0", ..Spec::BASE };

const NEW_ALONE: Error = Error::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
     <consumer> option.",
);

/// The first half of the words behind STREAMS. A word of that name before it may be a group's.
fn find_keys(args: Args<'_>, keys: &mut KeyList) -> Result<(), Error> {
    if let Some(first) = streams_word(args) {
        let count = args.len().saturating_sub(first) / 2;
        keys.extend((first..first + count).map(|word| (word, KeyFlags::READ)));
    }
    Ok(())
}

fn xread(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(ctx, args, false)?;
    let mut after = Vec::with_capacity(options.streams);
    for (key, id) in options.places() {
        let stream = ctx.db.read::<Stream>(args.key(key))?;
        after.push(match args.at(id) {
            b"$" => stream.map_or(Id::MIN, Stream::last_id),
            b"+" => stream.map_or(Id::MIN, before_last),
            b">" => return Err(NEW_ALONE),
            _ => ids::strict(args, id)?,
        });
    }
    let mut out = Served::new(&options, &ctx.reply);
    for ((key, _), &after) in options.places().zip(&after) {
        let Some(limit) = out.limit(&ctx.reply) else { break };
        let Some(stream) = ctx.db.read::<Stream>(args.key(key))? else { continue };
        if ctx.may_leave && gives_many(stream, after, limit) {
            return Err(Error::LEAVES);
        }
        let mut entries = stream.after(after).take(limit).peekable();
        if entries.peek().is_none() {
            continue;
        }
        let writer = &mut ctx.reply;
        out.begin(writer, args.at(key));
        let header = writer.deferred();
        let mut count = 0;
        for entry in entries {
            reply::entry(writer, entry);
            count += 1;
            if !out.goes_on(writer) {
                break;
            }
        }
        writer.finish_array(header, count);
        out.entries += count;
    }
    if out.finish(&mut ctx.reply) {
        return Ok(());
    }
    let retry = options.block.is_some().then(|| with_ids(args, &options, &after));
    options.wait_or_nothing(ctx, args, retry, None);
    Ok(())
}

/// Whether a stream has so many entries after an ID that a helper is to give them, at most `limit`. (What a client wants
/// to wait for is there, then, unless others delete all of it just now: its wait ends with nothing.)
fn gives_many(stream: &Stream, after: Id, limit: usize) -> bool {
    stream.len() >= LARGE as u64 && limit >= LARGE && stream.after(after).nth(LARGE - 1).is_some()
}

/// The ID after which only the last entry comes.
fn before_last(stream: &Stream) -> Id {
    let last = stream.range(Id::MIN, Id::MAX, true).next();
    last.and_then(|entry| entry.id.prev()).unwrap_or(stream.last_id())
}

/// The command with IDs in the place of what they stood for when the client came.
fn with_ids(args: Args<'_>, options: &Options, after: &[Id]) -> OwnedArgs {
    let ids = options.ids();
    let mut words: Vec<Vec<u8>> = args.iter().map(<[u8]>::to_vec).collect();
    for (word, id) in words.iter_mut().skip(ids.start).zip(after) {
        *word = id.to_string().into_bytes();
    }
    OwnedArgs::new(words)
}

impl Options {
    /// Nothing was there: lets the client wait if it wants to, and try again at a time.
    fn wait_or_nothing(
        &self,
        ctx: &mut Ctx<'_>,
        args: Args<'_>,
        retry: Option<OwnedArgs>,
        again_ms: Option<i64>,
    ) {
        match self.block {
            None => ctx.reply.null_array(),
            Some(deadline_ms) => ctx.wait(Wait {
                keys: self.keys().map(|word| args.at(word).into()).collect(),
                deadline_ms,
                again_ms,
                nothing: Nothing::NullArray,
                retry,
            }),
        }
    }
}

/// The reply's streams, as they come: an array of pairs in RESP2, a map in RESP3.
struct Served<'o> {
    options: &'o Options,
    /// Where the reply begins.
    start: usize,
    header: Option<Deferred>,
    streams: usize,
    /// Entries of the streams that are done.
    entries: usize,
}

impl<'o> Served<'o> {
    fn new(options: &'o Options, out: &Writer<'_>) -> Self {
        Self { options, start: out.len(), header: None, streams: 0, entries: 0 }
    }

    /// How many entries the next stream may give; `None` when the reply is full.
    fn limit(&self, out: &Writer<'_>) -> Option<usize> {
        if self.entries > 0 && !self.goes_on(out) {
            return None;
        }
        let left =
            self.options.max_count.map_or(usize::MAX, |max| max.saturating_sub(self.entries));
        Some(left.min(self.options.count.unwrap_or(usize::MAX))).filter(|limit| *limit > 0)
    }

    /// Whether another entry may follow; the first one always may.
    fn goes_on(&self, out: &Writer<'_>) -> bool {
        self.options.max_size.is_none_or(|max| out.len().saturating_sub(self.start) < max)
    }

    /// Begins the next stream; its entries follow.
    fn begin(&mut self, out: &mut Writer<'_>, key: &[u8]) {
        self.header.get_or_insert_with(|| out.deferred());
        self.streams += 1;
        if out.protocol() == Protocol::Resp2 {
            out.array(2);
        }
        out.bulk(key);
    }

    /// Takes back the stream that was begun last, whose bytes are gone.
    fn withdraw(&mut self) {
        self.streams -= 1;
        if self.streams == 0 {
            self.header = None;
        }
    }

    /// Ends the reply; false when no stream had anything.
    fn finish(self, out: &mut Writer<'_>) -> bool {
        let Some(header) = self.header else { return false };
        match out.protocol() {
            Protocol::Resp2 => out.finish_array(header, self.streams),
            Protocol::Resp3 => out.finish_map(header, self.streams),
        }
        true
    }
}
