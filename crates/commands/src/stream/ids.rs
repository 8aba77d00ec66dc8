//! Entry IDs as clients write them: `1526919030474-55`, `1526919030474`, `-`, `+`, `(5-1`.

use command::{Args, Error};
use value::stream::{Id, NewId};

/// What is answered to a word that is no ID.
pub const INVALID: Error =
    Error::fixed("ERR Invalid stream ID specified as stream command argument");
const INVALID_START: Error = Error::fixed("ERR invalid start ID for the interval");
const INVALID_END: Error = Error::fixed("ERR invalid end ID for the interval");
/// Longer words are no IDs, whatever they hold.
const LEN_MAX: usize = 127;

/// An ID of the form `ms-seq`, or `ms` alone, which has sequence number 0.
pub fn parse(word: &[u8]) -> Option<Id> {
    with_missing(word, 0)
}

/// Like [`parse`], for the word at `at`.
///
/// # Errors
/// When the word is no ID.
pub fn strict(args: Args<'_>, at: usize) -> Result<Id, Error> {
    parse(args.at(at)).ok_or(INVALID)
}

/// Like [`strict`], with `-` for the first ID and `+` for the last.
///
/// # Errors
/// When the word is no ID.
pub fn open(args: Args<'_>, at: usize) -> Result<Id, Error> {
    open_with_missing(args.at(at), 0).ok_or(INVALID)
}

/// All IDs from word `from` up to the word before `to`.
///
/// # Errors
/// When one of them is none.
pub fn list(args: Args<'_>, from: usize, to: usize) -> Result<Vec<Id>, Error> {
    (from..to).map(|at| strict(args, at)).collect()
}

/// The start of an interval: like [`open`], and behind a `(` the ID itself is left out.
///
/// # Errors
/// When the word is no ID, or there is none after it.
pub fn start(args: Args<'_>, at: usize) -> Result<Id, Error> {
    match args.at(at) {
        [b'(', id @ ..] if !id.is_empty() => parse(id).ok_or(INVALID)?.next().ok_or(INVALID_START),
        _ => open(args, at),
    }
}

/// The end of an interval: like [`start`], but an ID without sequence number means the last of that
/// millisecond.
///
/// # Errors
/// When the word is no ID, or there is none before it.
pub fn end(args: Args<'_>, at: usize) -> Result<Id, Error> {
    match args.at(at) {
        [b'(', id @ ..] if !id.is_empty() => {
            with_missing(id, u64::MAX).ok_or(INVALID)?.prev().ok_or(INVALID_END)
        }
        id => open_with_missing(id, u64::MAX).ok_or(INVALID),
    }
}

/// The ID of a new entry: `*`, `ms-*`, or an ID.
///
/// # Errors
/// When the word is neither.
pub fn new_entry(word: &[u8], now_ms: u64) -> Result<NewId, Error> {
    if word == b"*" {
        return Ok(NewId::Auto { now_ms });
    }
    if let Some(ms) = word.strip_suffix(b"-*")
        && let Some(ms) = number(ms)
    {
        return Ok(NewId::AutoSeq { ms });
    }
    parse(word).map(NewId::Exact).ok_or(INVALID)
}

fn open_with_missing(word: &[u8], missing: u64) -> Option<Id> {
    match word {
        b"-" => Some(Id::MIN),
        b"+" => Some(Id::MAX),
        _ => with_missing(word, missing),
    }
}

fn with_missing(word: &[u8], missing: u64) -> Option<Id> {
    if word.len() > LEN_MAX {
        return None;
    }
    // What stands behind a NUL does not count.
    let text = word.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut parts = text.splitn(2, |byte| *byte == b'-');
    let ms = number(parts.next()?)?;
    let seq = match parts.next() {
        Some(seq) => number(seq)?,
        None => missing,
    };
    Some(Id::new(ms, seq))
}

/// A number by the rules of `strtoull`, except that a minus sign is refused.
fn number(text: &[u8]) -> Option<u64> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let text = text.get(blanks..).unwrap_or_default();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_or_two_numbers() {
        for (word, id) in [
            ("1-2", Id::new(1, 2)),
            ("1", Id::new(1, 0)),
            ("+01-007", Id::new(1, 7)),
            ("18446744073709551615-18446744073709551615", Id::MAX),
        ] {
            assert_eq!(parse(word.as_bytes()), Some(id), "{word}");
        }
        for word in ["", "-", "+", "1-", "-1", "a-1", "1-2-3", "18446744073709551616", "1-*"] {
            assert_eq!(parse(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn new_entries_may_leave_numbers_to_the_server() {
        assert_eq!(new_entry(b"*", 9), Ok(NewId::Auto { now_ms: 9 }));
        assert_eq!(new_entry(b"5-*", 9), Ok(NewId::AutoSeq { ms: 5 }));
        assert_eq!(new_entry(b"5", 9), Ok(NewId::Exact(Id::new(5, 0))));
        assert_eq!(new_entry(b"-*", 9), Err(INVALID));
    }
}
