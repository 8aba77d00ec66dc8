//! Reading commands from standard input.

pub mod interrupt;
