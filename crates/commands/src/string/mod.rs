//! Strings.

mod append;
mod compare;
mod expiry;
mod get;
mod getex;
mod increment;
mod increment_float;
mod increx;
mod lcs;
mod mget;
mod mset;
mod range;
mod set;
mod set_variants;

pub(crate) use append::string_for;
use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &append::APPEND,
    &append::STRLEN,
    &compare::DELEX,
    &compare::DELIFEQ,
    &compare::DIGEST,
    &get::GET,
    &get::GETDEL,
    &getex::GETEX,
    &increment::DECR,
    &increment::DECRBY,
    &increment::INCR,
    &increment::INCRBY,
    &increment_float::INCRBYFLOAT,
    &increx::INCREX,
    &lcs::LCS,
    &mget::MGET,
    &mset::MSET,
    &mset::MSETEX,
    &mset::MSETNX,
    &range::GETRANGE,
    &range::SETRANGE,
    &range::SUBSTR,
    &set::SET,
    &set_variants::GETSET,
    &set_variants::PSETEX,
    &set_variants::SETEX,
    &set_variants::SETNX,
];
