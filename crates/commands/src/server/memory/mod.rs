//! MEMORY: what keys take, and where the memory goes.

pub mod report;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, MemoryFigures, Outcome, Spec};
use resp::Writer;

use report::{Report, excess};

/// `MEMORY`
pub const MEMORY: Spec = Spec {
    name: "memory",
    arity: -2,
    group: Group::Server,
    since: "4.0.0",
    summary: "Holds the commands that tell of memory.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "doctor",
            arity: 2,
            flags: Flags::WALK,
            summary: "Tells in words what is unusual about the server's memory.",
            tips: REPORT_TIPS,
            run: doctor,
            ..COMMON
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            summary: "Lists the subcommands.",
            run: help,
            ..COMMON
        },
        &Spec {
            name: "malloc-stats",
            arity: 2,
            summary: "Returns the allocator's own report.",
            complexity: "Depends on how much is allocated, may be slow",
            tips: REPORT_TIPS,
            run: malloc_stats,
            ..COMMON
        },
        &Spec {
            name: "purge",
            arity: 2,
            summary: "Returns unused memory to the operating system.",
            complexity: "Depends on how much is allocated, may be slow",
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            run: purge,
            ..COMMON
        },
        &Spec {
            name: "stats",
            arity: 2,
            flags: Flags::WALK,
            summary: "Returns where the memory goes.",
            tips: REPORT_TIPS,
            run: stats,
            ..COMMON
        },
        &Spec {
            name: "usage",
            arity: -3,
            flags: Flags::READONLY,
            keys: &[KeySpec::one(2, KeyFlags::RO)],
            summary: "Returns the bytes that a key takes, its value and its place included.",
            complexity: "O(N) in the number of the value's elements",
            syntax: "key [SAMPLES count:integer]",
            run: usage,
            ..COMMON
        },
    ],
    ..Spec::BASE
};

