//! The Lua engine: its sandbox, its libraries, and values to replies and back.
//!
//! It knows nothing of keys or clients: what `redis.call` does, when a script has run for too long and where
//! its log goes is the matter of a [`Host`].
//!
//! The language is Lua 5.1 as its authors published it, with everything taken away or replaced that could
//! reach beyond the script, crash or hang; see [`engine`] for how, and `tests/escape.rs` for proof.
//!
//! The interpreter is PUC Lua 5.1.5, because scripts of Redis's users are written for it: of 125 snippets of its
//! behaviour Luau gave another answer to 57, luna-core to 14. It has none of the repairs that Redis made to its
//! own copy, so how it stands to each published hole is said here; each has a test of its name.
//!
//! | hole | why it is none here |
//! |---|---|
//! | CVE-2024-46981, use after free by the collector | scripts reach no collector: `collectgarbage` answers numbers and does nothing, `newproxy` and `__gc` are not there |
//! | CVE-2025-49844, the parser leaves a chunk's name to the collector | the collector stands still while a chunk is compiled |
//! | CVE-2025-46817, `unpack` overflows | `unpack` is ours, with checked bounds |
//! | CVE-2025-46818, metatables of basic types are shared | strings' metatable is shown as a proxy that cannot be changed; the other basic types have none |
//! | CVE-2025-46819, the lexer of long brackets overflows | sources are searched first for brackets of too high a level; no byte beyond the source is read |
//! | CVE-2022-24834, `cjson` and `cmsgpack` overflow their buffers | both are ours, in Rust |
//! | CVE-2024-31449, `bit.tohex` overflows its buffer | `bit` is ours, in Rust |
//! | without a number: patterns overflow the C stack or never end | patterns are ours, with bounds of depth and looks whether the script has to end |
//! | without a number: an error in a hook is caught by `pcall` in a loop | a killed script is stopped at every line and instruction, and nothing catches then |
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
