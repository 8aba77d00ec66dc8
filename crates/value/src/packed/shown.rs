//! Which cells of a big set or hash a snapshot has been shown.

use std::ops::Range;
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
/// bit tells all, also of cells that come later. Where members have deadlines the walk comes twice, for these first.
pub(crate) struct Shown<const PARTS: usize> {
    scribe: Option<Arc<dyn Scribe>>,
    /// The value that such cells make, if they are one.
    to_value: Option<fn(Timed<PARTS>) -> crate::Object>,
    /// Below this position all deadlines of members are shown, where they are apart; a multiple of a slice.
    dated: u32,
    /// Below this position all is shown; a multiple of a slice.
    walked: u32,
    /// A bit for each slice.
    slices: Box<[u64]>,
    /// Positions of a slice.
    width: u32,
}

/// The element of a value that a cell is.
fn element<const PARTS: usize>(view: View<'_, PARTS>) -> Element<'_> {
    match PARTS {
        1 => Element::Item(view.first()),
        _ => Element::Field(view.first(), view.last(), view.deadline()),
    }
}

fn deadline<const PARTS: usize>(view: View<'_, PARTS>) -> Option<Element<'_>> {
    Some(Element::Deadline(view.first(), view.deadline()?))
}

impl<const PARTS: usize> Shown<PARTS> {
    /// Nothing of the `cells` that there are now.
    pub(crate) fn begin(
        scribe: Arc<dyn Scribe>,
        cells: usize,
        to_value: fn(Timed<PARTS>) -> crate::Object,
    ) -> Self {
        Self { dated: POSITIONS, walked: 0, to_value: Some(to_value), ..Self::all(scribe, cells) }
    }

    /// Nothing of the deadlines of these cells, which are all that is to be shown of them.
    pub(crate) fn of_deadlines(scribe: Arc<dyn Scribe>, cells: usize) -> Self {
        Self { dated: 0, ..Self::all(scribe, cells) }
    }

    /// All of so many cells.
    fn all(scribe: Arc<dyn Scribe>, cells: usize) -> Self {
        let slices = cells.next_power_of_two().clamp(64, POSITIONS as usize);
        let width = POSITIONS / slices as u32;
        let slices = vec![0; slices / 64].into();
        let (dated, walked) = (POSITIONS, POSITIONS);
        Self { scribe: Some(scribe), to_value: None, dated, walked, slices, width }
    }

    /// Has the deadlines of the cells shown apart from them.
    pub(crate) fn begin_deadlines(&mut self) {
        self.dated = 0;
    }

    /// Whether the cells go to the scribe when they are dropped.
    pub(crate) fn passes_on(&self) -> bool {
        self.to_value.is_some()
    }

    pub(crate) fn forget_scribe(&mut self) {
        self.scribe = None;
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
        let (is_dated, is_walked) = (position < self.dated, position < self.walked);
        if is_dated && is_walked || self.is_marked(position) {
            return true;
        }
        let (word, bit) = self.bit(position);
        if let Some(word) = self.slices.get_mut(word) {
            *word |= bit;
        }
        let start = position / self.width * self.width;
        let mut is_wanted = true;
        if let Some(scribe) = &self.scribe {
            cells.visit(start..start + self.width, |view| {
                let due = deadline(view).filter(|_| !is_dated);
                let own = (!is_walked).then(|| element(view));
                due.into_iter().chain(own).for_each(|element| is_wanted &= scribe.see(element));
            });
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
        while seen < most && self.dated < POSITIONS {
            let (end, positions) = self.next(self.dated);
            self.dated = end;
            cells.visit(positions, |view| {
                seen += 1;
                deadline(view).into_iter().for_each(&mut *f);
            });
            seen += 1;
        }
        while seen < most && self.walked < POSITIONS {
            let (end, positions) = self.next(self.walked);
            self.walked = end;
            cells.visit(positions, |view| {
                seen += 1;
                f(element(view));
            });
            seen += 1;
        }
        self.dated == POSITIONS && self.walked == POSITIONS
    }

    /// How far the walk gets from a position on, and the positions of that which are not marked.
    fn next(&self, start: u32) -> (u32, Range<u32>) {
        let slices = (start..POSITIONS).step_by(self.width as usize).take(SLICES_AT_ONCE);
        let unmarked = slices.take_while(|position| !self.is_marked(*position)).count() as u32;
        (start + unmarked.max(1) * self.width, start..start + unmarked * self.width)
    }

    /// Gives what is left to the scribe.
    pub(crate) fn pass_on(mut self: Box<Self>, mut cells: Timed<PARTS>) {
        if let (Some(scribe), Some(to_value)) = (self.scribe.take(), self.to_value) {
            cells.resume(self);
            scribe.inherit(to_value(cells));
        }
    }
}

/// The hash by which a cell is found.
pub(crate) fn hash_of<const PARTS: usize>(parts: &[Item<'_>; PARTS]) -> u32 {
    parts.first().map_or(0, |first| crate::seed::hash(*first))
}
