//! Lists.

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[];
