use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::zset::Zset;

/// `ZCARD key`
pub const ZCARD: Spec = Spec {
    name: "zcard",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::RO)],
    since: "1.2.0",
    summary: "Counts the members of a sorted set.",
    complexity: "O(1)",
    syntax: "key",
    run: zcard,
    ..Spec::BASE
};

/// `ZSCORE key member`
pub const ZSCORE: Spec = Spec {
    name: "zscore",
    arity: 3,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "1.2.0",
    summary: "Returns the score of a member.",
    complexity: "O(1)",
    syntax: "key member",
    run: zscore,
    ..Spec::BASE
};

/// `ZMSCORE key member [member ...]`
pub const ZMSCORE: Spec = Spec {
    name: "zmscore",
    arity: -3,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "6.2.0",
    summary: "Returns the scores of several members.",
    complexity: "O(N) with N members asked for",
    syntax: "key member...",
    run: zmscore,
    ..Spec::BASE
};

fn zcard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let len = ctx.db.read::<Zset>(args.key(1))?.map_or(0, Zset::len);
    ctx.reply.integer(len as i64);
    Ok(())
}

fn zscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match ctx.db.read::<Zset>(args.key(1))?.and_then(|zset| zset.score(args.at(2))) {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn zmscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    ctx.reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}
