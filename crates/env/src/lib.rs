//! The outside world as traits: clock and randomness; real and simulated
