//! Which members of a big sorted set a snapshot has been shown.

use std::fmt;
use std::sync::Arc;

use super::block::Block;
use super::tree::{MARKS, Marked};
use crate::cut::{Element, Scribe};

/// Every cut has a mark of its own, which members get that it was shown, and new ones. The marks come round; when so many
/// cuts in a row were left before their end that one could be taken for another, all members are marked anew.
#[derive(Default)]
pub(super) struct Shown {
    /// Of the last cut.
    mark: u8,
    /// Cuts since the last of which all was shown.
    unfinished: u8,
    scribe: Option<Arc<dyn Scribe>>,
    /// All members that are unshown come before this score key and member.
    place: Option<(u64, Box<[u8]>)>,
}

impl Shown {
    /// What a new member gets.
    pub(super) fn mark(&self) -> u8 {
        self.mark
    }

    pub(super) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.scribe.as_ref()
    }

    /// Shows a member of the cut to the scribe unless that has been done. It has just left the tree.
    #[inline]
    pub(super) fn before_change(&mut self, member: Marked) {
        if member.mark != self.mark {
            self.show(member.block);
        }
    }

    #[cold]
    fn show(&mut self, block: Block) {
        if let Some(scribe) = &self.scribe
            && !scribe.see(Element::Scored(block.member(), block.score()))
        {
            self.scribe = None;
        }
    }

    /// Begins a cut; gives the mark that all members must get first, if they must.
    pub(super) fn begin(&mut self, scribe: Arc<dyn Scribe>) -> Option<u8> {
        let all = (self.unfinished == MARKS - 1).then_some(self.mark);
        self.unfinished = if all.is_some() { 1 } else { self.unfinished + 1 };
        self.mark = (self.mark + 1) % MARKS;
        self.scribe = Some(scribe);
        self.place = None;
        all
    }

    /// Where the walk goes on, downwards.
    pub(super) fn place(&self) -> Option<(u64, &[u8])> {
        self.place.as_ref().map(|(key, member)| (*key, &**member))
    }

    /// Notes that this member, and all above it, were shown.
    pub(super) fn go_on_before(&mut self, last: Block) {
        self.place = Some((last.key(), last.member().into()));
    }

    /// Notes that all were shown.
    pub(super) fn end(&mut self) {
        (self.unfinished, self.scribe, self.place) = (0, None, None);
    }

    /// Goes on with a cut under way, if there is one, whose scribe has the set from now on.
    pub(super) fn forget_scribe(&mut self) -> Option<Arc<dyn Scribe>> {
        self.scribe.take()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way = self.scribe.is_some();
        f.debug_struct("Shown").field("mark", &self.mark).field("under_way", &under_way).finish()
    }
}
