//! Which blocks of a stream a snapshot has been shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::block::{Block, Part};
use super::id::Id;
use crate::cut::{Element, Scribe};

/// Nothing, or a cut under way. Blocks are shown from the first up; one that is about to change before its turn is noted.
#[derive(Default)]
pub(super) struct Shown(Option<Box<UnderWay>>);

struct UnderWay {
    scribe: Option<Arc<dyn Scribe>>,
    /// Blocks that begin before this have been shown.
    place: Id,
    /// The last block of the cut.
    last: Id,
    /// Blocks from `place` to `last` that have been shown, or were made after the cut: IDs can be set back.
    noted: BTreeSet<Id>,
}

impl Shown {
    /// Nothing of these blocks.
    pub(super) fn begin(scribe: Arc<dyn Scribe>, blocks: &BTreeMap<Id, Block>) -> Self {
        let Some((&last, _)) = blocks.last_key_value() else { return Self(None) };
        let noted = BTreeSet::new();
        Self(Some(Box::new(UnderWay { scribe: Some(scribe), place: Id::MIN, last, noted })))
    }

    pub(super) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.0.as_ref()?.scribe.as_ref()
    }

    /// Goes on with a cut under way, if there is one, whose scribe has the stream from now on.
    pub(super) fn forget_scribe(&mut self) -> Option<Arc<dyn Scribe>> {
        self.0.as_mut()?.scribe.take()
    }

    /// To be called before a block changes, or when it has gone.
    #[inline]
    pub(super) fn before_change(&mut self, first: Id, block: &Block) {
        if let Some(cut) = &mut self.0
            && !cut.before_change(first, block)
        {
            self.0 = None;
        }
    }

    /// To be called when a block is made.
    #[inline]
    pub(super) fn before_new(&mut self, first: Id) {
        if let Some(cut) = &mut self.0
            && first <= cut.last
        {
            cut.noted.insert(first);
        }
    }

    /// Shows some blocks of the cut with about `most` entries; true when it has shown the last.
    pub(super) fn show_some(
        &mut self,
        blocks: &BTreeMap<Id, Block>,
        most: usize,
        f: &mut dyn FnMut(Element<'_>),
    ) -> bool {
        let Some(cut) = &mut self.0 else { return true };
        let mut seen = 0;
        let rest = (cut.place <= cut.last).then(|| blocks.range(cut.place..=cut.last));
        for (&first, block) in rest.into_iter().flatten() {
            if seen >= most {
                cut.place = first;
                return false;
            }
            if cut.noted.contains(&first) {
                seen += 1;
            } else {
                seen += block.count() as usize;
                f(Element::Block(first, Part(block)));
            }
        }
        self.0 = None;
        true
    }
}

impl UnderWay {
    /// Shows a block to the scribe unless that has been done; false when nobody wants it.
    #[cold]
    fn before_change(&mut self, first: Id, block: &Block) -> bool {
        if first < self.place || first > self.last || !self.noted.insert(first) {
            return true;
        }
        match &self.scribe {
            Some(scribe) => scribe.see(Element::Block(first, Part(block))),
            None => true,
        }
    }
}

/// A copy is nothing that a snapshot waits for.
impl Clone for Shown {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").field("under_way", &self.0.is_some()).finish()
    }
}
