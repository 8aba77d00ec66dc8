//! Which cells of a big set or hash a snapshot has been shown.

use std::sync::Arc;

use table::POSITIONS;

use super::cells::{Cells, View};
use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::timed::Timed;

/// Slices that are walked at once at most.
const SLICES_AT_ONCE: usize = 64;

/// A cut under way: which cells of it have been shown.
///
/// Cells do not move in the order of the table, so this is a matter of places: those walked over, and slices of a
/// position or more of which one cell was about to change. With one cell the others of its slice are shown, so that a
/// bit tells all, also of cells that come later.
pub(crate) struct Shown<const PARTS: usize> {
    scribe: Option<Arc<dyn Scribe>>,
    /// The value that such cells make.
    to_value: fn(Timed<PARTS>) -> crate::Object,
    /// Below this position all is shown; a multiple of a slice.
    walked: u32,
    /// A bit for each slice.
    slices: Box<[u64]>,
    /// Positions of a slice.
    width: u32,
}

/// The element of a value that a cell is.
fn element<const PARTS: usize>(view: View<'_, PARTS>) -> Element<'_> {
    if PARTS == 1 { Element::Item(view.first()) } else { Element::Field(view.first(), view.last()) }
}

impl<const PARTS: usize> Shown<PARTS> {
    /// Nothing of the `cells` that there are now.
    pub(crate) fn begin(
        scribe: Arc<dyn Scribe>,
        cells: usize,
        to_value: fn(Timed<PARTS>) -> crate::Object,
    ) -> Self {
        let slices = cells.next_power_of_two().clamp(64, POSITIONS as usize);
        let width = POSITIONS / slices as u32;
        let slices = vec![0; slices / 64].into();
        Self { scribe: Some(scribe), to_value, walked: 0, slices, width }
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.scribe.as_ref()
    }

    /// The word and the bit of the slice in which a position lies.
    fn bit(&self, position: u32) -> (usize, u64) {
        let slice = (position / self.width) as usize;
        (slice / 64, 1 << (slice % 64))
    }

    fn is_marked(&self, position: u32) -> bool {
        let (word, bit) = self.bit(position);
        self.slices.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Shows the cells around an item of this hash to the scribe unless that has been done; false when nobody wants it.
    pub(crate) fn before_change(&mut self, cells: &Cells<PARTS>, hash: u32) -> bool {
        let position = cells.position(hash);
        if position < self.walked || self.is_marked(position) {
            return true;
        }
        let (word, bit) = self.bit(position);
        if let Some(word) = self.slices.get_mut(word) {
            *word |= bit;
        }
        let start = position / self.width * self.width;
        let mut is_wanted = true;
        if let Some(scribe) = &self.scribe {
            cells.visit(start..start + self.width, |view| is_wanted &= scribe.see(element(view)));
        }
        is_wanted
    }

    /// Shows some of the cells that have not been shown, after looking at about `most`; true at the end.
    pub(crate) fn show_some(
        &mut self,
        cells: &Cells<PARTS>,
        most: usize,
        f: &mut dyn FnMut(Element<'_>),
    ) -> bool {
        let mut seen = 0;
        while seen < most && self.walked < POSITIONS {
            let start = self.walked;
            let slices = (start..POSITIONS).step_by(self.width as usize).take(SLICES_AT_ONCE);
            let unmarked = slices.take_while(|position| !self.is_marked(*position)).count() as u32;
            self.walked += unmarked.max(1) * self.width;
            if unmarked > 0 {
                cells.visit(start..self.walked, |view| {
                    seen += 1;
                    f(element(view));
                });
            }
            seen += 1;
        }
        self.walked == POSITIONS
    }

    /// Gives what is left to the scribe.
    pub(crate) fn pass_on(mut self: Box<Self>, mut cells: Timed<PARTS>) {
        if let Some(scribe) = self.scribe.take() {
            let to_value = self.to_value;
            cells.resume(self);
            scribe.inherit(to_value(cells));
        }
    }
}

/// The hash by which a cell is found.
pub(crate) fn hash_of<const PARTS: usize>(parts: &[Item<'_>; PARTS]) -> u32 {
    parts.first().map_or(0, |first| crate::seed::hash(*first))
}
