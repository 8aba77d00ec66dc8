use command::{Args, Ctx, Flags, Outcome, Spec};
use value::hash::Hash;

use super::{HASH, access};
use crate::reply;

const ALL: Spec = Spec {
    arity: 2,
    flags: Flags::READONLY,
    complexity: "O(N) for N fields",
    syntax: "key",
    tips: &["nondeterministic_output_order"],
    ..HASH
};

/// `HGETALL key`
pub const HGETALL: Spec = Spec {
    name: "hgetall",
    summary: "Returns all fields of a hash with their values.",
    run: hgetall,
    flags: ALL.flags.union(Flags::LINEAR),
    ..ALL
};

fn hgetall(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        ctx.reply.map(hash.map_or(0, Hash::len));
        for field in hash.into_iter().flat_map(Hash::iter) {
            reply::item(&mut ctx.reply, field.name);
            reply::item(&mut ctx.reply, field.value);
        }
    })
}

/// `HKEYS key`
pub const HKEYS: Spec = Spec {
    name: "hkeys",
    summary: "Returns the names of all fields of a hash.",
    run: hkeys,
    flags: ALL.flags.union(Flags::LINEAR),
    ..ALL
};

fn hkeys(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        ctx.reply.array(hash.map_or(0, Hash::len));
        for field in hash.into_iter().flat_map(Hash::iter) {
            reply::item(&mut ctx.reply, field.name);
        }
    })
}

/// `HVALS key`
pub const HVALS: Spec = Spec {
    name: "hvals",
    summary: "Returns the values of all fields of a hash.",
    run: hvals,
    flags: ALL.flags.union(Flags::LINEAR),
    ..ALL
};

fn hvals(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    access::read(&mut ctx.db, args.key(1), |hash| {
        ctx.reply.array(hash.map_or(0, Hash::len));
        for field in hash.into_iter().flat_map(Hash::iter) {
            reply::item(&mut ctx.reply, field.value);
        }
    })
}
