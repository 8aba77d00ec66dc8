//! How a snapshot takes a big value in parts, while others go on changing it.
//!
//! At the cut the value is given a [`Scribe`]. From then on it shows every element that it has at that moment, as it
//! is at that moment, exactly once: to the snapshot's walk, which comes for some at a time, or else to the scribe,
//! right before the element changes or goes. The value itself knows what it has shown, so it does not matter who
//! changes it, in which command, or under which key. In which order elements are shown is left to the value.
//!
//! A value that is dropped before all of it was shown gives the scribe what it has left.

use std::sync::Arc;

use crate::item::Item;
use crate::list::Node;
use crate::{Object, ObjectMut, ObjectRef};

/// An element of a value that is taken in parts.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// A member of a set.
    Item(Item<'a>),
    /// A member of a sorted set, and its score.
    Scored(&'a [u8], f64),
    /// A field of a hash, and its value.
    Field(Item<'a>, Item<'a>),
    /// A node of a list, and which one it is, from 1 on: nodes may be shown in another order.
    Node(u32, Node<'a>),
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
    /// Whether the value can be taken in parts: big collections can, unless some elements have deadlines, for which
    /// the formats have a place before the elements.
    pub fn has_parts(self) -> bool {
        match self {
            Self::List(list) => list.has_parts(),
            Self::Set(set) => set.has_parts(),
            Self::Hash(hash) => hash.has_parts(),
            Self::SortedSet(zset) => zset.has_parts(),
            _ => false,
        }
    }

    /// How many elements it shows when it is taken in parts.
    pub fn parts(self) -> usize {
        if let Self::List(list) = self { list.nodes().count() } else { self.elements() }
    }

    /// Who takes the value in parts at this time.
    pub fn scribe(self) -> Option<Arc<dyn Scribe>> {
        match self {
            Self::List(list) => list.scribe().cloned(),
            Self::Set(set) => set.scribe().cloned(),
            Self::Hash(hash) => hash.scribe().cloned(),
            Self::SortedSet(zset) => zset.scribe().cloned(),
            _ => None,
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
            Self::String(_) | Self::Stream(_) => {}
        }
    }

    /// Shows some elements of the cut, after looking at about `most`; true when it has shown the last of them.
    pub fn show_some(self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        match self {
            Self::List(list) => list.show_some(most, f),
            Self::Set(set) => set.show_some(most, f),
            Self::Hash(hash) => hash.show_some(most, f),
            Self::SortedSet(zset) => zset.show_some(most, f),
            _ => true,
        }
    }
}
