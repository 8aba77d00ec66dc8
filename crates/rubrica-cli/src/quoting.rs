//! Words and quotes of typed lines and printed keys, in the rules that Redis's files have, too.

pub use codec::quote::{quote as quoted, split_args as split_words};

/// Appends what [`quoted`] returns, for output that is not all text.
pub fn quote_into(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(quoted(bytes).as_bytes());
}

/// Undoes the quotes of one argument; `None` unless it is exactly one word.
pub fn unquote(argument: &[u8]) -> Option<Vec<u8>> {
    let mut words = split_words(argument)?;
    if words.len() == 1 { words.pop() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_quoting_and_reading() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unquote(quoted(&all).as_bytes()).unwrap(), all);
    }
}
