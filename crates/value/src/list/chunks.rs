//! The long form of a list: chunks in a sequence of two levels
//!
//! A segment holds up to [`SEGMENT_CHUNKS`] chunks and knows how many entries they have. Finding
//! entry i walks the segments' counts and then one segment's chunks, each from the nearer end: some
//! 80 steps in memory that lies together for a million entries. A chunk that is put in or taken out
//! in the middle moves one segment's chunk records at most.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Object;
use crate::cut::{Element, Scribe};
use crate::item::Item;

use super::chunk::Chunk;
use super::limits::ListLimits;
use super::{Form, List, Node};

/// Most chunks of a segment.
const SEGMENT_CHUNKS: usize = 128;

/// Where an entry is: segment, chunk in it, entry in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) segment: usize,
    pub(super) chunk: usize,
    pub(super) entry: usize,
}

#[derive(Clone, Default)]
struct Segment {
    count: usize,
    chunks: VecDeque<Chunk>,
}

/// Invariants: counts add up; no segment and no chunk is empty, except inside a method. While a snapshot takes the
/// chunks in parts, one that has a turn is as it was at the cut.
#[derive(Default)]
pub(super) struct Chunks {
    count: usize,
    segments: VecDeque<Segment>,
    cut: Option<Box<Cut>>,
}

/// A snapshot that takes the chunks in parts.
struct Cut {
    scribe: Option<Arc<dyn Scribe>>,
    /// The segment in which the walk goes on.
    segment: usize,
}

/// To be called before a chunk changes or goes: shows it to whoever takes the chunks in parts.
#[inline]
fn before_change(cut: &mut Option<Box<Cut>>, chunk: &mut Chunk) {
    if chunk.turn != 0 {
        show(cut, chunk);
    }
}

#[cold]
fn show(cut: &mut Option<Box<Cut>>, chunk: &mut Chunk) {
    let turn = std::mem::take(&mut chunk.turn);
    if let Some(scribe) = cut.as_ref().and_then(|cut| cut.scribe.as_ref())
        && !scribe.see(Element::Node(turn, Node::of(chunk)))
    {
        *cut = None;
    }
}

impl Chunks {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The only chunk, if there is exactly one.
    pub(super) fn only(&self) -> Option<&Chunk> {
        match (self.segments.len(), self.segments.front()) {
            (1, Some(segment)) if segment.chunks.len() == 1 => segment.chunks.front(),
            _ => None,
        }
    }

    /// Takes the first chunk out.
    pub(super) fn take_first(&mut self) -> Option<Chunk> {
        let segment = self.segments.front_mut()?;
        let mut chunk = segment.chunks.pop_front()?;
        before_change(&mut self.cut, &mut chunk);
        segment.count -= chunk.count();
        self.count -= chunk.count();
        if segment.chunks.is_empty() {
            self.segments.pop_front();
            if let Some(cut) = &mut self.cut {
                cut.segment = cut.segment.saturating_sub(1);
            }
        }
        Some(chunk)
    }

    fn take_last(&mut self) -> Option<Chunk> {
        let segment = self.segments.back_mut()?;
        let mut chunk = segment.chunks.pop_back()?;
        before_change(&mut self.cut, &mut chunk);
        segment.count -= chunk.count();
        self.count -= chunk.count();
        if segment.chunks.is_empty() {
            self.segments.pop_back();
        }
        Some(chunk)
    }

    pub(super) fn chunk_at(&self, place: Place) -> Option<&Chunk> {
        self.segments.get(place.segment)?.chunks.get(place.chunk)
    }

