//! The server.

mod dbsize;
mod debug;
mod flush;
mod swapdb;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] =
    &[&dbsize::DBSIZE, &debug::DEBUG, &flush::FLUSHALL, &flush::FLUSHDB, &swapdb::SWAPDB];
