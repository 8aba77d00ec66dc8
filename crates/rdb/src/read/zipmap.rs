//! Zipmaps: small hashes of Redis 2.4 and before
//!
//! `[number of pairs, or 254] [length][name][length][free][value][free bytes]... 255`; a length is one byte
//! below 254, or 254 and four bytes.

use crate::error::Error;

const BAD: Error = Error::Corrupt("Zipmap integrity check failed");
const WIDE: u8 = 254;
const END: u8 = 255;

type Pair<'a> = (&'a [u8], &'a [u8]);

/// The pairs of a zipmap.
pub(super) fn pairs(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Error> {
    let (&count, mut rest) = bytes.split_first().ok_or(BAD)?;
    let mut pairs = Vec::new();
    while let Some(&first) = rest.first()
        && first != END
    {
        let name = text(&mut rest, 0).ok_or(BAD)?;
        let value = text(&mut rest, 1).ok_or(BAD)?;
        pairs.push((name, value));
    }
    if pairs.is_empty() || rest != [END] || (count < WIDE && usize::from(count) != pairs.len()) {
        return Err(BAD);
    }
    Ok(pairs)
}

/// The next text; behind its length may stand a byte that counts free bytes at its end.
fn text<'a>(rest: &mut &'a [u8], free_bytes: usize) -> Option<&'a [u8]> {
    let len = match *rest.split_off_first()? {
        WIDE => u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?) as usize,
        END => return None,
        len => usize::from(len),
    };
    let free = match rest.split_off(..free_bytes)? {
        [free] => usize::from(*free),
        _ => 0,
    };
    let text = rest.split_off(..len)?;
    rest.split_off(..free)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_damage_is_refused() {
        let good = [2, 1, b'a', 2, 1, b'1', b'2', 0, 2, b'b', b'c', 0, 0, 255];
        assert_eq!(pairs(&good).unwrap(), [(&b"a"[..], &b"12"[..]), (b"bc", b"")]);
        for end in 0..good.len() {
            assert!(pairs(&good[..end]).is_err());
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            let _ = pairs(&bad);
        }
    }
}
