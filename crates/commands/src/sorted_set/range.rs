use std::ops::Range;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec, Target};
use value::Typed;
use value::zset::{LexBound, ScoreBound, Zset};

use super::{bounds, limits, rank_range, reply_members, store};
use crate::reach;

const BASE: Spec = Spec {
    arity: -4,
    flags: Flags::READONLY.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    complexity: "O(log(N)+M) with N members in the set and M returned",
    ..Spec::BASE
};

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES] [XX]`
pub const ZRANGE: Spec = Spec {
    name: "zrange",
    since: "1.2.0",
    summary: "Returns the members of a range of ranks, scores, or members.",
    syntax: "key start stop [sortby=(BYSCORE | BYLEX)] [rev=REV] \
             [LIMIT offset_count=(offset:integer count:integer)] [withscores=WITHSCORES] \
             [condition=XX]",
    history: &[("6.2.0", "`REV`, `BYSCORE`, `BYLEX` and `LIMIT`."), ("9.2.0", "Valkey: `XX`.")],
    reach: Some(|args, zset| {
        reach(args, zset, 2, &Fixed { may_tell_absence: true, ..Fixed::default() })
    }),
    run: zrange,
    ..BASE
};

/// `ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub const ZRANGESTORE: Spec = Spec {
    name: "zrangestore",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE)), KeySpec::one(2, KeyFlags::READ)],
    since: "6.2.0",
    summary: "Stores the members of a range of ranks, scores, or members under another key.",
    complexity: "O(log(N)+M) with N members in the set and M stored",
    syntax: "dst:key src:key min max [sortby=(BYSCORE | BYLEX)] [rev=REV] \
             [LIMIT offset_count=(offset:integer count:integer)]",
    reach: Some(|args, zset| reach(args, zset, 3, &Fixed { store: true, ..Fixed::default() })),
    run: zrangestore,
    ..BASE
};

/// `ZREVRANGE key start stop [WITHSCORES]`
pub const ZREVRANGE: Spec = Spec {
    name: "zrevrange",
    since: "1.2.0",
    summary: "Returns the members of a range of ranks, counted from the highest score.",
    syntax: "key start:integer stop:integer [withscores=WITHSCORES]",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
    reach: Some(|args, zset| reach(args, zset, 2, &Fixed::as_named(By::Rank, true))),
    run: zrevrange,
    ..BASE
};

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub const ZRANGEBYSCORE: Spec = Spec {
    name: "zrangebyscore",
    since: "1.0.5",
    summary: "Returns the members of a range of scores.",
    syntax: "key min:double max:double [withscores=WITHSCORES] \
             [LIMIT offset_count=(offset:integer count:integer)]",
    history: &[("2.0.0", "`WITHSCORES`.")],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
    reach: Some(|args, zset| reach(args, zset, 2, &Fixed::as_named(By::Score, false))),
    run: zrangebyscore,
    ..BASE
};

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub const ZREVRANGEBYSCORE: Spec = Spec {
    name: "zrevrangebyscore",
    since: "2.2.0",
    summary: "Returns the members of a range of scores, the highest first.",
    syntax: "key max:double min:double [withscores=WITHSCORES] \
             [LIMIT offset_count=(offset:integer count:integer)]",
    history: &[("2.1.6", "`min` and `max` may be excluded.")],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
    reach: Some(|args, zset| reach(args, zset, 2, &Fixed::as_named(By::Score, true))),
    run: zrevrangebyscore,
    ..BASE
};

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub const ZRANGEBYLEX: Spec = Spec {
    name: "zrangebylex",
    since: "2.8.9",
    summary: "Returns the members between two members, where all have one score.",
    syntax: "key min max [LIMIT offset_count=(offset:integer count:integer)]",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
    reach: Some(|args, zset| reach(args, zset, 2, &Fixed::as_named(By::Lex, false))),
    run: zrangebylex,
    ..BASE
};

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub const ZREVRANGEBYLEX: Spec = Spec {
    name: "zrevrangebylex",
    since: "2.8.9",
    summary: "Returns the members between two members backwards, where all have one score.",
    syntax: "key max min [LIMIT offset_count=(offset:integer count:integer)]",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
    reach: Some(|args, zset| reach(args, zset, 2, &Fixed::as_named(By::Lex, true))),
    run: zrevrangebylex,
    ..BASE
};

const LIMIT_OF_RANKS: Error = Error::fixed(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_OF_MEMBERS: Error =
    Error::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// What the command's name says already, so that no option may.
#[derive(Default)]
struct Fixed {
    by: Option<By>,
    rev: Option<bool>,
    /// The result is stored, and there is no WITHSCORES.
    store: bool,
    /// The command may be asked to tell that there is no key.
    may_tell_absence: bool,
}

impl Fixed {
    fn as_named(by: By, rev: bool) -> Self {
        Self { by: Some(by), rev: Some(rev), ..Self::default() }
    }
}

enum Ends<'a> {
    Ranks(i64, i64),
    Scores(ScoreBound, ScoreBound),
    Members(LexBound<'a>, LexBound<'a>),
}

