use std::ops::Range;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec, Target};
use config::KeyspaceEvents;
use keyspace::Key;
use value::Typed;
use value::zset::Zset;

use super::{bounds, rank_range};
use crate::reach;

const KEYS: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))];

/// `ZREM key member [member ...]`
pub const ZREM: Spec = Spec {
    name: "zrem",
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::SortedSet,
    keys: KEYS,
    since: "1.2.0",
    summary: "Removes members from a sorted set, and the set with its last one.",
    complexity: "O(M*log(N)) with N members in the set and M to be removed",
    syntax: "key member...",
    history: &[("2.4.0", "Takes several members.")],
    run: zrem,
    ..Spec::BASE
};

/// `ZREMRANGEBYRANK key start stop`
pub const ZREMRANGEBYRANK: Spec = Spec {
    name: "zremrangebyrank",
    arity: 4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: KEYS,
    since: "2.0.0",
    summary: "Removes the members of a range of ranks.",
    complexity: "O(log(N)+M) with N members in the set and M removed",
    syntax: "key start:integer stop:integer",
    reach: Some(|args, zset| reach::ranks(args, zset, 2)),
    run: zremrangebyrank,
    ..Spec::BASE
};

/// `ZREMRANGEBYSCORE key min max`
pub const ZREMRANGEBYSCORE: Spec = Spec {
    name: "zremrangebyscore",
    arity: 4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: KEYS,
    since: "1.2.0",
    summary: "Removes the members of a range of scores.",
    complexity: "O(log(N)+M) with N members in the set and M removed",
    syntax: "key min:double max:double",
    reach: Some(|args, zset| within(zset, score_ranks(args))),
    run: zremrangebyscore,
    ..Spec::BASE
};

/// `ZREMRANGEBYLEX key min max`
pub const ZREMRANGEBYLEX: Spec = Spec {
    name: "zremrangebylex",
    arity: 4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: KEYS,
    since: "2.8.9",
    summary: "Removes the members between two members, where all have one score.",
    complexity: "O(log(N)+M) with N members in the set and M removed",
    syntax: "key min max",
    reach: Some(|args, zset| within(zset, member_ranks(args))),
    run: zremrangebylex,
    ..Spec::BASE
};

fn zrem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let mut removed = 0;
    if let Some(zset) = ctx.db.write::<Zset>(key)? {
        removed = args.iter_from(2).filter(|member| zset.remove(member).is_some()).count();
    }
    after_removal(ctx, key, removed, "zrem");
    Ok(())
}

fn zremrangebyrank(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let ranks = |zset: &Zset| rank_range(start, stop, zset.len());
    remove_range(ctx, args.key(1), ranks, "zremrangebyrank")
}

fn zremrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    remove_range(ctx, args.key(1), score_ranks(args)?, "zremrangebyscore")
}

fn zremrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    remove_range(ctx, args.key(1), member_ranks(args)?, "zremrangebylex")
}

fn score_ranks(args: Args<'_>) -> Result<impl Fn(&Zset) -> Range<usize>, Error> {
    let (min, max) = bounds::scores(args, 2, 3)?;
    Ok(move |zset: &Zset| zset.score_range(min, max))
}

fn member_ranks<'a>(args: Args<'a>) -> Result<impl Fn(&Zset) -> Range<usize> + 'a, Error> {
    let (min, max) = bounds::members(args, 2, 3)?;
    Ok(move |zset: &Zset| zset.lex_range(min, max))
}

/// How many members there are in a range.
fn within(target: Target<'_>, ranks: Result<impl Fn(&Zset) -> Range<usize>, Error>) -> usize {
    match (target.value().and_then(Zset::of), ranks) {
        (_, Err(_)) => 0,
        (Some(zset), Ok(ranks)) => ranks(zset).len(),
        (None, Ok(_)) => target.elements(),
    }
}

fn remove_range(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    ranks: impl FnOnce(&Zset) -> Range<usize>,
    event: &'static str,
) -> Result<(), Error> {
    let mut removed = 0;
    if let Some(zset) = ctx.db.write::<Zset>(key)? {
        let ranks = ranks(zset);
        removed = zset.remove_range(ranks, |_, _| {});
    }
    after_removal(ctx, key, removed, event);
    Ok(())
}

/// Records and answers how many members were removed.
fn after_removal(ctx: &mut Ctx<'_>, key: Key<'_>, removed: usize, event: &'static str) {
    if removed > 0 {
        ctx.db.add_changes(removed as u64 - 1);
        ctx.db.changed(key, KeyspaceEvents::ZSET, event);
        if ctx.db.remove_if_empty::<Zset>(key) {
            ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
        }
    }
    ctx.reply.integer(removed as i64);
}
