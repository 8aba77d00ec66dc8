//! One entry of a packed run, in the byte format of Redis's listpack entries
//!
//! | first byte | meaning |
//! |---|---|
//! | `0vvvvvvv` | integer 0..=127 |
//! | `10nnnnnn` | n bytes |
//! | `110vvvvv` + 1 | signed 13-bit integer, high bits first |
//! | `1110nnnn` + 1 | n bytes, 12-bit length, high bits first |
//! | `F0` + 4 | n bytes, little-endian length |
//! | `F1` `F2` `F3` `F4` + 2, 3, 4, 8 | signed little-endian integer |
//!
//! Behind the entry stands its length (first byte included) in groups of 7 bits, to be read
//! backwards from its end, so that a run can be walked both ways. Taking over this layout makes a
//! snapshot of a packed value a copy of its bytes.

use crate::item::Item;

/// Bytes of `item`'s entry without the length behind it.
#[inline]
pub(crate) fn body_len(item: Item<'_>) -> usize {
    match item {
        Item::Int(int) => int_len(int),
        Item::Bytes(bytes) => bytes_head_len(bytes.len()) + bytes.len(),
    }
}

/// Bytes of `item`'s whole entry.
#[inline]
pub(crate) fn full_len(item: Item<'_>) -> usize {
    with_back_len(body_len(item))
}

/// Bytes of a whole entry whose body has `body` bytes.
#[inline]
pub(crate) fn with_back_len(body: usize) -> usize {
    body + back_len(body)
}

fn int_len(int: i64) -> usize {
    match int {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    }
}

fn bytes_head_len(len: usize) -> usize {
    match len {
        0..=63 => 1,
        64..=4095 => 2,
        _ => 5,
    }
}

/// Bytes that the length `body` takes behind an entry. The uneven limits are the format's.
#[inline]
fn back_len(body: usize) -> usize {
    match body {
        0..=127 => 1,
        128..=16382 => 2,
        16383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    }
}

/// Writes the body of `item`'s entry to the start of `out`; returns its length.
pub(crate) fn write_body(item: Item<'_>, out: &mut [u8]) -> usize {
    match item {
        Item::Int(int) => write_int(int, out),
        Item::Bytes(bytes) => {
            let len = bytes.len();
            let head = bytes_head_len(len);
            match head {
                1 => out[0] = 0x80 | len as u8,
                2 => out[..2].copy_from_slice(&(0xE000 | len as u16).to_be_bytes()),
                _ => {
                    out[0] = 0xF0;
                    out[1..5].copy_from_slice(&(len as u32).to_le_bytes());
                }
            }
            out[head..head + len].copy_from_slice(bytes);
            head + len
        }
    }
}

fn write_int(int: i64, out: &mut [u8]) -> usize {
    let len = int_len(int);
    match len {
        1 => out[0] = int as u8,
        2 => out[..2].copy_from_slice(&(0xC000 | (int as u16 & 0x1fff)).to_be_bytes()),
        _ => {
            out[0] = match len {
                3 => 0xF1,
                4 => 0xF2,
                5 => 0xF3,
                _ => 0xF4,
            };
            out[1..len].copy_from_slice(&int.to_le_bytes()[..len - 1]);
        }
    }
    len
}

/// Writes `item`'s whole entry to `out`, which is exactly `full_len(item)` long.
pub(crate) fn write(item: Item<'_>, out: &mut [u8]) {
    let body = write_body(item, out);
    write_back_len(body, &mut out[body..]);
}

fn write_back_len(body: usize, out: &mut [u8]) {
    let mut rest = body;
    for (i, byte) in out.iter_mut().enumerate().rev() {
        let more = if i == 0 { 0 } else { 0x80 };
        *byte = (rest & 0x7f) as u8 | more;
        rest >>= 7;
    }
}

/// The item at the start of `run`, and the length of its body; `None` at the end of the run.
#[inline]
pub(crate) fn read(run: &[u8]) -> Option<(Item<'_>, usize)> {
    let &first = run.first()?;
    // Short texts and small integers are most of what there is.
    if first < 0x80 {
        return Some((Item::Int(i64::from(first)), 1));
    }
    if first < 0xC0 {
        let end = 1 + usize::from(first & 0x3f);
        return Some((Item::Bytes(run.get(1..end)?), end));
    }
    read_long(first, run)
}

fn read_long(first: u8, run: &[u8]) -> Option<(Item<'_>, usize)> {
    let bytes = |head: usize, len: usize| {
        let end = head.checked_add(len)?;
        Some((Item::Bytes(run.get(head..end)?), end))
    };
    let int = |len: usize| {
        let mut wide = [0; 8];
        wide[8 - len..].copy_from_slice(run.get(1..1 + len)?);
        Some((Item::Int(i64::from_le_bytes(wide) >> (64 - 8 * len)), 1 + len))
    };
    match first {
        0xC0..=0xDF => {
            let value = u16::from_be_bytes([first, *run.get(1)?]);
            Some((Item::Int(i64::from((value << 3) as i16 >> 3)), 2))
        }
        0xE0..=0xEF => bytes(2, usize::from(u16::from_be_bytes([first & 0x0f, *run.get(1)?]))),
        0xF0 => {
            let len = run.get(1..5)?.try_into().ok()?;
            bytes(5, u32::from_le_bytes(len) as usize)
        }
        0xF1 => int(2),
        0xF2 => int(3),
        0xF3 => int(4),
        0xF4 => int(8),
        _ => None,
    }
}

