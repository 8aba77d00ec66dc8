//! A node of the tree: a leaf or an inner one, and the recursive operations on them.

use super::super::block::Block;
use super::super::probe::Probe;
use super::inner::{FANOUT, Inner};
use super::leaf::{CAP, Leaf, Marked};

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Leaf),
    Inner(Box<Inner>),
}

/// Whether a node lies at the left and at the right end of the tree. There, members that arrive in order
/// are split off alone, so that they leave full nodes behind them.
#[derive(Clone, Copy)]
pub(super) struct Edge {
    pub(super) left: bool,
    pub(super) right: bool,
}

/// A member to be put in.
#[derive(Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) member: Marked,
    /// Of its score.
    pub(super) key: u64,
    /// Its place.
    pub(super) probe: Probe<'a>,
}

impl Node {
    /// The first member; the node is not empty.
    pub(super) fn first(&self) -> Block {
        match self {
            Self::Leaf(leaf) => leaf.get(0),
            Self::Inner(inner) => inner.first(),
        }
    }

    /// Members under this node.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Leaf(leaf) => leaf.len() as u64,
            Self::Inner(inner) => inner.count(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.len() == 0,
            Self::Inner(inner) => inner.len() == 0,
        }
    }

    /// Whether it is empty enough to be worth joining with a neighbour.
    pub(super) fn is_sparse(&self) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.len() < CAP / 2,
            Self::Inner(inner) => inner.len() < FANOUT / 2,
        }
    }

    /// Whether this node and its right neighbour fit in one that is not quite full.
    pub(super) fn fits(&self, right: &Self) -> bool {
        match (self, right) {
            (Self::Leaf(a), Self::Leaf(b)) => a.len() + b.len() <= CAP * 3 / 4,
            (Self::Inner(a), Self::Inner(b)) => a.len() + b.len() <= FANOUT * 3 / 4,
            _ => false,
        }
    }

    /// Takes in the members of the right neighbour, which is a node of the same kind that fits.
    pub(super) fn merge(&mut self, right: Self) {
        match (self, right) {
            (Self::Leaf(a), Self::Leaf(b)) => a.merge(b),
            (Self::Inner(a), Self::Inner(b)) => a.merge(*b),
            _ => unreachable!("all leaves of a tree have one depth"),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.heap_bytes(),
            Self::Inner(inner) => inner.heap_bytes(),
        }
    }

    /// Puts a member where its probe says. Whether it is the first then; and where the node had to be split, its new
    /// right neighbour.
    pub(super) fn insert(&mut self, new: New<'_>, edge: Edge) -> (bool, Option<Self>) {
        match self {
            Self::Leaf(leaf) => {
                let at = leaf.position(&new.probe);
                (at == 0, insert_leaf(leaf, at, new, edge).map(Self::Leaf))
            }
            Self::Inner(inner) => {
                let (first, right) = insert_inner(inner, new, edge);
                (first, right.map(|right| Self::Inner(Box::new(right))))
            }
        }
    }

    /// Takes out a member that is under this node, of this key; and whether it was the first. The node may be empty
    /// afterwards.
    pub(super) fn remove(&mut self, key: u64, member: &[u8]) -> Option<(Marked, bool)> {
        match self {
            Self::Leaf(leaf) => {
                let at = leaf.position(&Probe::At(key, member));
                (at < leaf.len()).then(|| (leaf.remove(at), at == 0))
            }
            Self::Inner(inner) => {
                let kid = inner.seek_kid(&Probe::Past(key, member));
                let (gone, first) = inner.kid_mut(kid).remove(key, member)?;
                if inner.kid_mut(kid).is_empty() {
                    drop(inner.take(kid));
                } else {
                    match first {
                        true => inner.refresh(kid),
                        false => inner.sub_count(kid, 1),
                    }
                    inner.tidy(kid);
                }
                Some((gone, first && kid == 0))
            }
        }
    }

    /// Takes out the members of ranks `start..end`, in order. The node may be empty afterwards.
    pub(super) fn drain(&mut self, start: u64, end: u64, f: &mut impl FnMut(Marked)) {
        match self {
            Self::Leaf(leaf) => leaf.drain(start as usize..end as usize, f),
            Self::Inner(inner) => drain_inner(inner, start, end, f),
        }
    }
}

fn insert_leaf(leaf: &mut Leaf, at: usize, new: New<'_>, edge: Edge) -> Option<Leaf> {
    let New { key, member: new, .. } = new;
    if !leaf.is_full() {
        leaf.insert(at, key, new);
        return None;
    }
    if edge.right && at == leaf.len() {
        return Some(alone(key, new));
    }
    if edge.left && at == 0 {
        return Some(std::mem::replace(leaf, alone(key, new)));
    }
    let half = leaf.len() / 2;
    let mut right = leaf.split_off(half);
    if at <= half {
        leaf.insert(at, key, new);
    } else {
        right.insert(at - half, key, new);
    }
    Some(right)
}

/// A leaf of one member.
fn alone(key: u64, new: Marked) -> Leaf {
    let mut leaf = Leaf::default();
    leaf.insert(0, key, new);
    leaf
}

fn insert_inner(inner: &mut Inner, new: New<'_>, edge: Edge) -> (bool, Option<Inner>) {
    let kid = inner.seek_kid(&new.probe);
    let below = Edge { left: edge.left && kid == 0, right: edge.right && kid + 1 == inner.len() };
    let (first, right) = inner.kid_mut(kid).insert(new, below);
    let right = match right {
        None if !first => {
            inner.add_count(kid, 1);
            None
        }
        right => {
            inner.refresh(kid);
            right.and_then(|node| put_behind(inner, kid, node, edge))
        }
    };
    (first && kid == 0, right)
}

/// Puts a node behind a child; where there was no room, the new right neighbour comes back.
fn put_behind(inner: &mut Inner, kid: usize, node: Node, edge: Edge) -> Option<Inner> {
    let place = kid + 1;
    if inner.len() < FANOUT {
        inner.put(place, node);
        return None;
    }
    if edge.right && place == inner.len() {
        return Some(Inner::of([node]));
    }
    // At the left end the first child stays with its new neighbour, and the full rest moves on.
    let half = if edge.left && kid == 0 { 1 } else { inner.len() / 2 };
    let mut right = inner.split_off(half);
    if place <= half {
        inner.put(place, node);
    } else {
        right.put(place - half, node);
    }
    Some(right)
}

fn drain_inner(inner: &mut Inner, start: u64, end: u64, f: &mut impl FnMut(Marked)) {
    let mut wanted = end - start;
    let (from, mut start) = inner.seek_rank(start);
    let mut kid = from;
    while wanted > 0 && kid < inner.len() {
        let node = inner.kid_mut(kid);
        let stop = node.count().min(start + wanted);
        node.drain(start, stop, f);
        wanted -= stop - start;
        start = 0;
        if node.is_empty() {
            drop(inner.take(kid));
        } else {
            inner.refresh(kid);
            kid += 1;
        }
    }
    if kid > from + 1 {
        inner.tidy(kid - 1);
    }
    inner.tidy(from);
}
