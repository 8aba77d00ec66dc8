use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::zset::Zset;

/// `ZRANK key member [WITHSCORE]`
pub const ZRANK: Spec = Spec {
    name: "zrank",
    summary: "Returns how many members stand before one, the lowest score first.",
    run: zrank,
    ..BASE
};

/// `ZREVRANK key member [WITHSCORE]`
pub const ZREVRANK: Spec = Spec {
    name: "zrevrank",
    summary: "Returns how many members stand before one, the highest score first.",
    run: zrevrank,
    ..BASE
};

const BASE: Spec = Spec {
    arity: -3,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.0.0",
    complexity: "O(log(N))",
    syntax: "key member [withscore=WITHSCORE]",
    history: &[("7.2.0", "`WITHSCORE`.")],
    ..Spec::BASE
};

fn zrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    rank(ctx, args, false)
}

fn zrevrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    rank(ctx, args, true)
}

fn rank(ctx: &mut Ctx<'_>, args: Args<'_>, rev: bool) -> Outcome {
    if args.len() > 4 {
        return Err(Error::arity(if rev { "zrevrank" } else { "zrank" }));
    }
    let with_score = args.len() == 4;
    if with_score && !args.is(3, "WITHSCORE") {
        return Err(Error::SYNTAX);
    }
    let member = args.at(2);
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    let found = zset.and_then(|zset| Some((zset.rank(member, rev)?, zset)));
    match found {
        Some((rank, zset)) if with_score => {
            ctx.reply.array(2);
            ctx.reply.integer(rank as i64);
            ctx.reply.double(zset.score(member).unwrap_or_default());
        }
        Some((rank, _)) => ctx.reply.integer(rank as i64),
        None if with_score => ctx.reply.null_array(),
        None => ctx.reply.null(),
    }
    Ok(())
}
