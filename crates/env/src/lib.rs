//! The outside world as traits: clock and randomness; real and simulated.
//!
//! Commands never read a clock or draw entropy themselves: the context hands them a time taken once
//! at the start of the command, and a generator with a known seed, so that a recorded history
//! replays exactly.
#![forbid(unsafe_code)]

mod clock;
mod thread;

pub use clock::{Clock, ManualClock, SystemClock};
pub use thread::work_in_background;

/// The generator that commands draw from (`SPOP`, `RANDOMKEY`, ...); seeded once per worker.
pub type Random = rand::rngs::SmallRng;

pub use rand::{Rng, RngCore, SeedableRng};

/// A generator seeded from the operating system.
pub fn random() -> Random {
    Random::from_os_rng()
}

/// Fills `bytes` from the operating system: for secrets, which nobody must be able to repeat.
///
/// # Errors
/// When the system has no randomness to give.
pub fn fill_secret(bytes: &mut [u8]) -> std::io::Result<()> {
    use rand::TryRngCore;
    rand::rngs::OsRng.try_fill_bytes(bytes).map_err(std::io::Error::other)
}
