//! The connection and its client.

mod ping;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[&ping::PING];
