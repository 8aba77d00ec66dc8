//! One cache line: 7 tagged pointers, their tags, and the overflow counter.

use std::ptr::{NonNull, null_mut};

/// Entries that a bucket holds.
pub(crate) const LANES: usize = 7;

/// A counter at this value is a lower bound, and stays there until the array is rebuilt.
const SATURATED: u8 = u8::MAX;
const COUNTER: usize = 7;
const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: usize = (1 << ADDRESS_BITS) - 1;

#[repr(C, align(64))]
pub(crate) struct Bucket {
    /// Bits 0-47: the address, 0 in a free lane. Bits 48-63: the top 16 bits of the position.
    /// Kept as pointers, not numbers, so that the provenance of what was stored survives.
    words: [*mut u8; LANES],
    /// Bytes 0-6: the low 8 bits of each lane's position. Byte 7: the overflow counter.
    meta: [u8; LANES + 1],
}

const _: () = assert!(size_of::<Bucket>() == 64 && usize::BITS == 64);

/// Where an empty table looks. It is never written.
pub(crate) static EMPTY: Bucket = Bucket::EMPTY;

// SAFETY: a bucket has no interior mutability, so sharing it is sharing numbers.
unsafe impl Sync for Bucket {}

impl Bucket {
    pub(crate) const EMPTY: Self = Self { words: [null_mut(); LANES], meta: [0; LANES + 1] };

    /// Lanes whose tag is the low byte of `position`, as bit 7 of their byte. Free lanes have tag
    /// 0, so [`Bucket::pointer_at`] must look at the word as well.
    #[inline(always)]
    pub(crate) fn tag_matches(&self, position: u32) -> u64 {
        const LOW_SEVEN: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        const TAGS: u64 = 0x0080_8080_8080_8080;
        let tag = u64::from(position as u8) * 0x0101_0101_0101_0101;
        let differs = u64::from_le_bytes(self.meta) ^ tag;
        !(((differs & LOW_SEVEN) + LOW_SEVEN) | differs) & TAGS
    }

    /// The pointer of `lane` if an entry is there whose position has the top 16 bits of this one.
    #[inline(always)]
    pub(crate) fn pointer_at(&self, lane: usize, position: u32) -> Option<NonNull<u8>> {
        let word = self.words[lane];
        if word.addr() >> ADDRESS_BITS != position as usize >> 8 {
            return None;
        }
        NonNull::new(word.map_addr(|bits| bits & ADDRESS_MASK))
    }

    /// The pointer of `lane`, `None` if it is free.
    #[inline]
    pub(crate) fn pointer(&self, lane: usize) -> Option<NonNull<u8>> {
        NonNull::new(self.words.get(lane)?.map_addr(|bits| bits & ADDRESS_MASK))
    }

    /// The position of the entry in `lane`; meaningless if it is free.
    #[inline]
    pub(crate) fn position(&self, lane: usize) -> u32 {
        ((self.words[lane].addr() >> ADDRESS_BITS) as u32) << 8 | u32::from(self.meta[lane])
    }

    /// The lanes that hold an entry, as bits. Without branches, which would be unpredictable.
    #[inline(always)]
    pub(crate) fn occupied(&self) -> u32 {
        let lanes = self.words.iter().enumerate();
        lanes.fold(0, |bits, (lane, word)| bits | u32::from(!word.is_null()) << lane)
    }

    #[inline(always)]
    pub(crate) fn free_lane(&self) -> Option<usize> {
        let lane = self.occupied().trailing_ones() as usize;
        (lane < LANES).then_some(lane)
    }

    #[inline]
    pub(crate) fn set(&mut self, lane: usize, position: u32, pointer: NonNull<u8>) {
        let address = pointer.addr().get();
        assert!(address <= ADDRESS_MASK, "an entry lies in the lower 48 bits of the address space");
        let top = (position as usize >> 8) << ADDRESS_BITS;
        self.words[lane] = pointer.as_ptr().map_addr(|bits| bits | top);
        self.meta[lane] = position as u8;
    }

    #[inline]
    pub(crate) fn clear(&mut self, lane: usize) {
        self.words[lane] = null_mut();
        self.meta[lane] = 0;
    }

    /// Whether entries may live beyond that had to pass this bucket.
    #[inline(always)]
    pub(crate) fn overflowed(&self) -> bool {
        self.meta[COUNTER] != 0
    }

    pub(crate) fn count_passer(&mut self) {
        self.meta[COUNTER] = self.meta[COUNTER].saturating_add(1);
    }

    pub(crate) fn uncount_passer(&mut self) {
        if self.meta[COUNTER] != SATURATED {
            self.meta[COUNTER] -= 1;
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
        self.meta[COUNTER]
    }
}
