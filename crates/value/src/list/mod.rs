//! Lists: deques of items, seekable by index
//!
//! A small list is one packed run, or from [`ROOMY`] bytes on one chunk, which has room at its ends (both are
//! called `listpack`); a long one is a sequence of chunks (`quicklist`), see [`chunks`]. Deviation from Redis's quicklist: chunks are found through counts instead of
//! links, have room at both ends, and store texts of equal width without any framing.

mod chunk;
mod chunks;
mod limits;
mod node;

use std::sync::Arc;

use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::packed::{self, Corrupt, Packed};
use chunk::{Chunk, ChunkIter};
use chunks::{Chunks, Place};
pub use limits::ListLimits;
pub use node::Node;

/// A list of items. Indexes count from 0 at the front; a method without such an entry says so and
/// changes nothing.
///
/// Redis decides on the encoding once per command, from all its arguments: call
/// [`before_growth`](Self::before_growth) with their sizes before pushing, inserting or setting.
#[derive(Clone)]
pub struct List(Form);

#[derive(Clone)]
enum Form {
    Packed(Packed<true>),
    /// Of at least one entry.
    Chunk(Box<Chunk>),
    Chunks(Box<Chunks>),
}

/// Bytes from which on a packed run becomes a chunk, as moving all of it for an entry at its front costs more than a
/// chunk's record takes. With less than half of them it goes back.
const ROOMY: usize = 512;

impl Form {
    fn of_chunk(chunk: Chunk) -> Self {
        match chunk.byte_len() {
            0..ROOMY => Form::Packed(chunk.to_packed()),
            _ => Form::Chunk(Box::new(chunk)),
        }
    }
}

