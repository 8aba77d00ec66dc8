use acl::Entry;
use command::{Args, Ctx, Outcome, Spec};

use crate::help;

/// `ACL LOG [count | RESET]`
pub const LOG: Spec = Spec {
    name: "log",
    arity: -2,
    summary: "Lists what was denied lately.",
    complexity: "O(N) with N being the number of entries shown.",
    syntax: "[operation=(count:integer | RESET)]",
    history: &[(
        "7.2.0",
        "The fields `entry-id`, `timestamp-created` and `timestamp-last-updated`.",
    )],
    run: log,
    ..super::BASE
};

/// So many entries are shown unless told otherwise.
const COUNT_DEFAULT: i64 = 10;

fn log(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(help::wrong_number(args));
    }
    let log = &ctx.services.acl.log;
    if args.is(2, "RESET") {
        log.clear();
        ctx.reply.ok();
        return Ok(());
    }
    let count = args.get(2).map_or(Ok(COUNT_DEFAULT), |_| args.integer(2))?;
    let entries = log.last(usize::try_from(count).unwrap_or(0));
    let now_ms = ctx.services.clock.unix_ms();
    ctx.reply.array(entries.len());
    entries.iter().for_each(|entry| show(ctx, entry, now_ms));
    Ok(())
}

fn show(ctx: &mut Ctx<'_>, entry: &Entry, now_ms: i64) {
    let reply = &mut ctx.reply;
    let denial = &entry.denial;
    reply.map(10);
    reply.bulk(b"count");
    reply.integer(entry.count as i64);
    let texts: [(&str, &[u8]); 4] = [
        ("reason", denial.reason.name().as_bytes()),
        ("context", denial.context.name().as_bytes()),
        ("object", &denial.object),
        ("username", &denial.user),
    ];
    for (name, text) in texts {
        reply.bulk(name.as_bytes());
        reply.bulk(text);
    }
    reply.bulk(b"age-seconds");
    reply.double(now_ms.saturating_sub(entry.updated_ms) as f64 / 1000.0);
    reply.bulk(b"client-info");
    reply.bulk(&entry.client);
    let numbers = [
        ("entry-id", entry.id as i64),
        ("timestamp-created", entry.created_ms),
        ("timestamp-last-updated", entry.updated_ms),
    ];
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(number);
    }
}
