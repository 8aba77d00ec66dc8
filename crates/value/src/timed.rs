//! Deadlines inside a value: a table of cells, some with a deadline, and these in order.
//!
//! One mechanism for fields of hashes, members of sets and members of sorted sets. Big hashes and sets keep all
//! they have in such a table; a sorted set keeps those members in one beside itself that have a deadline.
//!
//! A deadline is a Unix time in milliseconds. What has one is there until [`Timed::expire_due`] takes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use table::Slot;

use crate::cut::{Element, Scribe};
use crate::item::Item;
use crate::packed::cells::{Cells, View};
use crate::packed::shown::{Shown, hash_of};
use crate::seed;

/// Heap bytes that one deadline takes in the ordered set: 16 in nodes filled to two thirds or so.
const DEADLINE_BYTES: usize = 26;

/// Invariant: `order` has (d, h) exactly if some cell whose first part has hash h has deadline d.
#[derive(Default)]
pub(crate) struct Timed<const PARTS: usize> {
    cells: Cells<PARTS>,
    order: BTreeSet<(i64, u32)>,
    /// What a snapshot under way has seen.
    shown: Option<Box<Shown<PARTS>>>,
}

impl<const PARTS: usize> Timed<PARTS> {
    pub(crate) fn cells(&self) -> &Cells<PARTS> {
        &self.cells
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.cells.heap_bytes() + self.order.len() * DEADLINE_BYTES
    }

