//! One chunk of a list: entries side by side, with room to grow at both ends
//!
//! Entries live in `start..end` of a block. Texts of one common width are stored bare (`width > 0`),
//! which costs nothing per entry and finds entry i without walking; anything else is a packed run
//! (`width == 0`). A single text that is larger than a chunk may be is a bare chunk of one.

use std::ops::Range;

use crate::item::Item;
use crate::packed::block::{Block, HEAD};
use crate::packed::{self, LISTPACK_FRAME, Packed, entry};

use super::limits::ListLimits;

/// Invariants: `start <= end <= buf.len()`; a bare chunk has `end - start == count * width`, and no
/// text in it is an integer's; a packed one has `count` entries in `start..end`.
#[derive(Clone)]
pub(super) struct Chunk {
    buf: Block,
    start: u32,
    end: u32,
    count: u32,
    width: u32,
    /// Which one it is, from 1 on, of the chunks that a snapshot is still to be shown; 0 if it is none of them.
    pub(super) turn: u32,
}

/// The width at which `item` can be stored bare; 0 if it cannot.
fn bare_width(item: Item<'_>) -> usize {
    match item {
        Item::Bytes(bytes) => bytes.len(),
        Item::Int(_) => 0,
    }
}

impl Chunk {
    /// A packed chunk without entries.
    fn empty() -> Self {
        Chunk { buf: Block::new(), start: 0, end: 0, count: 0, width: 0, turn: 0 }
    }

    /// A chunk of one entry.
    pub(super) fn of(item: Item<'_>) -> Self {
        let mut chunk = Chunk { width: bare_width(item) as u32, ..Chunk::empty() };
        chunk.push_back(item);
        chunk
    }

    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The entries' bytes.
    #[inline]
    pub(super) fn run(&self) -> &[u8] {
        &self.buf.bytes()[self.start as usize..self.end as usize]
    }

    #[inline]
    pub(super) fn width(&self) -> usize {
        self.width as usize
    }

    pub(super) fn byte_len(&self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.buf.heap_bytes()
    }

    /// Bytes of the entries as a packed run.
    fn packed_len(&self) -> usize {
        match self.width() {
            0 => self.byte_len(),
            width => self.count() * packed_entry_len(width),
        }
    }

    /// Bytes of the listpack that Redis would make of this chunk.
    pub(super) fn listpack_len(&self) -> usize {
        self.packed_len() + LISTPACK_FRAME
    }

    /// Bytes that one entry with `item` takes in this chunk as it is.
    fn entry_len(&self, item: Item<'_>) -> usize {
        if self.width > 0 { self.width() } else { entry::full_len(item) }
    }

    /// Whether `item` can be stored without changing the chunk's form.
    fn takes(&self, item: Item<'_>) -> bool {
        self.width == 0 || bare_width(item) == self.width()
    }

    /// Whether one more entry with `item` may go into this chunk.
    pub(super) fn fits(&self, item: Item<'_>, limits: ListLimits) -> bool {
        let count = self.count() + 1;
        if self.takes(item) {
            return limits.fits_chunk(self.byte_len() + self.entry_len(item), count);
        }
        // A bare chunk that is well filled stays as it is: the next one takes the odd entry.
        let well_filled = self.count() > 1 && self.byte_len() > limits.max_bytes() / 2;
        let packed = self.packed_len() + entry::full_len(item);
        !well_filled && limits.fits_chunk(packed, count)
    }

    /// Whether all of `other` may move into this chunk.
    pub(super) fn fits_all(&self, other: &Chunk, limits: ListLimits) -> bool {
        let bytes = if self.width == other.width {
            self.byte_len() + other.byte_len()
        } else {
            self.packed_len() + other.packed_len()
        };
        // Three quarters: joined chunks should not have to split at the next insertion.
        let roomy = bytes + HEAD <= limits.max_bytes() / 4 * 3;
        roomy && limits.fits_chunk(bytes, self.count() + other.count())
    }

