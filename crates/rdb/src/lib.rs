//! Redis's snapshot format (RDB): values to bytes and back, whole files, DUMP payloads.
//!
//! What is read: every encoding that Redis up to 8.0 and Valkey up to 9 have written, and the streams of Redis
//! 8.8. What is written: version 10, which Redis from 7.0 on loads, with types of later versions only where a
//! value needs them (deadlines of hash fields, what streams remember of producers, deliveries given back).
//!
//! A value's record is `[type][key][value]`; before it may stand its deadline and how recently or often it
//! was used ([`op`]). [`read::value`] and [`Encoder`] convert values; [`Scanner`] takes a file apart into
//! records without decoding them, so that several threads may; [`Records`] puts them together.
//!
//! Nothing that is read is believed: lengths are hints that the bytes at hand bound, every packed encoding
//! is checked entry by entry, and what is wrong is an [`Error`], never a panic.
#![forbid(unsafe_code)]

mod dump;
mod error;
mod input;
mod limits;
pub mod op;
pub mod read;
mod scanner;
mod skip;
pub mod write;

pub use dump::{dump, dump_functions, restore, restore_functions};
pub use error::Error;
pub use input::Input;
pub use limits::Limits;
pub use op::Type;
pub use read::Value;
pub use scanner::{Chunk, Item, Meta, Record, ScanError, Scanner};
pub use write::{Encoder, Frame, Records, Used, View};

/// The version that files are written with, the newest that Redis 7.0 loads.
pub const VERSION: u32 = 10;

/// The newest version of Redis that is read.
pub const REDIS_VERSION_MAX: u32 = 14;

/// The versions that Valkey writes under its own name: from 80 on.
pub const VALKEY_VERSIONS: std::ops::RangeInclusive<u32> = 80..=80;

/// Which program numbered the types above those that all share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Redis, and Valkey before 9.
    #[default]
    Redis,
    /// Valkey from 9 on.
    Valkey,
}
