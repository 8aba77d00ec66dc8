//! Sorted sets. Members may have deadlines, see [`crate::lifetime`].

mod add;
mod blocking;
mod bounds;
mod combine;
mod count;
mod expire;
mod pop;
mod random;
mod range;
mod rank;
mod remove;
mod scan;
mod score;
mod ttl;

use std::ops::Range;

use command::{Ctx, Deadline, Group, KeyFlags, KeySpec, Spec};
use config::{Config, KeyspaceEvents};
use keyspace::{Key, Payload};
use resp::{Protocol, Writer};
use value::Typed;
use value::zset::{Zset, ZsetLimits};

pub use add::{Conditions, add};

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &blocking::BZMPOP,
    &blocking::BZPOPMAX,
    &blocking::BZPOPMIN,
    &add::ZADD,
    &add::ZINCRBY,
    &combine::ZDIFF,
    &combine::ZDIFFSTORE,
    &combine::ZINTER,
    &combine::ZINTERCARD,
    &combine::ZINTERSTORE,
    &combine::ZUNION,
    &combine::ZUNIONSTORE,
    &count::ZCOUNT,
    &count::ZLEXCOUNT,
    &pop::ZMPOP,
    &pop::ZPOPMAX,
    &pop::ZPOPMIN,
    &random::ZRANDMEMBER,
    &range::ZRANGE,
    &range::ZRANGEBYLEX,
    &range::ZRANGEBYSCORE,
    &range::ZRANGESTORE,
    &range::ZREVRANGE,
    &range::ZREVRANGEBYLEX,
    &range::ZREVRANGEBYSCORE,
    &rank::ZRANK,
    &rank::ZREVRANK,
    &remove::ZREM,
    &remove::ZREMRANGEBYLEX,
    &remove::ZREMRANGEBYRANK,
    &remove::ZREMRANGEBYSCORE,
    &scan::ZSCAN,
    &score::ZCARD,
    &score::ZMSCORE,
    &score::ZSCORE,
    &expire::ZEXPIRE,
    &expire::ZPEXPIRE,
    &expire::ZEXPIREAT,
    &expire::ZPEXPIREAT,
    &ttl::ZTTL,
    &ttl::ZPTTL,
    &ttl::ZEXPIRETIME,
    &ttl::ZPEXPIRETIME,
    &ttl::ZPERSIST,
];

/// What the commands about deadlines have in common.
const SORTED_SET: Spec =
    Spec { group: Group::SortedSet, keys: &[KeySpec::one(1, KeyFlags::READ)], ..Spec::BASE };

/// The key specification of commands that change deadlines.
const UPDATES: KeySpec = KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE));

/// Up to where the configuration keeps sorted sets in the compact encoding.
pub fn limits(config: &Config) -> ZsetLimits {
    ZsetLimits {
        entries: usize::try_from(config.zset_max_listpack_entries).unwrap_or(usize::MAX),
        value: usize::try_from(config.zset_max_listpack_value).unwrap_or(usize::MAX),
    }
}

/// The ranks from `start` to `stop`, both included and counted from the end when negative, of a set
/// of `len` members.
fn rank_range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let from_end = |rank: i64| if rank < 0 { rank.saturating_add(len as i64) } else { rank };
    let start = from_end(start).max(0) as usize;
    let end = usize::try_from(from_end(stop)).map_or(0, |stop| stop.saturating_add(1)).min(len);
    start.min(end)..end
}

/// Writes a member and its score.
fn reply_member(reply: &mut Writer<'_>, member: &[u8], score: f64) {
    reply.bulk(member);
    reply.double(score);
}

/// Writes members as an array; with scores one flat array in RESP2, an array of pairs in RESP3.
fn reply_members<'a>(
    reply: &mut Writer<'_>,
    members: impl ExactSizeIterator<Item = (&'a [u8], f64)>,
    with_scores: bool,
) {
    let nested = reply.protocol() == Protocol::Resp3;
    reply.array(members.len() * if with_scores && !nested { 2 } else { 1 });
    for (member, score) in members {
        if !with_scores {
            reply.bulk(member);
            continue;
        }
        if nested {
            reply.array(2);
        }
        reply_member(reply, member, score);
    }
}

/// Puts `zset` in the place of whatever `key` holds, or just deletes that if `zset` is empty, and
/// answers the number of members.
pub fn store(ctx: &mut Ctx<'_>, key: Key<'_>, zset: Zset, event: &'static str) {
    let len = zset.len();
    if len > 0 {
        ctx.db.put(key, Payload::Object(zset.into_object()), Deadline::None);
        ctx.db.changed(key, KeyspaceEvents::ZSET, event);
    } else if ctx.db.remove(key) {
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
    }
    ctx.reply.integer(len as i64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_either_end_and_stay_inside() {
        for (start, stop, len, ranks) in [
            (0, -1, 3, 0..3),
            (1, 1, 3, 1..2),
            (-2, -1, 3, 1..3),
            (-100, 100, 3, 0..3),
            (2, 1, 3, 2..2),
            (3, 5, 3, 3..3),
            (0, -4, 3, 0..0),
            (i64::MIN, i64::MAX, 3, 0..3),
            (i64::MAX, i64::MIN, 3, 0..0),
        ] {
            assert_eq!(rank_range(start, stop, len), ranks, "{start} {stop}");
        }
    }
}
