//! The encoding of big sorted sets: a tree for the order, an index for the members.

use std::ops::Range;

use super::block::Block;
use super::bound::Inserted;
use super::index::{Filling, Index};
use super::probe::Probe;
use super::score;
use super::tree::{Tree, Walk};

/// Invariant: tree and index hold the same blocks. The tree owns them.
#[derive(Debug)]
pub(super) struct Big {
    // Dropped before the tree, so that it never holds a pointer to freed memory.
    index: Index,
    tree: Tree,
    /// Of all blocks.
    block_bytes: usize,
}

impl Big {
    /// From new blocks in ascending order of (score, bytes), each member once; it becomes their owner.
    pub(super) fn from_sorted(blocks: impl Iterator<Item = Block>) -> Self {
        let mut index = Index::default();
        index.reserve(blocks.size_hint().0);
        let (mut block_bytes, mut filling) = (0, Filling::new(&mut index));
        let tree = Tree::from_sorted(blocks.inspect(|&block| {
            block_bytes += block.heap_bytes();
            filling.add(block);
        }));
        filling.finish();
        Self { index, tree, block_bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.tree.len() as usize
    }

    pub(super) fn insert(&mut self, member: &[u8], score: f64) -> Inserted {
        let Some(old) = self.index.get(member) else {
            let block = Block::new(member, score);
            self.block_bytes += block.heap_bytes();
            self.index.insert(block);
            self.tree.insert(block);
            return Inserted::Added;
        };
        let key = old.key();
        if key == score::key(score) {
            return Inserted::Unchanged;
        }
        let rank = self.tree.position(&Probe::At(key, member));
        self.tree.remove(rank);
        // SAFETY: `&mut self` excludes references into the block.
        let block = match unsafe { old.set_score(score) } {
            true => old,
            false => self.move_block(old, score),
        };
        self.tree.insert(block);
        Inserted::Updated
    }

    /// Puts the member of a block that has left the tree into a new block.
    fn move_block(&mut self, old: Block, score: f64) -> Block {
        let new = Block::new(old.member(), score);
        self.index.replace(old, new);
        self.block_bytes = self.block_bytes + new.heap_bytes() - old.heap_bytes();
        // SAFETY: it is in the tree no longer, and in the index the new one has taken its place.
        unsafe { old.free() };
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
        let block = self.index.get(member)?;
        let score = block.score();
        let rank = self.tree.position(&Probe::At(block.key(), member));
        self.remove_ranks(rank as usize..rank as usize + 1, |_, _| ());
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>, mut f: impl FnMut(&[u8], f64)) {
        let Self { index, tree, block_bytes } = self;
        tree.drain(ranks.start as u64..ranks.end as u64, |block| {
            f(block.member(), block.score());
            index.remove(block);
            *block_bytes -= block.heap_bytes();
            // SAFETY: the tree has given it away, the index has forgotten it, and `f` cannot keep a borrow.
            unsafe { block.free() }
        });
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

    /// Gives up the index; what is left can only be freed.
    pub(super) fn into_tree(self) -> Tree {
        self.tree
    }
}

impl Clone for Big {
    fn clone(&self) -> Self {
        let blocks = self.walk(0, usize::MAX, false);
        Self::from_sorted(blocks.map(|block| Block::new(block.member(), block.score())))
    }
}
