use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;
use value::stream::{self, Consumer, Id, Idempotence, Stream};

use super::reply;
use crate::help;

/// `XINFO <subcommand> ...`
pub const XINFO: Spec = Spec {
    name: "xinfo",
    arity: -2,
    group: Group::Stream,
    since: "5.0.0",
    summary: "Holds the commands that show streams, groups and consumers.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&CONSUMERS, &GROUPS, &HELP, &STREAM],
    ..Spec::BASE
};

const BASE: Spec = Spec {
    container: Some("xinfo"),
    flags: Flags::READONLY,
    group: Group::Stream,
    keys: &[KeySpec::one(2, KeyFlags::READ)],
    since: "5.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

const CONSUMERS: Spec = Spec {
    name: "consumers",
    arity: 4,
    summary: "Shows the consumers of a group.",
    syntax: "key groupname",
    tips: &["nondeterministic_output"],
    run: consumers,
    ..BASE
};

const GROUPS: Spec = Spec {
    name: "groups",
    arity: 3,
    summary: "Shows the groups of a stream.",
    syntax: "key",
    history: &[("7.0.0", "`entries-read` and `lag`.")],
    run: groups,
    ..BASE
};

const HELP: Spec = Spec {
    name: "help",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE),
    keys: &[],
    summary: "Lists the subcommands.",
    run: |ctx, args| {
        help::reply(ctx, args, LINES);
        Ok(())
    },
    ..BASE
};

const STREAM: Spec = Spec {
    name: "stream",
    arity: -3,
    summary: "Shows a stream, with FULL its entries, groups and consumers too.",
    syntax: "key [FULL full=([COUNT count:integer])]",
    history: &[
        ("6.0.0", "`FULL`."),
        (
            "7.0.0",
            "`max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` \
             and `lag`.",
        ),
        (
            "8.6.0",
            "`idmp-duration`, `idmp-maxsize`, `pids-tracked`, `iids-tracked`, `iids-added` and \
             `iids-duplicates`.",
        ),
        ("8.8.0", "`nacked-count`."),
    ],
    run: stream,
    ..BASE
};

const LINES: &[&str] = &[
    "CONSUMERS <key> <groupname>",
    "    Show the consumers of a group.",
    "GROUPS <key>",
    "    Show the groups of a stream.",
    "STREAM <key> [FULL [COUNT <count>]]",
    "    Show a stream.",
];

/// How much FULL shows of everything when it is not told.
const FULL_COUNT: usize = 10;

fn consumers(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now_ms = ctx.now_ms();
    let stream = ctx.db.read::<Stream>(args.key(2))?.ok_or(Error::NO_SUCH_KEY)?;
    let Some(group) = stream.group(args.at(3)) else {
        let (key, group) = (args.text(2), args.text(3));
        let line = format!("NOGROUP No such consumer group '{group}' for key name '{key}'");
        return Err(Error::new(line));
    };
    let out = &mut ctx.reply;
    out.array(group.consumers().len());
    for consumer in group.consumers() {
        out.map(4);
        out.bulk(b"name");
        out.bulk(consumer.name());
        out.bulk(b"pending");
        out.integer(consumer.pending().len() as i64);
        out.bulk(b"idle");
        out.integer(now_ms.saturating_sub(consumer.seen_ms as i64).max(0));
        out.bulk(b"inactive");
        let inactive = |active| now_ms.saturating_sub(active as i64).max(0);
        out.integer(consumer.active_ms.map_or(-1, inactive));
    }
    Ok(())
}

fn groups(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let stream = ctx.db.read::<Stream>(args.key(2))?.ok_or(Error::NO_SUCH_KEY)?;
    let out = &mut ctx.reply;
    out.array(stream.groups().len());
    for (name, group) in stream.groups() {
        out.map(6);
        out.bulk(b"name");
        out.bulk(name);
        out.bulk(b"consumers");
        out.integer(group.consumers().len() as i64);
        out.bulk(b"pending");
        out.integer(group.pending_len() as i64);
        progress(out, stream, group);
    }
    Ok(())
}

/// How far a group is: three pairs.
fn progress(out: &mut Writer<'_>, stream: &Stream, group: &stream::Group) {
    out.bulk(b"last-delivered-id");
    reply::id(out, group.last_id);
    out.bulk(b"entries-read");
    count_or_null(out, group.entries_read.map(|read| read as i64));
    out.bulk(b"lag");
    count_or_null(out, stream.lag(group));
}

fn count_or_null(out: &mut Writer<'_>, count: Option<i64>) {
    match count {
        Some(count) => out.integer(count),
        None => out.null(),
    }
}

