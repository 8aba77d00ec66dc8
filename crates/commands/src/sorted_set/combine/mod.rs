//! Union, intersection and difference of sorted sets and plain sets.

mod members;
mod request;
mod source;

use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use hashbrown::HashTable;
use keyspace::KeyHash;
use value::zset::Zset;

use members::Members;
use request::{Aggregate, Input, Request};
use source::Source;

use super::{limits, reply_members, store};

const READ: &[KeySpec] = &[KeySpec::counted(1, KeyFlags::READ)];
const STORE: &[KeySpec] =
    &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE)), KeySpec::counted(2, KeyFlags::READ)];

const READ_BASE: Spec = Spec {
    arity: -3,
    flags: Flags::READONLY,
    group: Group::SortedSet,
    keys: READ,
    since: "6.2.0",
    ..Spec::BASE
};

const STORE_BASE: Spec = Spec {
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::SortedSet,
    keys: STORE,
    since: "2.0.0",
    ..Spec::BASE
};

const UNION_COST: &str = "O(N)+O(M*log(M)) with N members in all sets and M in the result";
const INTER_COST: &str =
    "O(N*K)+O(M*log(M)) with N members in the smallest of K sets and M in the result";
const DIFF_COST: &str = "O(N*K*log(L)) with N members in the first of K sets, L in the largest";
const COUNT_NEWS: &[(&str, &str)] = &[("8.8.0", "`COUNT` as an aggregate.")];

/// `ZUNION numkeys key [key ...] [WEIGHTS ...] [AGGREGATE ...] [WITHSCORES]`
pub const ZUNION: Spec = Spec {
    name: "zunion",
    summary: "Returns the members of all the sets, with their scores combined.",
    complexity: UNION_COST,
    syntax: "numkeys:integer key... [WEIGHTS weight:integer...] \
             [AGGREGATE aggregate=(SUM | MIN | MAX | COUNT)] [withscores=WITHSCORES]",
    history: COUNT_NEWS,
    run: |ctx, args| reply(ctx, args, Operation::Union),
    flags: READ_BASE.flags.union(Flags::LINEAR),
    ..READ_BASE
};

/// `ZINTER numkeys key [key ...] [WEIGHTS ...] [AGGREGATE ...] [WITHSCORES]`
pub const ZINTER: Spec = Spec {
    name: "zinter",
    summary: "Returns the members that are in each of the sets, with their scores combined.",
    complexity: INTER_COST,
    syntax: "numkeys:integer key... [WEIGHTS weight:integer...] \
             [AGGREGATE aggregate=(SUM | MIN | MAX | COUNT)] [withscores=WITHSCORES]",
    history: COUNT_NEWS,
    run: |ctx, args| reply(ctx, args, Operation::Inter),
    flags: READ_BASE.flags.union(Flags::LINEAR),
    ..READ_BASE
};

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub const ZDIFF: Spec = Spec {
    name: "zdiff",
    summary: "Returns the members of the first set that are in none of the others.",
    complexity: DIFF_COST,
    syntax: "numkeys:integer key... [withscores=WITHSCORES]",
    run: |ctx, args| reply(ctx, args, Operation::Diff),
    flags: READ_BASE.flags.union(Flags::LINEAR),
    ..READ_BASE
};

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS ...] [AGGREGATE ...]`
pub const ZUNIONSTORE: Spec = Spec {
    name: "zunionstore",
    summary: "Stores the members of all the sets, with their scores combined.",
    complexity: UNION_COST,
    syntax: "destination numkeys:integer key... [WEIGHTS weight:integer...] \
             [AGGREGATE aggregate=(SUM | MIN | MAX | COUNT)]",
    history: COUNT_NEWS,
    run: |ctx, args| store_result(ctx, args, Operation::Union, "zunionstore"),
    flags: STORE_BASE.flags.union(Flags::LINEAR),
    ..STORE_BASE
};

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS ...] [AGGREGATE ...]`
pub const ZINTERSTORE: Spec = Spec {
    name: "zinterstore",
    summary: "Stores the members that are in each of the sets, with their scores combined.",
    complexity: INTER_COST,
    syntax: "destination numkeys:integer key... [WEIGHTS weight:integer...] \
             [AGGREGATE aggregate=(SUM | MIN | MAX | COUNT)]",
    history: COUNT_NEWS,
    run: |ctx, args| store_result(ctx, args, Operation::Inter, "zinterstore"),
    flags: STORE_BASE.flags.union(Flags::LINEAR),
    ..STORE_BASE
};

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub const ZDIFFSTORE: Spec = Spec {
    name: "zdiffstore",
    since: "6.2.0",
    summary: "Stores the members of the first set that are in none of the others.",
    complexity: DIFF_COST,
    syntax: "destination numkeys:integer key...",
    run: |ctx, args| store_result(ctx, args, Operation::Diff, "zdiffstore"),
    flags: STORE_BASE.flags.union(Flags::LINEAR),
    ..STORE_BASE
};

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub const ZINTERCARD: Spec = Spec {
    name: "zintercard",
    since: "7.0.0",
    summary: "Counts the members that are in each of the sets.",
    complexity: "O(N*K) with N members in the smallest of K sets",
    syntax: "numkeys:integer key... [LIMIT limit:integer]",
    run: zintercard,
    flags: READ_BASE.flags.union(Flags::LINEAR),
    ..READ_BASE
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
    /// An intersection of which only the number of members is wanted.
    InterCount,
}

