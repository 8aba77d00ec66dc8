mod show;

use std::ptr::NonNull;

use table::{Hint, Slot, Table};
use value::{Object, ObjectMut};

use crate::entry::{Entry, EntryMut, EntryRef, Payload, Value};
use crate::era::Era;
use crate::expiry::ExpiryIndex;
use crate::key::{Key, KeyHash};

mod lookup;

pub use lookup::{Lookup, Seek, Tidied};

/// One database's part of one shard: a table of entries and the index of their deadlines.
///
/// Invariant: every entry that is due at some time, itself or a field or member of its value, has at
/// least one item in the index at or before that time. Items are hints; the entry decides.
#[repr(C)]
pub struct Db {
    table: Table,
    era: Era,
    expiry: ExpiryIndex,
    volatile: usize,
    /// The number of entries marked as timed.
    timed: usize,
    /// Sum of the deadlines of all keys that have one.
    deadlines_ms: i128,
    /// The physical number of the database.
    number: usize,
}

/// Items of the expiry index examined per push while most of them are stale.
const SWEEP_STEPS: usize = 4;

/// What becomes of a key's deadline when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The key lives until it is deleted.
    None,
    /// The key keeps the deadline that it has.
    Keep,
    /// Milliseconds since the epoch.
    At(i64),
}

/// What became of a value that was to be stored.
pub struct Put {
    /// Whether it was stored.
    pub stored: bool,
    /// Whether there was no live entry before.
    pub created: bool,
    /// The entry before, unless it was overwritten in place.
    pub replaced: Option<Entry>,
    /// An entry whose time had come; it is no longer in the table.
    pub expired: Option<Entry>,
    /// From when on a field or member of the value is due.
    pub members_due_ms: Option<i64>,
}

/// What [`Db::pop_due`] took away.
pub enum Gone {
    /// An entry.
    Key(Entry),
    /// Fields or members of the value at this key.
    Members(Tidied<Box<[u8]>>),
}

impl Db {
    /// An empty database; `now_ms` is where its clock starts, milliseconds since the epoch.
    pub fn new(now_ms: i64) -> Self {
        Self::in_era(now_ms, 0, Era::default())
    }

    /// The same for the database of this physical number, in an era.
    pub(crate) fn in_era(now_ms: i64, number: usize, era: Era) -> Self {
        let (table, expiry) = (Table::new(), ExpiryIndex::new(now_ms));
        Self { table, expiry, volatile: 0, timed: 0, deadlines_ms: 0, number, era }
    }

    pub(crate) fn set_era(&mut self, era: &Era) {
        self.era = era.clone();
    }

    /// Shows an entry that is about to change to the witness of a snapshot which has not seen it.
    #[inline]
    fn before_change(&mut self, slot: Slot) {
        if self.era.witness.is_some() {
            self.show(self.table.get(slot));
        }
    }

    /// Makes room for so many keys if there is none yet: a hint.
    pub fn reserve(&mut self, keys: usize) {
        if self.table.is_empty() {
            self.table.reserve(keys);
        }
    }

    /// The number of keys, those included whose time has come but that nobody has touched since.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of keys that have a deadline.
    pub fn volatile(&self) -> usize {
        self.volatile
    }

    /// The number of keys with fields or members that have a deadline, or had one until lately.
    pub fn timed(&self) -> usize {
        self.timed
    }

    /// Sum of the deadlines of the keys that have one, milliseconds since the epoch.
    pub fn deadlines_ms(&self) -> i128 {
        self.deadlines_ms
    }

    /// Heap bytes of table and index, without the entries.
    pub fn overhead_bytes(&self) -> usize {
        self.table.heap_bytes() + self.expiry.heap_bytes()
    }

