use std::ops::Range;

use command::{Args, Error};

/// What the numbers of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, when nothing is said.
    Byte,
    /// Bits.
    Bit,
}

impl Unit {
    /// The unit that the word at `index` names.
    pub fn parse(args: Args<'_>, index: usize) -> Result<Self, Error> {
        if args.is(index, "BIT") {
            Ok(Self::Bit)
        } else if args.is(index, "BYTE") {
            Ok(Self::Byte)
        } else {
            Err(Error::SYNTAX)
        }
    }

    /// Bits in one.
    fn bits(self) -> u64 {
        match self {
            Self::Byte => 8,
            Self::Bit => 1,
        }
    }
}

/// The bits from `start` to `end`, both included, counted in `unit`s and from the string's end when
/// negative; the string has `len` bytes. Empty when there are none.
pub fn bits_between(start: i64, end: i64, unit: Unit, len: usize) -> Range<u64> {
    let total = (len as u64 * 8 / unit.bits()) as i64;
    let from_start = |at: i64| if at < 0 { (total + at).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(total - 1));
    if start > end {
        return 0..0;
    }
    start as u64 * unit.bits()..(end as u64 + 1) * unit.bits()
}
