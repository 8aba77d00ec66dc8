//! Ziplists: what listpacks were before Redis 7.0
//!
//! `[total bytes: 4][offset of the last entry: 4][number of entries: 2] entry... 255`, little-endian. An
//! entry is the length of the one before (1 byte, or 254 and 4 bytes), a byte that says what follows, and
//! that.

use value::Item;

use crate::error::Error;

const BAD: Error = Error::ZIPLIST;
const HEAD: usize = 10;
const END: u8 = 255;
/// Length fields of the entry before begin with this where they are wide.
const WIDE: u8 = 254;

/// The items of a ziplist.
pub(super) fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, Error> {
    let [a, b, c, d, tail @ .., END] = bytes else { return Err(BAD) };
    let [e, f, g, h, low, high, _body @ ..] = tail else { return Err(BAD) };
    if u32::from_le_bytes([*a, *b, *c, *d]) as usize != bytes.len() {
        return Err(BAD);
    }
    let last = u32::from_le_bytes([*e, *f, *g, *h]) as usize;
    let count = u16::from_le_bytes([*low, *high]);
    let end = bytes.len() - 1;
    let (mut items, mut at, mut before, mut start) = (Vec::new(), HEAD, 0, HEAD);
    while at < end {
        start = at;
        let rest = bytes.get(at..end).ok_or(BAD)?;
        let (said, width) = length_before(rest).ok_or(BAD)?;
        let (item, len) = entry(rest.get(width..).ok_or(BAD)?).ok_or(BAD)?;
        if said != before {
            return Err(BAD);
        }
        before = width + len;
        at += before;
        items.push(item);
    }
    let counted = count == u16::MAX || usize::from(count) == items.len();
    if at != end || !counted || last != start {
        return Err(BAD);
    }
    Ok(items)
}

/// The length of the entry before, and of this field.
fn length_before(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes {
        [WIDE, a, b, c, d, ..] => Some((u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5)),
        [WIDE | END, ..] | [] => None,
        [len, ..] => Some((usize::from(*len), 1)),
    }
}

/// The item at the start of `bytes`, and how many bytes it takes.
fn entry(bytes: &[u8]) -> Option<(Item<'_>, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let text = |head: usize, len: usize| {
        let end = head.checked_add(len)?;
        Some((Item::parse(bytes.get(head..end)?), end))
    };
    let int = |len: usize| {
        let mut wide = [0; 8];
        wide.get_mut(8 - len..)?.copy_from_slice(rest.get(..len)?);
        Some((Item::Int(i64::from_le_bytes(wide) >> (64 - 8 * len)), 1 + len))
    };
    match first {
        0x00..=0x3f => text(1, usize::from(first)),
        0x40..=0x7f => text(2, usize::from(first & 0x3f) << 8 | usize::from(*rest.first()?)),
        0x80 => text(5, u32::from_be_bytes(*rest.first_chunk()?) as usize),
        0xc0 => int(2),
        0xd0 => int(4),
        0xe0 => int(8),
        0xf0 => int(3),
        0xfe => int(1),
        0xf1..=0xfd => Some((Item::Int(i64::from(first & 15) - 1), 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "ab", 12, -5, 1000, in the forms that Redis chose.
    const LIST: &[u8] = &[
        25, 0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 2, b'a', b'b', 4, 0xfd, 2, 0xfe, 0xfb,
        3, // next: 1000
        0xc0, 0xe8, 3, 0, 255,
    ];

    fn fixed() -> Vec<u8> {
        let mut bytes = LIST.to_vec();
        // The last entry is the one of 1000: [3][c0 e8 03].
        bytes.remove(23);
        bytes[0] = 24;
        bytes[4] = 19;
        bytes
    }

    #[test]
    fn entries_of_all_forms_are_read() {
        let bytes = fixed();
        let items = items(&bytes).unwrap();
        assert_eq!(items, [Item::Bytes(b"ab"), Item::Int(12), Item::Int(-5), Item::Int(1000)]);
    }

    #[test]
    fn damage_is_refused_and_never_a_panic() {
        let good = fixed();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let _ = items(&bad);
        }
        for end in 0..good.len() {
            assert!(items(&good[..end]).is_err());
        }
    }
}
