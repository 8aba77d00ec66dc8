//! The server.

mod command;
mod config;
mod info;
mod latency;
mod lolwut;
mod memory;
mod module;
mod role;
mod shutdown;
mod slowlog;
mod time;

use ::command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &command::COMMAND,
    &config::CONFIG,
    &info::INFO,
    &latency::LATENCY,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &module::MODULE,
    &role::ROLE,
    &shutdown::SHUTDOWN,
    &slowlog::SLOWLOG,
    &slowlog::COMMANDLOG,
    &time::TIME,
];
