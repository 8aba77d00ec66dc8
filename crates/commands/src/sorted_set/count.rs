use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::zset::Zset;

use super::bounds;

/// `ZCOUNT key min max`
pub const ZCOUNT: Spec = Spec {
    name: "zcount",
    since: "2.0.0",
    summary: "Counts the members of a range of scores.",
    syntax: "key min:double max:double",
    run: zcount,
    ..BASE
};

/// `ZLEXCOUNT key min max`
pub const ZLEXCOUNT: Spec = Spec {
    name: "zlexcount",
    since: "2.8.9",
    summary: "Counts the members between two members, where all have one score.",
    syntax: "key min max",
    run: zlexcount,
    ..BASE
};

const BASE: Spec = Spec {
    arity: 4,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    complexity: "O(log(N)) with N members in the set",
    ..Spec::BASE
};

fn zcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (min, max) = bounds::scores(args, 2, 3)?;
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    ctx.reply.integer(zset.map_or(0, |zset| zset.score_range(min, max).len()) as i64);
    Ok(())
}

fn zlexcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (min, max) = bounds::members(args, 2, 3)?;
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    ctx.reply.integer(zset.map_or(0, |zset| zset.lex_range(min, max).len()) as i64);
    Ok(())
}
