//! What a command is: its declaration, arguments, context and errors.
//!
//! A command is a function from arguments and a [`Ctx`] to a reply. It touches no socket, file or clock:
//! the context gives it keys, time and randomness, and collects what it changed. Its facts stand
//! once, in a [`Spec`] beside its code; dispatch, ACL, `COMMAND`, hints and documentation read them
//! there.
#![forbid(unsafe_code)]

mod args;
pub mod backup;
pub mod blocked;
mod budget;
pub mod client_line;
pub mod clients;
mod context;
mod database;
mod effects;
mod error;
mod keys;
mod mailbox;
pub mod migration;
pub mod permission;
mod persistence;
mod reach;
pub mod scripts;
mod services;
mod session;
mod spec;
pub mod syntax;
mod table;

pub use ::effects::Targets;

pub use self::effects::{Effects, ExpiryLog, remover};
pub use args::{Args, OwnedArgs};
pub use budget::{Budget, Exceeded};
pub use context::{Ctx, Idle};
pub use database::{Aftermath, Cursor, Database, Event, ReadyKey, Setting, Stint, members_expired};
pub use error::Error;
pub use keys::{Begin, Find, KeyFlags, KeyList, KeySpec};
pub use keyspace::Deadline;
pub use mailbox::{Letter, Mailbox};
pub use persistence::{CurrentSave, DiskError, Loading, Persistence, SaveHandle, Saves};
pub use reach::{Reach, Target};
pub use services::{
    Host, MemoryFigures, ProcessorTime, REDIS_VERSION, RUBRICA_VERSION, Services, Shutdown,
    SystemFigures, acl_defaults,
};
pub use session::{Close, ReplyMode, Session, Transaction, Watched};
pub use spec::{Categories, Channels, Databases, Flags, Group, Spec, unknown_subcommand};
pub use table::{Command, Last, Table};

/// What every command returns: it has written its reply, or an error takes the reply's place.
pub type Outcome = Result<(), Error>;
