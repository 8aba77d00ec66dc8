use command::{Flags, Spec};
use value::zset::Zset;

use super::{SORTED_SET, UPDATES};
use crate::lifetime::{expiretime, persist, pexpiretime, pttl, ttl};

const TTL: Spec = Spec {
    arity: -5,
    flags: Flags::READONLY.union(Flags::FAST),
    since: "8.12.0",
    complexity: "O(N) for N members",
    syntax: "key members=(MEMBERS nummembers:integer member...)",
    ..SORTED_SET
};

/// `ZTTL key MEMBERS nummembers member...`
pub const ZTTL: Spec = Spec {
    name: "zttl",
    summary: "Returns in how many seconds members of a sorted set expire.",
    tips: &["nondeterministic_output"],
    run: ttl::<Zset>,
    ..TTL
};

/// `ZPTTL key MEMBERS nummembers member...`
pub const ZPTTL: Spec = Spec {
    name: "zpttl",
    summary: "Returns in how many milliseconds members of a sorted set expire.",
    tips: &["nondeterministic_output"],
    run: pttl::<Zset>,
    ..TTL
};

/// `ZEXPIRETIME key MEMBERS nummembers member...`
pub const ZEXPIRETIME: Spec = Spec {
    name: "zexpiretime",
    summary: "Returns when members of a sorted set expire, in seconds since the epoch.",
    run: expiretime::<Zset>,
    ..TTL
};

/// `ZPEXPIRETIME key MEMBERS nummembers member...`
pub const ZPEXPIRETIME: Spec = Spec {
    name: "zpexpiretime",
    summary: "Returns when members of a sorted set expire, in milliseconds since the epoch.",
    run: pexpiretime::<Zset>,
    ..TTL
};

/// `ZPERSIST key MEMBERS nummembers member...`
pub const ZPERSIST: Spec = Spec {
    name: "zpersist",
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[UPDATES],
    summary: "Takes the deadlines of members of a sorted set away.",
    run: persist::<Zset>,
    ..TTL
};
