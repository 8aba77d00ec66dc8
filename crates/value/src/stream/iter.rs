//! Walking along a stream.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;

use super::block::{Block, Entry};
use super::id::Id;

/// The entries between two IDs, upwards or downwards; allocates nothing.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    blocks: Range<'a, Id, Block>,
    block: Option<(&'a Block, usize)>,
    start: Id,
    end: Id,
    down: bool,
}

impl<'a> Iter<'a> {
    pub(super) fn new(blocks: &'a BTreeMap<Id, Block>, start: Id, end: Id, down: bool) -> Self {
        // The block before may reach into the range.
        let from = blocks.range(..=start).next_back().map_or(start, |(&first, _)| first);
        // An empty range where the ends are the wrong way round.
        let blocks = if start <= end { blocks.range(from..=end) } else { blocks.range(..Id::MIN) };
        Self { blocks, block: None, start, end, down }
    }

    fn up(&mut self) -> Option<Entry<'a>> {
        loop {
            let (block, at) = match self.block {
                Some(place) => place,
                None => self.blocks.next().map(|(_, block)| (block, block.start()))?,
            };
            let Some(place) = block.at(at) else {
                self.block = None;
                continue;
            };
            self.block = Some((block, place.end));
            if place.entry.id > self.end {
                self.blocks = Range::default();
                self.block = Some((block, block.end()));
                return None;
            }
            if !place.deleted && place.entry.id >= self.start {
                return Some(place.entry);
            }
        }
    }

    fn down(&mut self) -> Option<Entry<'a>> {
        loop {
            let (block, end) = match self.block {
                Some(place) => place,
                None => self.blocks.next_back().map(|(_, block)| (block, block.end()))?,
            };
            let Some(place) = block.before(end).and_then(|at| block.at(at).map(|p| (at, p))) else {
                self.block = None;
                continue;
            };
            let (at, place) = place;
            self.block = Some((block, at));
            if place.entry.id < self.start {
                self.blocks = Range::default();
                self.block = Some((block, block.start()));
                return None;
            }
            if !place.deleted && place.entry.id <= self.end {
                return Some(place.entry);
            }
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.down { self.down() } else { self.up() }
    }
}
