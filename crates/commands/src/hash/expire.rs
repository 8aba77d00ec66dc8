use command::{Flags, Spec};
use value::hash::Hash;

use super::{HASH, UPDATES};
use crate::lifetime::{Time, expire};

const EXPIRE: Spec = Spec {
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    since: "7.4.0",
    complexity: "O(N) for N fields",
    ..HASH
};

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HEXPIRE: Spec = Spec {
    name: "hexpire",
    summary: "Lets fields of a hash expire after so many seconds.",
    syntax: "key seconds:integer condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire::<Hash>(ctx, args, "hexpire", Time::SECONDS),
    ..EXPIRE
};

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HPEXPIRE: Spec = Spec {
    name: "hpexpire",
    summary: "Lets fields of a hash expire after so many milliseconds.",
    syntax: "key milliseconds:integer condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire::<Hash>(ctx, args, "hpexpire", Time::MILLISECONDS),
    ..EXPIRE
};

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HEXPIREAT: Spec = Spec {
    name: "hexpireat",
    summary: "Lets fields of a hash expire at a time, in seconds since the epoch.",
    syntax: "key unix-time-seconds:unix-time condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire::<Hash>(ctx, args, "hexpireat", Time::UNIX_SECONDS),
    ..EXPIRE
};

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field...`
pub const HPEXPIREAT: Spec = Spec {
    name: "hpexpireat",
    summary: "Lets fields of a hash expire at a time, in milliseconds since the epoch.",
    syntax: "key unix-time-milliseconds:unix-time condition=[NX | XX | GT | LT] fields=(FIELDS numfields:integer field...)",
    run: |ctx, args| expire::<Hash>(ctx, args, "hpexpireat", Time::UNIX_MILLISECONDS),
    ..EXPIRE
};
