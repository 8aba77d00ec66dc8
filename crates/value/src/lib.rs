//! The data types: a folder per type, a file per encoding; knows no keys, clock or locks.

mod object;

pub use object::{Kind, Object};
