//! The encoding of big sorted sets: a tree for the order, an index for the members.

use std::ops::Range;
use std::sync::Arc;

use table::Slot;

use super::block::Block;
use super::bound::Inserted;
use super::index::{Filling, Index};
use super::probe::Probe;
use super::score;
use super::shown::Shown;
use super::tree::{Marked, Tree, Walk};
use crate::cut::{Element, Scribe};

/// Members whose blocks are asked for when one is taken.
const TAKEN_AHEAD: u64 = 4;

/// Invariant: tree and index hold the same blocks. The tree owns them.
#[derive(Debug)]
pub(super) struct Big {
    // Dropped before the tree, so that it never holds a pointer to freed memory.
    index: Index,
    tree: Tree,
    /// Of all blocks.
    block_bytes: usize,
    pub(super) shown: Shown,
}

impl Big {
    /// From new blocks in ascending order of (score, bytes), each member once; it becomes their owner.
    pub(super) fn from_sorted(blocks: impl Iterator<Item = Block>) -> Self {
        Self::build(blocks, false).0
    }

    /// The same of members some of which may be there twice; `None` then.
    pub(super) fn from_sorted_if_distinct(blocks: impl Iterator<Item = Block>) -> Option<Self> {
        let (big, is_distinct) = Self::build(blocks, true);
        is_distinct.then_some(big)
    }

    /// If it `looks`, it says whether each member was there once; otherwise the set can only be dropped.
    fn build(blocks: impl Iterator<Item = Block>, looks: bool) -> (Self, bool) {
        let mut index = Index::default();
        index.reserve(blocks.size_hint().0);
        let (mut block_bytes, mut filling) = (0, Filling::new(&mut index, looks));
        let tree = Tree::from_sorted(blocks.inspect(|&block| {
            block_bytes += block.heap_bytes();
            filling.add(block);
        }));
        let is_distinct = filling.finish();
        (Self { index, tree, block_bytes, shown: Shown::default() }, is_distinct)
    }

    pub(super) fn len(&self) -> usize {
        self.tree.len() as usize
    }

    pub(super) fn insert(&mut self, member: &[u8], score: f64) -> Inserted {
        let hash = self.index.hash(member);
        // Where the member is and where it goes are apart: both trips to memory begin now.
        self.index.prefetch(hash);
        self.tree.prefetch(&Probe::KeyStart(score::key(score)));
        let Some((slot, old)) = self.index.find(hash, member) else {
            let block = Block::new(member, score);
            self.block_bytes += block.heap_bytes();
            self.index.insert(hash, block);
            self.tree.insert(Marked { block, mark: self.shown.mark() });
            return Inserted::Added;
        };
        let key = old.key();
        if key == score::key(score) {
            return Inserted::Unchanged;
        }
        if let Some(member) = self.tree.remove(key, member) {
            self.shown.before_change(member);
        }
        // SAFETY: `&mut self` excludes references into the block.
        let block = match unsafe { old.set_score(score) } {
            true => old,
            false => self.move_block(slot, old, score),
        };
        self.tree.insert(Marked { block, mark: self.shown.mark() });
        Inserted::Updated
    }

    /// Puts the member of a block that has left the tree into a new block.
    fn move_block(&mut self, slot: Slot, old: Block, score: f64) -> Block {
        let new = Block::new(old.member(), score);
        self.index.replace(slot, new);
        // SAFETY: it is in the tree no longer, and in the index the new one has taken its place.
        let freed = unsafe { old.free() };
        self.block_bytes = self.block_bytes + new.heap_bytes() - freed;
        new
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.index.get(member).map(Block::score)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        let block = self.index.get(member)?;
        Some(self.tree.position(&Probe::At(block.key(), member)) as usize)
    }

    pub(super) fn position(&self, probe: &Probe<'_>) -> usize {
        self.tree.position(probe) as usize
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let (slot, block) = self.index.find(self.index.hash(member), member)?;
        let score = block.score();
        if let Some(gone) = self.tree.remove(block.key(), member) {
            self.shown.before_change(gone);
        }
        self.index.remove_at(slot);
        // SAFETY: the tree has given it away, and the index has forgotten it.
        self.block_bytes -= unsafe { block.free() };
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>, mut f: impl FnMut(&[u8], f64)) {
        let Self { index, tree, block_bytes, shown } = self;
        tree.drain(ranks.start as u64..ranks.end as u64, |member| {
            shown.before_change(member);
            let block = member.block;
            f(block.member(), block.score());
            index.remove(block);
            // SAFETY: the tree has given it away, the index has forgotten it, and `f` cannot keep a borrow.
            *block_bytes -= unsafe { block.free() };
        });
        if ranks.len() == 1 && tree.is_far() {
            // Whoever takes one member from an end is likely to take the next ones soon.
            let (rank, down) = if ranks.start == 0 { (0, false) } else { (ranks.start - 1, true) };
            if let Some(block) = tree.walk(rank as u64, TAKEN_AHEAD, down).nth(1) {
                index.prefetch(index.hash(block.member()));
            }
        }
    }

    pub(super) fn walk(&self, rank: usize, count: usize, down: bool) -> Walk<'_> {
        self.tree.walk(rank as u64, count as u64, down)
    }

    pub(super) fn scan(&self, cursor: u64, mut f: impl FnMut(&[u8], f64)) -> u64 {
        self.index.scan(cursor, |block| f(block.member(), block.score()))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.block_bytes + self.tree.heap_bytes() + self.index.heap_bytes() + size_of::<Self>()
    }

    /// Makes this moment the cut at which `scribe` takes the set in parts.
    pub(super) fn begin_cut(&mut self, scribe: Arc<dyn Scribe>) {
        if let Some(mark) = self.shown.begin(scribe) {
            self.tree.mark(self.tree.len(), usize::MAX, mark, |_| ());
        }
    }

    /// Shows some members of the cut, from the highest score down; true when it has shown the last.
    pub(super) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        let start = match self.shown.place() {
            Some((key, member)) => self.tree.position(&Probe::At(key, member)),
            None => self.tree.len(),
        };
        let end = self.tree.mark(start, most, self.shown.mark(), |block| {
            f(Element::Scored(block.member(), block.score()));
        });
        match self.tree.walk(end, 1, false).next() {
            Some(last) if end > 0 => self.shown.go_on_before(last),
            _ => self.shown.end(),
        }
        end == 0
    }
}

impl Clone for Big {
    fn clone(&self) -> Self {
        let blocks = self.walk(0, usize::MAX, false);
        Self::from_sorted(blocks.map(|block| Block::new(block.member(), block.score())))
    }
}
