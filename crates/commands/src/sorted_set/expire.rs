use command::{Flags, Spec};
use value::zset::Zset;

use super::{SORTED_SET, UPDATES};
use crate::lifetime::{Time, expire};

const EXPIRE: Spec = Spec {
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    since: "8.12.0",
    complexity: "O(N) for N members",
    ..SORTED_SET
};

/// `ZEXPIRE key seconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const ZEXPIRE: Spec = Spec {
    name: "zexpire",
    summary: "Lets members of a sorted set expire after so many seconds.",
    syntax: "key seconds:integer condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Zset>(ctx, args, "zexpire", Time::SECONDS),
    ..EXPIRE
};

/// `ZPEXPIRE key milliseconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const ZPEXPIRE: Spec = Spec {
    name: "zpexpire",
    summary: "Lets members of a sorted set expire after so many milliseconds.",
    syntax: "key milliseconds:integer condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Zset>(ctx, args, "zpexpire", Time::MILLISECONDS),
    ..EXPIRE
};

/// `ZEXPIREAT key unix-time-seconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const ZEXPIREAT: Spec = Spec {
    name: "zexpireat",
    summary: "Lets members of a sorted set expire at a time, in seconds since the epoch.",
    syntax: "key unix-time-seconds:unix-time condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Zset>(ctx, args, "zexpireat", Time::UNIX_SECONDS),
    ..EXPIRE
};

/// `ZPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const ZPEXPIREAT: Spec = Spec {
    name: "zpexpireat",
    summary: "Lets members of a sorted set expire at a time, in milliseconds since the epoch.",
    syntax: "key unix-time-milliseconds:unix-time condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Zset>(ctx, args, "zpexpireat", Time::UNIX_MILLISECONDS),
    ..EXPIRE
};
