//! Inline commands: a line of words, as a person types it.

use super::{Limits, Parsed, ProtocolError, Span};
use codec::quote;

/// Reads the inline command at the start of `buf`. No line end lies before `scanned`, which is
/// moved on, or back to 0 when the command is complete.
#[cold]
#[inline(never)]
pub(super) fn parse(
    scanned: &mut usize,
    buf: &[u8],
    limits: &Limits,
    args: &mut Vec<Span>,
) -> Result<Parsed, ProtocolError> {
    let unseen = buf.get(*scanned..).unwrap_or_default();
    let found = memchr::memchr2(b'\n', 0, unseen).map(|offset| *scanned + offset);
    let feed = found.filter(|&end| buf.get(end) == Some(&b'\n'));
    // A line past the limit is refused whether or not its end is in sight, so that the outcome does
    // not depend on the pieces in which it came.
    if feed.unwrap_or(buf.len()) > limits.inline_len {
        return Err(ProtocolError::TooBigInline);
    }
    let Some(feed) = feed else {
        *scanned = found.unwrap_or(buf.len());
        return Ok(Parsed::Incomplete { wanted: buf.len().saturating_add(1) });
    };
    *scanned = 0;
    let consumed = feed + 1;
    let line = buf.get(..feed).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if memchr::memchr2(b'"', b'\'', line).is_none() {
        split_words(line, args);
        return Ok(Parsed::Command { consumed, canonical: false });
    }
    let args = quote::split_args(line).ok_or(ProtocolError::UnbalancedQuotes)?;
    Ok(Parsed::Inline { consumed, args })
}

/// The words of a line without quotes, by the rule of [`quote::split_args`].
fn split_words(line: &[u8], args: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let blanks = rest.iter().take_while(|&&byte| quote::is_blank(byte)).count();
        let word = rest.iter().skip(blanks).take_while(|&&byte| !quote::ends_word(byte)).count();
        if word == 0 {
            return;
        }
        // The line is within the limit, which fits in 32 bits.
        args.push(Span { start: (at + blanks) as u32, len: word as u32 });
        at += blanks + word;
    }
}
