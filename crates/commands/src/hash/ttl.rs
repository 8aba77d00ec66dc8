use command::{Flags, Spec};
use value::hash::Hash;

use super::{HASH, UPDATES};
use crate::lifetime::{persist, seconds, ttl};

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
    run: |ctx, args| {
        let now = ctx.now_ms();
        ttl::<Hash>(ctx, args, |deadline| seconds(deadline.saturating_sub(now)))
    },
    ..TTL
};

/// `HPTTL key FIELDS numfields field...`
pub const HPTTL: Spec = Spec {
    name: "hpttl",
    summary: "Returns in how many milliseconds fields of a hash expire.",
    tips: &["nondeterministic_output"],
    run: |ctx, args| {
        let now = ctx.now_ms();
        ttl::<Hash>(ctx, args, |deadline| deadline.saturating_sub(now))
    },
    ..TTL
};

/// `HEXPIRETIME key FIELDS numfields field...`
pub const HEXPIRETIME: Spec = Spec {
    name: "hexpiretime",
    summary: "Returns when fields of a hash expire, in seconds since the epoch.",
    run: |ctx, args| ttl::<Hash>(ctx, args, seconds),
    ..TTL
};

/// `HPEXPIRETIME key FIELDS numfields field...`
pub const HPEXPIRETIME: Spec = Spec {
    name: "hpexpiretime",
    summary: "Returns when fields of a hash expire, in milliseconds since the epoch.",
    run: |ctx, args| ttl::<Hash>(ctx, args, |deadline| deadline),
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
