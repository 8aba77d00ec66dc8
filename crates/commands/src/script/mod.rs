//! Scripts: EVAL and its kin, SCRIPT.
mod cache;
mod caller;
mod declared;
pub(crate) mod engines;
mod eval;
pub(crate) mod kill;
pub(crate) mod run;

use command::Spec;

pub use caller::busy_error;
pub use declared::call_flags;
pub(crate) use eval::{FLAGS, FLAGS_RO, KEYS, KEYS_RO};

/// The commands of this family.
pub const COMMANDS: &[&Spec] =
    &[&eval::EVAL, &eval::EVAL_RO, &eval::EVALSHA, &eval::EVALSHA_RO, &cache::SCRIPT];
