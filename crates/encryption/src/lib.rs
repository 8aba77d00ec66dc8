//! Encryption at rest: files that only whoever has a key can read, and in which nobody can change a byte unseen.
//!
//! The cipher is AES-256-GCM throughout. Every file has a data key of its own, made at random, which stands in its
//! header, wrapped by a master key. So a change of master keys needs no file written anew, and no two writers ever
//! share a key: a file is written once, by one [`Sealer`], and never gone on with.
//!
//! # Format
//!
//! A header of 128 bytes, then frames, the last of them the end mark. Numbers are little-endian.
//!
//! | at | bytes | of the header |
//! |---|---|---|
//! | 0 | 8 | `RUBRENC`, and the format's version, 1 |
//! | 8 | 1 | [`Kind`]: 1 whole, 2 log |
//! | 9 | 1 | length of the master key's name |
//! | 10 | 2 | zero |
//! | 12 | 32 | the master key's name, then zeros |
//! | 44 | 16 | number of the file, random |
//! | 60 | 12 | nonce, random |
//! | 72 | 48 | the data key under the master key, with its tag; what stands before the nonce is authenticated with it |
//! | 120 | 8 | CRC-64 of what stands before: tells damage from a wrong key |
//!
//! | at | bytes | of frame number `n`, counted from 0 |
//! |---|---|---|
//! | 0 | 4 | bytes of content, 1 to [`BLOCK_MAX`]; the end mark has none, and the highest bit set |
//! | 4 | 8 | CRC-64 of the file's number, `n`, and the four bytes before: a length is never believed that was changed |
//! | 12 | | the content, encrypted, and its tag of 16 bytes |
//!
//! The nonce of frame `n` is `n` behind four bytes, which are zero, and in the end mark 1 and three zeros. The file's
//! number, `n` and the four bytes of length are authenticated with it. So no frame can be left out, repeated, moved
//! or taken from another file. An end mark is the same whenever it is made at the same place, so that it may be made
//! again.
//!
//! A file that is [`Kind::Whole`] without an end mark is damaged. A [`Kind::Log`] without one was not finished by its
//! writer; ends it within a frame, that is torn, and what stands before it is whole. Anything else is [`Damage`].
//!
//! # What this does not defend against
//!
//! Whoever can write to the folder can put an older state of it in place of the present one, cut the end off a log
//! that has no end mark yet, or put plain files there, if these are accepted. Whoever can read the server's memory has the keys: texts with
//! keys and the keys themselves are overwritten when they are no longer needed, the ciphers made of them are not.
#![forbid(unsafe_code)]

mod cut;
mod damage;
mod frame;
mod header;
mod input;
mod key;
mod output;
mod read;
mod seal;
mod source;

pub use cut::{content_len, cut_off, finish};
pub use damage::Damage;
pub use header::{Kind, is_encrypted};
pub use input::{End, Input};
pub use key::{KeyError, Keyring, Keys};
pub use output::{Output, Writer};
pub use read::Reader;
pub use seal::Sealer;
pub use source::{Source, SourceError};

/// Bytes of content that a frame has at most.
pub const BLOCK_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests;
