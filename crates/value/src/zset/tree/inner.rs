//! An inner node: up to 32 children with what a search and a count need to know of them.

use super::super::block::Block;
use super::super::probe::Probe;
use super::leaf::LINE;
use super::node::Node;

/// Most children of an inner node.
pub(super) const FANOUT: usize = 32;

/// A child and the first member under it.
#[derive(Debug)]
pub(super) struct Kid {
    pub(super) first: Block,
    pub(super) node: Node,
}

/// Children in order, never none. `keys[i]` is the score key of child `i`'s first member, `counts[i]` the number of
/// members under it; what lies beyond the children is meaningless.
#[derive(Debug)]
pub(super) struct Inner {
    keys: [u64; FANOUT],
    counts: [u64; FANOUT],
    kids: Vec<Kid>,
}

impl Inner {
    pub(super) fn new() -> Self {
        Self { keys: [0; FANOUT], counts: [0; FANOUT], kids: Vec::new() }
    }

    /// A node over these children, at most [`FANOUT`].
    pub(super) fn of(nodes: impl IntoIterator<Item = Node>) -> Self {
        let mut inner = Self::new();
        nodes.into_iter().for_each(|node| inner.put(inner.kids.len(), node));
        inner
    }

    pub(super) fn len(&self) -> usize {
        self.kids.len()
    }

    pub(super) fn kids(&self) -> &[Kid] {
        &self.kids
    }

    pub(super) fn first(&self) -> Block {
        self.kids[0].first
    }

    pub(super) fn count(&self) -> u64 {
        self.counts[..self.kids.len()].iter().sum()
    }

    /// The child in which the probe's place lies, and how many members come before that child.
    pub(super) fn seek(&self, probe: &Probe<'_>) -> (usize, u64) {
        let at = self.seek_kid(probe);
        (at, self.counts[..at].iter().sum())
    }

    /// The child in which the probe's place lies: of two between which it does the first.
    pub(super) fn seek_kid(&self, probe: &Probe<'_>) -> usize {
        let len = self.kids.len();
        let (low, high) = match probe.key() {
            Some(key) => {
                let low = self.start_of(key);
                (low, low + self.keys[low..len].iter().take_while(|&&other| other == key).count())
            }
            None => (0, len),
        };
        let before = low
            + self.kids[low..high]
                .partition_point(|kid| probe.is_after(|| kid.first.key(), kid.first.member()));
        before.saturating_sub(1)
    }

    /// The first child whose key is not below this one, found as in a leaf: by loads that do not wait for one another.
    fn start_of(&self, key: u64) -> usize {
        let keys = &self.keys[..self.kids.len()];
        let below = |other: &&u64| **other < key;
        let start = keys.iter().step_by(LINE).filter(below).count().saturating_sub(1) * LINE;
        let end = keys.len().min(start + LINE);
        start + keys[start..end].iter().filter(below).count()
    }

    /// The child that holds the member of a rank, and that rank within the child.
    pub(super) fn seek_rank(&self, mut rank: u64) -> (usize, u64) {
        let last = self.kids.len() - 1;
        for (at, &count) in self.counts[..last].iter().enumerate() {
            if rank < count {
                return (at, rank);
            }
            rank -= count;
        }
        (last, rank)
    }

    /// Child `at`, to change it; [`Inner::refresh`] must follow.
    pub(super) fn kid_mut(&mut self, at: usize) -> &mut Node {
        &mut self.kids[at].node
    }

    /// Adds to the count of a child whose first member is the same as before.
    pub(super) fn add_count(&mut self, at: usize, n: u64) {
        self.counts[at] += n;
    }

    /// Takes from the count of a child whose first member is the same as before.
    pub(super) fn sub_count(&mut self, at: usize, n: u64) {
        self.counts[at] -= n;
    }

    /// Notes anew what child `at` starts with and how many members it has.
    pub(super) fn refresh(&mut self, at: usize) {
        let kid = &mut self.kids[at];
        kid.first = kid.node.first();
        self.keys[at] = kid.first.key();
        self.counts[at] = kid.node.count();
    }

    /// Puts a child at a place; there is room.
    pub(super) fn put(&mut self, at: usize, node: Node) {
        let len = self.kids.len();
        self.keys.copy_within(at..len, at + 1);
        self.counts.copy_within(at..len, at + 1);
        if len == self.kids.capacity() {
            self.kids.reserve_exact(if len < 4 { 2 } else { 4 });
        }
        self.kids.insert(at, Kid { first: node.first(), node });
        self.refresh(at);
    }

    /// Takes out a child.
    pub(super) fn take(&mut self, at: usize) -> Node {
        let len = self.kids.len();
        self.keys.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        self.kids.remove(at).node
    }

    /// Keeps the first `at` children and gives the others away.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let len = self.kids.len();
        let mut right = Self::new();
        right.keys[..len - at].copy_from_slice(&self.keys[at..len]);
        right.counts[..len - at].copy_from_slice(&self.counts[at..len]);
        right.kids = self.kids.split_off(at);
        self.kids.shrink_to_fit();
        right
    }

    /// Appends the children of the next node; there is room.
    pub(super) fn merge(&mut self, right: Self) {
        let (len, more) = (self.kids.len(), right.kids.len());
        self.keys[len..len + more].copy_from_slice(&right.keys[..more]);
        self.counts[len..len + more].copy_from_slice(&right.counts[..more]);
        self.kids.reserve_exact(more);
        self.kids.extend(right.kids);
    }

    /// Joins child `at` with a neighbour where one or the other is nearly empty, so that removals do
    /// not leave a tree of crumbs.
    pub(super) fn tidy(&mut self, at: usize) {
        if at >= self.kids.len() {
            return;
        }
        if self.kids[at].node.is_empty() {
            drop(self.take(at));
            return;
        }
        if !self.kids[at].node.is_sparse() {
            return;
        }
        for left in [at.wrapping_sub(1), at] {
            if left < self.kids.len().saturating_sub(1)
                && self.kids[left].node.fits(&self.kids[left + 1].node)
            {
                let right = self.take(left + 1);
                self.kids[left].node.merge(right);
                self.refresh(left);
                return;
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>()
            + self.kids.capacity() * size_of::<Kid>()
            + self.kids.iter().map(|kid| kid.node.heap_bytes()).sum::<usize>()
    }
}
