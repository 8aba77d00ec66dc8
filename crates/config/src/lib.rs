//! The server's configuration: every option declared once, the configuration file, the command
//! line, and what CONFIG GET, SET and REWRITE do.
//!
//! Reading order:
//!
//! - [`options`]: the declarations, a file per theme. Each option's name, aliases, kind, default,
//!   flags, status and documentation stand there and nowhere else.
//! - [`kind`]: the kinds of values, how each is read from text and written back.
//! - [`Config`] (`fields.rs`): one typed field per option that the server reads. An option without
//!   a field lives in a map and is reached by [`Config::other`].
//! - [`Sources`] and [`Files`]: a configuration file, standard input and the command line.
//! - [`Store`]: the running server's configuration, a snapshot that readers never wait for.
//! - [`Rewrite`]: the configuration written back into its file.
//!
//! To add an option: one declaration in `options/`, and one field in `fields.rs` if the server acts
//! on it. When the server starts to act on an option that was only accepted, its declaration's
//! first word changes from `Accepted` to `Works`.
//!
//! Names, defaults, bounds and error texts are those of Redis 7.0 to 8 and Valkey 7.2 to 9, so that
//! a configuration file and a client written for either work here.
#![forbid(unsafe_code)]

mod args;
mod docs;
mod error;
mod fields;
mod file;
mod files;
pub mod kind;
mod option;
pub mod options;
mod rewrite;
mod store;
mod text;
mod value;

pub use args::Sources;
pub use docs::{accepted_text, markdown};
pub use error::{ConfigError, SetError};
pub use fields::Config;
pub use file::Directive;
pub use files::{Files, MemoryFiles, OsFiles};
pub use kind::events::KeyspaceEvents;
pub use kind::special::{ClientMemory, OutputLimit, Primary, SavePoint};
pub use kind::words::{
    AclPubsubDefault, AllowFrom, AppendFsync, LogFormat, LogLevel, LogTimestamp, MaxmemoryPolicy,
    OomScoreAdj, SanitizePayload, Supervised, TlsAuthClients, TlsUser,
};
pub use option::{Flags, Opt, Status};
pub use options::{Theme, all, find, themes};
pub use rewrite::{Rewrite, replace_file};
pub use store::{Applied, Caller, Store};
pub use value::Value;