const COMMON: Spec = Spec {
    container: Some("memory"),
    group: Group::Server,
    since: "4.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

const REPORT_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

fn usage(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut word = 3;
    while word < args.len() {
        if !args.is(word, "samples") || word + 1 == args.len() {
            return Err(Error::SYNTAX);
        }
        // Values know what they take: nothing is estimated from samples.
        if args.integer(word + 1)? < 0 {
            return Err(Error::SYNTAX);
        }
        word += 2;
    }
    let key = args.key(2);
    let Some(own) = ctx.db.peek(key).map(|entry| entry.heap_bytes()) else {
        ctx.reply.null();
        return Ok(());
    };
    let physical = ctx.db.physical();
    let place = ctx.db.shard_of(key.hash()).db(physical);
    let place = place.map_or(0, |db| db.overhead_bytes().div_ceil(db.len().max(1)));
    ctx.reply.integer(i64::try_from(own + place).unwrap_or(i64::MAX));
    Ok(())
}

fn stats(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let report = Report::take(ctx);
    let figures = report.figures;
    let reply = &mut ctx.reply;
    reply.map(30 + report.databases.len());
    write_figures(
        reply,
        &[
            ("peak.allocated", figures.peak),
            ("total.allocated", figures.allocated),
            ("startup.allocated", figures.startup),
            ("replication.backlog", 0),
            ("clients.slaves", 0),
            ("clients.normal", report.clients_bytes),
            ("cluster.links", 0),
            ("aof.buffer", 0),
            ("lua.caches", 0),
            ("functions.caches", 0),
        ],
    );
    for database in &report.databases {
        reply.bulk(format!("db.{}", database.number).as_bytes());
        reply.map(3);
        // Deadlines are indexed in the same tables.
        write_figures(
            reply,
            &[
                ("overhead.hashtable.main", database.tables_bytes),
                ("overhead.hashtable.expires", 0),
                ("overhead.hashtable.slot-to-keys", 0),
            ],
        );
    }
    let keys = report.keys();
    let tables: u64 = report.databases.iter().map(|database| database.tables_bytes).sum();
    write_figures(
        reply,
        &[
            // Tables grow a bucket at a time: there is never an old one beside the new.
            ("overhead.db.hashtable.lut", tables),
            ("overhead.db.hashtable.rehashing", 0),
            ("db.dict.rehashing.count", 0),
            ("overhead.total", report.overhead()),
            ("keys.count", keys),
            ("keys.bytes-per-key", report.net().checked_div(keys).unwrap_or(0)),
            ("dataset.bytes", report.dataset()),
        ],
    );
    reply.bulk(b"dataset.percentage");
    reply.double(report.dataset_percent());
    reply.bulk(b"peak.percentage");
    reply.double(report.peak_percent());
    write_allocator(reply, figures);
    Ok(())
}

fn write_allocator(reply: &mut Writer<'_>, figures: MemoryFigures) {
    write_figures(
        reply,
        &[
            ("allocator.allocated", figures.allocated),
            ("allocator.active", figures.active),
            ("allocator.resident", figures.resident),
        ],
    );
    let fragmentation = ["fragmentation".to_owned(), "fragmentation.bytes".to_owned()];
    let named = |name: &str| [format!("{name}.ratio"), format!("{name}.bytes")];
    for ([ratio_name, bytes_name], over, under) in [
        (named("allocator-fragmentation"), figures.active, figures.allocated),
        (named("allocator-rss"), figures.resident, figures.active),
        (named("rss-overhead"), figures.rss, figures.resident),
        (fragmentation, figures.rss, figures.allocated),
    ] {
        let (ratio, bytes) = excess(over, under);
        reply.bulk(ratio_name.as_bytes());
        reply.double(ratio);
        reply.bulk(bytes_name.as_bytes());
        reply.integer(bytes);
    }
}

fn write_figures(reply: &mut Writer<'_>, figures: &[(&str, u64)]) {
    for (name, figure) in figures {
        reply.bulk(name.as_bytes());
        reply.integer(i64::try_from(*figure).unwrap_or(i64::MAX));
    }
}

/// Differences below this are nobody's concern.
const NOTABLE_BYTES: i64 = 10 << 20;

fn doctor(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let report = Report::take(ctx);
    let figures = report.figures;
    let clients = ctx.services.clients.len().max(1) as u64;
    let mut found = Vec::new();
    if figures.peak as f64 > figures.allocated as f64 * 1.5 {
        found.push(
            "Peak: once this server used more than one and a half times the memory that it uses \
             now. What is left over serves the next growth; MEMORY PURGE returns it to the system.",
        );
    }
    let exceeds = |over, under, limit| {
        let (ratio, bytes) = excess(over, under);
        ratio > limit && bytes > NOTABLE_BYTES
    };
    if exceeds(figures.rss, figures.allocated, 1.4) {
        found.push(
            "Resident set: the process takes more than 1.4 times what is allocated in it: after a \
             peak, or because the allocator's pages are only partly in use.",
        );
    }
    if exceeds(figures.active, figures.allocated, 1.1) {
        found.push(
            "Fragmentation: the allocator's pages are only partly in use, as after many keys of \
             changing sizes.",
        );
    }
    if exceeds(figures.resident, figures.active, 1.1) {
        found.push(
            "Allocator: it keeps pages that nothing uses. MEMORY PURGE returns them to the system.",
        );
    }
    if report.clients_bytes / clients > 200 * 1024 {
        found.push(
            "Clients: their buffers take more than 200 KB each. CLIENT LIST tells whose replies \
             wait to be read.",
        );
    }
    let text = if figures.allocated < 5 << 20 {
        "There is hardly any data here: too little to judge the memory by.\n".to_owned()
    } else if found.is_empty() {
        "Nothing about this server's memory is unusual.\n".to_owned()
    } else {
        let items: String = found.iter().map(|item| format!(" * {item}\n\n")).collect();
        format!("What is unusual about this server's memory:\n\n{items}")
    };
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn malloc_stats(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let report = ctx.services.host.allocator_report();
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(())
}

fn purge(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.services.host.purge_memory();
    ctx.reply.ok();
    Ok(())
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "DOCTOR",
            "    Tell in words what is unusual about the server's memory.",
            "MALLOC-STATS",
            "    Return the allocator's own report.",
            "PURGE",
            "    Return unused memory to the operating system.",
            "STATS",
            "    Return where the memory goes.",
            "USAGE <key> [SAMPLES <count>]",
            "    Return the bytes that a key takes. They are counted: SAMPLES is accepted and",
            "    makes no difference.",
        ],
    );
    Ok(())
}
