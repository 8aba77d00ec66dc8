//! The open hash table of tagged pointers that the keyspace and the big collections are built on.
//!
//! # Shape
//!
//! A bucket is one cache line: 8 entries of 63 bits and a counter. The blocks that entries point to
//! lie in the [`heap`], where 39 bits tell them apart, so that 24 bits are left for the hash: the top
//! ones of the caller's 32. They are the entry's *position*, and an entry's home bucket is
//! `position * buckets / 2^24`. Two things follow:
//!
//! - Growing and shrinking never touch the blocks that the pointers lead to.
//! - The order of homes is the order of positions at every size, so the table is sorted by hash.
//!   A resize is one sequential pass, and a position is a scan cursor that survives any change.
//!
//! There are eight numbers of buckets to a doubling, so the load stays between about 0.8 and 0.9
//! while a table grows.
//!
//! # Spilling
//!
//! An entry whose home is full goes to the next bucket that has room, from the last bucket on to
//! the first. The overflow counter of every bucket that it passed counts it, which makes these
//! invariants:
//!
//! 1. While the counter of bucket `b` is below 255 it is the number of entries whose home is at or
//!    before `b` and that live beyond it. At 255 it says "maybe some" until the next resize.
//! 2. So a search may stop after the first bucket whose counter is zero, and a removal leaves no
//!    tombstone: it only uncounts the entry in the buckets that it had passed.
//!
//! # Big tables
//!
//! Above [`AT_ONCE_MAX`] entries a resize is spread over the following insertions and removals.
//! Two arrays exist then, and a boundary: entries at positions below it live in the new array, the
//! others in the old one. Each step moves a few homes and the boundary with them.

mod array;
mod bucket;
pub mod heap;
mod hint;
mod iter;
pub mod lock;
pub mod prefetch;
mod sizes;
pub mod stint;
#[cfg(test)]
mod tests;

use std::ptr::NonNull;

use array::{Array, Filler};
use bucket::Bucket;
pub use hint::Hint;
pub use iter::IntoIter;
pub use sizes::class_at_least;

/// Positions are 24 bits wide: the part of the hash that the table stores.
pub const POSITIONS: u32 = 1 << 24;

/// Bits of the odd numbers that may stand in the place of pointers.
pub const ODD_BITS: u32 = bucket::WORD_BITS;

/// Tables with more entries than this resize in steps; smaller ones at once (below 1 ms).
pub const AT_ONCE_MAX: usize = if cfg!(test) { 200 } else { 1 << 16 };

/// Tables with fewer entries grow by half at a time if they may: see [`Table::reserve_freely`].
const ROOMY_MAX: usize = 1024;

/// Old homes moved by each insertion or removal while a resize is under way. A resize of `n`
/// buckets then ends after `n / 4` changes, before the load can move by more than 4 %.
const HOMES_PER_STEP: u32 = 4;

/// Where an entry is. Good until the next [`Table::insert`] or [`Table::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    bucket: u32,
    lane: u8,
    /// In the new array of a resize under way.
    moved: bool,
}

/// An open hash table of pointers to blocks of the [`heap`] that it neither reads nor owns. In the place
/// of a pointer an odd number of at most [`ODD_BITS`] bits may stand.
///
/// Hashes are 32 bits, well mixed in their top 24; the caller compares keys. Dropping the table
/// frees the table only: [`Table::drain`] gives the pointers back first.
#[derive(Default)]
pub struct Table {
    /// All entries; during a resize those at and above the boundary.
    current: Array,
    resize: Option<Box<Resize>>,
}

struct Resize {
    /// The entries below the boundary.
    target: Array,
    boundary: u32,
    /// The next home of the old array to move. Its first position is the boundary.
    home: u32,
}

// SAFETY: the table owns its arrays, hands out no reference into them, and changes them through
// `&mut self` only. The stored pointers are values to it: whoever follows one proves that.
unsafe impl Send for Table {}
// SAFETY: as above; `&Table` gives read access only.
unsafe impl Sync for Table {}

