use command::{Flags, Spec};
use value::set::Set;

use super::{SET, UPDATES};
use crate::lifetime::{expiretime, persist, pexpiretime, pttl, ttl};

const TTL: Spec = Spec {
    arity: -5,
    flags: Flags::READONLY.union(Flags::FAST),
    since: "8.12.0",
    complexity: "O(N) for N members",
    syntax: "key members=(MEMBERS nummembers:integer member...)",
    ..SET
};

/// `STTL key MEMBERS nummembers member...`
pub const STTL: Spec = Spec {
    name: "sttl",
    summary: "Returns in how many seconds members of a set expire.",
    tips: &["nondeterministic_output"],
    run: ttl::<Set>,
    ..TTL
};

/// `SPTTL key MEMBERS nummembers member...`
pub const SPTTL: Spec = Spec {
    name: "spttl",
    summary: "Returns in how many milliseconds members of a set expire.",
    tips: &["nondeterministic_output"],
    run: pttl::<Set>,
    ..TTL
};

/// `SEXPIRETIME key MEMBERS nummembers member...`
pub const SEXPIRETIME: Spec = Spec {
    name: "sexpiretime",
    summary: "Returns when members of a set expire, in seconds since the epoch.",
    run: expiretime::<Set>,
    ..TTL
};

/// `SPEXPIRETIME key MEMBERS nummembers member...`
pub const SPEXPIRETIME: Spec = Spec {
    name: "spexpiretime",
    summary: "Returns when members of a set expire, in milliseconds since the epoch.",
    run: pexpiretime::<Set>,
    ..TTL
};

/// `SPERSIST key MEMBERS nummembers member...`
pub const SPERSIST: Spec = Spec {
    name: "spersist",
    flags: Flags::WRITE.union(Flags::FAST),
    keys: &[UPDATES],
    summary: "Takes the deadlines of members of a set away.",
    run: persist::<Set>,
    ..TTL
};
