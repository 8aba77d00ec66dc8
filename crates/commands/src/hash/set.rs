use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;
use value::hash::{Change, Ttl};

use super::{HASH, UPDATES, access, limits};

/// `HSET key (field value)...`
pub const HSET: Spec = Spec {
    name: "hset",
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    summary: "Sets fields of a hash, which is made when there is none.",
    complexity: "O(N) for N fields",
    syntax: "key field_value=(field value)...",
    history: &[("4.0.0", "Several fields.")],
    run: hset,
    ..HASH
};

fn hset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let created = set_pairs(ctx, args, "hset")?;
    ctx.reply.integer(created as i64);
    Ok(())
}

/// `HMSET key (field value)...`
pub const HMSET: Spec = Spec {
    name: "hmset",
    summary: "Sets fields of a hash, which is made when there is none.",
    history: &[],
    deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
    run: hmset,
    ..HSET
};

fn hmset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_pairs(ctx, args, "hmset")?;
    ctx.reply.ok();
    Ok(())
}

/// Sets the fields; returns how many are new.
fn set_pairs(ctx: &mut Ctx<'_>, args: Args<'_>, name: &'static str) -> Result<usize, Error> {
    if !args.len().is_multiple_of(2) {
        return Err(Error::arity(name));
    }
    let limits = limits(ctx.config);
    let key = args.key(1);
    let pairs = args.len() / 2 - 1;
    let longest = args.iter_from(2).map(<[u8]>::len).max().unwrap_or(0);
    let created = access::write_or_make(&mut ctx.db, key, |hash| {
        hash.before_growth(pairs, longest, limits);
        let item = |at| (Item::parse(args.at(at)), Item::parse(args.at(at + 1)));
        let items = (2..args.len()).step_by(2).map(item);
        if pairs > 1 && hash.fill(items.clone()) {
            return pairs;
        }
        let set = |(name, value)| hash.set(name, value, Ttl::Clear, limits) == Change::Created;
        items.map(set).map(usize::from).sum()
    })?;
    ctx.db.changed_by(pairs, key, KeyspaceEvents::HASH, "hset");
    Ok(created)
}

/// `HSETNX key field value`
pub const HSETNX: Spec = Spec {
    name: "hsetnx",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::INSERT))],
    summary: "Sets a field of a hash unless it is there.",
    complexity: "O(1)",
    syntax: "key field value",
    run: hsetnx,
    ..HASH
};

fn hsetnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let key = args.key(1);
    let (name, value) = (args.at(2), args.at(3));
    let set = access::write_or_make(&mut ctx.db, key, |hash| {
        let absent = !hash.contains(Item::parse(name));
        if absent {
            hash.before_growth(1, name.len().max(value.len()), limits);
            hash.set(Item::parse(name), Item::parse(value), Ttl::Clear, limits);
        }
        absent
    })?;
    if set {
        ctx.db.changed(key, KeyspaceEvents::HASH, "hset");
    }
    ctx.reply.integer(i64::from(set));
    Ok(())
}
