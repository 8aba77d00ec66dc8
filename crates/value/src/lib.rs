//! The data types: a folder per type, a file per encoding; knows no keys, clock or locks

pub mod geo;
pub mod hyperloglog;
pub mod stream;
pub mod zset;
