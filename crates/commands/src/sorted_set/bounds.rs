//! Ends of ranges as clients write them: `5`, `(5`, `-inf`; `[a`, `(a`, `-`, `+`.

use command::{Args, Error};
use value::zset::{LexBound, ScoreBound};

const NOT_A_FLOAT: Error = Error::fixed("ERR min or max is not a float");
const NOT_A_STRING: Error = Error::fixed("ERR min or max not valid string range item");

/// The words at `min` and `max` as ends of a range of scores.
///
/// # Errors
/// When one of them is no number.
pub fn scores(args: Args<'_>, min: usize, max: usize) -> Result<(ScoreBound, ScoreBound), Error> {
    match (score(args.at(min)), score(args.at(max))) {
        (Some(min), Some(max)) => Ok((min, max)),
        _ => Err(NOT_A_FLOAT),
    }
}

/// The words at `min` and `max` as ends of a range of members.
///
/// # Errors
/// When one of them does not begin with `[` or `(` and is neither `-` nor `+`.
pub fn members<'a>(
    args: Args<'a>,
    min: usize,
    max: usize,
) -> Result<(LexBound<'a>, LexBound<'a>), Error> {
    match (member(args.at(min)), member(args.at(max))) {
        (Some(min), Some(max)) => Ok((min, max)),
        _ => Err(NOT_A_STRING),
    }
}

fn score(word: &[u8]) -> Option<ScoreBound> {
    match word {
        [b'(', number @ ..] => lenient_number(number).map(ScoreBound::excl),
        number => lenient_number(number).map(ScoreBound::incl),
    }
}

/// A number by the looser rules that hold for ends of ranges: blanks before it, nothing at all
/// (which is 0), bytes after a NUL, and values beyond the range of doubles are let through.
fn lenient_number(word: &[u8]) -> Option<f64> {
    if let Some(number) = codec::number::parse_f64(word) {
        return Some(number);
    }
    let text = word.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let text = text.get(blanks..).unwrap_or_default();
    codec::number::parse_f64(text).or_else(|| {
        let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        (!number.is_nan()).then_some(number)
    })
}

fn member(word: &[u8]) -> Option<LexBound<'_>> {
    match word {
        [b'[', member @ ..] => Some(LexBound::Incl(member)),
        [b'(', member @ ..] => Some(LexBound::Excl(member)),
        [b'-'] | [b'-', 0, ..] => Some(LexBound::NegInf),
        [b'+'] | [b'+', 0, ..] => Some(LexBound::PosInf),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with ZCOUNT of redis-server 7.0.15.
    #[test]
    fn ends_of_score_ranges_are_read_loosely() {
        for (word, value, exclusive) in [
            ("1.5", 1.5, false),
            ("(1.5", 1.5, true),
            ("", 0.0, false),
            ("(", 0.0, true),
            (" 7", 7.0, false),
            ("-inf", f64::NEG_INFINITY, false),
            ("(+inf", f64::INFINITY, true),
            ("1e400", f64::INFINITY, false),
            ("3\0x", 3.0, false),
        ] {
            assert_eq!(score(word.as_bytes()), Some(ScoreBound { value, exclusive }), "{word:?}");
        }
        for word in ["nan", "x", "1 ", " ", "((1", "1,5"] {
            assert_eq!(score(word.as_bytes()), None, "{word:?}");
        }
    }

    #[test]
    fn ends_of_member_ranges_name_their_kind() {
        assert_eq!(member(b"[a"), Some(LexBound::Incl(b"a")));
        assert_eq!(member(b"("), Some(LexBound::Excl(b"")));
        assert_eq!(member(b"-"), Some(LexBound::NegInf));
        assert_eq!(member(b"+"), Some(LexBound::PosInf));
        for word in [&b""[..], b"a", b"-x", b"+x", b"1"] {
            assert_eq!(member(word), None);
        }
    }
}
