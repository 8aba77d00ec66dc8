//! Sets. Members may have deadlines, see [`crate::lifetime`].

mod diff;
mod edit;
mod expire;
mod inter;
mod random;
mod read;
mod result;
mod scan;
mod ttl;
mod union;

use command::{Group, KeyFlags, KeySpec, Spec};
use config::Config;
use value::Item;
use value::set::{Set, SetLimits};

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &edit::SADD,
    &edit::SREM,
    &edit::SMOVE,
    &read::SCARD,
    &read::SISMEMBER,
    &read::SMISMEMBER,
    &read::SMEMBERS,
    &random::SPOP,
    &random::SRANDMEMBER,
    &inter::SINTER,
    &inter::SINTERSTORE,
    &inter::SINTERCARD,
    &union::SUNION,
    &union::SUNIONSTORE,
    &union::SUNIONCARD,
    &diff::SDIFF,
    &diff::SDIFFSTORE,
    &diff::SDIFFCARD,
    &scan::SSCAN,
    &expire::SEXPIRE,
    &expire::SPEXPIRE,
    &expire::SEXPIREAT,
    &expire::SPEXPIREAT,
    &ttl::STTL,
    &ttl::SPTTL,
    &ttl::SEXPIRETIME,
    &ttl::SPEXPIRETIME,
    &ttl::SPERSIST,
];

/// What most commands of the family have in common.
const SET: Spec = Spec {
    group: Group::Set,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "1.0.0",
    ..Spec::BASE
};

/// The key specification of commands that change deadlines.
const UPDATES: KeySpec = KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE));

pub(crate) fn limits(config: &Config) -> SetLimits {
    let size = |option: u64| usize::try_from(option).unwrap_or(usize::MAX);
    SetLimits {
        max_intset_entries: size(config.set_max_intset_entries),
        max_listpack_entries: size(config.set_max_listpack_entries),
        max_listpack_value: size(config.set_max_listpack_value),
    }
}

/// An empty set that begins packed.
fn packed(limits: SetLimits) -> Set {
    Set::for_items(Item::Bytes(b""), 1, limits)
}