/// Length of the body at the start of `run`; `None` at its end.
#[inline]
pub(crate) fn body_span(run: &[u8]) -> Option<usize> {
    let &first = run.first()?;
    Some(match first {
        0..=0x7F => 1,
        0x80..=0xBF => 1 + usize::from(first & 0x3f),
        _ => read_long(first, run)?.1,
    })
}

/// A mask, and the bits under it that the first byte of a body has exactly if the body is as long as that with the
/// first byte `first`; bits that no byte has if the first byte alone does not tell.
#[inline]
pub(crate) fn length_bits(first: u8) -> (u8, u8) {
    match first {
        0..=0x7F => (0x80, 0),
        0xC0..=0xDF => (0xE0, 0xC0),
        0xE0..=0xF0 => (0, 1),
        _ => (0xFF, first),
    }
}

/// Length of the whole entry at the start of `run`; `None` at its end.
#[inline]
pub(crate) fn span(run: &[u8]) -> Option<usize> {
    body_span(run).map(with_back_len)
}

/// Appends the length that stands behind an entry whose body has `body` bytes.
pub(crate) fn push_back_len(body: usize, out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + back_len(body), 0);
    write_back_len(body, &mut out[at..]);
}

/// Length of the whole entry that ends where `run` ends; `None` for an empty run.
#[inline]
pub(crate) fn span_back(run: &[u8]) -> Option<usize> {
    let mut body = 0usize;
    for (i, &byte) in run.iter().rev().take(5).enumerate() {
        body |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(body + i + 1);
        }
    }
    None
}

/// The entry at the start of `run` if all of it is well formed: the item, its whole length, and
/// whether [`write()`] would store it in the same bytes.
pub(crate) fn read_checked(run: &[u8]) -> Option<(Item<'_>, usize, bool)> {
    let (item, body) = read(run)?;
    let back = back_len(body);
    let mut expected = [0; 5];
    write_back_len(body, expected.get_mut(..back)?);
    if run.get(body..body + back)? != &expected[..back] {
        return None;
    }
    let canonical = match item {
        Item::Int(_) => body == body_len(item),
        Item::Bytes(text) => body == body_len(item) && Item::parse(text) == item,
    };
    Some((item, body + back, canonical))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(item: Item<'_>) {
        let mut run = vec![0; full_len(item)];
        write(item, &mut run);
        assert_eq!(read(&run), Some((item, body_len(item))));
        assert_eq!(span(&run), Some(run.len()));
        assert_eq!(span_back(&run), Some(run.len()));
        assert_eq!(read_checked(&run), Some((item, run.len(), true)));
        for end in 0..run.len().min(64) {
            assert_eq!(read_checked(&run[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn integers_of_every_width_survive() {
        let edges = [0i64, 127, 128, 4095, 4096, 0x7fff, 0x8000, 0x7f_ffff, 0x80_0000];
        let wide = [0x7fff_ffff, 0x8000_0000, i64::MAX - 1];
        for edge in edges.into_iter().chain(wide) {
            for int in [edge, edge + 1, -edge, -edge - 1] {
                round_trip(Item::Int(int));
            }
        }
        round_trip(Item::Int(i64::MIN));
    }

    #[test]
    fn texts_around_every_length_limit_survive() {
        for len in [0, 1, 62, 63, 64, 125, 126, 127, 4095, 4096, 16377, 16378, 16379, 1 << 20] {
            round_trip(Item::Bytes(&vec![b'x'; len]));
        }
        round_trip(Item::Bytes(&vec![0xff; 2_097_146]));
    }

    #[test]
    fn bytes_are_laid_out_as_the_format_says() {
        let bytes = |item| {
            let mut out = vec![0; full_len(item)];
            write(item, &mut out);
            out
        };
        assert_eq!(bytes(Item::Int(5)), [5, 1]);
        assert_eq!(bytes(Item::Int(-1)), [0xDF, 0xFF, 2]);
        assert_eq!(bytes(Item::Int(-300)), [0xDE, 0xD4, 2]);
        assert_eq!(bytes(Item::Int(4096)), [0xF1, 0x00, 0x10, 3]);
        assert_eq!(bytes(Item::Bytes(b"ab")), [0x82, b'a', b'b', 3]);
        let long = bytes(Item::Bytes(&[b'x'; 200]));
        assert_eq!(long[..2], [0xE0, 200]);
        assert_eq!(long[202..], [1, 0x80 | 74]);
    }
}
