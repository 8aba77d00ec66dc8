//! The open table of big sets and hashes: owned cells behind tagged pointers
//!
//! A cell has one part (a member) or two (field and value). It is a heap block of exactly the
//! parts' bodies in the [`entry`] format, whose first bytes tell their lengths; so a block needs no
//! length of its own. A deadline stands before the parts, behind a byte that begins no body.
//!
//! A single integer of 38 bits has no block: it stands in the pointer itself, which is odd then (see
//! [`Table`]).
#![expect(unsafe_code, reason = "blocks whose length is in their content need raw pointers")]

use std::marker::PhantomData;
use std::ptr::NonNull;

use smallvec::SmallVec;
use table::{Slot, Table, heap};

use super::entry;
use crate::item::Item;
use crate::seed;

const INLINE: usize = 1;
/// Bits of an integer that a pointer can hold beside the tag.
const INLINE_BITS: u32 = table::ODD_BITS - 1;
/// Cells that are copied at a time.
const AHEAD: usize = 16;
/// The first byte of a block with a deadline, and the bytes that mark and deadline take.
const DEADLINE: u8 = 0xF5;
const DEADLINE_LEN: usize = 9;

/// A pointer to a block of `PARTS` bodies, or an integer in its place.
///
/// Invariant of every cell in a [`Cells`]: it came from [`Cell::new`] with the same `PARTS`, was not
/// freed, and nobody else has it. Its block was allocated with a size of the same class as
/// `offset(PARTS)`, which is read from the content, all of which is initialised.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cell<const PARTS: usize>(NonNull<u8>);

fn inline(int: i64) -> Option<NonNull<u8>> {
    let shifted = (int << (64 - INLINE_BITS)) >> (64 - INLINE_BITS);
    if shifted != int {
        return None;
    }
    let word = ((int as usize) << 1 | INLINE) & ((1 << (INLINE_BITS + 1)) - 1);
    NonNull::new(std::ptr::without_provenance_mut(word))
}

