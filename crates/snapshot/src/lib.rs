//! Point-in-time snapshots of the keyspace without a fork, their files, and loading them.
//!
//! [`Snapshot::begin`] marks the cut while the gate is closed; [`Snapshot::run`] then walks the shards in
//! short slices and hands out every key as it was at the cut, encoded by an [`Encode`], in no order to rely on.
//! Whoever is about to change a key that the walk has not reached encodes it first (`keyspace::era`). It is all
//! the same for a file, an append-only file's rewrite or a replica.
//!
//! A value is encoded whole, under its shard's lock, unless it is large and has parts: then a few elements at a time
//! (`parts`), whatever they are encoded as.
#![forbid(unsafe_code)]

mod encode;
mod file;
mod load;
mod parts;
mod take;

pub use encode::{Encode, Form, Frame, RdbEncode, Run, Uses, view};
pub use file::{Preamble, SaveError, Sealed, Target, sync_directory};
pub use load::{Duplicates, LoadError, Loaded, Rules, Watch, load, load_held};
pub use take::{Figures, Handle, Pace, Size, Snapshot};