    /// All chunks in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chunk> {
        self.segments.iter().flat_map(|segment| segment.chunks.iter())
    }

    /// How many chunks there are.
    pub(super) fn chunk_count(&self) -> usize {
        self.segments.iter().map(|segment| segment.chunks.len()).sum()
    }

    /// Where entry `index` is.
    pub(super) fn place(&self, index: usize) -> Option<Place> {
        if index >= self.count {
            return None;
        }
        let counts = self.segments.iter().map(|segment| segment.count);
        let (segment, rest) = seek(counts, self.count, index)?;
        let Segment { count, chunks } = self.segments.get(segment)?;
        let (chunk, entry) = seek(chunks.iter().map(Chunk::count), *count, rest)?;
        Some(Place { segment, chunk, entry })
    }

    /// The first entry of the chunk after `place`'s.
    pub(super) fn next_chunk(&self, place: Place) -> Option<Place> {
        let next = Place { chunk: place.chunk + 1, entry: 0, ..place };
        let next = match self.chunk_at(next) {
            Some(_) => next,
            None => Place { segment: place.segment + 1, chunk: 0, entry: 0 },
        };
        self.chunk_at(next).map(|_| next)
    }

    /// The last entry of the chunk before `place`'s.
    pub(super) fn previous_chunk(&self, place: Place) -> Option<Place> {
        let (segment, chunk) = match place.chunk.checked_sub(1) {
            Some(chunk) => (place.segment, chunk),
            None => {
                let segment = place.segment.checked_sub(1)?;
                (segment, self.segments.get(segment)?.chunks.len().checked_sub(1)?)
            }
        };
        let before = Place { segment, chunk, entry: 0 };
        let count = self.chunk_at(before)?.count();
        Some(Place { entry: count.checked_sub(1)?, ..before })
    }

    pub(super) fn push_back(&mut self, item: Item<'_>, limits: ListLimits) {
        self.count += 1;
        if let Some(segment) = self.segments.back_mut() {
            if let Some(chunk) = segment.chunks.back_mut() {
                if chunk.fits(item, limits) {
                    segment.count += 1;
                    before_change(&mut self.cut, chunk);
                    return chunk.push_back(item);
                }
                chunk.seal();
            }
            if segment.chunks.len() < SEGMENT_CHUNKS {
                segment.count += 1;
                return segment.chunks.push_back(Chunk::of(item));
            }
        }
        self.segments.push_back(Segment { count: 1, chunks: [Chunk::of(item)].into() });
    }

    pub(super) fn push_front(&mut self, item: Item<'_>, limits: ListLimits) {
        self.count += 1;
        if let Some(segment) = self.segments.front_mut() {
            if let Some(chunk) = segment.chunks.front_mut() {
                if chunk.fits(item, limits) {
                    segment.count += 1;
                    before_change(&mut self.cut, chunk);
                    return chunk.push_front(item);
                }
                chunk.seal();
            }
            if segment.chunks.len() < SEGMENT_CHUNKS {
                segment.count += 1;
                return segment.chunks.push_front(Chunk::of(item));
            }
        }
        self.segments.push_front(Segment { count: 1, chunks: [Chunk::of(item)].into() });
    }

    /// Takes the first entry out after giving it to `f`.
    pub(super) fn pop_front<R>(&mut self, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let segment = self.segments.front_mut()?;
        let chunk = segment.chunks.front_mut()?;
        if chunk.count() == 1 {
            let result = f(chunk.get(0)?);
            self.take_first();
            return Some(result);
        }
        before_change(&mut self.cut, chunk);
        let result = chunk.pop_front(f)?;
        segment.count -= 1;
        self.count -= 1;
        Some(result)
    }

    /// Takes the last entry out after giving it to `f`.
    pub(super) fn pop_back<R>(&mut self, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let segment = self.segments.back_mut()?;
        let chunk = segment.chunks.back_mut()?;
        if chunk.count() == 1 {
            let result = f(chunk.get(0)?);
            self.take_last();
            return Some(result);
        }
        before_change(&mut self.cut, chunk);
        let result = chunk.pop_back(f)?;
        segment.count -= 1;
        self.count -= 1;
        Some(result)
    }

    /// Drops the first `entries` entries.
    pub(super) fn drop_front(&mut self, entries: usize) {
        let mut left = entries.min(self.count);
        while left > 0 {
            let Some(segment) = self.segments.front_mut() else { return };
            let Some(chunk) = segment.chunks.front_mut() else { return };
            if chunk.count() > left {
                before_change(&mut self.cut, chunk);
                chunk.drop_front(left);
                segment.count -= left;
                self.count -= left;
                return;
            }
            left -= chunk.count();
            self.take_first();
        }
    }

    /// Drops the last `entries` entries.
    pub(super) fn drop_back(&mut self, entries: usize) {
        let mut left = entries.min(self.count);
        while left > 0 {
            let Some(segment) = self.segments.back_mut() else { return };
            let Some(chunk) = segment.chunks.back_mut() else { return };
            if chunk.count() > left {
                before_change(&mut self.cut, chunk);
                chunk.drop_back(left);
                segment.count -= left;
                self.count -= left;
                return;
            }
            left -= chunk.count();
            self.take_last();
        }
    }

    /// Puts `item` in the place of entry `index`; false if there is none.
    pub(super) fn set(&mut self, index: usize, item: Item<'_>, limits: ListLimits) -> bool {
        let Some(place) = self.place(index) else { return false };
        let Some(segment) = self.segments.get_mut(place.segment) else { return false };
        let Some(chunk) = segment.chunks.get_mut(place.chunk) else { return false };
        before_change(&mut self.cut, chunk);
        if !chunk.set(place.entry, item, limits) {
            self.insert_at(place, item, limits);
            self.remove(index + 1, limits);
        }
        true
    }

    /// Inserts `item` before entry `index`, or behind the last.
    pub(super) fn insert(&mut self, index: usize, item: Item<'_>, limits: ListLimits) {
        match self.place(index) {
            Some(place) if index > 0 => self.insert_at(place, item, limits),
            Some(_) => self.push_front(item, limits),
            None => self.push_back(item, limits),
        }
    }

    /// Inserts `item` before the entry at `place`.
    fn insert_at(&mut self, place: Place, item: Item<'_>, limits: ListLimits) {
        let Some(segment) = self.segments.get_mut(place.segment) else { return };
        self.count += 1;
        segment.count += 1;
        let Some(chunk) = segment.chunks.get_mut(place.chunk) else { return };
        before_change(&mut self.cut, chunk);
        if chunk.fits(item, limits) {
            return chunk.insert(place.entry, item);
        }
        if place.entry == 0 {
            // The chunk before may have room at its end.
            let before = place.chunk.checked_sub(1).and_then(|at| segment.chunks.get_mut(at));
            match before {
                Some(before) if before.fits(item, limits) => {
                    before_change(&mut self.cut, before);
                    before.push_back(item);
                }
                _ => segment.chunks.insert(place.chunk, Chunk::of(item)),
            }
        } else {
            let mut tail = chunk.split_off(place.entry);
            if chunk.count() <= tail.count() && chunk.fits(item, limits) {
                chunk.push_back(item);
            } else if tail.fits(item, limits) {
                tail.push_front(item);
            } else {
                segment.chunks.insert(place.chunk + 1, Chunk::of(item));
                segment.chunks.insert(place.chunk + 2, tail);
                return self.split_segment(place.segment);
            }
            segment.chunks.insert(place.chunk + 1, tail);
        }
        self.split_segment(place.segment);
    }

    /// Splits a segment that has too many chunks.
    fn split_segment(&mut self, at: usize) {
        let Some(segment) = self.segments.get_mut(at) else { return };
        if segment.chunks.len() > SEGMENT_CHUNKS {
            let chunks = segment.chunks.split_off(SEGMENT_CHUNKS / 2);
            let count = chunks.iter().map(Chunk::count).sum();
            segment.count -= count;
            self.segments.insert(at + 1, Segment { count, chunks });
        }
    }

    /// Removes entry `index`.
    pub(super) fn remove(&mut self, index: usize, limits: ListLimits) {
        let Some(place) = self.place(index) else { return };
        let Some(segment) = self.segments.get_mut(place.segment) else { return };
        let Some(chunk) = segment.chunks.get_mut(place.chunk) else { return };
        before_change(&mut self.cut, chunk);
        chunk.remove(place.entry);
        segment.count -= 1;
        self.count -= 1;
        self.tidy(place.segment, place.chunk, limits);
    }

    /// Removes the entries equal to `item`, at most `most`, first or last ones first.
    pub(super) fn remove_equal(
        &mut self,
        item: Item<'_>,
        most: usize,
        from_back: bool,
        limits: ListLimits,
    ) -> usize {
        let mut removed = 0;
        let mut next = (self.count > 0).then(|| match from_back {
            false => self.place(0),
            true => self.place(self.count - 1),
        });
        let mut touched = Vec::new();
        while let Some(Some(place)) = next {
            if removed == most {
                break;
            }
            next =
                Some(if from_back { self.previous_chunk(place) } else { self.next_chunk(place) });
            let here = self.remove_equal_in(place, item, most - removed, from_back);
            if here > 0 {
                removed += here;
                touched.push((place.segment, place.chunk));
            }
        }
        // From the back, so that the places still to come stay right.
        touched.sort_unstable();
        for (segment, chunk) in touched.into_iter().rev() {
            self.tidy(segment, chunk, limits);
        }
        removed
    }

    fn remove_equal_in(
        &mut self,
        place: Place,
        item: Item<'_>,
        most: usize,
        from_back: bool,
    ) -> usize {
        let Some(segment) = self.segments.get_mut(place.segment) else { return 0 };
        let Some(chunk) = segment.chunks.get_mut(place.chunk) else { return 0 };
        if chunk.turn != 0 && chunk.iter(0).any(|entry| entry == item) {
            before_change(&mut self.cut, chunk);
        }
        let removed = chunk.remove_equal(item, most, from_back);
        segment.count -= removed;
        self.count -= removed;
        removed
    }

    /// After entries went: drops an empty chunk or joins a small one with a neighbour.
    fn tidy(&mut self, at: usize, chunk_at: usize, limits: ListLimits) {
        let Some(segment) = self.segments.get_mut(at) else { return };
        let chunks = &mut segment.chunks;
        if chunks.get(chunk_at).is_some_and(|chunk| chunk.count() == 0) {
            chunks.remove(chunk_at);
        } else {
            // Behind first: joining changes no earlier place.
            for left in [Some(chunk_at), chunk_at.checked_sub(1)].into_iter().flatten() {
                let (Some(a), Some(b)) = (chunks.get(left), chunks.get(left + 1)) else { continue };
                if a.fits_all(b, limits)
                    && let Some(mut moved) = chunks.remove(left + 1)
                    && let Some(chunk) = chunks.get_mut(left)
                {
                    before_change(&mut self.cut, chunk);
                    before_change(&mut self.cut, &mut moved);
                    chunk.append(moved);
                }
            }
        }
        if chunks.is_empty() {
            self.segments.remove(at);
        }
    }

    /// Heap memory held, in bytes; above a few hundred chunks from a sample of each segment's.
    pub(super) fn heap_bytes(&self) -> usize {
        let records = self.segments.capacity() * size_of::<Segment>();
        let sampled = self.segments.len() > 4;
        let segments = self.segments.iter().map(|segment| {
            let chunks = &segment.chunks;
            let step = if sampled { (chunks.len() / 3).max(1) } else { 1 };
            let (mut bytes, mut seen) = (0, 0);
            for chunk in chunks.iter().step_by(step) {
                bytes += chunk.heap_bytes();
                seen += 1;
            }
            chunks.capacity() * size_of::<Chunk>() + bytes * chunks.len() / seen.max(1)
        });
        size_of::<Chunks>() + records + segments.sum::<usize>()
    }

    pub(super) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.cut.as_ref()?.scribe.as_ref()
    }

    /// Makes this moment the cut at which `scribe` takes the chunks in parts.
    pub(super) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        let chunks = self.segments.iter_mut().flat_map(|segment| segment.chunks.iter_mut());
        (1..).zip(chunks).for_each(|(turn, chunk)| chunk.turn = turn);
        self.cut = Some(Box::new(Cut { scribe: Some(scribe), segment: 0 }));
    }

    /// Shows some chunks of the cut with about `most` entries; true when it has shown the last.
    pub(super) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        let Some(cut) = &mut self.cut else { return true };
        let (from, mut seen) = (cut.segment, 0);
        for segment in self.segments.iter_mut().skip(from) {
            for chunk in segment.chunks.iter_mut().filter(|chunk| chunk.turn != 0) {
                f(Element::Node(std::mem::take(&mut chunk.turn), Node::of(chunk)));
                seen += chunk.count();
                if seen >= most {
                    return false;
                }
            }
            cut.segment += 1;
        }
        // Segments come and go: it is over when nothing is found from the first on.
        cut.segment = 0;
        let is_done = from == 0 && seen == 0;
        if is_done {
            self.cut = None;
        }
        is_done
    }

    /// Panics unless the counts agree and nothing is empty.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut total = 0;
        for segment in &self.segments {
            assert!(!segment.chunks.is_empty() && segment.chunks.len() <= SEGMENT_CHUNKS);
            let count: usize = segment.chunks.iter().map(Chunk::count).sum();
            assert!(segment.chunks.iter().all(|chunk| chunk.count() > 0));
            assert_eq!(count, segment.count);
            total += count;
        }
        assert_eq!(total, self.count);
    }
}

/// A copy is nothing that a snapshot waits for.
impl Clone for Chunks {
    fn clone(&self) -> Self {
        Self { count: self.count, segments: self.segments.clone(), cut: None }
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Some(mut cut) = self.cut.take()
            && let Some(scribe) = cut.scribe.take()
        {
            let segments = std::mem::take(&mut self.segments);
            let rest = Self { count: self.count, segments, cut: Some(cut) };
            scribe.inherit(Object::List(List(Form::Chunks(Box::new(rest)))));
        }
    }
}

/// Which of `counts` (their sum is `total`) has entry `index`, and which of its entries it is.
fn seek(
    counts: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator,
    total: usize,
    index: usize,
) -> Option<(usize, usize)> {
    if index < total / 2 {
        let mut rest = index;
        for (at, count) in counts.enumerate() {
            if rest < count {
                return Some((at, rest));
            }
            rest -= count;
        }
    } else {
        let mut start = total;
        for (at, count) in counts.enumerate().rev() {
            start -= count;
            if index >= start {
                return Some((at, index - start));
            }
        }
    }
    None
}
