use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use smallvec::SmallVec;
use value::zset::{Inserted, Zset, ZsetLimits};

use super::limits;

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub const ZADD: Spec = Spec {
    name: "zadd",
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "1.2.0",
    summary: "Adds members to a sorted set, or gives those that it has other scores.",
    complexity: "O(log(N)) per member, with N members in the set",
    syntax: "key [condition=(NX | XX)] [comparison=(GT | LT)] [change=CH] [increment=INCR] \
             score_member=(score:double member)...",
    history: &[
        ("2.4.0", "Takes several members."),
        ("3.0.2", "`XX`, `NX`, `CH` and `INCR`."),
        ("6.2.0", "`GT` and `LT`."),
    ],
    run: zadd,
    ..Spec::BASE
};

/// `ZINCRBY key increment member`
pub const ZINCRBY: Spec = Spec {
    name: "zincrby",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "1.2.0",
    summary: "Adds to the score of a member, which starts at 0 when it is new.",
    complexity: "O(log(N)) with N members in the set",
    syntax: "key increment:integer member",
    run: zincrby,
    ..Spec::BASE
};

const NAN: Error = Error::fixed("ERR resulting score is not a number (NaN)");
const NX_AND_XX: Error = Error::fixed("ERR XX and NX options at the same time are not compatible");
const COMPARISONS: Error =
    Error::fixed("ERR GT, LT, and/or NX options at the same time are not compatible");
const ONE_INCREMENT: Error =
    Error::fixed("ERR INCR option supports a single increment-element pair");

/// Under which conditions members are written, and what of it is answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// Only members that are not there yet.
    pub nx: bool,
    /// Only members that are there.
    pub xx: bool,
    /// Only to greater scores.
    pub gt: bool,
    /// Only to lesser scores.
    pub lt: bool,
    /// The answer counts changed members too.
    pub ch: bool,
    /// Scores are added to what is there.
    pub incr: bool,
}

/// Members with the scores that they are to get.
pub type Pairs<'a> = SmallVec<[(f64, &'a [u8]); 4]>;

enum Applied {
    Added(f64),
    Updated(f64),
    Unchanged(f64),
    /// The conditions do not hold.
    Refused,
}

fn zadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut when = Conditions::default();
    let mut at = 2;
    loop {
        match args.at(at) {
            word if word.eq_ignore_ascii_case(b"NX") => when.nx = true,
            word if word.eq_ignore_ascii_case(b"XX") => when.xx = true,
            word if word.eq_ignore_ascii_case(b"CH") => when.ch = true,
            word if word.eq_ignore_ascii_case(b"INCR") => when.incr = true,
            word if word.eq_ignore_ascii_case(b"GT") => when.gt = true,
            word if word.eq_ignore_ascii_case(b"LT") => when.lt = true,
            _ => break,
        }
        at += 1;
    }
    add_pairs(ctx, args, at, when)
}

fn zincrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    add_pairs(ctx, args, 2, Conditions { incr: true, ..Conditions::default() })
}

/// Writes the pairs of score and member from word `at` on.
fn add_pairs(ctx: &mut Ctx<'_>, args: Args<'_>, at: usize, when: Conditions) -> Outcome {
    let words = args.len().saturating_sub(at);
    if words == 0 || !words.is_multiple_of(2) {
        return Err(Error::SYNTAX);
    }
    when.check()?;
    if when.incr && words > 2 {
        return Err(ONE_INCREMENT);
    }
    let mut pairs = Pairs::with_capacity(words / 2);
    for pair in (at..args.len()).step_by(2) {
        pairs.push((args.double(pair)?, args.at(pair + 1)));
    }
    add(ctx, args.key(1), &pairs, when)
}

impl Conditions {
    /// # Errors
    /// When conditions exclude each other.
    pub fn check(self) -> Result<(), Error> {
        if self.nx && self.xx {
            return Err(NX_AND_XX);
        }
        if [self.nx, self.gt, self.lt].into_iter().filter(|set| *set).count() > 1 {
            return Err(COMPARISONS);
        }
        Ok(())
    }
}

/// Writes members to the sorted set at `key` and answers.
///
/// # Errors
/// When the key holds another type, or an increment leads from one infinity to the other.
pub fn add(ctx: &mut Ctx<'_>, key: Key<'_>, pairs: &[(f64, &[u8])], when: Conditions) -> Outcome {
    let limits = limits(ctx.config);
    let zset = if when.xx {
        match ctx.db.write::<Zset>(key)? {
            Some(zset) => zset,
            None if when.incr => {
                ctx.reply.null();
                return Ok(());
            }
            None => {
                ctx.reply.integer(0);
                return Ok(());
            }
        }
    } else {
        ctx.db.write_or_make(key, Zset::new)?
    };
    let (mut added, mut updated) = (0, 0);
    let mut result = None;
    for &(score, member) in pairs {
        result = match apply(zset, member, score, when, limits)? {
            Applied::Added(score) => {
                added += 1;
                Some(score)
            }
            Applied::Updated(score) => {
                updated += 1;
                Some(score)
            }
            Applied::Unchanged(score) => Some(score),
            Applied::Refused => None,
        };
    }
    if added + updated > 0 {
        ctx.db.add_changes(added + updated - 1);
        ctx.db.changed(key, KeyspaceEvents::ZSET, if when.incr { "zincr" } else { "zadd" });
    }
    match result {
        Some(score) if when.incr => ctx.reply.double(score),
        None if when.incr => ctx.reply.null(),
        _ => ctx.reply.integer(if when.ch { added + updated } else { added } as i64),
    }
    Ok(())
}

fn apply(
    zset: &mut Zset,
    member: &[u8],
    score: f64,
    when: Conditions,
    limits: ZsetLimits,
) -> Result<Applied, Error> {
    let mut new = score;
    if when.nx || when.xx || when.gt || when.lt || when.incr {
        match zset.score(member) {
            None if when.xx => return Ok(Applied::Refused),
            None => {}
            Some(_) if when.nx => return Ok(Applied::Refused),
            Some(old) => {
                if when.incr {
                    new += old;
                }
                if new.is_nan() {
                    return Err(NAN);
                }
                if (when.gt && new <= old) || (when.lt && new >= old) {
                    return Ok(Applied::Refused);
                }
            }
        }
    }
    Ok(match zset.insert(member, new, limits) {
        Inserted::Added => Applied::Added(new),
        Inserted::Updated => Applied::Updated(new),
        Inserted::Unchanged => Applied::Unchanged(new),
    })
}