struct Query<'a> {
    ends: Ends<'a>,
    rev: bool,
    with_scores: bool,
    /// A key that is not there is answered by nothing at all.
    tells_absence: bool,
    offset: i64,
    /// No limit when negative.
    limit: i64,
}

/// How many members a query with its ends at word `at` gives.
fn reach(args: Args<'_>, target: Target<'_>, at: usize, fixed: &Fixed) -> usize {
    let Ok(query) = Query::parse(args, at, fixed) else { return 0 };
    match (&query.ends, target.value().and_then(Zset::of)) {
        (_, Some(zset)) => query.ranks(zset).len(),
        (Ends::Ranks(start, stop), _) => reach::span(*start, *stop, target),
        _ => usize::try_from(query.limit).unwrap_or(usize::MAX).min(target.elements()),
    }
}

fn zrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed { may_tell_absence: true, ..Fixed::default() })
}

fn zrevrange(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed::as_named(By::Rank, true))
}

fn zrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed::as_named(By::Score, false))
}

fn zrevrangebyscore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed::as_named(By::Score, true))
}

fn zrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed::as_named(By::Lex, false))
}

fn zrevrangebylex(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_range(ctx, args, Fixed::as_named(By::Lex, true))
}

fn reply_range(ctx: &mut Ctx<'_>, args: Args<'_>, fixed: Fixed) -> Outcome {
    let query = Query::parse(args, 2, &fixed)?;
    match ctx.db.read::<Zset>(args.key(1))? {
        None if query.tells_absence => ctx.reply.null_array(),
        None => ctx.reply.array(0),
        Some(zset) => {
            let members = zset.range(query.ranks(zset), query.rev);
            reply_members(&mut ctx.reply, members, query.with_scores);
        }
    }
    Ok(())
}

fn zrangestore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let query = Query::parse(args, 3, &Fixed { store: true, ..Fixed::default() })?;
    let limits = limits(ctx.config);
    let found = match ctx.db.read::<Zset>(args.key(2))? {
        None => Zset::new(),
        Some(zset) => Zset::from_sorted(zset.range(query.ranks(zset), false), limits),
    };
    store(ctx, args.key(1), found, "zrangestore");
    Ok(())
}

impl<'a> Query<'a> {
    /// Reads the two ends at word `at` and the options behind them.
    fn parse(args: Args<'a>, at: usize, fixed: &Fixed) -> Result<Self, Error> {
        let (mut by, mut rev) = (fixed.by, fixed.rev);
        let (mut offset, mut limit, mut with_scores) = (0, -1, false);
        let mut tells_absence = false;
        let mut word = at + 2;
        while word < args.len() {
            if !fixed.store && args.is(word, "WITHSCORES") {
                with_scores = true;
            } else if fixed.may_tell_absence && args.is(word, "XX") {
                tells_absence = true;
            } else if args.is(word, "LIMIT") && word + 2 < args.len() {
                (offset, limit) = (args.integer(word + 1)?, args.integer(word + 2)?);
                word += 2;
            } else if rev.is_none() && args.is(word, "REV") {
                rev = Some(true);
            } else if by.is_none() && args.is(word, "BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && args.is(word, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(Error::SYNTAX);
            }
            word += 1;
        }
        let (by, rev) = (by.unwrap_or(By::Rank), rev.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(LIMIT_OF_RANKS);
        }
        if with_scores && by == By::Lex {
            return Err(SCORES_OF_MEMBERS);
        }
        let (min, max) = if rev && by != By::Rank { (at + 1, at) } else { (at, at + 1) };
        let ends = match by {
            By::Rank => Ends::Ranks(args.integer(min)?, args.integer(max)?),
            By::Score => {
                let (min, max) = bounds::scores(args, min, max)?;
                Ends::Scores(min, max)
            }
            By::Lex => {
                let (min, max) = bounds::members(args, min, max)?;
                Ends::Members(min, max)
            }
        };
        Ok(Self { ends, rev, with_scores, tells_absence, offset, limit })
    }

    /// The ranks of the members that are wanted, counted from the lowest score.
    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let found = match self.ends {
            Ends::Ranks(start, stop) => {
                let ranks = rank_range(start, stop, zset.len());
                return if self.rev {
                    zset.len() - ranks.end..zset.len() - ranks.start
                } else {
                    ranks
                };
            }
            Ends::Scores(min, max) => zset.score_range(min, max),
            Ends::Members(min, max) => zset.lex_range(min, max),
        };
        // An offset below 0 leaves nothing.
        let skipped = usize::try_from(self.offset).unwrap_or(usize::MAX).min(found.len());
        let kept = (found.len() - skipped).min(usize::try_from(self.limit).unwrap_or(usize::MAX));
        if self.rev {
            let end = found.end - skipped;
            end - kept..end
        } else {
            let start = found.start + skipped;
            start..start + kept
        }
    }
}