    /// Moves all entries of `other` behind this chunk's.
    pub(super) fn append(&mut self, mut other: Chunk) {
        if self.width != other.width {
            self.pack();
            other.pack();
        }
        self.make_room_back(other.byte_len());
        let at = self.end as usize;
        self.buf.bytes_mut()[at..at + other.byte_len()].copy_from_slice(other.run());
        self.end += other.byte_len() as u32;
        self.count += other.count;
    }

    /// Where entry `index` starts in `run()`; `index == count` gives its end.
    fn offset_of(&self, index: usize) -> Option<usize> {
        if index == self.count() {
            return Some(self.byte_len());
        }
        match self.width() {
            0 => packed::offset_of(self.run(), self.count(), index),
            width => (index < self.count()).then_some(index * width),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Item<'_>> {
        let rest = self.run().get(self.offset_of(index)?..)?;
        match self.width() {
            0 => entry::read(rest).map(|(item, _)| item),
            width => rest.get(..width).map(Item::Bytes),
        }
    }

    /// Turns bare texts into a packed run.
    fn pack(&mut self) {
        if self.width > 0 {
            let mut chunk = Chunk::empty();
            chunk.make_room_back(self.packed_len());
            for item in self.iter(0) {
                chunk.push_back(item);
            }
            *self = chunk;
        }
    }

    /// A chunk of the entries of a packed run.
    pub(super) fn of_packed(packed: &Packed<true>) -> Self {
        let mut items = packed.iter();
        let mut chunk = items.next().map_or(Chunk::empty(), Chunk::of);
        items.for_each(|item| chunk.push_back(item));
        chunk
    }

    /// The entries as one packed run of its own.
    pub(super) fn to_packed(&self) -> Packed<true> {
        if self.width > 0 {
            let mut copy = self.clone();
            copy.pack();
            return Packed::from_run(copy.run(), copy.count());
        }
        Packed::from_run(self.run(), self.count())
    }

    /// Appends the listpack that Redis would store for this chunk to `out`.
    pub(super) fn write_listpack(&self, out: &mut Vec<u8>) {
        if self.width == 0 {
            packed::write_listpack(self.run(), self.count(), out);
        } else {
            self.to_packed().write_listpack(out);
        }
    }

    /// Puts `item` behind the last entry; the caller has asked `fits`.
    #[inline]
    pub(super) fn push_back(&mut self, item: Item<'_>) {
        if !self.takes(item) {
            self.pack();
        }
        let len = self.entry_len(item);
        self.make_room_back(len);
        let at = self.end as usize;
        self.end += len as u32;
        self.fill(at..at + len, item);
    }

    /// Puts `item` before the first entry; the caller has asked `fits`.
    #[inline]
    pub(super) fn push_front(&mut self, item: Item<'_>) {
        if !self.takes(item) {
            self.pack();
        }
        let len = self.entry_len(item);
        self.make_room_front(len);
        let end = self.start as usize;
        self.start -= len as u32;
        self.fill(end - len..end, item);
    }

    /// Inserts `item` before entry `index`, or behind the last; the caller has asked `fits`.
    pub(super) fn insert(&mut self, index: usize, item: Item<'_>) {
        if !self.takes(item) {
            self.pack();
        }
        if let Some(at) = self.offset_of(index) {
            self.insert_bytes(at, item);
        }
    }

    fn insert_bytes(&mut self, at: usize, item: Item<'_>) {
        let len = self.entry_len(item);
        let open = self.open(at, len);
        self.fill(open..open + len, item);
    }

    /// Writes one more entry to these bytes of the block.
    #[inline]
    fn fill(&mut self, gap: Range<usize>, item: Item<'_>) {
        let gap = &mut self.buf.bytes_mut()[gap];
        match item {
            Item::Bytes(bytes) if self.width > 0 => gap.copy_from_slice(bytes),
            _ => entry::write(item, gap),
        }
        self.count += 1;
    }

    /// Makes `len` bytes free before byte `at` of the run by moving the shorter side; returns where
    /// they are in the block.
    fn open(&mut self, at: usize, len: usize) -> usize {
        if at * 2 < self.byte_len() || (at == 0 && self.count > 0) {
            self.make_room_front(len);
            let (from, to) = (self.start as usize, self.start as usize - len);
            self.buf.bytes_mut().copy_within(from..from + at, to);
            self.start = to as u32;
            to + at
        } else {
            self.make_room_back(len);
            let (from, end) = (self.start as usize + at, self.end as usize);
            self.buf.bytes_mut().copy_within(from..end, from + len);
            self.end += len as u32;
            from
        }
    }

    fn make_room_back(&mut self, len: usize) {
        let (start, end, capacity) = (self.start as usize, self.end as usize, self.buf.len());
        if end + len <= capacity {
            return;
        }
        if start >= len && start >= capacity / 4 {
            self.slide_to(0);
        } else {
            self.buf.resize(Block::capacity_for(end + len));
        }
    }

    fn make_room_front(&mut self, len: usize) {
        if self.start as usize >= len {
            return;
        }
        let used = self.byte_len();
        let wanted = Block::capacity_for(used + len.max(used / 8));
        if wanted > self.buf.len() {
            self.buf.resize(wanted);
        }
        self.slide_to(self.buf.len() - used);
    }

    fn slide_to(&mut self, start: usize) {
        let (old, used) = (self.start as usize..self.end as usize, self.byte_len());
        self.buf.bytes_mut().copy_within(old, start);
        (self.start, self.end) = (start as u32, (start + used) as u32);
    }

    /// Gives back the room at both ends.
    pub(super) fn seal(&mut self) {
        self.slide_to(0);
        self.buf.resize(self.byte_len());
    }

    /// Seals a chunk that has lost most of its entries.
    #[inline]
    fn shrink(&mut self) {
        if self.byte_len() < self.buf.len() / 2 {
            self.seal();
        }
    }

    /// Takes the first entry out after giving it to `f`.
    pub(super) fn pop_front<R>(&mut self, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let (item, span) = match self.width() {
            0 => entry::read(self.run()).map(|(item, body)| (item, entry::with_back_len(body)))?,
            width => (Item::Bytes(self.run().get(..width)?), width),
        };
        let result = f(item);
        self.start += span as u32;
        self.count -= 1;
        self.shrink();
        Some(result)
    }

    /// Takes the last entry out after giving it to `f`.
    pub(super) fn pop_back<R>(&mut self, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let (run, width) = (self.run(), self.width());
        let span = if width > 0 { width } else { entry::span_back(run)? };
        let last = run.get(run.len().checked_sub(span)?..)?;
        let result = f(if width > 0 { Item::Bytes(last) } else { entry::read(last)?.0 });
        self.end -= span as u32;
        self.count -= 1;
        self.shrink();
        Some(result)
    }

    pub(super) fn drop_front(&mut self, entries: usize) {
        if let Some(offset) = self.offset_of(entries) {
            self.start += offset as u32;
            self.count -= entries as u32;
            self.shrink();
        }
    }

    pub(super) fn drop_back(&mut self, entries: usize) {
        let keep = self.count().saturating_sub(entries);
        if let Some(offset) = self.offset_of(keep) {
            self.end = self.start + offset as u32;
            self.count = keep as u32;
            self.shrink();
        }
    }

    /// Puts `item` in the place of entry `index` if the limits allow that; says whether it did.
    pub(super) fn set(&mut self, index: usize, item: Item<'_>, limits: ListLimits) -> bool {
        let Some(at) = self.offset_of(index) else { return false };
        if self.width > 0 && self.takes(item) {
            let Item::Bytes(bytes) = item else { return false };
            let at = self.start as usize + at;
            self.buf.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
            return true;
        }
        if self.width == 0 && self.overwrite(at, item) {
            return true;
        }
        if !self.fits(item, limits) {
            return false;
        }
        self.insert(index, item);
        self.remove(index + 1);
        true
    }

    /// Puts `item` over the packed entry at `at` if it takes exactly as many bytes.
    fn overwrite(&mut self, at: usize, item: Item<'_>) -> bool {
        let len = entry::full_len(item);
        if entry::span(&self.run()[at..]) != Some(len) {
            return false;
        }
        let at = self.start as usize + at;
        entry::write(item, &mut self.buf.bytes_mut()[at..at + len]);
        true
    }

    pub(super) fn remove(&mut self, index: usize) {
        let (Some(at), Some(end)) = (self.offset_of(index), self.offset_of(index + 1)) else {
            return;
        };
        let (from, to) = (self.start as usize + at, self.start as usize + end);
        if at * 2 < self.byte_len() {
            let start = self.start as usize;
            self.buf.bytes_mut().copy_within(start..from, start + (to - from));
            self.start += (to - from) as u32;
        } else {
            self.buf.bytes_mut().copy_within(to..self.end as usize, from);
            self.end -= (to - from) as u32;
        }
        self.count -= 1;
        self.shrink();
    }

    /// Moves the entries from `index` on into a new chunk.
    pub(super) fn split_off(&mut self, index: usize) -> Chunk {
        let mut tail = Chunk { width: self.width, ..Chunk::empty() };
        if let Some(at) = self.offset_of(index) {
            let moved = &self.run()[at..];
            tail.buf = Block::zeroed(moved.len());
            tail.buf.bytes_mut().copy_from_slice(moved);
            tail.end = moved.len() as u32;
            tail.count = (self.count() - index) as u32;
            self.end = self.start + at as u32;
            self.count = index as u32;
            self.seal();
        }
        tail
    }

    /// Keeps only the entries for which `keep` says so.
    fn retain(&mut self, mut keep: impl FnMut(Item<'_>) -> bool) {
        let mut kept = Chunk { width: self.width, ..Chunk::empty() };
        for item in self.iter(0).filter(|item| keep(*item)) {
            kept.push_back(item);
        }
        *self = kept;
    }

    /// Removes the entries equal to `item`, at most `most`, first or last ones first; says how many.
    pub(super) fn remove_equal(&mut self, item: Item<'_>, most: usize, from_back: bool) -> usize {
        let found = self.iter(0).filter(|entry| *entry == item).count();
        let removed = found.min(most);
        if removed > 0 {
            let mut spared = if from_back { found - removed } else { 0 };
            let mut left = removed;
            self.retain(|entry| {
                if entry != item || left == 0 {
                    return true;
                }
                if spared > 0 {
                    spared -= 1;
                    return true;
                }
                left -= 1;
                false
            });
        }
        removed
    }

    /// The entries from `index` on.
    pub(super) fn iter(&self, index: usize) -> ChunkIter<'_> {
        let at = self.offset_of(index).unwrap_or(self.byte_len());
        ChunkIter { rest: &self.run()[at..], width: self.width() }
    }

    /// The entries up to `index`, itself included, from there backwards.
    pub(super) fn iter_back(&self, index: usize) -> ChunkIter<'_> {
        let end = self.offset_of(index + 1).unwrap_or(0);
        ChunkIter { rest: &self.run()[..end], width: self.width() }
    }
}

