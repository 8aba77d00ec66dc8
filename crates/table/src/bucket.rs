//! One cache line: 8 tagged references, and the overflow counter.

use std::ptr::{NonNull, without_provenance_mut};

use crate::heap;

/// Entries that a bucket holds.
pub(crate) const LANES: usize = 8;

/// A counter at this value is a lower bound, and stays there until the array is rebuilt.
const SATURATED: u64 = u8::MAX as u64;
/// Where the counter stands in `high`, and the width of a lane's bits below it.
const COUNTER_SHIFT: u32 = 56;
const HIGH_BITS: usize = 7;
const HIGH_MASK: u64 = (1 << HIGH_BITS) - 1;

/// Bits of a word, which stands for a pointer: even, for half of a block's offset in the heap; odd, for
/// itself.
pub(crate) const WORD_BITS: u32 = heap::OFFSET_BITS - 1;

const _: () = assert!(size_of::<Bucket>() == 64 && WORD_BITS as usize == 32 + HIGH_BITS);

#[repr(C, align(64))]
pub(crate) struct Bucket {
    /// The low 32 bits of each lane's word, 0 in a free lane only: an odd word is not 0 there, and no
    /// block's offset is a multiple of 2^33 (see `heap`).
    low: [u32; LANES],
    /// The top 16 bits of each lane's position.
    middle: [u16; LANES],
    /// The low 8 bits of each lane's position.
    tags: [u8; LANES],
    /// From the lowest bit on, the top 7 bits of each lane's word; above them, the counter.
    high: u64,
}

/// Where an empty table looks. It is never written.
pub(crate) static EMPTY: Bucket = Bucket::EMPTY;

#[inline(always)]
fn word_of(pointer: NonNull<u8>) -> u64 {
    let address = pointer.addr().get();
    if address & 1 == 1 {
        assert!(address < 1 << WORD_BITS, "an odd number of {WORD_BITS} bits");
        return address as u64;
    }
    heap::offset(pointer) / 2
}

#[inline(always)]
fn pointer_of(word: u64) -> Option<NonNull<u8>> {
    if word & 1 == 1 {
        return NonNull::new(without_provenance_mut(word as usize));
    }
    NonNull::new(heap::at_offset(word * 2))
}

impl Bucket {
    pub(crate) const EMPTY: Self =
        Self { low: [0; LANES], middle: [0; LANES], tags: [0; LANES], high: 0 };

    /// Lanes whose tag is the low byte of `position`, as bit 7 of their byte. Free lanes have tag
    /// 0, so [`Bucket::pointer_at`] must look at the word as well.
    #[inline(always)]
    pub(crate) fn tag_matches(&self, position: u32) -> u64 {
        const LOW_SEVEN: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let tag = u64::from(position as u8) * 0x0101_0101_0101_0101;
        let differs = u64::from_le_bytes(self.tags) ^ tag;
        !(((differs & LOW_SEVEN) + LOW_SEVEN) | differs | LOW_SEVEN)
    }

    /// The pointer of `lane` if an entry is there whose position has the top 16 bits of this one.
    #[inline(always)]
    pub(crate) fn pointer_at(&self, lane: usize, position: u32) -> Option<NonNull<u8>> {
        if u32::from(self.middle[lane]) != position >> 8 {
            return None;
        }
        self.pointer(lane)
    }

    /// The pointer of `lane`, `None` if it is free.
    #[inline(always)]
    pub(crate) fn pointer(&self, lane: usize) -> Option<NonNull<u8>> {
        let low = *self.low.get(lane)?;
        if low == 0 {
            return None;
        }
        let high = (self.high >> (HIGH_BITS * lane)) & HIGH_MASK;
        pointer_of(high << 32 | u64::from(low))
    }

    /// Whether `lane` holds no entry.
    #[inline(always)]
    pub(crate) fn is_free(&self, lane: usize) -> bool {
        self.low[lane] == 0
    }

    /// The position of the entry in `lane`; meaningless if it is free.
    #[inline]
    pub(crate) fn position(&self, lane: usize) -> u32 {
        u32::from(self.middle[lane]) << 8 | u32::from(self.tags[lane])
    }

    /// The lanes that hold an entry, as bits. Without branches, which would be unpredictable.
    #[inline(always)]
    pub(crate) fn occupied(&self) -> u32 {
        let lanes = self.low.iter().enumerate();
        lanes.fold(0, |bits, (lane, low)| bits | u32::from(*low != 0) << lane)
    }

    #[inline(always)]
    pub(crate) fn free_lane(&self) -> Option<usize> {
        let lane = self.occupied().trailing_ones() as usize;
        (lane < LANES).then_some(lane)
    }

    #[inline]
    pub(crate) fn set(&mut self, lane: usize, position: u32, pointer: NonNull<u8>) {
        let word = word_of(pointer);
        let shift = HIGH_BITS * lane;
        self.low[lane] = word as u32;
        self.high = self.high & !(HIGH_MASK << shift) | (word >> 32) << shift;
        self.middle[lane] = (position >> 8) as u16;
        self.tags[lane] = position as u8;
    }

    /// Copies the entry in lane `of` of another bucket into `lane`, which has been free since the bucket was made.
    #[inline(always)]
    pub(crate) fn copy(&mut self, lane: usize, other: &Self, of: usize) {
        self.low[lane] = other.low[of];
        self.high |= ((other.high >> (HIGH_BITS * of)) & HIGH_MASK) << (HIGH_BITS * lane);
        self.middle[lane] = other.middle[of];
        self.tags[lane] = other.tags[of];
    }

    #[inline]
    pub(crate) fn clear(&mut self, lane: usize) {
        self.low[lane] = 0;
        self.tags[lane] = 0;
    }

    fn count(&self) -> u64 {
        self.high >> COUNTER_SHIFT
    }

    /// Whether entries may live beyond that had to pass this bucket.
    #[inline(always)]
    pub(crate) fn overflowed(&self) -> bool {
        self.count() != 0
    }

    pub(crate) fn count_passer(&mut self) {
        if self.count() != SATURATED {
            self.high += 1 << COUNTER_SHIFT;
        }
    }

    pub(crate) fn uncount_passer(&mut self) {
        if self.count() != SATURATED {
            self.high -= 1 << COUNTER_SHIFT;
        }
    }

    pub(crate) fn pointers(&self) -> impl Iterator<Item = NonNull<u8>> + '_ {
        (0..LANES).filter_map(|lane| self.pointer(lane))
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, NonNull<u8>)> + '_ {
        (0..LANES).filter_map(|lane| Some((self.position(lane), self.pointer(lane)?)))
    }
}

#[cfg(test)]
impl Bucket {
    pub(crate) fn counter(&self) -> u8 {
        self.count() as u8
    }
}