impl<const PARTS: usize> Cell<PARTS> {
    fn new(parts: [Item<'_>; PARTS], deadline: Option<i64>) -> Self {
        if let ([Item::Int(int)], None) = (&parts[..], deadline)
            && let Some(word) = inline(*int)
        {
            return Cell(word);
        }
        let front = if deadline.is_some() { DEADLINE_LEN } else { 0 };
        let len = front + parts.iter().map(|part| entry::body_len(*part)).sum::<usize>();
        let block = heap::allocate(len);
        // SAFETY: the block has room for `len` bytes, which are zeroed before they are a slice;
        // nothing else refers to it yet.
        let mut rest = unsafe {
            block.write_bytes(0, len);
            std::slice::from_raw_parts_mut(block.as_ptr(), len)
        };
        if let Some(deadline) = deadline {
            rest[0] = DEADLINE;
            rest[1..DEADLINE_LEN].copy_from_slice(&deadline.to_le_bytes());
            rest = &mut rest[DEADLINE_LEN..];
        }
        for part in parts {
            let written = entry::write_body(part, rest);
            rest = &mut rest[written..];
        }
        Cell(block)
    }

    fn word(self) -> usize {
        self.0.addr().get()
    }

    fn is_inline(self) -> bool {
        self.word() & INLINE != 0
    }

    /// # Safety
    /// The cell is live.
    unsafe fn has_deadline(self) -> bool {
        // SAFETY: a block has a first byte.
        !self.is_inline() && unsafe { self.0.read() } == DEADLINE
    }

    /// The block's address; only for cells that are not inline.
    fn block(self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// Where part `part` starts; `PARTS` gives the end of the content.
    ///
    /// # Safety
    /// The cell is live and not inline.
    unsafe fn offset(self, part: usize) -> usize {
        // SAFETY: the cell is live.
        let mut offset = if unsafe { self.has_deadline() } { DEADLINE_LEN } else { 0 };
        for _ in 0..part.min(PARTS) {
            // SAFETY: a body starts here, by the invariant and `part <= PARTS`.
            offset += unsafe { body_len_at(self.block().add(offset)) };
        }
        offset
    }

    /// # Safety
    /// The cell is live and stays so, unchanged, for `'a`.
    unsafe fn part<'a>(self, part: usize) -> Item<'a> {
        if self.is_inline() {
            let int = (self.word() as u64) << (63 - INLINE_BITS);
            return Item::Int(int as i64 >> (64 - INLINE_BITS));
        }
        // SAFETY: the cell is live and not inline; `body_len_at` bytes of a body stand at the
        // offset and are initialised.
        let body = unsafe {
            let start = self.block().add(self.offset(part));
            std::slice::from_raw_parts(start, body_len_at(start))
        };
        entry::read(body).map_or(Item::Bytes(&[]), |(item, _)| item)
    }

    /// # Safety
    /// The cell is live.
    unsafe fn deadline(self) -> Option<i64> {
        // SAFETY: the cell is live; with a deadline, eight initialised bytes follow the first.
        unsafe {
            self.has_deadline()
                .then(|| i64::from_le(self.block().add(1).cast::<i64>().read_unaligned()))
        }
    }

    /// Heap bytes of the cell.
    ///
    /// # Safety
    /// The cell is live.
    unsafe fn heap_bytes(self) -> usize {
        // SAFETY: live, and not inline where `offset` is called.
        if self.is_inline() { 0 } else { heap::class(unsafe { self.offset(PARTS) }) }
    }

    /// # Safety
    /// The cell is live and is not used afterwards.
    unsafe fn free(self) {
        if !self.is_inline() {
            // SAFETY: allocated with a size of this class, by the invariant.
            unsafe { heap::free(self.0, self.offset(PARTS)) };
        }
    }

    /// Puts `item` in the place of the last part, moving the block if its size class changes.
    ///
    /// # Safety
    /// The cell is live, not inline, and not used afterwards: the returned one replaces it.
    unsafe fn with_last(self, item: Item<'_>) -> Self {
        // SAFETY: live and not inline.
        let (start, old_len) = unsafe { (self.offset(PARTS - 1), self.offset(PARTS)) };
        let body = entry::body_len(item);
        // SAFETY: allocated with a size of the class of `old_len`, by the invariant.
        let block = unsafe { heap::resize(self.0, old_len, start + body) };
        // SAFETY: the block has room for `start + body` bytes, of which the last `body` are zeroed
        // before they are a slice. `item` does not borrow from this block: callers have the table
        // borrowed mutably.
        let out = unsafe {
            block.add(start).write_bytes(0, body);
            std::slice::from_raw_parts_mut(block.as_ptr().add(start), body)
        };
        entry::write_body(item, out);
        Cell(block)
    }
}

/// Length of the body that starts at `start`.
///
/// # Safety
/// A whole initialised body stands there.
#[inline]
unsafe fn body_len_at(start: *const u8) -> usize {
    // SAFETY: a body has a first byte, and its first byte says how many of the next belong to the
    // length: all of them are within the body.
    unsafe {
        let first = *start;
        match first {
            0..=0x7F => 1,
            0x80..=0xBF => 1 + usize::from(first & 0x3f),
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 2 + usize::from(u16::from_be_bytes([first & 0x0f, *start.add(1)])),
            0xF0 => 5 + u32::from_le(start.add(1).cast::<u32>().read_unaligned()) as usize,
            0xF1 => 3,
            0xF2 => 4,
            0xF3 => 5,
            _ => 9,
        }
    }
}

/// A cell as its table's borrower sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, const PARTS: usize> {
    cell: Cell<PARTS>,
    table: PhantomData<&'a Table>,
}

impl<'a, const PARTS: usize> View<'a, PARTS> {
    /// The member or field.
    #[inline]
    pub(crate) fn first(self) -> Item<'a> {
        // SAFETY: views are only made from live cells for as long as their table is borrowed.
        unsafe { self.cell.part(0) }
    }

    /// The value of a cell with two parts; the member of one with one.
    #[inline]
    pub(crate) fn last(self) -> Item<'a> {
        // SAFETY: as in `first`.
        unsafe { self.cell.part(PARTS - 1) }
    }

    #[inline]
    pub(crate) fn deadline(self) -> Option<i64> {
        // SAFETY: as in `first`.
        unsafe { self.cell.deadline() }
    }
}

/// A table that owns cells of `PARTS` parts, found by the hash of their first.
///
/// Invariant: every pointer in `table` is a cell as [`Cell`] demands, and `block_bytes` is the sum of
/// their heap bytes. So whatever slot the table accepts, there is a live cell behind it.
#[derive(Default)]
pub(crate) struct Cells<const PARTS: usize> {
    table: Table,
    block_bytes: usize,
    order: seed::Order,
}