/// The position of an entry with this hash.
pub const fn position(hash: u32) -> u32 {
    hash >> 8
}

impl Table {
    /// An empty table, which owns no memory.
    pub const fn new() -> Self {
        Self { current: Array::EMPTY, resize: None }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.current.len() + self.resize.as_ref().map_or(0, |r| r.target.len())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of heap that the table itself takes, without the blocks of its entries.
    pub fn heap_bytes(&self) -> usize {
        let resize = self.resize.as_ref();
        self.current.heap_bytes()
            + resize.map_or(0, |r| r.target.heap_bytes() + size_of::<Resize>())
    }

    /// The array where entries of this position are or would be put.
    #[inline]
    fn array_of(&self, position: u32) -> (&Array, bool) {
        match &self.resize {
            Some(resize) if position < resize.boundary => (&resize.target, true),
            _ => (&self.current, false),
        }
    }

    /// The entry for which `eq` says yes, among those that share the 24 stored bits of `hash`.
    ///
    /// `eq` sees each of them until it says yes, so one that always says no visits them all.
    #[inline]
    pub fn find(&self, hash: u32, eq: impl FnMut(NonNull<u8>) -> bool) -> Option<Slot> {
        self.locate(hash, eq).map(|(slot, _)| slot)
    }

    /// As [`Table::find`], with the pointer itself.
    #[inline]
    pub fn locate(
        &self,
        hash: u32,
        eq: impl FnMut(NonNull<u8>) -> bool,
    ) -> Option<(Slot, NonNull<u8>)> {
        let (array, moved) = self.array_of(position(hash));
        let (bucket, lane, pointer) = array.find(position(hash), eq)?;
        Some((Slot { bucket, lane, moved }, pointer))
    }

    /// The pointer at `slot`.
    ///
    /// # Panics
    /// If the table changed since `slot` was found and nothing is there now.
    #[inline]
    pub fn get(&self, slot: Slot) -> NonNull<u8> {
        let array = if slot.moved {
            &self.resize.as_ref().expect("the slot is not stale").target
        } else {
            &self.current
        };
        array.get(slot.bucket, slot.lane)
    }

    fn array_mut(&mut self, slot: Slot) -> &mut Array {
        if slot.moved {
            &mut self.resize.as_mut().expect("the slot is not stale").target
        } else {
            &mut self.current
        }
    }

    /// Puts the new address of the same entry (same hash) at `slot` and returns the old one.
    /// `slot` stays good.
    ///
    /// # Panics
    /// Like [`Table::get`]; and if the pointer is neither to a block of the heap nor an odd number.
    pub fn replace(&mut self, slot: Slot, pointer: NonNull<u8>) -> NonNull<u8> {
        self.array_mut(slot).replace(slot.bucket, slot.lane, pointer)
    }

    /// Adds an entry; the caller knows that it is absent (the table does not look).
    ///
    /// # Panics
    /// If the pointer is neither to a block of the heap nor an odd number, or memory for more than 2^32
    /// buckets would be needed.
    pub fn insert(&mut self, hash: u32, pointer: NonNull<u8>) -> Slot {
        self.make_room();
        let position = position(hash);
        let (array, moved) = match &mut self.resize {
            Some(resize) if position < resize.boundary => (&mut resize.target, true),
            _ => (&mut self.current, false),
        };
        let (bucket, lane) = array.place(position, pointer);
        Slot { bucket, lane, moved }
    }

    /// Takes the entry at `slot` out.
    ///
    /// # Panics
    /// Like [`Table::get`].
    pub fn remove(&mut self, slot: Slot) -> NonNull<u8> {
        let pointer = self.array_mut(slot).remove(slot.bucket, slot.lane);
        if self.resize.is_some() {
            self.step();
        } else if self.current.len() < sizes::shrink_below(self.current.buckets()) {
            let buckets = sizes::shrunk(self.current.len());
            if buckets < self.current.buckets() {
                self.start_resize(buckets);
            }
        }
        pointer
    }

    /// Makes room for so many entries in all, so that none moves until there are more: for whoever knows how
    /// many are to come. What is there moves at once, however much it is; amid a resize nothing happens.
    pub fn reserve(&mut self, entries: usize) {
        let buckets = sizes::buckets_for(entries);
        if self.resize.is_none() && buckets > self.current.buckets() {
            self.current = self.current.resized(buckets);
        }
    }

    /// Makes room for one more entry and, while the table is small, for half as many as it has: where there are few
    /// such tables, moving every entry a dozen times costs more than the room does.
    #[inline]
    pub fn reserve_freely(&mut self) {
        let (entries, buckets) = (self.current.len(), self.current.buckets());
        if entries < ROOMY_MAX && entries >= sizes::entries_max(buckets) && buckets > 0 {
            self.reserve(entries + entries / 2);
        }
    }

    /// Gives back what [`Table::reserve`] took for entries that did not come; moves them all at once.
    pub fn fit(&mut self) {
        let buckets = sizes::buckets_for(self.len() + self.len() / 8);
        if self.resize.is_none() && buckets < self.current.buckets() {
            self.current = match buckets {
                0 => Array::EMPTY,
                _ => self.current.resized(buckets),
            };
        }
    }

    /// Asks for the cache line of the home bucket of `hash`.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u32) {
        let (array, _) = self.array_of(position(hash));
        prefetch::read(array.home_address(position(hash)));
    }

