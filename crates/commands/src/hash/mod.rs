//! Hashes.
//!
//! Fields may have deadlines, see [`crate::lifetime`].

mod access;
mod all;
mod del;
mod expire;
mod get;
mod getex;
mod import;
mod incr;
mod random;
mod scan;
mod set;
mod setex;
mod ttl;

use command::{Group, KeyFlags, KeySpec, Spec};
use config::Config;
use value::hash::HashLimits;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &set::HSET,
    &set::HSETNX,
    &set::HMSET,
    &get::HGET,
    &get::HMGET,
    &get::HLEN,
    &get::HSTRLEN,
    &get::HEXISTS,
    &all::HGETALL,
    &all::HKEYS,
    &all::HVALS,
    &del::HDEL,
    &del::HGETDEL,
    &incr::HINCRBY,
    &incr::HINCRBYFLOAT,
    &import::HIMPORT,
    &random::HRANDFIELD,
    &scan::HSCAN,
    &expire::HEXPIRE,
    &expire::HPEXPIRE,
    &expire::HEXPIREAT,
    &expire::HPEXPIREAT,
    &ttl::HTTL,
    &ttl::HPTTL,
    &ttl::HEXPIRETIME,
    &ttl::HPEXPIRETIME,
    &ttl::HPERSIST,
    &getex::HGETEX,
    &setex::HSETEX,
];

/// What most commands of the family have in common.
const HASH: Spec = Spec {
    group: Group::Hash,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.0.0",
    ..Spec::BASE
};

/// The key specification of commands that change values or deadlines.
const UPDATES: KeySpec = KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE));

pub(crate) fn limits(config: &Config) -> HashLimits {
    let size = |option: u64| usize::try_from(option).unwrap_or(usize::MAX);
    HashLimits {
        max_listpack_entries: size(config.hash_max_listpack_entries),
        max_listpack_value: size(config.hash_max_listpack_value),
    }
}
