//! The server.

mod monitor;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[&monitor::MONITOR];
