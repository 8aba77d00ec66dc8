//! Entries, shards and their locks, the gate, expiry, the scan cursor

pub mod expiry;
