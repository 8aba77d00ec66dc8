//! Big hashes: a table of cells with two parts, and their deadlines in order

use crate::item::Item;
use crate::packed::cells::{Cells, View};
use crate::timed::Timed;

use super::{Field, Ttl};

#[derive(Clone, Default)]
pub(super) struct Fields(Timed<2>);

pub(super) fn field(view: View<'_, 2>) -> Field<'_> {
    Field { name: view.first(), value: view.last(), deadline: view.deadline() }
}

impl Fields {
    pub(super) fn of(fields: Timed<2>) -> Self {
        Self(fields)
    }

    pub(super) fn timed(&self) -> &Timed<2> {
        &self.0
    }

    pub(super) fn timed_mut(&mut self) -> &mut Timed<2> {
        &mut self.0
    }

    pub(super) fn cells(&self) -> &Cells<2> {
        self.0.cells()
    }

    /// Makes room for so many fields in all.
    pub(super) fn reserve(&mut self, fields: usize) {
        self.0.reserve(fields);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    pub(super) fn get(&self, name: Item<'_>) -> Option<Field<'_>> {
        self.0.get(name).map(field)
    }

    /// Adds a field that is not there.
    pub(super) fn add(&mut self, name: Item<'_>, value: Item<'_>, deadline: Option<i64>) {
        self.0.insert([name, value], deadline);
    }

    /// Sets a field; says whether it was there.
    pub(super) fn set(&mut self, name: Item<'_>, value: Item<'_>, ttl: Ttl) -> bool {
        let Some(slot) = self.cells().find(name) else {
            self.add(name, value, ttl.resolve(None));
            return false;
        };
        let old = self.cells().view(slot).deadline();
        self.0.set_deadline(slot, ttl.resolve(old));
        self.0.set_last(slot, value);
        true
    }

    /// Sets or clears a field's deadline; false if there is no such field.
    pub(super) fn set_deadline(&mut self, name: Item<'_>, deadline: Option<i64>) -> bool {
        let slot = self.cells().find(name);
        slot.inspect(|slot| self.0.set_deadline(*slot, deadline)).is_some()
    }

    /// Removes a field after giving it to `f`.
    pub(super) fn take<R>(&mut self, name: Item<'_>, f: impl FnOnce(Field<'_>) -> R) -> Option<R> {
        let slot = self.cells().find(name)?;
        let result = f(field(self.cells().view(slot)));
        self.0.remove(slot);
        Some(result)
    }

    /// The earliest deadline.
    pub(super) fn next_expiry(&self) -> Option<i64> {
        self.0.next_expiry()
    }

    /// Removes up to `limit` fields whose deadline lies before `now`, the earliest first, giving
    /// each to `on_field`; returns how many.
    pub(super) fn expire_due(
        &mut self,
        now: i64,
        limit: usize,
        on_field: &mut impl FnMut(Field<'_>),
    ) -> usize {
        self.0.expire_due(now, limit, |view| on_field(field(view)))
    }

    /// Panics unless the deadlines in order are those of the fields.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.0.check();
    }
}
