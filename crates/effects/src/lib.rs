//! The log of effects: what every write did, as commands, in one order that agrees with every key's.
//!
//! Whoever changes something records it while it still holds the locks of what it changed: it draws the
//! next number ([`Recorder::record`]) and appends the bytes to a buffer of its own thread. So two changes
//! of one key have numbers in the order in which they happened, and a group of changes, which has one
//! number, stays together. At the end of its batch a thread hands its buffer over
//! ([`Recorder::publish`]). One thread, the [`Merger`]'s, brings all buffers into the order of the
//! numbers. Append-only file and replicas read what it gives out, and nothing else is propagated.
//!
//! While nobody reads the log ([`Log::is_on`]), a write costs one relaxed load.
#![forbid(unsafe_code)]

mod encode;
mod group;
mod log;
mod merge;
mod recorder;
#[cfg(test)]
mod tests;

pub use encode::{encode, encode_slices, encode_word, encode_words};
pub use group::{Group, Targets};
pub use log::{Log, Waiter};
pub use merge::{Effect, Merger, Sink};
pub use recorder::Recorder;
