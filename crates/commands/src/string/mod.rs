//! Strings.

mod get;
mod set;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[&get::GET, &set::SET];