    /// The cell whose first part is `item`.
    pub(crate) fn get(&self, item: Item<'_>) -> Option<View<'_, PARTS>> {
        self.cells.find(item).map(|slot| self.cells.view(slot))
    }

    /// Adds a cell; the caller knows that its first part is absent.
    pub(crate) fn insert(&mut self, parts: [Item<'_>; PARTS], deadline: Option<i64>) {
        self.insert_hashed(hash_of(&parts), parts, deadline);
    }

    /// As [`Timed::insert`], with the hash of the first part.
    pub(crate) fn insert_hashed(
        &mut self,
        hash: u32,
        parts: [Item<'_>; PARTS],
        deadline: Option<i64>,
    ) {
        self.before_change(|_| hash);
        self.cells.insert(hash, parts, deadline);
        self.note(None, deadline, hash);
    }

    /// Makes room for so many cells in all.
    pub(crate) fn reserve(&mut self, cells: usize) {
        self.cells.reserve(cells);
    }

    /// Gives back what was reserved and not used.
    pub(crate) fn fit(&mut self) {
        self.cells.fit();
    }

    /// Puts `item` in the place of the last part of a cell.
    pub(crate) fn set_last(&mut self, slot: Slot, item: Item<'_>) {
        self.before_change(|cells| seed::hash(cells.view(slot).first()));
        self.cells.set_last(slot, item);
    }

    /// Sets or clears a cell's deadline.
    pub(crate) fn set_deadline(&mut self, slot: Slot, deadline: Option<i64>) {
        let view = self.cells.view(slot);
        let old = view.deadline();
        // Few cells have deadlines, and only those are worth a hash.
        if old != deadline {
            let hash = seed::hash(view.first());
            self.before_change(|_| hash);
            self.cells.set_deadline(slot, deadline);
            self.note(old, deadline, hash);
        }
    }

    /// Takes a cell out.
    pub(crate) fn remove(&mut self, slot: Slot) {
        self.before_change(|cells| seed::hash(cells.view(slot).first()));
        let view = self.cells.view(slot);
        match view.deadline() {
            None => self.cells.remove(slot),
            old => {
                let hash = seed::hash(view.first());
                self.cells.remove(slot);
                self.note(old, None, hash);
            }
        }
    }

    /// Brings the order up to date after a cell with this hash went from one deadline to another.
    fn note(&mut self, old: Option<i64>, new: Option<i64>, hash: u32) {
        if let Some(old) = old
            && self.with_deadline(old, hash).is_none()
        {
            self.order.remove(&(old, hash));
        }
        if let Some(new) = new {
            self.order.insert((new, hash));
        }
    }

    /// A cell with exactly this deadline and hash.
    fn with_deadline(&self, deadline: i64, hash: u32) -> Option<Slot> {
        self.cells.find_by(hash, |view| {
            view.deadline() == Some(deadline) && seed::hash(view.first()) == hash
        })
    }

    /// The earliest deadline.
    pub(crate) fn next_expiry(&self) -> Option<i64> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out up to `limit` cells whose deadline lies before `now`, the earliest first, and shows each
    /// to `f`; returns how many.
    pub(crate) fn expire_due(
        &mut self,
        now: i64,
        limit: usize,
        mut f: impl FnMut(View<'_, PARTS>),
    ) -> usize {
        let mut gone = 0;
        while gone < limit
            && let Some(&(deadline, hash)) = self.order.first()
            && deadline < now
        {
            if let Some(slot) = self.with_deadline(deadline, hash) {
                self.before_change(|_| hash);
                f(self.cells.view(slot));
                self.cells.remove(slot);
                gone += 1;
            }
            if self.with_deadline(deadline, hash).is_none() {
                self.order.remove(&(deadline, hash));
            }
        }
        gone
    }

    pub(crate) fn scribe(&self) -> Option<&Arc<dyn Scribe>> {
        self.shown.as_ref()?.scribe()
    }

    /// Makes this moment the cut at which `scribe` takes the cells in parts; `to_value` makes a value of such.
    pub(crate) fn begin_cut(
        &mut self,
        scribe: Arc<dyn Scribe>,
        to_value: fn(Self) -> crate::Object,
    ) {
        let mut shown = Shown::begin(scribe, self.cells.len(), to_value);
        if PARTS == 1 && !self.order.is_empty() {
            shown.begin_deadlines();
        }
        self.shown = Some(Box::new(shown));
    }

    /// The same where the deadlines alone are taken: the members are in another place, and so is who passes them on.
    pub(crate) fn begin_deadlines(&mut self, scribe: Arc<dyn Scribe>) {
        self.shown = Some(Box::new(Shown::of_deadlines(scribe, self.cells.len())));
    }

    /// Whether a cut is under way.
    pub(crate) fn is_taken(&self) -> bool {
        self.shown.is_some()
    }

    /// Goes on with a cut whose scribe has all that there is.
    pub(crate) fn forget_scribe(&mut self) {
        if let Some(shown) = &mut self.shown {
            shown.forget_scribe();
        }
    }

    /// Goes on with a cut that was begun on these cells.
    pub(crate) fn resume(&mut self, shown: Box<Shown<PARTS>>) {
        self.shown = Some(shown);
    }

    /// Shows some cells of the cut; true when it has shown the last.
    pub(crate) fn show_some(&mut self, most: usize, f: &mut dyn FnMut(Element<'_>)) -> bool {
        let Some(shown) = &mut self.shown else { return true };
        let is_done = shown.show_some(&self.cells, most, f);
        if is_done {
            self.shown = None;
        }
        is_done
    }

    /// To be called before the cell of an item with this hash comes, changes or goes.
    #[inline]
    fn before_change(&mut self, hash: impl FnOnce(&Cells<PARTS>) -> u32) {
        if let Some(shown) = &mut self.shown
            && !shown.before_change(&self.cells, hash(&self.cells))
        {
            self.shown = None;
        }
    }

    /// Panics unless the deadlines in order are those of the cells.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let noted: BTreeSet<(i64, u32)> = self
            .cells
            .iter()
            .filter_map(|view| Some((view.deadline()?, seed::hash(view.first()))))
            .collect();
        assert_eq!(noted, self.order);
    }
}

/// A copy is nothing that a snapshot waits for.
impl<const PARTS: usize> Clone for Timed<PARTS> {
    fn clone(&self) -> Self {
        Self { cells: self.cells.clone(), order: self.order.clone(), shown: None }
    }
}

impl<const PARTS: usize> Drop for Timed<PARTS> {
    fn drop(&mut self) {
        if let Some(shown) = self.shown.take_if(|shown| shown.passes_on()) {
            let (cells, order) = (std::mem::take(&mut self.cells), std::mem::take(&mut self.order));
            shown.pass_on(Self { cells, order, shown: None });
        }
    }
}
