//! The outside world as traits: clock and randomness; real and simulated.
//!
//! Commands never read a clock or draw entropy themselves: the context hands them a time taken once
//! at the start of the command, and a generator with a known seed, so that a recorded history
//! replays exactly.
#![forbid(unsafe_code)]

mod clock;

pub use clock::{Clock, ManualClock, SystemClock};

/// The generator that commands draw from (`SPOP`, `RANDOMKEY`, ...); seeded once per worker.
pub type Random = rand::rngs::SmallRng;

pub use rand::{Rng, RngCore, SeedableRng};

/// A generator seeded from the operating system.
pub fn random() -> Random {
    Random::from_os_rng()
}
