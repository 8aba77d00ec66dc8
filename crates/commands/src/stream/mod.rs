//! Streams.

mod ack;
mod add;
mod claim;
mod delete;
mod group;
mod idempotence;
mod ids;
mod info;
mod logged;
mod nack;
mod pending;
mod range;
mod read;
mod reply;
mod set_id;
mod trim;

use command::{Args, Error, Spec};
use config::Config;
use value::stream::StreamLimits;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &ack::XACK,
    &delete::XACKDEL,
    &add::XADD,
    &claim::XAUTOCLAIM,
    &idempotence::XCFGSET,
    &claim::XCLAIM,
    &delete::XDEL,
    &delete::XDELEX,
    &group::XGROUP,
    &idempotence::XIDMPRECORD,
    &info::XINFO,
    &range::XLEN,
    &nack::XNACK,
    &pending::XPENDING,
    &range::XRANGE,
    &read::XREAD,
    &read::XREADGROUP,
    &range::XREVRANGE,
    &set_id::XSETID,
    &trim::XTRIM,
];

/// How big the configuration lets blocks get.
pub(crate) fn limits(config: &Config) -> StreamLimits {
    StreamLimits {
        block_bytes: usize::try_from(config.stream_node_max_bytes).unwrap_or(usize::MAX),
        block_entries: config.stream_node_max_entries,
    }
}

/// The key at word `key`, or the group named by the word at `group`, does not exist.
fn no_group(args: Args<'_>, key: usize, group: usize, where_: &str) -> Error {
    Error::new(format!(
        "NOGROUP No such key '{}' or consumer group '{}'{where_}",
        args.text(key),
        args.text(group)
    ))
}
