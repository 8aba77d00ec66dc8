//! Append-only files as Redis 7 lays them out: a directory with a base file, files of what came since, and a
//! manifest that says which belong together.
//!
//! - [`Manifest`]: which files there are, in what order.
//! - [`Directory`]: the files on disk; a manifest is exchanged in one step.
//! - [`Reader`]: commands out of a file, with the place where the last whole one ended.
//! - [`Appender`]: effects into a file.
//! - [`BackupSums`]: what a backup, which is such a directory, must hold.
//! - [`Status`]: what everybody may know: INFO, and whether writes are to be refused.
#![forbid(unsafe_code)]

mod append;
mod backup;
mod directory;
mod manifest;
mod read;
mod status;

pub use append::Appender;
pub use backup::{BackupSums, FileSum, Summing};
pub use directory::{Directory, sync_directory};
pub use manifest::{FileInfo, FileKind, Manifest, ManifestError};
pub use read::{Entry, ReadError, Reader};
pub use status::{Awaiting, Request, State, Status, reason};