fn reply(ctx: &mut Ctx<'_>, args: Args<'_>, operation: Operation) -> Outcome {
    let request = Request::parse(ctx, args, 1, operation)?;
    let result = request.combine(ctx, args, operation)?;
    reply_members(&mut ctx.reply, result.iter(), request.with_scores);
    Ok(())
}

fn store_result(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    operation: Operation,
    event: &'static str,
) -> Outcome {
    let request = Request::parse(ctx, args, 2, operation)?;
    let result = request.combine(ctx, args, operation)?;
    let zset = Zset::from_sorted(result.iter(), limits(ctx.config));
    store(ctx, args.key(1), zset, event);
    Ok(())
}

fn zintercard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(ctx, args, 1, Operation::InterCount)?;
    let count = intersection(ctx, args, &request)?.len();
    ctx.reply.integer(count.min(request.limit) as i64);
    Ok(())
}

impl Request {
    /// The result, in the order of a sorted set.
    fn combine(
        &self,
        ctx: &mut Ctx<'_>,
        args: Args<'_>,
        operation: Operation,
    ) -> Result<Members, command::Error> {
        let mut result = match operation {
            Operation::Union => union(ctx, args, self)?,
            Operation::Inter | Operation::InterCount => intersection(ctx, args, self)?,
            Operation::Diff => difference(ctx, args, self)?,
        };
        result.sort();
        Ok(result)
    }
}

fn union(ctx: &mut Ctx<'_>, args: Args<'_>, request: &Request) -> Result<Members, command::Error> {
    let largest = request.inputs.last().map_or(0, |input| input.len);
    let mut result = Members::with_capacity(largest);
    let mut index: HashTable<(u32, u32)> = HashTable::with_capacity(largest);
    for input in &request.inputs {
        let source = Source::peek(&mut ctx.db, args.key(input.word))?;
        source.for_each(|member, score| {
            let score = request.aggregate.weigh(score, input.weight);
            let score = if score.is_nan() { 0.0 } else { score };
            let hash = KeyHash::of(member).table();
            let entry = index.entry(
                u64::from(hash) << 32 | u64::from(hash),
                |&(known, at)| known == hash && result.get(at).0 == member,
                |&(known, _)| u64::from(known) << 32 | u64::from(known),
            );
            match entry {
                hashbrown::hash_table::Entry::Occupied(entry) => {
                    let (_, before) = result.get(entry.get().1);
                    let score = request.aggregate.join(before, score);
                    result.set_score(entry.get().1, score);
                }
                hashbrown::hash_table::Entry::Vacant(entry) => {
                    entry.insert((hash, result.push(member, score)));
                }
            }
        });
    }
    Ok(result)
}

/// Copies the smallest set and strikes out, set by set, what is not in the others.
fn intersection(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    request: &Request,
) -> Result<Members, command::Error> {
    let Some((smallest, others)) = request.inputs.split_first() else {
        return Ok(Members::default());
    };
    let mut result = copy(ctx, args, smallest, |score| {
        let score = request.aggregate.weigh(score, smallest.weight);
        if score.is_nan() { 0.0 } else { score }
    })?;
    for (at, input) in others.iter().enumerate() {
        let limit = if at + 1 == others.len() { request.limit } else { usize::MAX };
        let source = Source::peek(&mut ctx.db, args.key(input.word))?;
        result.retain(limit, |member, score| {
            let other = request.aggregate.weigh(source.score(member)?, input.weight);
            Some(request.aggregate.join(score, other))
        });
    }
    Ok(result)
}

fn difference(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    request: &Request,
) -> Result<Members, command::Error> {
    let Some((first, others)) = request.inputs.split_first() else {
        return Ok(Members::default());
    };
    if others.iter().any(|other| args.at(other.word) == args.at(first.word)) {
        return Ok(Members::default());
    }
    let mut result = copy(ctx, args, first, |score| score)?;
    for input in others {
        let source = Source::peek(&mut ctx.db, args.key(input.word))?;
        if input.len > 0 {
            result.retain(usize::MAX, |member, score| match source.score(member) {
                None => Some(score),
                Some(_) => None,
            });
        }
    }
    Ok(result)
}

fn copy(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    input: &Input,
    score_of: impl Fn(f64) -> f64,
) -> Result<Members, command::Error> {
    let mut members = Members::with_capacity(input.len);
    let source = Source::peek(&mut ctx.db, args.key(input.word))?;
    source.for_each(|member, score| {
        members.push(member, score_of(score));
    });
    Ok(members)
}

impl Aggregate {
    /// What a member of this score adds to the result.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        if self == Self::Count { weight } else { score * weight }
    }

    /// Two scores of one member as one.
    fn join(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum | Self::Count => {
                let sum = a + b;
                // Both infinities together.
                if sum.is_nan() { 0.0 } else { sum }
            }
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Max => {
                if b > a {
                    b
                } else {
                    a
                }
            }
        }
    }
}
