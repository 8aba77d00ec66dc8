use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;

use super::{HASH, UPDATES, access, fields};

const TTL: Spec = Spec {
    arity: -5,
    flags: Flags::READONLY.union(Flags::FAST),
    since: "7.4.0",
    complexity: "O(N) for N fields",
    syntax: "key fields=(FIELDS numfields:integer field...)",
    ..HASH
};

/// `HTTL key FIELDS numfields field...`
pub const HTTL: Spec = Spec {
    name: "httl",
    summary: "Returns in how many seconds fields of a hash expire.",
    tips: &["nondeterministic_output"],
    run: |ctx, args| {
        let now = ctx.now_ms();
        ttl(ctx, args, |deadline| seconds(deadline.saturating_sub(now)))
    },
    ..TTL
};

/// `HPTTL key FIELDS numfields field...`
pub const HPTTL: Spec = Spec {
    name: "hpttl",
    summary: "Returns in how many milliseconds fields of a hash expire.",
    tips: &["nondeterministic_output"],
    run: |ctx, args| {
        let now = ctx.now_ms();
        ttl(ctx, args, |deadline| deadline.saturating_sub(now))
    },
    ..TTL
};

/// `HEXPIRETIME key FIELDS numfields field...`
pub const HEXPIRETIME: Spec = Spec {
    name: "hexpiretime",
    summary: "Returns when fields of a hash expire, in seconds since the epoch.",
    run: |ctx, args| ttl(ctx, args, seconds),
    ..TTL
};

/// `HPEXPIRETIME key FIELDS numfields field...`
pub const HPEXPIRETIME: Spec = Spec {
    name: "hpexpiretime",
    summary: "Returns when fields of a hash expire, in milliseconds since the epoch.",
    run: |ctx, args| ttl(ctx, args, |deadline| deadline),
    ..TTL
};

const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;

/// Milliseconds as seconds, rounded up.
fn seconds(ms: i64) -> i64 {
    ms.saturating_add(999) / 1000
}

fn ttl(ctx: &mut Ctx<'_>, args: Args<'_>, shown: impl Fn(i64) -> i64) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        let first = fields::first(args, 2, fields::NOT_POSITIVE)?;
        ctx.reply.array(args.len() - first);
        for name in args.iter_from(first) {
            let field = hash.and_then(|hash| hash.field(Item::parse(name)));
            ctx.reply.integer(match field.map(|field| field.deadline) {
                None => NO_FIELD,
                Some(None) => NO_DEADLINE,
                Some(Some(deadline)) => shown(deadline),
            });
        }
        Ok(())
    })?
}

/// `HPERSIST key FIELDS numfields field...`
pub const HPERSIST: Spec = Spec {
    name: "hpersist",
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[UPDATES],
    summary: "Takes the deadlines of fields of a hash away.",
    run: hpersist,
    ..TTL
};

fn hpersist(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let changed = access::write(&mut ctx.db, key, |mut hash| {
        let first = fields::first(args, 2, fields::NOT_POSITIVE)?;
        ctx.reply.array(args.len() - first);
        let mut changed = false;
        for name in args.iter_from(first).map(Item::parse) {
            let field = hash.as_ref().and_then(|hash| hash.field(name));
            let result = match field.map(|field| field.deadline) {
                None => NO_FIELD,
                Some(None) => NO_DEADLINE,
                Some(Some(_)) => {
                    if let Some(hash) = &mut hash {
                        hash.set_deadline(name, None);
                    }
                    changed = true;
                    1
                }
            };
            ctx.reply.integer(result);
        }
        Ok::<_, Error>(changed)
    })??;
    if changed {
        ctx.db.changed(key, KeyspaceEvents::HASH, "hpersist");
    }
    Ok(())
}
