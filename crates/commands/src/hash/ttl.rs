use command::{Flags, Spec};
use value::hash::Hash;

use super::{HASH, UPDATES};
use crate::lifetime::{expiretime, persist, pexpiretime, pttl, ttl};

const TTL: Spec = Spec {
    arity: -5,
    flags: Flags::READONLY.union(Flags::FAST),
    since: "7.4.0",
    complexity: "O(N) for N fields",
    syntax: "key fields=(FIELDS numfields:integer field...)",
    ..HASH
};

/// `HTTL key FIELDS numfields field...`
pub const HTTL: Spec = Spec {
    name: "httl",
    summary: "Returns in how many seconds fields of a hash expire.",
    tips: &["nondeterministic_output"],
    run: ttl::<Hash>,
    ..TTL
};

/// `HPTTL key FIELDS numfields field...`
pub const HPTTL: Spec = Spec {
    name: "hpttl",
    summary: "Returns in how many milliseconds fields of a hash expire.",
    tips: &["nondeterministic_output"],
    run: pttl::<Hash>,
    ..TTL
};

/// `HEXPIRETIME key FIELDS numfields field...`
pub const HEXPIRETIME: Spec = Spec {
    name: "hexpiretime",
    summary: "Returns when fields of a hash expire, in seconds since the epoch.",
    run: expiretime::<Hash>,
    ..TTL
};

/// `HPEXPIRETIME key FIELDS numfields field...`
pub const HPEXPIRETIME: Spec = Spec {
    name: "hpexpiretime",
    summary: "Returns when fields of a hash expire, in milliseconds since the epoch.",
    run: pexpiretime::<Hash>,
    ..TTL
};

/// `HPERSIST key FIELDS numfields field...`
pub const HPERSIST: Spec = Spec {
    name: "hpersist",
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[UPDATES],
    summary: "Takes the deadlines of fields of a hash away.",
    run: persist::<Hash>,
    ..TTL
};
