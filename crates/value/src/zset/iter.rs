//! Walking along a sorted set.

use super::{compact, tree};

/// Members with their scores, upwards or downwards. Each step costs the same whatever the set's size,
/// and nothing is allocated.
#[derive(Clone, Debug)]
pub struct Iter<'a>(pub(super) Inner<'a>);

#[derive(Clone, Debug)]
pub(super) enum Inner<'a> {
    Compact(compact::Walk<'a>),
    Big(tree::Walk<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Inner::Compact(walk) => walk.next(),
            // The walk borrows the set for 'a, so the block lives as long as what is given out here.
            Inner::Big(walk) => walk.next().map(|block| (block.member(), block.score())),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Inner::Compact(walk) => walk.size_hint(),
            Inner::Big(walk) => walk.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}
