use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;
use value::Item;
use value::hash::Hash;

use super::{HASH, access};
use crate::reply;

/// `HGET key field`
pub const HGET: Spec = Spec {
    name: "hget",
    arity: 3,
    flags: Flags::READONLY.union(Flags::FAST),
    summary: "Returns the value of a field of a hash.",
    complexity: "O(1)",
    syntax: "key field",
    run: hget,
    ..HASH
};

fn hget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        value_or_null(&mut ctx.reply, hash, args.at(2));
    })
}

/// `HMGET key field...`
pub const HMGET: Spec = Spec {
    name: "hmget",
    arity: -3,
    flags: Flags::READONLY.union(Flags::FAST),
    summary: "Returns the values of several fields of a hash.",
    complexity: "O(N) for N fields",
    syntax: "key field...",
    run: hmget,
    ..HASH
};

fn hmget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        ctx.reply.array(args.len() - 2);
        args.iter_from(2).for_each(|name| value_or_null(&mut ctx.reply, hash, name));
    })
}

/// Writes the value of a field, or null when there is none.
pub(super) fn value_or_null(reply: &mut Writer<'_>, hash: Option<&Hash>, name: &[u8]) {
    match hash.and_then(|hash| hash.get(Item::parse(name))) {
        Some(value) => reply::item(reply, value),
        None => reply.null(),
    }
}

/// `HLEN key`
pub const HLEN: Spec = Spec {
    name: "hlen",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    summary: "Returns the number of fields of a hash.",
    complexity: "O(1)",
    syntax: "key",
    run: hlen,
    ..HASH
};

fn hlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = access::read(&mut ctx.db, args.key(1), |hash| hash.map_or(0, Hash::len))?;
    ctx.reply.integer(len as i64);
    Ok(())
}

/// `HSTRLEN key field`
pub const HSTRLEN: Spec = Spec {
    name: "hstrlen",
    arity: 3,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    since: "3.2.0",
    summary: "Returns the length of the value of a field of a hash.",
    complexity: "O(1)",
    syntax: "key field",
    run: hstrlen,
    ..HASH
};

fn hstrlen(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = access::read(&mut ctx.db, args.key(1), |hash| {
        hash.and_then(|hash| hash.get(Item::parse(args.at(2)))).map_or(0, Item::text_len)
    })?;
    ctx.reply.integer(len as i64);
    Ok(())
}

/// `HEXISTS key field`
pub const HEXISTS: Spec = Spec {
    name: "hexists",
    arity: 3,
    flags: Flags::READONLY.union(Flags::FAST),
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    summary: "Tells whether a hash has a field.",
    complexity: "O(1)",
    syntax: "key field",
    run: hexists,
    ..HASH
};

fn hexists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let found = access::read(&mut ctx.db, args.key(1), |hash| {
        hash.is_some_and(|hash| hash.contains(Item::parse(args.at(2))))
    })?;
    ctx.reply.integer(i64::from(found));
    Ok(())
}
