//! Every command: a folder per family, a file per command or per handful that share one shape.
#![forbid(unsafe_code)]

mod connection;
mod string;

use command::Spec;

/// The commands of all families.
pub const FAMILIES: &[&[&Spec]] = &[connection::COMMANDS, string::COMMANDS];