impl<const PARTS: usize> Cells<PARTS> {
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Heap memory of the table and its cells, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.table.heap_bytes() + self.block_bytes
    }

    fn view_of(&self, pointer: NonNull<u8>) -> View<'_, PARTS> {
        View { cell: Cell(pointer), table: PhantomData }
    }

    /// The slot of the cell whose first part is `item`.
    #[inline]
    pub(crate) fn find(&self, item: Item<'_>) -> Option<Slot> {
        self.find_hashed(item, seed::hash(item))
    }

    /// As [`Cells::find`], with the item's [`seed::hash`].
    #[inline]
    pub(crate) fn find_hashed(&self, item: Item<'_>, hash: u32) -> Option<Slot> {
        let word = match item {
            Item::Int(int) if PARTS == 1 => inline(int),
            _ => None,
        };
        self.table.find(self.order.of(hash), |pointer| {
            Some(pointer) == word || self.view_of(pointer).first() == item
        })
    }

    /// Asks for the memory that looking for items with these hashes will touch.
    pub(crate) fn prefetch(&self, hashes: impl Iterator<Item = u32> + Clone) {
        let hashes = hashes.map(|hash| self.order.of(hash));
        hashes.clone().for_each(|hash| self.table.prefetch_bucket(hash));
        hashes.for_each(|hash| self.table.prefetch_block(hash));
    }

    /// Makes room for so many cells in all: see [`Table::reserve`].
    pub(crate) fn reserve(&mut self, cells: usize) {
        self.table.reserve(cells);
    }

    /// Gives back what was reserved and not used.
    pub(crate) fn fit(&mut self) {
        self.table.fit();
    }

    /// The slot of a cell with this hash for which `eq` says yes.
    pub(crate) fn find_by(
        &self,
        hash: u32,
        mut eq: impl FnMut(View<'_, PARTS>) -> bool,
    ) -> Option<Slot> {
        self.table.find(self.order.of(hash), |pointer| eq(self.view_of(pointer)))
    }

    #[inline]
    pub(crate) fn view(&self, slot: Slot) -> View<'_, PARTS> {
        self.view_of(self.table.get(slot))
    }

    /// Adds a cell, given the hash of its first part; the caller knows that this is absent.
    pub(crate) fn insert(&mut self, hash: u32, parts: [Item<'_>; PARTS], deadline: Option<i64>) {
        let cell = Cell::new(parts, deadline);
        // SAFETY: just made.
        self.block_bytes += unsafe { cell.heap_bytes() };
        self.table.reserve_freely();
        self.table.insert(self.order.of(hash), cell.0);
    }

    /// Puts `item` in the place of the last part of a cell with more than one.
    pub(crate) fn set_last(&mut self, slot: Slot, item: Item<'_>) {
        let cell = Cell::<PARTS>(self.table.get(slot));
        if PARTS < 2 || cell.is_inline() {
            return;
        }
        // SAFETY: the cell is live, and the table holds the new one in its place before anyone
        // looks again.
        unsafe {
            self.block_bytes -= cell.heap_bytes();
            let cell = cell.with_last(item);
            self.block_bytes += cell.heap_bytes();
            self.table.replace(slot, cell.0);
        }
    }

    /// Sets or clears the deadline of a cell.
    pub(crate) fn set_deadline(&mut self, slot: Slot, deadline: Option<i64>) {
        let cell = Cell::<PARTS>(self.table.get(slot));
        // SAFETY: the cell is live; the parts borrow from it only until the new one is made, and
        // it is freed after the table has the new one in its place.
        unsafe {
            if cell.deadline() == deadline {
                return;
            }
            let parts = std::array::from_fn(|part| cell.part(part));
            let new = Cell::<PARTS>::new(parts, deadline);
            self.block_bytes += new.heap_bytes();
            self.block_bytes -= cell.heap_bytes();
            self.table.replace(slot, new.0);
            cell.free();
        }
    }

    /// Takes the cell at `slot` out and frees it.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let cell = Cell::<PARTS>(self.table.remove(slot));
        // SAFETY: the cell was live and is out of the table now.
        unsafe {
            self.block_bytes -= cell.heap_bytes();
            cell.free();
        }
    }

    /// All cells, in no order to rely on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = View<'_, PARTS>> {
        self.table.iter().map(|pointer| self.view_of(pointer))
    }

    /// Where in the order of the table an item of this hash has its place, below [`table::POSITIONS`].
    pub(crate) fn position(&self, hash: u32) -> u32 {
        table::position(self.order.of(hash))
    }

    /// Visits the cells at some positions.
    pub(crate) fn visit(
        &self,
        positions: std::ops::Range<u32>,
        mut visit: impl FnMut(View<'_, PARTS>),
    ) {
        self.table.visit(positions, |pointer| visit(self.view_of(pointer)));
    }

    /// A cell, each with the same probability.
    pub(crate) fn random(&self, word: u64) -> Option<View<'_, PARTS>> {
        self.table.random(word).map(|pointer| self.view_of(pointer))
    }

    /// The slot of a random cell.
    pub(crate) fn random_slot(&self, word: u64) -> Option<Slot> {
        self.table.random_slot(word).or_else(|| self.find(self.iter().next()?.first()))
    }

    /// Visits cells from `cursor` on until at least `count` were seen or ten times as many steps
    /// made; returns the cursor to go on with, 0 at the end. A cell that is there throughout a
    /// whole scan is visited at least once.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        mut visit: impl FnMut(View<'_, PARTS>),
    ) -> u64 {
        let Ok(mut cursor) = u32::try_from(cursor) else { return 0 };
        let (mut seen, mut steps) = (0usize, 0usize);
        loop {
            let next = self.table.scan(cursor, |pointer| {
                seen += 1;
                visit(self.view_of(pointer));
            });
            steps += 1;
            match next {
                None => return 0,
                Some(next) => cursor = next,
            }
            if seen >= count || steps >= count.saturating_mul(10) {
                return u64::from(cursor);
            }
        }
    }
}

