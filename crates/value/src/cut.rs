//! How a snapshot takes a big value in parts, while others go on changing it.
//!
//! At the cut the value is given a [`Scribe`]. From then on it shows every element that it has at that moment, as it
//! is at that moment, exactly once: to the snapshot's walk, which comes for some at a time, or else to the scribe,
//! right before the element changes or goes. The value itself knows what it has shown, so it does not matter who
//! changes it, in which command, or under which key. In which order elements are shown is left to the value, but for
//! this: all deadlines of members ([`Element::Deadline`]) have been shown before the walk is shown anything else.
//!
//! A value that is dropped before all of it was shown gives the scribe what it has left.

use std::sync::Arc;

use crate::item::Item;
use crate::list::Node;
use crate::stream::{Id, Part};
use crate::{Object, ObjectMut, ObjectRef};

/// An element of a value that is taken in parts.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// A member of a set.
    Item(Item<'a>),
    /// A member of a sorted set, and its score.
    Scored(&'a [u8], f64),
    /// A field of a hash, its value, and when it expires, in Unix milliseconds.
    Field(Item<'a>, Item<'a>, Option<i64>),
    /// A node of a list, and which one it is, from 1 on: nodes may be shown in another order.
    Node(u32, Node<'a>),
    /// Entries of a stream that lie together, and where: blocks may be shown in another order, but the walk is shown
    /// its ones upwards.
    Block(Id, Part<'a>),
    /// When a member of a set or a sorted set expires, beside the member itself, which is an element of its own: the
    /// formats have a place for this before or behind all elements.
    Deadline(Item<'a>, i64),
}

/// Who takes a value in parts, as the value knows it.
pub trait Scribe: Send + Sync {
    /// This element is about to change. False when nobody wants to see elements any more.
    fn see(&self, element: Element<'_>) -> bool;

    /// The value lies at this key of a physical database from now on.
    fn placed(&self, database: usize, key: &[u8]);

    /// Nobody has the value any more. What it has not shown is still there.
    fn inherit(&self, rest: Object);
}

impl ObjectRef<'_> {
    /// Whether the value can be taken in parts: big collections can.
    pub fn has_parts(self) -> bool {
        match self {
            Self::List(list) => list.has_parts(),
            Self::Set(set) => set.has_parts(),
            Self::Hash(hash) => hash.has_parts(),
            Self::SortedSet(zset) => zset.has_parts(),
            Self::Stream(stream) => stream.has_parts(),
            Self::String(_) => false,
        }
    }

    /// How many elements it shows when it is taken in parts, deadlines of members not counted.
    pub fn parts(self) -> usize {
        match self {
            Self::List(list) => list.nodes().count(),
            Self::Stream(stream) => stream.blocks(),
            _ => self.elements(),
        }
    }

    /// How many elements a snapshot deals with at once when it sees the value: all, unless it takes it in parts. What the
    /// groups of a stream have pending is taken at once.
    pub fn seen_at_once(self) -> usize {
        match self {
            Self::Stream(stream) if stream.has_parts() => stream.pending_len(),
            Self::Stream(stream) => stream.pending_len() + self.elements(),
            _ if self.has_parts() => 0,
            _ => self.elements(),
        }
    }

    /// Who takes the value in parts at this time.
    pub fn scribe(self) -> Option<Arc<dyn Scribe>> {
        match self {
            Self::List(list) => list.scribe().cloned(),
            Self::Set(set) => set.scribe().cloned(),
            Self::Hash(hash) => hash.scribe().cloned(),
            Self::SortedSet(zset) => zset.scribe().cloned(),
            Self::Stream(stream) => stream.scribe().cloned(),
            Self::String(_) => None,
        }
    }
}

impl ObjectMut<'_> {
    /// Makes this moment the cut at which `scribe` takes a value that has parts. Another who was at it is left.
    pub fn begin_cut(self, scribe: Arc<dyn Scribe>) {
        match self {
            Self::List(list) => list.begin_cut(scribe),
            Self::Set(set) => set.begin_cut(scribe),
            Self::Hash(hash) => hash.begin_cut(scribe),
            Self::SortedSet(zset) => zset.begin_cut(scribe),
            Self::Stream(stream) => stream.begin_cut(scribe),
            Self::String(_) => {}
        }
    }

    /// Shows some elements of the cut, after looking at about `most`; true when it has shown the last of them.
    pub fn show_some(self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        match self {
            Self::List(list) => list.show_some(most, f),
            Self::Set(set) => set.show_some(most, f),
            Self::Hash(hash) => hash.show_some(most, f),
            Self::SortedSet(zset) => zset.show_some(most, f),
            Self::Stream(stream) => stream.show_some(most, f),
            Self::String(_) => true,
        }
    }
}
