//! The server.

mod backup;
mod bgrewriteaof;
mod command;
mod config;
mod dbsize;
mod debug;
mod flush;
mod hotkeys;
mod info;
mod latency;
mod lolwut;
mod memory;
mod module;
mod monitor;
mod role;
mod save;
mod shutdown;
mod slowlog;
mod swapdb;
mod time;

use ::command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &backup::BACKUP,
    &bgrewriteaof::BGREWRITEAOF,
    &command::COMMAND,
    &save::BGSAVE,
    &save::LASTSAVE,
    &save::SAVE,
    &config::CONFIG,
    &dbsize::DBSIZE,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &hotkeys::HOTKEYS,
    &info::INFO,
    &latency::LATENCY,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &module::MODULE,
    &monitor::MONITOR,
    &role::ROLE,
    &shutdown::SHUTDOWN,
    &slowlog::COMMANDLOG,
    &slowlog::SLOWLOG,
    &swapdb::SWAPDB,
    &time::TIME,
];
