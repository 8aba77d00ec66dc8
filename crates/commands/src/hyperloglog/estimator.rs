use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::hyperloglog::{self, Union};

use super::{CORRUPT, read, sparse_max, write};

/// `PFADD key [element ...]`
pub const PFADD: Spec = Spec {
    name: "pfadd",
    arity: -2,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::HyperLogLog,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    since: "2.8.9",
    summary: "Adds elements to a HyperLogLog; makes the key if there is none.",
    complexity: "O(1) for each element.",
    syntax: "key [element...]",
    run: pfadd,
    ..Spec::BASE
};

/// `PFCOUNT key [key ...]`
pub const PFCOUNT: Spec = Spec {
    name: "pfcount",
    arity: -2,
    flags: Flags::READONLY.union(Flags::MAY_REPLICATE),
    group: Group::HyperLogLog,
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::RW.union(KeyFlags::ACCESS))],
    since: "2.8.9",
    summary: "Estimates how many different elements HyperLogLogs have seen together.",
    complexity: "O(1) for one key, O(N) with a much greater constant for N keys.",
    syntax: "key...",
    run: pfcount,
    ..Spec::BASE
};

/// `PFMERGE destkey [sourcekey ...]`
pub const PFMERGE: Spec = Spec {
    name: "pfmerge",
    arity: -2,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    group: Group::HyperLogLog,
    keys: &[
        KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::INSERT)),
        KeySpec::range(2, -1, 1, KeyFlags::READ),
    ],
    since: "2.8.9",
    summary: "Merges HyperLogLogs into one.",
    complexity: "O(N) with a great constant for N keys.",
    syntax: "destkey:key sourcekey...",
    run: pfmerge,
    ..Spec::BASE
};

fn pfadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let sparse_max = sparse_max(ctx);
    let mut updates = 0;
    let text = match write(ctx, args, 1)? {
        Some(_) => ctx.db.string_mut_or_make(key)?,
        None => {
            updates = 1;
            let text = ctx.db.string_mut_or_make(key)?;
            *text = hyperloglog::new();
            text
        }
    };
    for element in args.iter_from(2) {
        let changed = hyperloglog::add(text, element, sparse_max).map_err(|_| CORRUPT)?;
        updates += usize::from(changed);
    }
    if updates > 0 {
        hyperloglog::invalidate(text);
        ctx.db.changed_by(updates, key, KeyspaceEvents::STRING, "pfadd");
    }
    ctx.reply.integer((updates > 0).into());
    Ok(())
}

fn pfcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 2 {
        let mut union = Union::new();
        for index in 1..args.len() {
            read(ctx.db.get(args.key(index)), |text| union.add(text))?;
        }
        ctx.reply.integer(union.count() as i64);
        return Ok(());
    }
    let key = args.key(1);
    let Some(cached) = read(ctx.db.get(key), |text| Ok(hyperloglog::cached(text)))? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let count = match (cached, write(ctx, args, 1)?) {
        (None, Some(text)) => {
            let (count, changed) = hyperloglog::count_cached(text).map_err(|_| CORRUPT)?;
            if changed {
                ctx.db.modified(key);
            }
            count
        }
        (cached, _) => cached.unwrap_or_default(),
    };
    ctx.reply.integer(count as i64);
    Ok(())
}

fn pfmerge(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut union = Union::new();
    for index in 1..args.len() {
        read(ctx.db.get(args.key(index)), |text| union.add(text))?;
    }
    let key = args.key(1);
    let sparse_max = sparse_max(ctx);
    let target = ctx.db.string_mut_or_make(key)?;
    // An empty string is no HyperLogLog: it has just been made.
    if target.is_empty() {
        *target = hyperloglog::new();
    }
    union.store(target, sparse_max).map_err(|_| CORRUPT)?;
    ctx.db.changed(key, KeyspaceEvents::STRING, "pfadd");
    ctx.reply.ok();
    Ok(())
}