/// Length of the packed entry of a text of `width` bytes.
fn packed_entry_len(width: usize) -> usize {
    let head = match width {
        0..=63 => 1,
        64..=4095 => 2,
        _ => 5,
    };
    entry::with_back_len(head + width)
}

/// Walks a run of either form, from either end.
#[derive(Clone)]
pub(super) struct ChunkIter<'a> {
    rest: &'a [u8],
    width: usize,
}

impl<'a> ChunkIter<'a> {
    /// The entries of a packed run.
    pub(super) fn packed(rest: &'a [u8]) -> Self {
        ChunkIter { rest, width: 0 }
    }
}

impl<'a> Iterator for ChunkIter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.width > 0 {
            let (head, rest) = self.rest.split_at_checked(self.width)?;
            self.rest = rest;
            return Some(Item::Bytes(head));
        }
        let (item, body) = entry::read(self.rest)?;
        self.rest = self.rest.get(entry::with_back_len(body)..)?;
        Some(item)
    }
}

impl DoubleEndedIterator for ChunkIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let span = if self.width > 0 { self.width } else { entry::span_back(self.rest)? };
        let (rest, tail) = self.rest.split_at_checked(self.rest.len().checked_sub(span)?)?;
        self.rest = rest;
        if self.width > 0 { Some(Item::Bytes(tail)) } else { Some(entry::read(tail)?.0) }
    }
}