/// Where an insertion goes, seen from its pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Towards the front.
    Before,
    /// Towards the back.
    After,
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    /// An empty list; holds no heap memory.
    pub const fn new() -> Self {
        List(Form::Packed(Packed::new()))
    }

    /// How many entries the list has.
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Packed(packed) => packed.count(),
            Form::Chunk(chunk) => chunk.count(),
            Form::Chunks(chunks) => chunks.count(),
        }
    }

    /// Whether the list has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoding's name: `listpack` or `quicklist`.
    pub fn encoding(&self) -> &'static str {
        match &self.0 {
            Form::Packed(_) | Form::Chunk(_) => "listpack",
            Form::Chunks(_) => "quicklist",
        }
    }

    /// Heap memory held, in bytes; sampled for lists of many chunks.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Packed(packed) => packed.heap_bytes(),
            Form::Chunk(chunk) => size_of::<Chunk>() + chunk.heap_bytes(),
            Form::Chunks(chunks) => chunks.heap_bytes(),
        }
    }

    /// How many heap blocks dropping the list frees, about.
    pub fn free_cost(&self) -> usize {
        match &self.0 {
            Form::Packed(_) | Form::Chunk(_) => 1,
            Form::Chunks(chunks) => chunks.chunk_count(),
        }
    }

    /// Chooses the encoding before `count` items with texts of `bytes` bytes in all are added.
    pub fn before_growth(&mut self, count: usize, bytes: usize, limits: ListLimits) {
        let listpack_len = match &self.0 {
            Form::Packed(packed) => packed.listpack_len(),
            Form::Chunk(chunk) => chunk.listpack_len(),
            Form::Chunks(_) => return,
        };
        if limits.exceeded(listpack_len.saturating_add(bytes), self.len().saturating_add(count)) {
            self.make_chunks(limits);
        }
    }

    fn make_chunks(&mut self, limits: ListLimits) {
        if !matches!(self.0, Form::Chunks(_)) {
            let mut chunks = Box::new(Chunks::default());
            self.iter().for_each(|item| chunks.push_back(item, limits));
            self.0 = Form::Chunks(chunks);
        }
    }

    /// Goes back to one run if little enough is left.
    fn after_shrinking(&mut self, limits: ListLimits) {
        match &mut self.0 {
            Form::Packed(_) => {}
            Form::Chunk(chunk) => {
                if chunk.count() == 0 {
                    self.0 = Form::Packed(Packed::new());
                } else if chunk.byte_len() < ROOMY / 2 {
                    self.0 = Form::Packed(chunk.to_packed());
                }
            }
            Form::Chunks(chunks) => {
                if chunks.count() == 0 {
                    self.0 = Form::Packed(Packed::new());
                } else if let Some(only) = chunks.only()
                    && limits.worth_shrinking(only.listpack_len(), only.count())
                    && let Some(chunk) = chunks.take_first()
                {
                    self.0 = Form::of_chunk(chunk);
                }
            }
        }
    }

    /// The form for adding `item`; a run never grows beyond what a listpack may be.
    #[inline]
    fn form_for(&mut self, item: Item<'_>, limits: ListLimits) -> &mut Form {
        let len = match &self.0 {
            Form::Packed(packed) => packed.byte_len(),
            Form::Chunk(chunk) => chunk.byte_len(),
            Form::Chunks(_) => return &mut self.0,
        };
        if let Item::Bytes(bytes) = item
            && len + bytes.len() > packed::MAX_RUN_LEN / 2
        {
            self.make_chunks(limits);
        } else if let Form::Packed(packed) = &self.0
            && len >= ROOMY
        {
            self.0 = Form::Chunk(Box::new(Chunk::of_packed(packed)));
        }
        &mut self.0
    }

    /// Adds `item` as the first entry.
    #[inline]
    pub fn push_front(&mut self, item: Item<'_>, limits: ListLimits) {
        match self.form_for(item, limits) {
            Form::Packed(packed) => {
                packed.insert(0, item);
            }
            Form::Chunk(chunk) => chunk.push_front(item),
            Form::Chunks(chunks) => chunks.push_front(item, limits),
        }
    }

    /// Adds `item` as the last entry.
    #[inline]
    pub fn push_back(&mut self, item: Item<'_>, limits: ListLimits) {
        match self.form_for(item, limits) {
            Form::Packed(packed) => packed.push_back(item),
            Form::Chunk(chunk) => chunk.push_back(item),
            Form::Chunks(chunks) => chunks.push_back(item, limits),
        }
    }

    /// Removes the first entry after giving it to `f`; `None` for an empty list.
    pub fn pop_front<R>(&mut self, limits: ListLimits, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let result = match &mut self.0 {
            Form::Packed(_) => {
                let result = f(self.get(0)?);
                self.drop_front(1, limits);
                return Some(result);
            }
            Form::Chunk(chunk) => chunk.pop_front(f)?,
            Form::Chunks(chunks) => chunks.pop_front(f)?,
        };
        self.after_shrinking(limits);
        Some(result)
    }

    /// Removes the last entry after giving it to `f`; `None` for an empty list.
    pub fn pop_back<R>(&mut self, limits: ListLimits, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let result = match &mut self.0 {
            Form::Packed(_) => {
                let result = f(self.get(self.len().checked_sub(1)?)?);
                self.drop_back(1, limits);
                return Some(result);
            }
            Form::Chunk(chunk) => chunk.pop_back(f)?,
            Form::Chunks(chunks) => chunks.pop_back(f)?,
        };
        self.after_shrinking(limits);
        Some(result)
    }

    /// Removes the first `entries` entries, or all.
    pub fn drop_front(&mut self, entries: usize, limits: ListLimits) {
        match &mut self.0 {
            Form::Packed(packed) => {
                let entries = entries.min(packed.count());
                let end = packed.offset_of(entries).unwrap_or(packed.byte_len());
                packed.remove(0, end, entries);
            }
            Form::Chunk(chunk) => chunk.drop_front(entries.min(chunk.count())),
            Form::Chunks(chunks) => chunks.drop_front(entries),
        }
        self.after_shrinking(limits);
    }

    /// Removes the last `entries` entries, or all.
    pub fn drop_back(&mut self, entries: usize, limits: ListLimits) {
        match &mut self.0 {
            Form::Packed(packed) => {
                let entries = entries.min(packed.count());
                let keep = packed.count() - entries;
                let start = packed.offset_of(keep).unwrap_or(packed.byte_len());
                packed.remove(start, packed.byte_len(), entries);
            }
            Form::Chunk(chunk) => chunk.drop_back(entries),
            Form::Chunks(chunks) => chunks.drop_back(entries),
        }
        self.after_shrinking(limits);
    }

    /// Keeps only the entries `start..end`.
    pub fn trim(&mut self, start: usize, end: usize, limits: ListLimits) {
        let len = self.len();
        let end = end.min(len);
        if start >= end {
            *self = List::new();
            return;
        }
        self.drop_back(len - end, limits);
        self.drop_front(start, limits);
    }

    /// The item of entry `index`.
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        match &self.0 {
            Form::Packed(packed) => packed.get(index),
            Form::Chunk(chunk) => chunk.get(index),
            Form::Chunks(chunks) => {
                let place = chunks.place(index)?;
                chunks.chunk_at(place)?.get(place.entry)
            }
        }
    }

    /// Puts `item` in the place of entry `index`; false if there is none.
    pub fn set(&mut self, index: usize, item: Item<'_>, limits: ListLimits) -> bool {
        match self.form_for(item, limits) {
            Form::Packed(packed) => match packed.offset_of(index) {
                Some(offset) => {
                    packed.replace(offset, item);
                    true
                }
                None => false,
            },
            Form::Chunk(chunk) => {
                let found = index < chunk.count();
                if found && !chunk.set(index, item, limits) {
                    chunk.insert(index, item);
                    chunk.remove(index + 1);
                }
                self.after_shrinking(limits);
                found
            }
            Form::Chunks(chunks) => {
                let found = chunks.set(index, item, limits);
                self.after_shrinking(limits);
                found
            }
        }
    }

    /// Inserts `item` before entry `index`; at `index == len()` behind the last. False if the list
    /// is shorter.
    pub fn insert(&mut self, index: usize, item: Item<'_>, limits: ListLimits) -> bool {
        if index > self.len() {
            return false;
        }
        match self.form_for(item, limits) {
            Form::Packed(packed) => {
                let offset = packed.offset_of(index).unwrap_or(packed.byte_len());
                packed.insert(offset, item);
            }
            Form::Chunk(chunk) => chunk.insert(index, item),
            Form::Chunks(chunks) => chunks.insert(index, item, limits),
        }
        true
    }

    /// Inserts `item` beside the first entry equal to `pivot`; false if there is none.
    pub fn insert_beside(
        &mut self,
        pivot: Item<'_>,
        side: Side,
        item: Item<'_>,
        limits: ListLimits,
    ) -> bool {
        let Some(at) = self.iter_from(0).position(|entry| entry == pivot) else { return false };
        let at = if side == Side::After { at + 1 } else { at };
        self.insert(at, item, limits)
    }

    /// Removes entries equal to `item`: the first `count`, for a negative count the last `-count`,
    /// for 0 all. Returns how many went.
    pub fn remove(&mut self, item: Item<'_>, count: i64, limits: ListLimits) -> usize {
        let most = match usize::try_from(count.unsigned_abs()) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(most) => most,
        };
        match &mut self.0 {
            Form::Packed(packed) => remove_packed(packed, item, most, count < 0),
            Form::Chunk(chunk) => {
                let removed = chunk.remove_equal(item, most, count < 0);
                self.after_shrinking(limits);
                removed
            }
            Form::Chunks(chunks) => {
                let removed = chunks.remove_equal(item, most, count < 0, limits);
                self.after_shrinking(limits);
                removed
            }
        }
    }

    /// The entries from front to back.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// The entries from `index` on towards the back.
    pub fn iter_from(&self, index: usize) -> Iter<'_> {
        let left = self.len().saturating_sub(index);
        Iter(self.walk(index, left, false))
    }

    /// Entry `index` and then those before it, towards the front; all backwards from an index
    /// behind the end.
    pub fn iter_back_from(&self, index: usize) -> IterBack<'_> {
        let last = index.min(self.len().saturating_sub(1));
        let left = self.len().min(last.saturating_add(1));
        IterBack(self.walk(last, left, true))
    }

    fn walk(&self, index: usize, left: usize, back: bool) -> Walk<'_> {
        match &self.0 {
            Form::Packed(packed) => {
                let run = packed.run();
                let cut = packed.offset_of(index + usize::from(back)).unwrap_or(run.len());
                let run = if back { &run[..cut] } else { &run[cut..] };
                Walk { here: ChunkIter::packed(run), rest: None, left }
            }
            Form::Chunk(chunk) => {
                let here = if back { chunk.iter_back(index) } else { chunk.iter(index) };
                Walk { here, rest: None, left }
            }
            Form::Chunks(chunks) => {
                let rest = chunks.place(index).map(|place| (&**chunks, place));
                let here = rest.and_then(|(chunks, place)| {
                    let chunk = chunks.chunk_at(place)?;
                    let entry = place.entry;
                    Some(if back { chunk.iter_back(entry) } else { chunk.iter(entry) })
                });
                Walk { here: here.unwrap_or(ChunkIter::packed(&[])), rest, left }
            }
        }
    }

    /// Frees the first `blocks` heap blocks' worth of entries; true when nothing is left. For
    /// dropping a huge list in slices.
    pub fn shed(&mut self, blocks: usize) -> bool {
        match &mut self.0 {
            Form::Packed(_) | Form::Chunk(_) => *self = List::new(),
            Form::Chunks(chunks) => {
                for _ in 0..blocks {
                    if chunks.take_first().is_none() {
                        break;
                    }
                }
            }
        }
        self.is_empty()
    }

    /// Whether the list can be taken in parts: see [`crate::cut`].
    pub(crate) fn has_parts(&self) -> bool {
        matches!(self.0, Form::Chunks(_))
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        if let Form::Chunks(chunks) = &self.0 { chunks.scribe() } else { None }
    }

    pub(crate) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        if let Form::Chunks(chunks) = &mut self.0 {
            chunks.begin_cut(scribe);
        }
    }

    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        if let Form::Chunks(chunks) = &mut self.0 { chunks.show_some(most, f) } else { true }
    }

    /// How the list goes into a snapshot: its chunks in order, or its only run.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let (only, chunks) = match &self.0 {
            Form::Packed(packed) => (Some(Node::of_packed(packed)), None),
            Form::Chunk(chunk) => (Some(Node::of(chunk)), None),
            Form::Chunks(chunks) => (None, Some(chunks.iter())),
        };
        let chunks = chunks.into_iter().flatten();
        only.into_iter().chain(chunks.map(Node::of))
    }

    /// Appends the entries of a listpack from a snapshot, which is checked; call
    /// [`settle`](Self::settle) behind the last one.
    pub fn append_listpack(&mut self, listpack: &[u8], limits: ListLimits) -> Result<(), Corrupt> {
        let run = packed::listpack_run(listpack)?;
        if self.is_empty() && !limits.exceeded(listpack.len(), 0) {
            self.0 = Form::Packed(Packed::from_listpack(listpack)?);
            return Ok(());
        }
        self.make_chunks(limits);
        let mut count = 0;
        for read in packed::checked(run) {
            self.push_back(read?.0, limits);
            count += 1;
        }
        packed::check_count(listpack, count)
    }

    /// Chooses the encoding of a list that was built without a command (a snapshot, SORT STORE).
    pub fn settle(&mut self, limits: ListLimits) {
        self.before_growth(0, 0, limits);
        if let Form::Chunks(chunks) = &mut self.0
            && let Some(only) = chunks.only()
            && !limits.exceeded(only.listpack_len(), only.count())
            && let Some(chunk) = chunks.take_first()
        {
            self.0 = Form::of_chunk(chunk);
        }
    }
}

