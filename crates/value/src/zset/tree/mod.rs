//! The order of a big sorted set: a B+tree of pointers to members, by score and then by bytes, whose
//! inner nodes count the members under each child. So a rank is found in O(log n), and every range is
//! a range of ranks.
//!
//! A leaf is an exactly sized array of one word a member: the block's address with a 16-bit hint of
//! the score above it ([`leaf`]). The scores themselves stand only in the blocks. Compared with a
//! skiplist this saves the level pointers and all but one or two of the cache misses of a search.
//!
//! Invariants: members ascend strictly by (score key, bytes); all leaves have one depth; no node but
//! an empty root leaf is empty; `keys`, `counts` and `first` of an inner node are exact.

mod inner;
mod leaf;
mod node;

use std::ops::Range;

use super::block::Block;
use super::probe::Probe;
use inner::{FANOUT, Inner};
use leaf::{CAP, Leaf};
pub(super) use leaf::{MARKS, Marked};
use node::{Edge, New, Node};

/// Trees with fewer members are likely to be in the processor's cache.
const FAR_MIN: u64 = 1 << 15;

/// Blocks that a walk asks for ahead, as each is a trip to memory of its own.
const AHEAD: usize = 8;

/// The members of a sorted set in order. It owns their blocks: what is left when it is dropped is freed.
#[derive(Debug)]
pub(super) struct Tree {
    root: Node,
    len: u64,
}

impl Tree {
    /// A tree of full nodes from blocks in ascending order; their marks are 0.
    pub(super) fn from_sorted(blocks: impl IntoIterator<Item = Block>) -> Self {
        let mut blocks = blocks.into_iter();
        let (mut level, mut len) = (Vec::new(), 0);
        let mut chunk = Vec::with_capacity(CAP);
        loop {
            chunk.clear();
            chunk.extend(blocks.by_ref().take(CAP));
            if chunk.is_empty() {
                break;
            }
            len += chunk.len() as u64;
            level.push(Node::Leaf(Leaf::of(&chunk)));
        }
        while level.len() > 1 {
            let mut nodes = level.into_iter().peekable();
            level = Vec::new();
            while nodes.peek().is_some() {
                level.push(Node::Inner(Box::new(Inner::of(nodes.by_ref().take(FANOUT)))));
            }
        }
        Self { root: level.pop().unwrap_or(Node::Leaf(Leaf::default())), len }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// How many members come before the probe.
    pub(super) fn position(&self, probe: &Probe<'_>) -> u64 {
        let (mut node, mut before) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return before + leaf.position(probe) as u64,
                Node::Inner(inner) => {
                    let (at, skipped) = inner.seek(probe);
                    before += skipped;
                    node = &inner.kids()[at].node;
                }
            }
        }
    }

    /// Puts a member where the probe says.
    pub(super) fn insert(&mut self, new: Marked) {
        let key = new.block.key();
        let new = New { member: new, key, probe: Probe::At(key, new.block.member()) };
        if let (_, Some(right)) = self.root.insert(new, Edge { left: true, right: true }) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Leaf::default()));
            self.root = Node::Inner(Box::new(Inner::of([left, right])));
        }
        self.len += 1;
    }

    /// Takes out a member that is there, of this score key; the caller becomes its owner.
    pub(super) fn remove(&mut self, key: u64, member: &[u8]) -> Option<Marked> {
        let (gone, _) = self.root.remove(key, member)?;
        self.len -= 1;
        self.lower_root();
        Some(gone)
    }

    /// Whether most of it is likely to be in memory only.
    pub(super) fn is_far(&self) -> bool {
        self.len >= FAR_MIN
    }

    /// Asks for the leaf in which the probe's place lies, to be searched soon. Of a tree whose leaves are near anyway
    /// it does not.
    pub(super) fn prefetch(&self, probe: &Probe<'_>) {
        if !self.is_far() {
            return;
        }
        let mut node = &self.root;
        while let Node::Inner(inner) = node {
            node = &inner.kids()[inner.seek_kid(probe)].node;
        }
        if let Node::Leaf(leaf) = node {
            leaf.prefetch();
        }
    }

    /// Takes out the members of these ranks in order; `f` becomes their owner.
    pub(super) fn drain(&mut self, ranks: Range<u64>, mut f: impl FnMut(Marked)) {
        let end = ranks.end.min(self.len);
        if ranks.start >= end {
            return;
        }
        self.len -= end - ranks.start;
        self.root.drain(ranks.start, end, &mut f);
        self.lower_root();
    }

    /// Gives up to `most` members before a rank this mark, and shows those that had another to `f`, downwards. Gives the
    /// rank that it has come to.
    pub(super) fn mark(
        &mut self,
        rank: u64,
        most: usize,
        mark: u8,
        mut f: impl FnMut(Block),
    ) -> u64 {
        let (mut rank, mut left) = (rank.min(self.len), most);
        while rank > 0 && left > 0 {
            let (leaf, at) = self.leaf_mut(rank - 1);
            let count = left.min(at + 1);
            leaf.mark(at + 1 - count..at + 1, mark, &mut f);
            left -= count;
            rank -= count as u64;
        }
        rank
    }

    /// Walks `count` members from a rank on, upwards or downwards.
    pub(super) fn walk(&self, rank: u64, count: u64, down: bool) -> Walk<'_> {
        let most = match down {
            _ if rank >= self.len => 0,
            true => rank + 1,
            false => self.len - rank,
        };
        Walk { tree: self, words: &[], rank, left: count.min(most), down }
    }

    /// Bytes of the nodes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.root.heap_bytes()
    }

    fn leaf(&self, rank: u64) -> (&Leaf, usize) {
        let (mut node, mut rank) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank as usize),
                Node::Inner(inner) => {
                    let (at, rest) = inner.seek_rank(rank);
                    node = &inner.kids()[at].node;
                    rank = rest;
                }
            }
        }
    }

    fn leaf_mut(&mut self, rank: u64) -> (&mut Leaf, usize) {
        let (mut node, mut rank) = (&mut self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank as usize),
                Node::Inner(inner) => {
                    let (at, rest) = inner.seek_rank(rank);
                    // Marks change nothing that an inner node knows.
                    node = inner.kid_mut(at);
                    rank = rest;
                }
            }
        }
    }

    fn lower_root(&mut self) {
        loop {
            match &mut self.root {
                Node::Inner(inner) if inner.len() == 1 => self.root = inner.take(0),
                Node::Inner(inner) if inner.len() == 0 => {
                    self.root = Node::Leaf(Leaf::default());
                }
                _ => return,
            }
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: the tree owns its blocks, and each leaves it here.
        self.drain(0..self.len, |member| unsafe {
            member.block.free();
        });
    }
}

