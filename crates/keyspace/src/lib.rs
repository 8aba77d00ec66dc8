//! Entries, shards and their locks, the gate, expiry, the scan cursor.
//!
//! A key's hash chooses one of [`SHARDS`] shards; the shard's lock guards its part of every
//! database. Whoever touches shards first passes the [`gate::Gate`]; whoever closes it has all shards
//! for itself.

pub mod access;
mod db;
mod entry;
pub mod era;
pub mod expiry;
pub mod gate;
mod held;
mod key;
mod keyspace;
mod marks;
mod reclaim;
mod shard;

pub use db::{Db, Deadline, Gone, Lookup, Put, Seek, Tidied};
pub use entry::{Digits, Entry, EntryMut, EntryRef, Payload, Value};
pub use held::{Held, Lent};
pub use key::{Key, KeyHash, SHARDS};
pub use keyspace::{Guard, Keyspace, Occupied};
pub use marks::Marks;
pub use reclaim::Reclaimer;
pub use shard::{LARGE, Large, Place, Shard};
pub use table::Slot;
pub use table::stint::Turns;