    /// Asks for the block that [`Table::find`] would most likely find; its bucket should have been asked for
    /// before.
    #[inline]
    pub fn prefetch_block(&self, hash: u32) {
        if let Some(block) = self.candidate(hash) {
            prefetch::read(block.as_ptr());
        }
    }

    /// The first entry that shares the stored bits of `hash`, most likely the one that
    /// [`Table::find`] would find: for prefetching its block.
    #[inline]
    pub fn candidate(&self, hash: u32) -> Option<NonNull<u8>> {
        let mut first = None;
        let (array, _) = self.array_of(position(hash));
        array.find(position(hash), |pointer| {
            first = Some(pointer);
            true
        });
        first
    }

    /// Visits the entries of one home from `cursor` on, a position below [`POSITIONS`] (0 starts),
    /// and returns the cursor to go on with, `None` at the end.
    ///
    /// Whatever changes between the calls, an entry that is there throughout is visited; and once
    /// only, as all entries of one position are visited by the same call.
    pub fn scan(&self, cursor: u32, visit: impl FnMut(NonNull<u8>)) -> Option<u32> {
        if cursor >= POSITIONS || self.is_empty() {
            return None;
        }
        let (array, moved) = self.array_of(cursor);
        let mut end = array.home_end(cursor);
        if let (true, Some(resize)) = (moved, &self.resize) {
            end = end.min(resize.boundary);
        }
        array.visit(cursor, end, visit);
        (end < POSITIONS).then_some(end)
    }

    /// Visits the entries at some positions, which end at [`POSITIONS`] at most.
    pub fn visit(&self, positions: std::ops::Range<u32>, mut visit: impl FnMut(NonNull<u8>)) {
        let mut here = positions.start;
        while here < positions.end && !self.is_empty() {
            let (array, moved) = self.array_of(here);
            let mut end = array.home_end(here).min(positions.end);
            if let (true, Some(resize)) = (moved, &self.resize) {
                end = end.min(resize.boundary);
            }
            array.visit(here, end, &mut visit);
            here = end;
        }
    }