/// A walk along the members.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    tree: &'a Tree,
    /// What is still to be given of the present leaf.
    words: &'a [u64],
    /// Of the next member.
    rank: u64,
    left: u64,
    down: bool,
}

impl Walk<'_> {
    /// Asks for the block that is so many members ahead, if the walk comes to it in this leaf.
    #[inline]
    fn prefetch(&self, ahead: usize) {
        let at = if self.down { self.words.len().wrapping_sub(ahead + 1) } else { ahead };
        if let Some(word) = self.words.get(at)
            && (ahead as u64) < self.left
        {
            table::prefetch::read(leaf::block(*word).as_ptr().as_ptr());
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Block;

    #[inline]
    fn next(&mut self) -> Option<Block> {
        if self.left == 0 {
            return None;
        }
        if self.words.is_empty() {
            let (leaf, at) = self.tree.leaf(self.rank);
            self.words = match self.down {
                true => &leaf.words()[..=at],
                false => &leaf.words()[at..],
            };
            (0..AHEAD).for_each(|at| self.prefetch(at));
        } else {
            self.prefetch(AHEAD - 1);
        }
        self.left -= 1;
        let (word, rest) = match self.down {
            true => self.words.split_last()?,
            false => self.words.split_first()?,
        };
        self.words = rest;
        self.rank = if self.down { self.rank.wrapping_sub(1) } else { self.rank + 1 };
        Some(leaf::block(*word))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