fn stream(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
    let stream = ctx.db.read::<Stream>(args.key(2))?.ok_or(Error::NO_SUCH_KEY)?;
    let full = match args.len() {
        3 => None,
        4 if args.is(3, "FULL") => Some(FULL_COUNT),
        6 if args.is(3, "FULL") && args.is(4, "COUNT") => {
            Some(usize::try_from(args.integer(5)?).unwrap_or(FULL_COUNT))
        }
        _ => {
            let (container, word) = (args.text(0).to_uppercase(), args.text(1));
            return Err(Error::new(format!(
                "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} \
                 HELP."
            )));
        }
    };
    let out = &mut ctx.reply;
    let pairs = if full.is_some() { 9 } else { 10 };
    out.map(pairs + if stream.idempotence().is_some() { 6 } else { 0 });
    figures(out, stream);
    if let Some(idempotence) = stream.idempotence() {
        producers(out, idempotence, now_ms);
    }
    match full {
        // No limit.
        Some(0) => everything(out, stream, usize::MAX),
        Some(count) => everything(out, stream, count),
        None => {
            out.bulk(b"groups");
            out.integer(stream.groups().len() as i64);
            for (name, rev) in [(&b"first-entry"[..], false), (b"last-entry", true)] {
                out.bulk(name);
                match stream.range(Id::MIN, Id::MAX, rev).next() {
                    Some(entry) => reply::entry(out, entry),
                    None => out.null(),
                }
            }
        }
    }
    Ok(())
}

/// Seven pairs.
fn figures(out: &mut Writer<'_>, stream: &Stream) {
    out.bulk(b"length");
    out.integer(stream.len() as i64);
    // There is a map of blocks instead of a radix tree; a tree of as many keys has at least a node more.
    out.bulk(b"radix-tree-keys");
    out.integer(stream.blocks() as i64);
    out.bulk(b"radix-tree-nodes");
    out.integer(stream.blocks() as i64 + 1);
    out.bulk(b"last-generated-id");
    reply::id(out, stream.last_id());
    out.bulk(b"max-deleted-entry-id");
    reply::id(out, stream.max_deleted_id());
    out.bulk(b"entries-added");
    out.integer(stream.entries_added() as i64);
    out.bulk(b"recorded-first-entry-id");
    reply::id(out, stream.first_id());
}

/// Six pairs.
fn producers(out: &mut Writer<'_>, all: &Idempotence, now_ms: u64) {
    let retention = all.retention();
    let (mut producers, mut messages) = (0, 0);
    for (_, of_one) in all.producers(now_ms) {
        producers += 1;
        messages += of_one.count() as i64;
    }
    for (name, figure) in [
        ("idmp-duration", retention.duration_s as i64),
        ("idmp-maxsize", retention.messages as i64),
        ("pids-tracked", producers),
        ("iids-tracked", messages),
        ("iids-added", all.added as i64),
        ("iids-duplicates", all.duplicates as i64),
    ] {
        out.bulk(name.as_bytes());
        out.integer(figure);
    }
}

/// Entries and groups: two pairs.
fn everything(out: &mut Writer<'_>, stream: &Stream, count: usize) {
    out.bulk(b"entries");
    reply::entries(out, stream.range(Id::MIN, Id::MAX, false).take(count));
    out.bulk(b"groups");
    out.array(stream.groups().len());
    for (name, group) in stream.groups() {
        out.map(8);
        out.bulk(b"name");
        out.bulk(name);
        progress(out, stream, group);
        out.bulk(b"pel-count");
        out.integer(group.pending_len() as i64);
        out.bulk(b"pending");
        let shown = group.pending_len().min(count);
        out.array(shown);
        for (id, nack, consumer) in group.pending(Id::MIN, Id::MAX).take(shown) {
            out.array(4);
            reply::id(out, id);
            out.bulk(consumer);
            out.integer(nack.delivered_ms as i64);
            out.integer(nack.count as i64);
        }
        out.bulk(b"consumers");
        out.array(group.consumers().len());
        for consumer in group.consumers() {
            one_consumer(out, group, consumer, count);
        }
        out.bulk(b"nacked-count");
        out.integer(group.released().len() as i64);
    }
}

fn one_consumer(out: &mut Writer<'_>, group: &stream::Group, consumer: &Consumer, count: usize) {
    out.map(5);
    out.bulk(b"name");
    out.bulk(consumer.name());
    out.bulk(b"seen-time");
    out.integer(consumer.seen_ms as i64);
    out.bulk(b"active-time");
    out.integer(consumer.active_ms.map_or(-1, |active| active as i64));
    out.bulk(b"pel-count");
    out.integer(consumer.pending().len() as i64);
    out.bulk(b"pending");
    let shown = consumer.pending().len().min(count);
    out.array(shown);
    for (id, nack, _) in group.pending_of(consumer, Id::MIN, Id::MAX).take(shown) {
        out.array(3);
        reply::id(out, id);
        out.integer(nack.delivered_ms as i64);
        out.integer(nack.count as i64);
    }
}