    /// The pointers of all entries, in no order to rely on. Their blocks are asked for some time before.
    pub fn iter(&self) -> impl Iterator<Item = NonNull<u8>> + '_ {
        let arrays = std::iter::once(&self.current).chain(self.resize.iter().map(|r| &r.target));
        arrays
            .flat_map(|array| {
                (0..array.ready()).filter_map(|at| {
                    array.prefetch_blocks(at + 1);
                    array.ready_bucket(at)
                })
            })
            .flat_map(Bucket::pointers)
    }

    /// An entry, each with the same probability, given 64 random bits. `None` if there is none.
    pub fn random(&self, rng_word: u64) -> Option<NonNull<u8>> {
        self.random_slot(rng_word).map(|slot| self.get(slot)).or_else(|| self.iter().next())
    }

    /// Where a random entry is. `None` if there is none; or by bad luck, with a probability below 2^-98.
    pub fn random_slot(&self, rng_word: u64) -> Option<Slot> {
        if self.is_empty() {
            return None;
        }
        let target = self.resize.as_ref().map(|resize| &resize.target);
        let lanes = (self.current.ready() + target.map_or(0, Array::ready)) * bucket::LANES;
        // A try hits with the load as probability: at least 1/8 (a single entry in one bucket).
        let mut state = rng_word;
        (0..512).find_map(|_| {
            let lane = (u128::from(splitmix(&mut state)) * lanes as u128) >> 64;
            let (index, lane) = (lane as usize / bucket::LANES, lane as usize % bucket::LANES);
            let (array, bucket, moved) = match index.checked_sub(self.current.ready()) {
                None => (&self.current, index, false),
                Some(index) => (target?, index, true),
            };
            array.ready_bucket(bucket)?.pointer(lane)?;
            Some(Slot { bucket: bucket as u32, lane: lane as u8, moved })
        })
    }

    /// Empties the table and returns an iterator over the pointers that were in it. The memory is
    /// freed when the iterator is dropped.
    pub fn drain(&mut self) -> IntoIter {
        std::mem::take(self).into_iter()
    }

    /// Makes sure that one more entry fits, and pushes a resize under way on.
    fn make_room(&mut self) {
        if self.resize.is_some() {
            self.step();
            // Four homes a step end every resize long before either array can fill (see
            // `HOMES_PER_STEP`); should that ever fail, the entry still finds room.
            while let Some(resize) = &self.resize
                && (resize.target.is_full() || self.current.is_full())
            {
                self.step();
            }
        }
        if self.resize.is_none() && self.current.len() >= sizes::entries_max(self.current.buckets())
        {
            self.start_resize(sizes::grown(self.current.buckets()));
        }
    }

    fn start_resize(&mut self, buckets: u32) {
        if self.current.len() > AT_ONCE_MAX {
            let target = Array::with_buckets(buckets, 1);
            self.resize = Some(Box::new(Resize { target, boundary: 0, home: 0 }));
            return;
        }
        self.current = if buckets == 0 { Array::EMPTY } else { self.current.resized(buckets) };
    }

    fn step(&mut self) {
        let Some(resize) = &mut self.resize else { return };
        let until = resize.home.saturating_add(HOMES_PER_STEP).min(self.current.buckets());
        let mut target = Filler::new(&mut resize.target);
        for home in resize.home..until {
            let end = self.current.home_start(home + 1);
            self.current.move_home(resize.boundary, end, &mut target);
            resize.boundary = end;
        }
        resize.home = until;
        resize.target.make_ready(resize.boundary);
        if until == self.current.buckets()
            && let Some(resize) = self.resize.take()
        {
            debug_assert_eq!(self.current.len(), 0);
            self.current = resize.target;
        }
    }
}

impl IntoIterator for Table {
    type Item = NonNull<u8>;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter::new(self.current, self.resize.map(|resize| resize.target))
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("len", &self.len())
            .field("buckets", &self.current.buckets())
            .field("resizing_to", &self.resize.as_ref().map(|r| r.target.buckets()))
            .finish()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): turns one random word into a sequence.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
