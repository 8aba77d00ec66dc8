//! Sorted sets as places on the globe.

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[];
