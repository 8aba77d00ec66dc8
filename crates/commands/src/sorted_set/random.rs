use std::collections::HashSet;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use env::{Rng, RngCore};
use resp::Protocol;
use value::zset::Zset;

use super::reply_member;
use crate::draw::{Room, Selection};
use crate::reach;

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub const ZRANDMEMBER: Spec = Spec {
    name: "zrandmember",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "6.2.0",
    summary: "Returns members of a sorted set drawn at random.",
    complexity: "O(N) with N members returned",
    syntax: "key [options=(count:integer [withscores=WITHSCORES])]",
    tips: &["nondeterministic_output"],
    reach: Some(|args, zset| reach::count(args, zset, 2)),
    run: zrandmember,
    ..Spec::BASE
};

/// Above this share of the set (one in so many) it is cheaper to walk the set than to draw ranks.
const WALK_SHARE: usize = 3;

fn zrandmember(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        let word = ctx.random.next_u64();
        match ctx.db.read::<Zset>(args.key(1))?.and_then(|zset| zset.random(word)) {
            Some((member, _)) => ctx.reply.bulk(member),
            None => ctx.reply.null(),
        }
        return Ok(());
    }
    let (count, with_scores) = parse(args)?;
    let key = args.key(1);
    if count < 0 {
        return repeated(ctx, key, count.unsigned_abs(), with_scores);
    }
    distinct(ctx, key, count as usize, with_scores)
}

fn parse(args: Args<'_>) -> Result<(i64, bool), Error> {
    let count = args.integer(2)?;
    if count == i64::MIN {
        return Err(Error::new(format!(
            "ERR value is out of range, value must between {} and {}",
            -i64::MAX,
            i64::MAX
        )));
    }
    let with_scores = args.len() > 3;
    if args.len() > 4 || (with_scores && !args.is(3, "WITHSCORES")) {
        return Err(Error::SYNTAX);
    }
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::fixed("ERR value is out of range"));
    }
    Ok((count, with_scores))
}

/// Draws `count` times from the whole set.
fn repeated(ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, count: u64, with_scores: bool) -> Outcome {
    let Some(zset) = ctx.db.read::<Zset>(key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let nested = with_scores && ctx.reply.protocol() == Protocol::Resp3;
    let room = Room::new(&ctx.reply, ctx.config, count)?;
    ctx.reply.array(count as usize * if with_scores && !nested { 2 } else { 1 });
    for _ in 0..count {
        let Some((member, score)) = zset.random(ctx.random.next_u64()) else { break };
        if nested {
            ctx.reply.array(2);
        }
        if with_scores {
            reply_member(&mut ctx.reply, member, score);
        } else {
            ctx.reply.bulk(member);
        }
        room.check(&ctx.reply)?;
    }
    Ok(())
}

/// Draws up to `count` members, each at most once.
fn distinct(ctx: &mut Ctx<'_>, key: keyspace::Key<'_>, count: usize, with_scores: bool) -> Outcome {
    let Some(zset) = ctx.db.read::<Zset>(key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let len = zset.len();
    if count >= len {
        super::reply_members(&mut ctx.reply, zset.iter(), with_scores);
        return Ok(());
    }
    let ranks = if count > len / WALK_SHARE {
        sample_by_walk(ctx.random, len, count)
    } else {
        sample_by_draws(ctx.random, len, count)
    };
    let members = ranks.iter().map(|&rank| zset.get(rank).unwrap_or_default());
    super::reply_members(&mut ctx.reply, members, with_scores);
    Ok(())
}

/// `count` of the ranks below `len`, ascending.
fn sample_by_walk(random: &mut impl Rng, len: usize, count: usize) -> Vec<usize> {
    let mut selection = Selection::new(count, len);
    (0..len).filter(|_| selection.takes(random.next_u64())).collect()
}

/// `count` different ranks below `len`, in the order in which they are drawn.
fn sample_by_draws(random: &mut impl Rng, len: usize, count: usize) -> Vec<usize> {
    let mut seen = HashSet::with_capacity(count);
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count {
        let rank = random.random_range(0..len);
        if seen.insert(rank) {
            taken.push(rank);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use env::SeedableRng;

    use super::*;

    #[test]
    fn samples_are_distinct_ranks_inside_the_set() {
        let mut random = env::Random::seed_from_u64(7);
        for (len, count) in [(1, 0), (2, 1), (10, 9), (1000, 5)] {
            for sample in
                [sample_by_walk(&mut random, len, count), sample_by_draws(&mut random, len, count)]
            {
                assert_eq!(sample.len(), count);
                assert_eq!(sample.iter().collect::<HashSet<_>>().len(), count);
                assert!(sample.iter().all(|rank| *rank < len));
            }
        }
    }
}
