//! Transactions. What EXEC does with the queued commands is the server's part, since it joins the locks
//! of all of them.

mod multi;
mod watch;

pub use multi::Condition;
pub use watch::unwatch_all;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] =
    &[&multi::MULTI, &multi::EXEC, &multi::DISCARD, &watch::WATCH, &watch::UNWATCH];
