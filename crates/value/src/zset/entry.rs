//! The bytes of one member with its score, which both encodings share.
//!
//! `[head][score: 0, 2..=8 bytes][length of the member as varint, if it is above 30][member]`; the head holds the
//! score's width code in its low three bits and above them the member's length, or 31.

use super::score;

const LONG: usize = 31;

/// Where the parts of an entry lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Bytes of the score.
    pub width: usize,
    /// Bytes before the member.
    pub head: usize,
    /// Bytes of the member.
    pub len: usize,
}

impl Layout {
    /// The layout of an entry to be written.
    pub(super) fn new(member: &[u8], score: f64) -> Self {
        let width = score::width(score);
        let len = member.len();
        let extra = if len < LONG { 0 } else { varint_len(len - LONG) };
        Self { width, head: 1 + width + extra, len }
    }

    /// The whole length in bytes.
    pub(super) fn total(&self) -> usize {
        self.head + self.len
    }

    /// This layout with room for another score as well.
    pub(super) fn widened(self, score: f64) -> Self {
        let width = self.width.max(score::width(score));
        Self { width, head: self.head - self.width + width, ..self }
    }

    /// Writes an entry of this layout into the first bytes of `out`.
    pub(super) fn write(&self, out: &mut [u8], member: &[u8], score: f64) {
        self.write_head(out, score);
        out[self.head..self.total()].copy_from_slice(member);
    }

    /// Writes everything before the member.
    pub(super) fn write_head(&self, out: &mut [u8], score: f64) {
        out[0] = score::width_code(self.width) | (self.len.min(LONG) as u8) << 3;
        out[1..=self.width].copy_from_slice(&score.to_bits().to_be_bytes()[..self.width]);
        let mut at = 1 + self.width;
        if self.len >= LONG {
            let mut rest = self.len - LONG;
            while rest >= 0x80 {
                out[at] = rest as u8 | 0x80;
                rest >>= 7;
                at += 1;
            }
            out[at] = rest as u8;
        }
    }

    /// The layout of the entry whose bytes `byte` gives, by position.
    #[inline(always)]
    pub(super) fn read(byte: impl Fn(usize) -> u8) -> Self {
        let first = byte(0);
        let width = score::code_width(first);
        let short = (first >> 3) as usize;
        if short < LONG {
            return Self { width, head: 1 + width, len: short };
        }
        Self::read_long(width, byte)
    }

    /// The same of an entry with a long member.
    #[inline(never)]
    fn read_long(width: usize, byte: impl Fn(usize) -> u8) -> Self {
        let (mut len, mut shift, mut at) = (LONG, 0, 1 + width);
        loop {
            let part = byte(at);
            len += ((part & 0x7f) as usize) << shift;
            at += 1;
            shift += 7;
            if part & 0x80 == 0 {
                return Self { width, head: at, len };
            }
        }
    }
}

/// Bytes of a number in groups of seven bits.
#[inline]
pub(super) fn varint_len(n: usize) -> usize {
    if n < 0x80 {
        return 1;
    }
    (usize::BITS - (n | 1).leading_zeros()).div_ceil(7) as usize
}
