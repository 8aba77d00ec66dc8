//! Access control: users, roles, their rules, and whether these admit a command.
//!
//! A user has selectors, one of which has to admit a command as a whole: the command, its keys, its
//! channels and its databases. Roles are selectors that several users share. The crate knows commands by
//! number only; what rules say of them by name and category comes with a [`Catalogue`], which is made from
//! the command table, and what a command touches with a [`Request`].
//!
//! Whoever asks holds on to the [`User`], whose rights are replaced as a whole: a check sees all of a
//! change or nothing of it, and costs one load where a user may do everything.
#![forbid(unsafe_code)]

mod account;
mod catalogue;
mod check;
mod error;
mod file;
mod log;
mod password;
mod registry;
mod selector;
mod user;
mod words;

pub use account::{Account, Kind, Sanitize};
pub use catalogue::{Catalogue, Facts};
pub use check::{Access, Channel, Databases, Denied, Reason, Request};
pub use error::{RuleError, SetError};
pub use log::{Context, Denial, Entry, Log};
pub use password::Digest;
pub use registry::{Acl, Change, DEFAULT_USER, Defaults, Definition, Loaded, Standing};
pub use selector::{DatabaseSet, KeyPattern, Selector};
pub use user::{Rights, User};
pub use words::has_spaces;

/// Why a name cannot be a role's; `None` when it can.
pub fn wrong_role_name(name: &[u8]) -> Option<&'static str> {
    file::wrong_role_name(name)
}