    /// The entry at `key`, expired or not.
    pub fn get(&self, key: Key<'_>) -> Option<EntryRef<'_>> {
        let (_, block) = self.locate(key)?;
        // SAFETY: blocks in the table come from `Entry::into_raw`; `self` is borrowed meanwhile.
        Some(unsafe { EntryRef::from_raw(block) })
    }

    /// The entry at `key` for writing, expired or not.
    pub fn get_mut(&mut self, key: Key<'_>) -> Option<EntryMut<'_>> {
        let (slot, block) = self.locate(key)?;
        self.before_change(slot);
        // SAFETY: as in `get`, and `self` is borrowed exclusively meanwhile.
        Some(unsafe { EntryMut::from_raw(block) })
    }

    /// Where an entry is, expired or not; good until the database changes.
    pub fn find(&self, key: Key<'_>) -> Option<Slot> {
        self.locate(key).map(|(slot, _)| slot)
    }

    #[inline]
    fn locate(&self, key: Key<'_>) -> Option<(Slot, NonNull<u8>)> {
        self.table.locate(key.hash().table(), |block| {
            // SAFETY: blocks in the table come from `Entry::into_raw`; the reference does not escape.
            unsafe { EntryRef::from_raw(block) }.key() == key.bytes()
        })
    }

    /// Stores `payload` under `key`, in place of what was there, with this deadline. What was there
    /// is given back when it could not be overwritten in place.
    pub fn put(
        &mut self,
        key: Key<'_>,
        payload: Payload<'_>,
        deadline_ms: Option<i64>,
        access: u32,
    ) -> Option<Entry> {
        let deadline = deadline_ms.map_or(Deadline::None, Deadline::At);
        self.put_if(key, i64::MIN, payload, deadline, access, |_| true).replaced
    }

    /// Stores `payload` under `key` if there is an entry, without deadlines, whose block has the room for it;
    /// says whether it did.
    #[inline]
    pub fn overwrite_timeless(&mut self, key: Key<'_>, payload: &Payload<'_>, access: u32) -> bool {
        let Some((slot, block)) = self.locate(key) else { return false };
        // SAFETY: as in `get_mut`.
        let mut entry = unsafe { EntryMut::from_raw(block) };
        if !entry.is_timeless() {
            return false;
        }
        self.before_change(slot);
        if !entry.overwrite(payload) {
            return false;
        }
        entry.set_access(access);
        true
    }

    /// Stores `payload` under `key` if `admit` agrees, which is shown what is there. An entry whose
    /// deadline is at or before `now_ms` is removed and counts as absent.
    pub fn put_if(
        &mut self,
        key: Key<'_>,
        now_ms: i64,
        payload: Payload<'_>,
        deadline: Deadline,
        access: u32,
        admit: impl FnOnce(Option<EntryRef<'_>>) -> bool,
    ) -> Put {
        let mut expired = None;
        let mut slot = self.find(key);
        if let Some(found) = slot {
            // SAFETY: as in `get`.
            let entry = unsafe { EntryRef::from_raw(self.table.get(found)) };
            if entry.deadline_ms().is_some_and(|deadline| deadline <= now_ms) {
                expired = Some(self.remove_slot(found));
                slot = None;
            }
        }
        let Some(slot) = slot else {
            let stored = admit(None);
            let members_due_ms =
                if stored { self.insert(key, payload, deadline, access) } else { None };
            return Put { stored, created: stored, replaced: None, expired, members_due_ms };
        };
        // SAFETY: as in `get`.
        let stored = admit(Some(unsafe { EntryRef::from_raw(self.table.get(slot)) }));
        let (replaced, members_due_ms) = if stored {
            self.overwrite(slot, key, payload, deadline, access)
        } else {
            (None, None)
        };
        Put { stored, created: false, replaced, expired, members_due_ms }
    }

    /// Tells a snapshot that takes a value in parts where it lies now.
    #[inline]
    fn note_place(&self, key: Key<'_>, payload: &Payload<'_>) {
        if let Payload::Object(object) = payload
            && let Some(scribe) = object.view().scribe()
        {
            scribe.placed(self.number, key.bytes());
        }
    }

    /// Returns from when on members of the value are due.
    fn insert(
        &mut self,
        key: Key<'_>,
        payload: Payload<'_>,
        deadline: Deadline,
        access: u32,
    ) -> Option<i64> {
        let deadline_ms = match deadline {
            Deadline::At(at) => Some(at),
            Deadline::None | Deadline::Keep => None,
        };
        self.note_place(key, &payload);
        let entry = Entry::new(key.bytes(), payload, deadline_ms, access).in_era(self.era.number);
        let members = entry.view().members_due_ms();
        self.table.insert(key.hash().table(), entry.into_raw());
        self.index_deadline(key.hash().table(), None, deadline_ms);
        self.index_members(key.hash().table(), false, members);
        members
    }

    /// Returns what was there, if it is no longer, and from when on members of the value are due.
    fn overwrite(
        &mut self,
        slot: Slot,
        key: Key<'_>,
        payload: Payload<'_>,
        deadline: Deadline,
        access: u32,
    ) -> (Option<Entry>, Option<i64>) {
        self.before_change(slot);
        // SAFETY: as in `get_mut`.
        let mut old = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        let before = old.deadline_ms();
        let after = match deadline {
            Deadline::None => None,
            Deadline::Keep => before,
            Deadline::At(at) => Some(at),
        };
        // An entry keeps the room for a deadline it no longer has; a new block is made without it.
        if old.kind() == payload.kind() && old.has_room_for(after) && old.overwrite(&payload) {
            old.set_deadline(after);
            old.set_access(access);
            self.index_deadline(key.hash().table(), before, after);
            return (None, None);
        }
        let timed = old.is_timed();
        self.note_place(key, &payload);
        let entry = Entry::new(key.bytes(), payload, after, access).in_era(self.era.number);
        let members = entry.view().members_due_ms();
        let old = self.table.replace(slot, entry.into_raw());
        self.index_deadline(key.hash().table(), before, after);
        self.index_members(key.hash().table(), timed, members);
        // SAFETY: the block has just left the table.
        (Some(unsafe { Entry::from_raw(old) }), members)
    }

    /// Sets, moves or takes away the deadline of an entry that exists.
    pub fn set_deadline(&mut self, key: Key<'_>, deadline_ms: Option<i64>) {
        let Some(slot) = self.find(key) else { return };
        self.before_change(slot);
        // SAFETY: as in `get_mut`.
        let mut old = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        let before = old.deadline_ms();
        if !old.set_deadline(deadline_ms) {
            self.timed -= usize::from(old.is_timed());
            let block = self.table.get(slot);
            // SAFETY: the block leaves the table in the next step.
            let entry = unsafe { Entry::from_raw(block) }.with_deadline(deadline_ms);
            let entry = entry.in_era(self.era.number);
            // Its item is in the index already.
            self.timed += usize::from(entry.view().is_timed());
            self.table.replace(slot, entry.into_raw());
        }
        self.index_deadline(key.hash().table(), before, deadline_ms);
    }

    fn index_deadline(&mut self, hash: u32, before: Option<i64>, after: Option<i64>) {
        self.volatile += usize::from(after.is_some());
        self.volatile -= usize::from(before.is_some());
        self.deadlines_ms += i128::from(after.unwrap_or(0)) - i128::from(before.unwrap_or(0));
        if let Some(deadline) = after
            && before.is_none_or(|before| deadline < before)
        {
            self.push_due(deadline, hash);
        }
    }

    /// Accounts for an entry that was `timed` before and has members that are due at `after` now.
    fn index_members(&mut self, hash: u32, timed: bool, after: Option<i64>) {
        self.timed += usize::from(after.is_some());
        self.timed -= usize::from(timed);
        if let Some(due_ms) = after {
            self.push_due(due_ms, hash);
        }
    }

    fn push_due(&mut self, due_ms: i64, hash: u32) {
        self.expiry.push(due_ms, hash);
        if self.expiry.wants_sweep(self.volatile + self.timed) {
            let table = &self.table;
            self.expiry.sweep(SWEEP_STEPS, |hash| first_due(table, hash));
        }
    }

    /// Tells that a field or member of the value at `key` was given the deadline `deadline_ms`. Returns
    /// from when on there is something to remove, if that is news.
    pub fn note_member_deadline(&mut self, key: Key<'_>, deadline_ms: i64) -> Option<i64> {
        let mut entry = self.get_mut(key)?;
        let timed = entry.is_timed();
        entry.set_timed(true);
        let due_ms = entry.members_due_ms();
        if due_ms.is_none() {
            entry.set_timed(timed);
        }
        // An earlier one has its item.
        let due_ms = due_ms.filter(|due| !timed || *due > deadline_ms)?;
        self.timed += usize::from(!timed);
        self.push_due(due_ms, key.hash().table());
        Some(due_ms)
    }

    /// Removes the entry at `key`.
    pub fn remove(&mut self, key: Key<'_>) -> Option<Entry> {
        let slot = self.find(key)?;
        Some(self.remove_slot(slot))
    }

    /// Gives back what only keys needed that are gone: when memory is short.
    pub fn trim(&mut self) {
        if self.volatile + self.timed == 0 {
            self.expiry.clear();
        }
    }

    fn remove_slot(&mut self, slot: Slot) -> Entry {
        self.before_change(slot);
        // SAFETY: the block has just left the table.
        let entry = unsafe { Entry::from_raw(self.table.remove(slot)) };
        self.timed -= usize::from(entry.view().is_timed());
        if let Some(deadline) = entry.view().deadline_ms() {
            self.volatile -= 1;
            self.deadlines_ms -= i128::from(deadline);
        }
        entry
    }

    /// The object at `key` made from the string there: what commands that write into the middle of
    /// a string work on. `None` when there is no string.
    pub fn string_object(&mut self, key: Key<'_>) -> Option<&mut Vec<u8>> {
        let slot = self.find(key)?;
        self.before_change(slot);
        // SAFETY: as in `get`.
        let entry = unsafe { EntryRef::from_raw(self.table.get(slot)) };
        if !matches!(entry.value(), Value::Object(_)) {
            let bytes = entry.value().string_bytes()?.into_owned();
            let object = Payload::Object(Object::String(bytes));
            let entry = Entry::new(key.bytes(), object, entry.deadline_ms(), entry.access());
            let entry = entry.in_era(self.era.number);
            // SAFETY: the block has just left the table.
            drop(unsafe { Entry::from_raw(self.table.replace(slot, entry.into_raw())) });
        }
        // SAFETY: as in `get_mut`.
        let entry = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        match entry.into_object_mut()? {
            ObjectMut::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Visits the entries at one place of the table; returns the next place. Places follow the
    /// hash, so every key that is there from start to end is visited, however the table grows.
    pub fn scan(&self, cursor: u32, mut visit: impl FnMut(EntryRef<'_>)) -> Option<u32> {
        // SAFETY: as in `get`.
        self.table.scan(cursor, |block| visit(unsafe { EntryRef::from_raw(block) }))
    }

    /// A key picked evenly, by a random word.
    pub fn random(&self, word: u64) -> Option<EntryRef<'_>> {
        let block = self.table.random(word)?;
        // SAFETY: as in `get`.
        Some(unsafe { EntryRef::from_raw(block) })
    }

    /// A key with a deadline picked by a random word, about evenly; `None` now and then though there are some.
    pub fn random_volatile(&self, word: u64) -> Option<EntryRef<'_>> {
        let hash = self.expiry.random(word)?;
        let slot = self.table.find(hash, |block| {
            // SAFETY: as in `get`.
            unsafe { EntryRef::from_raw(block) }.deadline_ms().is_some()
        })?;
        // SAFETY: as in `get`.
        Some(unsafe { EntryRef::from_raw(self.table.get(slot)) })
    }

    /// Earliest moment at which [`Db::pop_due`] may have something to do.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.expiry.next_due_ms()
    }

    /// Removes one entry, or fields or members of one, whose time has come by `now_ms`; looks at no more
    /// than `steps` items of the index and members, and counts them down.
    pub fn pop_due(&mut self, now_ms: i64, steps: &mut u32) -> Option<Gone> {
        while *steps > 0 {
            *steps -= 1;
            let hash = self.expiry.pop_due(now_ms)?;
            let due = self.table.find(hash, |block| {
                // SAFETY: as in `get`.
                unsafe { EntryRef::from_raw(block) }.next_due_ms().is_some_and(|due| due <= now_ms)
            });
            let gone = due.and_then(|slot| self.remove_due(slot, now_ms, steps));
            // The item stood for every key with this hash: for those left there has to be another.
            if let Some(due_ms) = first_due(&self.table, hash) {
                self.expiry.push(due_ms, hash);
            }
            if gone.is_some() {
                return gone;
            }
        }
        None
    }

    fn remove_due(&mut self, slot: Slot, now_ms: i64, steps: &mut u32) -> Option<Gone> {
        self.before_change(slot);
        // SAFETY: as in `get_mut`.
        let entry = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        if entry.deadline_ms().is_some_and(|deadline| deadline <= now_ms) {
            return Some(Gone::Key(self.remove_slot(slot)));
        }
        self.before_change(slot);
        // SAFETY: as in `get_mut`.
        let mut entry = unsafe { EntryMut::from_raw(self.table.get(slot)) };
        let kind = entry.kind();
        let removed = entry.tidy(now_ms, *steps as usize + 1);
        *steps = steps.saturating_sub(removed.len() as u32);
        if is_emptied(&entry) {
            let emptied = Some(self.remove_slot(slot));
            return Some(Gone::Members(Tidied { removed, kind, left: None, emptied }));
        }
        let left = Some(entry.key().into());
        if entry.members_due_ms().is_none() {
            entry.set_timed(false);
            self.timed -= 1;
        }
        (!removed.is_empty()).then_some(Gone::Members(Tidied {
            removed,
            kind,
            left,
            emptied: None,
        }))
    }

    /// Notes where the buckets lie.
    #[inline]
    pub(crate) fn note_buckets(&self, hint: &Hint) {
        hint.note(&self.table);
    }

    /// Asks for the entry that `hash` probably means; its bucket should have been asked for before.
    pub fn prefetch_entry(&self, hash: KeyHash) {
        if let Some(block) = self.table.candidate(hash.table()) {
            prefetch(block);
        }
    }
}

/// From when on one of the keys with this hash is due, or a part of its value.
fn first_due(table: &Table, hash: u32) -> Option<i64> {
    let mut first: Option<i64> = None;
    table.find(hash, |block| {
        // SAFETY: blocks in the table come from `Entry::into_raw`; the reference does not escape.
        if let Some(due) = unsafe { EntryRef::from_raw(block) }.next_due_ms() {
            first = Some(first.map_or(due, |other| other.min(due)));
        }
        false
    });
    first
}

/// Whether the entry holds a collection in which nothing is left.
fn is_emptied(entry: &EntryRef<'_>) -> bool {
    matches!(entry.value(), Value::Object(object) if object.is_empty_collection())
}

/// Brings the first lines of an entry near: of one of up to 88 bytes all of them, though it begins and ends
/// anywhere in a line.
fn prefetch(block: NonNull<u8>) {
    for ahead in [0, 44, 87] {
        table::prefetch::read(block.as_ptr().wrapping_add(ahead));
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        for block in self.table.drain() {
            if self.era.witness.is_some() {
                self.show(block);
            }
            // SAFETY: the block has just left the table.
            drop(unsafe { Entry::from_raw(block) });
        }
    }
}
