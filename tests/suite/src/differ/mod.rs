//! Seeded random command streams, sent to the server under test and to the reference alike.
//!
//! [`grammar`] reads what each command takes from `COMMAND DOCS`, [`generate`] writes commands
//! over a small universe of keys, [`compare`] says when two replies count as equal, [`dump`]
//! reads whole data sets, [`drive`] runs a stream and shrinks one that shows a difference.

pub mod compare;
pub mod drive;
pub mod dump;
pub mod generate;
pub mod grammar;
pub mod values;

/// One command with its arguments.
pub type Command = Vec<Vec<u8>>;

/// A command as a case file writes it.
pub fn show(command: &Command) -> String {
    let words = command.iter().map(|arg| {
        let plain =
            !arg.is_empty() && arg.iter().all(|b| b.is_ascii_graphic() && !b"\"'\\@$".contains(b));
        if plain { String::from_utf8_lossy(arg).into_owned() } else { crate::text::quote(arg) }
    });
    words.collect::<Vec<_>>().join(" ")
}
