//! Byte formats and number texts that several parts share: globs, checksums, LZF, doubles.
//!
//! Layer 0: depends on no other crate of the project, does no I/O and keeps no state.
#![forbid(unsafe_code)]

pub mod crc16;
pub mod crc64;
mod float_text;
pub mod glob;
pub mod long_double;
pub mod lzf;
pub mod number;
pub mod quote;
