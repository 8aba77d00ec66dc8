//! The data types: a folder per type, a file per encoding; knows no keys, clock or locks
#![deny(unsafe_code)]

pub mod hash;
pub mod item;
pub mod list;
mod packed;
mod seed;
pub mod set;

pub use item::Item;
pub use packed::Corrupt;
