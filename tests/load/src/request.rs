//! Requests written and replies measured, in RESP2.

use anyhow::{Result, bail};

/// `key:` and twelve digits: 16 bytes.
pub(crate) fn key(number: u64) -> [u8; 16] {
    let mut out = *b"key:000000000000";
    write_digits(&mut out[4..], number);
    out
}

/// Writes the number right-aligned over digits that are already there.
pub(crate) fn write_digits(out: &mut [u8], number: u64) {
    let mut rest = number;
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

pub(crate) fn push(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Length of the first whole reply in the bytes; none while it is incomplete. Looks inside arrays,
/// not inside bulk strings.
pub(crate) fn reply_len(bytes: &[u8]) -> Result<Option<usize>> {
    let (mut at, mut open) = (0, 1_usize);
    while open > 0 {
        let Some(line) = bytes[at..].iter().position(|byte| *byte == b'\n') else {
            return Ok(None);
        };
        let header = &bytes[at..at + line];
        at += line + 1;
        open -= 1;
        match header.first() {
            Some(b'+' | b':' | b'-') => {}
            Some(b'$') => {
                if let Some(len) = length(header)? {
                    at += len + 2;
                }
            }
            Some(b'*') => open += length(header)?.unwrap_or(0),
            _ => bail!("not a RESP2 reply: {}", String::from_utf8_lossy(header)),
        }
        if at > bytes.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// The number behind the type byte; none for -1.
fn length(header: &[u8]) -> Result<Option<usize>> {
    let text = std::str::from_utf8(&header[1..])?.trim_end();
    Ok(if text == "-1" { None } else { Some(text.parse()?) })
}

/// A fast generator of well-spread numbers (splitmix64, Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Uniform in `0..bound`, with a bias of `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((u128::from(z) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proper_prefix_of_a_reply_is_incomplete() {
        let whole = b"*3\r\n$3\r\na\nb\r\n*2\r\n:1\r\n$-1\r\n+x\r\n";
        for len in 0..whole.len() {
            assert_eq!(reply_len(&whole[..len]).unwrap(), None, "{len}");
        }
        let more = [&whole[..], b"+next"].concat();
        assert_eq!(reply_len(&more).unwrap(), Some(whole.len()));
        assert_eq!(reply_len(b"*0\r\n").unwrap(), Some(4));
        assert_eq!(reply_len(b"*-1\r\n").unwrap(), Some(5));
        assert!(reply_len(b"what\r\n").is_err());
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        assert_eq!(&key(1_234), b"key:000000001234");
    }
}
