//! Big hashes: a table of cells with two parts, and the deadlines in order

use std::collections::BTreeSet;

use crate::item::Item;
use crate::packed::cells::{Cells, View};
use crate::seed;

use super::{Field, Ttl};

/// Heap bytes that one deadline takes in the ordered set: 16 in nodes filled to two thirds or so.
const DEADLINE_BYTES: usize = 26;

/// Invariant: `deadlines` has (d, h) exactly if some field with hash h has deadline d.
#[derive(Clone, Default)]
pub(super) struct Fields {
    cells: Cells<2>,
    deadlines: BTreeSet<(i64, u32)>,
}

pub(super) fn field(view: View<'_, 2>) -> Field<'_> {
    Field { name: view.first(), value: view.last(), deadline: view.deadline() }
}

impl Fields {
    pub(super) fn cells(&self) -> &Cells<2> {
        &self.cells
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.cells.heap_bytes() + self.deadlines.len() * DEADLINE_BYTES
    }

    pub(super) fn get(&self, name: Item<'_>) -> Option<Field<'_>> {
        self.cells.find(name).map(|slot| field(self.cells.view(slot)))
    }

    /// Adds a field that is not there.
    pub(super) fn add(&mut self, name: Item<'_>, value: Item<'_>, deadline: Option<i64>) {
        self.cells.insert([name, value], deadline);
        self.note(None, deadline, seed::hash(name));
    }

    /// Sets a field; says whether it was there.
    pub(super) fn set(&mut self, name: Item<'_>, value: Item<'_>, ttl: Ttl) -> bool {
        let Some(slot) = self.cells.find(name) else {
            self.add(name, value, ttl.resolve(None));
            return false;
        };
        let old = self.cells.view(slot).deadline();
        let new = ttl.resolve(old);
        self.cells.set_deadline(slot, new);
        self.cells.set_last(slot, value);
        self.note(old, new, seed::hash(name));
        true
    }

    /// Sets or clears a field's deadline; false if there is no such field.
    pub(super) fn set_deadline(&mut self, name: Item<'_>, deadline: Option<i64>) -> bool {
        let Some(slot) = self.cells.find(name) else { return false };
        let old = self.cells.view(slot).deadline();
        self.cells.set_deadline(slot, deadline);
        self.note(old, deadline, seed::hash(name));
        true
    }

    /// Removes a field after giving it to `f`.
    pub(super) fn take<R>(&mut self, name: Item<'_>, f: impl FnOnce(Field<'_>) -> R) -> Option<R> {
        let slot = self.cells.find(name)?;
        let found = field(self.cells.view(slot));
        let deadline = found.deadline;
        let result = f(found);
        self.cells.remove(slot);
        self.note(deadline, None, seed::hash(name));
        Some(result)
    }

    /// Brings the ordered deadlines up to date after a field with this hash went from one deadline
    /// to another.
    fn note(&mut self, old: Option<i64>, new: Option<i64>, hash: u32) {
        if old == new {
            return;
        }
        if let Some(old) = old
            && self.with_deadline(old, hash).is_none()
        {
            self.deadlines.remove(&(old, hash));
        }
        if let Some(new) = new {
            self.deadlines.insert((new, hash));
        }
    }

    /// A field with exactly this deadline and hash.
    fn with_deadline(&self, deadline: i64, hash: u32) -> Option<table::Slot> {
        self.cells.find_by(hash, |view| {
            view.deadline() == Some(deadline) && seed::hash(view.first()) == hash
        })
    }

    /// The earliest deadline.
    pub(super) fn next_expiry(&self) -> Option<i64> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Removes up to `limit` fields whose deadline lies before `now`, the earliest first, giving
    /// each to `on_field`; returns how many.
    pub(super) fn expire_due(
        &mut self,
        now: i64,
        limit: usize,
        on_field: &mut impl FnMut(Field<'_>),
    ) -> usize {
        let mut gone = 0;
        while gone < limit
            && let Some(&(deadline, hash)) = self.deadlines.first()
            && deadline < now
        {
            match self.with_deadline(deadline, hash) {
                Some(slot) => {
                    on_field(field(self.cells.view(slot)));
                    self.cells.remove(slot);
                    gone += 1;
                }
                None => {
                    self.deadlines.remove(&(deadline, hash));
                }
            }
        }
        // The last one's note may be without a field now.
        while let Some(&(deadline, hash)) = self.deadlines.first()
            && self.with_deadline(deadline, hash).is_none()
        {
            self.deadlines.remove(&(deadline, hash));
        }
        gone
    }

    /// Panics unless the deadlines in order are those of the fields.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let noted: BTreeSet<(i64, u32)> = self
            .cells
            .iter()
            .filter_map(|view| Some((view.deadline()?, seed::hash(view.first()))))
            .collect();
        assert_eq!(noted, self.deadlines);
    }
}
