//! Looking a key up, and seeing to what of it has to go.

use table::Slot;
use value::Kind;

use super::{Db, is_emptied};
use crate::entry::{Entry, EntryMut, EntryRef};
use crate::key::Key;

/// What is left when fields or members that were due have been removed from a value.
pub struct Tidied<E> {
    /// Which were removed.
    pub removed: Vec<Vec<u8>>,
    /// The value's type.
    pub kind: Kind,
    /// The entry, or none if nothing was left in the value.
    pub left: Option<E>,
    /// The entry that is no longer in the table because nothing was left in its value.
    pub emptied: Option<Entry>,
}

/// What a first look for a key finds.
#[derive(Clone, Copy, Debug)]
pub enum Seek {
    /// An entry of which all may stay.
    Live(Slot),
    /// An entry that has to go, itself or a part of its value: [`Db::lookup`] removes that.
    Due,
    /// Nothing.
    Absent,
}

/// What a lookup finds.
pub enum Lookup<'a> {
    /// The entry.
    Live(EntryMut<'a>),
    /// An entry with fields or members whose time had come.
    Tidied(Tidied<EntryMut<'a>>),
    /// An entry whose time had come; it is no longer in the table.
    Expired(Entry),
    /// Nothing.
    Absent,
}

impl Db {
    /// Looks a key up, and at whether it or a part of its value has to go.
    #[inline]
    pub fn seek(&self, key: Key<'_>, now_ms: i64) -> Seek {
        match self.locate(key) {
            None => Seek::Absent,
            // SAFETY: as in `get`; the reference does not escape.
            Some((_, block)) if unsafe { EntryRef::from_raw(block) }.is_due(now_ms) => Seek::Due,
            Some((slot, _)) => Seek::Live(slot),
        }
    }

    /// The entry that [`Db::seek`] has found; without `writes` the caller changes nothing but the access clock.
    ///
    /// # Panics
    /// When the table has changed since and nothing is there now.
    #[inline]
    pub fn open(&mut self, slot: Slot, writes: bool) -> EntryMut<'_> {
        if writes {
            self.before_change(slot);
        }
        // SAFETY: as in `get_mut`.
        unsafe { EntryMut::from_raw(self.table.get(slot)) }
    }

    /// Looks a key up and removes it when its deadline is at or before `now_ms`; or else those fields or
    /// members whose deadlines are before `now_ms`, and the key if none is left. The caller changes nothing
    /// but the access clock.
    pub fn lookup(&mut self, key: Key<'_>, now_ms: i64) -> Lookup<'_> {
        let Some(slot) = self.find(key) else { return Lookup::Absent };
        // SAFETY: as in `get_mut`.
        let entry = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        if entry.deadline_ms().is_some_and(|deadline| deadline <= now_ms) {
            return Lookup::Expired(self.remove_slot(slot));
        }
        if entry.members_due_ms().is_none_or(|due| due > now_ms) {
            return Lookup::Live(entry);
        }
        self.before_change(slot);
        // SAFETY: as in `get_mut`.
        let mut entry = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        match entry.tidy(now_ms, usize::MAX) {
            removed if removed.is_empty() => Lookup::Live(entry),
            removed => {
                let kind = entry.kind();
                let (left, emptied) = match is_emptied(&entry) {
                    true => (None, Some(self.remove_slot(slot))),
                    false => (Some(entry), None),
                };
                Lookup::Tidied(Tidied { removed, kind, left, emptied })
            }
        }
    }
}