impl<const PARTS: usize> Drop for Cells<PARTS> {
    fn drop(&mut self) {
        for pointer in self.table.drain() {
            // SAFETY: the cell was live and the table has forgotten it.
            unsafe { Cell::<PARTS>(pointer).free() };
        }
    }
}

impl<const PARTS: usize> Clone for Cells<PARTS> {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.reserve(self.len());
        let mut cells = self.iter();
        loop {
            // Some at a time, so that their trips to memory are one.
            let views = cells.by_ref().take(AHEAD).map(|view| (seed::hash(view.first()), view));
            let batch: SmallVec<[(u32, View<'_, PARTS>); AHEAD]> = views.collect();
            if batch.is_empty() {
                return copy;
            }
            batch.iter().for_each(|(hash, _)| copy.table.prefetch_bucket(copy.order.of(*hash)));
            for (hash, view) in batch {
                // SAFETY: the cell is live while `self` is borrowed.
                let parts = std::array::from_fn(|part| unsafe { view.cell.part(part) });
                copy.insert(hash, parts, view.deadline());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<Vec<u8>> {
        let mut texts: Vec<Vec<u8>> =
            [0, 1, 6, 7, 8, 62, 63, 64, 4095, 4096, 1 << 20].map(|len| vec![b'x'; len]).into();
        for shift in 0..63 {
            texts.push((1i64 << shift).to_string().into_bytes());
            texts.push((-(1i64 << shift) - 1).to_string().into_bytes());
        }
        texts.push(i64::MIN.to_string().into_bytes());
        texts
    }

    #[test]
    fn members_of_every_size_are_found_and_freed() {
        let mut cells = Cells::<1>::default();
        for text in &texts() {
            assert!(cells.find(Item::parse(text)).is_none());
            let item = Item::parse(text);
            cells.insert(seed::hash(item), [item], None);
        }
        for text in &texts() {
            let slot = cells.find(Item::parse(text)).unwrap();
            assert_eq!(cells.view(slot).first(), Item::parse(text));
        }
        let copy = cells.clone();
        for text in &texts() {
            cells.remove(cells.find(Item::parse(text)).unwrap());
        }
        assert_eq!((cells.len(), cells.block_bytes, copy.len()), (0, 0, texts().len()));
    }

    #[test]
    fn values_and_deadlines_change_in_place_or_by_moving() {
        let mut cells = Cells::<2>::default();
        let field = Item::Bytes(b"field");
        cells.insert(seed::hash(field), [field, Item::Int(1)], None);
        for text in &texts() {
            for deadline in [None, Some(i64::MAX), Some(1), None] {
                let slot = cells.find(field).unwrap();
                cells.set_last(slot, Item::parse(text));
                cells.set_deadline(slot, deadline);
                let view = cells.view(cells.find(field).unwrap());
                assert_eq!((view.last(), view.deadline()), (Item::parse(text), deadline));
            }
        }
        cells.remove(cells.find(field).unwrap());
        assert_eq!(cells.block_bytes, 0);
    }

    #[test]
    fn an_integer_with_a_deadline_is_still_found() {
        let mut cells = Cells::<1>::default();
        cells.insert(seed::hash(Item::Int(5)), [Item::Int(5)], None);
        cells.set_deadline(cells.find(Item::Int(5)).unwrap(), Some(9));
        let slot = cells.find(Item::Int(5)).unwrap();
        assert_eq!(cells.view(slot).deadline(), Some(9));
        cells.set_deadline(slot, None);
        assert_eq!(cells.view(cells.find(Item::Int(5)).unwrap()).first(), Item::Int(5));
    }
}
