//! The Lua engine: its sandbox, its libraries, and values to replies and back.
//!
//! It knows nothing of keys or clients: what `redis.call` does, when a script has run for too long and where
//! its log goes is the matter of a [`Host`].
//!
//! The language is Lua 5.1 as its authors published it, with everything taken away or replaced that could
//! reach beyond the script, crash or hang; see [`engine`] for how, and `tests/escape.rs` for proof.
mod api;
mod bits;
pub mod engine;
mod flags;
mod json;
mod library;
mod lua;
mod number;
mod pack;
mod pattern;
mod reply;
mod state;
mod strings;
mod structs;
mod text;

pub use engine::{Engine, Failure, Kind, MEMORY_LIMIT_BYTES};
pub use flags::{Flags, ShebangError, functions_shebang, script_shebang};
pub use library::{BAD_NAME, Registered, is_name};
pub use state::{Host, Verdict, Words};

/// SHA-1 of `bytes` in 40 lower-case hexadecimal digits: the name of a script.
pub fn sha1_hex(bytes: &[u8]) -> [u8; 40] {
    use sha1::{Digest, Sha1};
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 40];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha1::digest(bytes)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}
