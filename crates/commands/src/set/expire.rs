use command::{Flags, Spec};
use value::set::Set;

use super::{SET, UPDATES};
use crate::lifetime::{Time, expire};

const EXPIRE: Spec = Spec {
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    keys: &[UPDATES],
    since: "8.12.0",
    complexity: "O(N) for N members",
    ..SET
};

/// `SEXPIRE key seconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const SEXPIRE: Spec = Spec {
    name: "sexpire",
    summary: "Lets members of a set expire after so many seconds.",
    syntax: "key seconds:integer condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Set>(ctx, args, "sexpire", Time::SECONDS),
    ..EXPIRE
};

/// `SPEXPIRE key milliseconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const SPEXPIRE: Spec = Spec {
    name: "spexpire",
    summary: "Lets members of a set expire after so many milliseconds.",
    syntax: "key milliseconds:integer condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Set>(ctx, args, "spexpire", Time::MILLISECONDS),
    ..EXPIRE
};

/// `SEXPIREAT key unix-time-seconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const SEXPIREAT: Spec = Spec {
    name: "sexpireat",
    summary: "Lets members of a set expire at a time, in seconds since the epoch.",
    syntax: "key unix-time-seconds:unix-time condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Set>(ctx, args, "sexpireat", Time::UNIX_SECONDS),
    ..EXPIRE
};

/// `SPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] MEMBERS nummembers member...`
pub const SPEXPIREAT: Spec = Spec {
    name: "spexpireat",
    summary: "Lets members of a set expire at a time, in milliseconds since the epoch.",
    syntax: "key unix-time-milliseconds:unix-time condition=[NX | XX | GT | LT] members=(MEMBERS nummembers:integer member...)",
    run: |ctx, args| expire::<Set>(ctx, args, "spexpireat", Time::UNIX_MILLISECONDS),
    ..EXPIRE
};