fn remove_packed(packed: &mut Packed<true>, item: Item<'_>, most: usize, from_back: bool) -> usize {
    let found = packed.iter().filter(|entry| *entry == item).count();
    let removed = found.min(most);
    let mut spared = if from_back { found - removed } else { 0 };
    let (mut offset, mut left) = (0, removed);
    while left > 0 {
        let mut entries = packed::Entries::<true>::from_offset(packed.run(), offset);
        let Some(entry) = entries.next() else { break };
        let end = entries.offset();
        if entry != item {
            offset = end;
        } else if spared > 0 {
            spared -= 1;
            offset = end;
        } else {
            packed.remove(offset, end, 1);
            left -= 1;
        }
    }
    removed
}

struct Walk<'a> {
    here: ChunkIter<'a>,
    /// The chunk that `here` is in.
    rest: Option<(&'a Chunks, Place)>,
    left: usize,
}

impl<'a> Walk<'a> {
    fn forward_chunk(&mut self) -> Option<Item<'a>> {
        let (chunks, place) = self.rest?;
        self.rest = chunks.next_chunk(place).map(|next| (chunks, next));
        self.here = chunks.chunk_at(self.rest?.1)?.iter(0);
        self.here.next()
    }

    fn backward_chunk(&mut self) -> Option<Item<'a>> {
        let (chunks, place) = self.rest?;
        self.rest = chunks.previous_chunk(place).map(|next| (chunks, next));
        let (chunks, place) = self.rest?;
        self.here = chunks.chunk_at(place)?.iter_back(place.entry);
        self.here.next_back()
    }
}

/// A list's items towards the back; see [`List::iter_from`].
pub struct Iter<'a>(Walk<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let item = self.0.here.next().or_else(|| self.0.forward_chunk())?;
        self.0.left -= 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left, Some(self.0.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A list's items towards the front; see [`List::iter_back_from`].
pub struct IterBack<'a>(Walk<'a>);

impl<'a> Iterator for IterBack<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let item = self.0.here.next_back().or_else(|| self.0.backward_chunk())?;
        self.0.left -= 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left, Some(self.0.left))
    }
}

impl ExactSizeIterator for IterBack<'_> {}

#[cfg(test)]
mod tests;
