//! Keys of any type.

mod copy;
mod del;
mod dump;
mod exists;
mod expire;
mod keys;
pub mod migrate;
pub(crate) mod object;
mod rename;
pub(crate) mod scan;
mod sort;
mod ttl;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &copy::COPY,
    &copy::MOVE,
    &del::DEL,
    &del::UNLINK,
    &dump::DUMP,
    &dump::RESTORE,
    &dump::RESTORE_ASKING,
    &exists::EXISTS,
    &exists::TOUCH,
    &exists::TYPE,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &keys::KEYS,
    &keys::RANDOMKEY,
    &migrate::MIGRATE,
    &object::OBJECT,
    &rename::RENAME,
    &rename::RENAMENX,
    &scan::SCAN,
    &sort::SORT,
    &sort::SORT_RO,
    &ttl::EXPIRETIME,
    &ttl::PERSIST,
    &ttl::PEXPIRETIME,
    &ttl::PTTL,
    &ttl::TTL,
];
