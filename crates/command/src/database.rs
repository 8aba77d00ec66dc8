use config::KeyspaceEvents;
use effects::Group;
use keyspace::access::AccessClock;
use keyspace::{
    Db, Deadline, Entry, EntryMut, EntryRef, Key, KeyHash, Lent, Lookup, Payload, Seek, Slot,
    Tidied, Value,
};
use observe::Counters;
use tracking::Recorder;
use value::Kind;

use crate::effects::ExpiryLog;

mod nested;
mod strings;
mod typed;
mod walk;

pub use walk::{Cursor, Stint};

/// The keys of one database, as far as the command may touch them.
///
/// A key whose time has come is absent to every method here; the first to meet it removes it. So are
/// fields and members of a value.
pub struct Database<'a> {
    held: Lent<'a>,
    number: usize,
    physical: usize,
    now_ms: i64,
    /// Keys whose deadline is not after this are gone.
    horizon_ms: i64,
    /// They are hidden only, not removed.
    frozen: bool,
    access: AccessClock,
    counters: &'a Counters,
    changes: u64,
    /// Event classes somebody listens to (`notify-keyspace-events`).
    notify: KeyspaceEvents,
    aftermath: &'a mut Aftermath,
    log: Option<ExpiryLog<'a>>,
    tracking: Option<Recorder<'a>>,
}

/// What commands leave behind, for whoever runs them to see to. It is kept from command to command, as
/// nearly all leave nothing.
#[derive(Default)]
pub struct Aftermath {
    /// What happened to keys, for those who listen.
    pub events: Vec<Event>,
    /// What is to be freed once nobody waits for the shards any more.
    pub garbage: Vec<Db>,
    /// Keys that changed and that somebody waits for.
    pub ready: Vec<ReadyKey>,
    /// The ends of keys whose time had come, to be logged before the command itself.
    pub expired: Group,
}

/// A key that changed while somebody waits for it: database and name.
pub type ReadyKey = (usize, Box<[u8]>);

/// A keyspace event: something happened to a key.
#[derive(Clone, Debug)]
pub struct Event {
    /// The class, one of `notify-keyspace-events`.
    pub class: KeyspaceEvents,
    /// The event's name, such as `set`.
    pub name: &'static str,
    /// The key.
    pub key: Box<[u8]>,
    /// The number of the database.
    pub database: usize,
}

/// Everything a [`Database`] needs to know of the command that it serves.
pub struct Setting<'a> {
    /// What the command may touch.
    pub held: Lent<'a>,
    /// The client's database.
    pub number: usize,
    /// The command's time, milliseconds since the epoch.
    pub now_ms: i64,
    /// Whether what is too old is gone. Not for commands out of the log of effects: it says itself what went.
    pub expires: bool,
    /// Whether that is hidden only, and not removed: while writes are paused nothing changes.
    pub frozen: bool,
    /// What to stamp on the entries that are used.
    pub access: AccessClock,
    /// Where hits, misses and expiries are counted.
    pub counters: &'a Counters,
    /// Event classes to collect.
    pub notify: KeyspaceEvents,
    /// The log of effects, when somebody reads it.
    pub log: Option<ExpiryLog<'a>>,
    /// Where changes are noted for those who cache keys, when anybody does.
    pub tracking: Option<Recorder<'a>>,
}

impl<'a> Database<'a> {
    /// The keys of a database under the locks that `setting` brings.
    // Inline, so that it is made where it stays: every command makes one.
    #[inline(always)]
    pub fn new(setting: Setting<'a>, aftermath: &'a mut Aftermath) -> Self {
        Self {
            physical: setting.held.keyspace().resolve(setting.number),
            held: setting.held,
            number: setting.number,
            now_ms: setting.now_ms,
            horizon_ms: if setting.expires { setting.now_ms } else { i64::MIN },
            frozen: setting.frozen,
            access: setting.access,
            counters: setting.counters,
            changes: 0,
            notify: setting.notify,
            aftermath,
            log: setting.log,
            tracking: setting.tracking,
        }
    }

    /// The command's time, milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What has a deadline that is not after this is gone: the command's time, or before all times while the
    /// log of effects is read, which says itself what went.
    pub fn horizon_ms(&self) -> i64 {
        self.horizon_ms
    }

    /// The number of this database.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The shards in hand, for commands over the whole keyspace.
    pub fn held(&mut self) -> &mut Lent<'a> {
        &mut self.held
    }

    /// The physical number of this database, by which shards know it.
    pub fn physical(&self) -> usize {
        self.physical
    }

    /// Works on another database with the same locks.
    pub fn within<T>(&mut self, number: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.number, self.physical);
        (self.number, self.physical) = (number, self.held.keyspace().resolve(number));
        let result = work(self);
        (self.number, self.physical) = before;
        result
    }

    /// Looks a key up for reading: counts a hit or a miss, and notes the access.
    #[inline]
    pub fn get(&mut self, key: Key<'_>) -> Option<EntryRef<'_>> {
        self.find(key, Purpose::READ).map(EntryMut::into_ref)
    }

    /// Looks a key up for what is about it, not in it (EXISTS, TYPE, TTL): counts a hit or a miss, and
    /// leaves the access clock alone.
    pub fn inspect(&mut self, key: Key<'_>) -> Option<EntryRef<'_>> {
        self.find(key, Purpose::INSPECT).map(EntryMut::into_ref)
    }

    /// The same without an event when there is no such key (OBJECT).
    pub fn inspect_quietly(&mut self, key: Key<'_>) -> Option<EntryRef<'_>> {
        self.find(key, Purpose::INSPECT_QUIETLY).map(EntryMut::into_ref)
    }

    /// Looks a key up without leaving a trace.
    pub fn peek(&mut self, key: Key<'_>) -> Option<EntryRef<'_>> {
        self.find(key, Purpose::PEEK).map(EntryMut::into_ref)
    }

    /// Looks a key up for writing: notes the access.
    pub fn get_mut(&mut self, key: Key<'_>) -> Option<EntryMut<'_>> {
        self.find(key, Purpose::WRITE)
    }

    /// Whether the key is there; leaves no trace.
    pub fn contains(&mut self, key: Key<'_>) -> bool {
        self.find(key, Purpose::PEEK).is_some()
    }

    #[inline]
    fn find(&mut self, key: Key<'_>, purpose: Purpose) -> Option<EntryMut<'_>> {
        self.seek(key, purpose).map(|slot| self.open(key, slot, purpose))
    }

    /// Where a key is, until the next change.
    #[inline]
    fn seek(&mut self, key: Key<'_>, purpose: Purpose) -> Option<Slot> {
        let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
        let slot = match db.seek(key, self.horizon_ms) {
            Seek::Live(slot) => Some(slot),
            Seek::Due => self.remove_due(key),
            Seek::Absent => None,
        };
        match slot {
            Some(_) if purpose.counts => self.counters.keyspace_hits.add(1),
            Some(_) => {}
            None => self.find_nothing(key, purpose),
        }
        slot
    }

    #[inline]
    fn open(&mut self, key: Key<'_>, slot: Slot, purpose: Purpose) -> EntryMut<'_> {
        let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
        let mut entry = db.open(slot, purpose.writes);
        if purpose.touches && (!purpose.counts || self.access.notes_reads()) {
            let stamp = self.access.of_used(entry.access());
            entry.touch(stamp);
        }
        entry
    }

    /// Accounts for a key that is not there.
    fn find_nothing(&mut self, key: Key<'_>, purpose: Purpose) {
        if purpose.counts {
            self.counters.keyspace_misses.add(1);
        }
        if purpose.announces {
            self.note(key, KeyspaceEvents::KEY_MISS, "keymiss");
        }
    }

    /// Removes a key whose time has come, or the fields or members of its value whose time has come; gives back
    /// where it is if it stays.
    #[cold]
    fn remove_due(&mut self, key: Key<'_>) -> Option<Slot> {
        let keyspace = self.held.keyspace();
        if self.hides(key) {
            return None;
        }
        let shard = self.held.shard_mut(key.hash());
        match shard.db_mut(self.physical).lookup(key, self.horizon_ms) {
            Lookup::Live(_) | Lookup::Absent => {}
            Lookup::Tidied(Tidied { removed, kind, emptied, .. }) => {
                self.mark_awaited(key);
                self.counters.expired_fields.add(removed.len() as u64);
                if let Some(log) = self.log {
                    let expired = &mut self.aftermath.expired;
                    log.push_members(expired, self.number, kind, key.bytes(), &removed);
                }
                let (class, event) = members_expired(kind);
                self.note(key, class, event);
                if let Some(entry) = emptied {
                    self.note(key, KeyspaceEvents::GENERIC, "del");
                    keyspace.reclaimer().dispose(entry);
                }
            }
            Lookup::Expired(entry) => {
                self.mark_awaited(key);
                if let Some(tracking) = self.tracking {
                    tracking.expired(key.hash().bits(), key.bytes());
                }
                self.counters.expired_keys.add(1);
                self.note_expired(key);
                keyspace.reclaimer().dispose(entry);
                self.note(key, KeyspaceEvents::EXPIRED, "expired");
            }
        }
        self.held.shard_mut(key.hash()).db_mut(self.physical).find(key)
    }

    /// Stores a value under a key, whatever was there.
    #[inline]
    pub fn put(&mut self, key: Key<'_>, payload: Payload<'_>, deadline: Deadline) {
        if deadline == Deadline::None && !self.access.keeps_history() {
            let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
            if db.overwrite_timeless(key, &payload, self.access.of_new()) {
                return;
            }
        }
        self.put_if(key, payload, deadline, |_| true);
    }

    /// Stores a value under a key if `admit` agrees, which is shown what is there; says whether it
    /// did.
    pub fn put_if(
        &mut self,
        key: Key<'_>,
        payload: Payload<'_>,
        deadline: Deadline,
        admit: impl FnOnce(Option<EntryRef<'_>>) -> bool,
    ) -> bool {
        let keyspace = self.held.keyspace();
        let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
        let mut access = self.access.of_new();
        if self.access.keeps_history()
            && let Some(before) = db.get(key)
        {
            access = self.access.of_used(before.access());
        }
        let put = db.put_if(key, self.horizon_ms, payload, deadline, access, admit);
        if let (true, Deadline::At(at)) = (put.stored, deadline) {
            self.held.note_deadline(key.hash(), at);
        }
        if let Some(due) = put.members_due_ms {
            self.held.note_deadline(key.hash(), due);
        }
        if let Some(old) = put.replaced {
            keyspace.reclaimer().dispose(old);
        }
        if let Some(old) = put.expired {
            self.counters.expired_keys.add(1);
            self.note_expired(key);
            keyspace.reclaimer().dispose(old);
            self.notify(key, KeyspaceEvents::EXPIRED, "expired");
        }
        if put.created {
            self.notify(key, KeyspaceEvents::NEW, "new");
        }
        put.stored
    }

    /// Removes a key; false when it was not there.
    pub fn remove(&mut self, key: Key<'_>) -> bool {
        let Some(entry) = self.take(key) else { return false };
        self.held.keyspace().reclaimer().dispose(entry);
        true
    }

    /// Removes a key and hands out what it held.
    pub fn take(&mut self, key: Key<'_>) -> Option<Entry> {
        self.find(key, Purpose::PEEK)?;
        self.held.shard_mut(key.hash()).db_mut(self.physical).remove(key)
    }

    /// Stores what [`Database::take`] took under a key, deadline and access clock included, whatever was
    /// there. A value in a block of its own is not copied.
    pub fn put_entry(&mut self, key: Key<'_>, entry: Entry) {
        let (deadline, access) = (entry.view().deadline_ms(), entry.view().access());
        let deadline = deadline.map_or(Deadline::None, Deadline::At);
        match entry.view().value() {
            Value::Bytes(bytes) => self.put(key, Payload::Bytes(bytes), deadline),
            Value::Int(number) => self.put(key, Payload::Int(number), deadline),
            Value::Object(_) => {
                if let Some(object) = entry.into_object() {
                    self.put(key, Payload::Object(object), deadline);
                }
            }
        }
        self.set_access(key, access);
    }

    /// Stamps a key as used at another time, or as often.
    pub fn set_access(&mut self, key: Key<'_>, access: u32) {
        let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
        if let Some(mut entry) = db.get_mut(key) {
            entry.set_access(access);
        }
    }

    /// Sets or takes away the deadline of a key that exists.
    pub fn set_deadline(&mut self, key: Key<'_>, at_ms: Option<i64>) {
        self.held.shard_mut(key.hash()).db_mut(self.physical).set_deadline(key, at_ms);
        if let Some(at) = at_ms {
            self.held.note_deadline(key.hash(), at);
        }
    }

    /// Tells that a field or member of the value at `key` was given this deadline, milliseconds since the
    /// epoch, so that it goes in time even if nobody looks.
    pub fn note_member_deadline(&mut self, key: Key<'_>, at_ms: i64) {
        let db = self.held.shard_mut(key.hash()).db_mut(self.physical);
        if let Some(due) = db.note_member_deadline(key, at_ms) {
            self.held.note_deadline(key.hash(), due);
        }
    }

    /// Records that `key` was changed: one more change since the last save, and an event of `class`
    /// for whoever listens.
    #[inline]
    pub fn changed(&mut self, key: Key<'_>, class: KeyspaceEvents, event: &'static str) {
        self.changes += 1;
        self.notify(key, class, event);
    }

    /// Records that `key` was changed in a way that makes no event.
    pub fn modified(&mut self, key: Key<'_>) {
        self.changes += 1;
        self.mark(key);
    }

    /// Records an event of `class` that stands for as many changes, of several elements or of none.
    pub fn changed_by(
        &mut self,
        changes: usize,
        key: Key<'_>,
        class: KeyspaceEvents,
        event: &'static str,
    ) {
        self.changes += changes as u64;
        self.notify(key, class, event);
    }

    /// Lets those know that watch the key or wait for it, for changes that are neither counted nor
    /// announced.
    #[inline]
    pub fn mark(&mut self, key: Key<'_>) {
        if let Some(tracking) = self.tracking {
            tracking.changed(key.hash().bits(), key.bytes());
        }
        self.mark_awaited(key);
    }

    /// Lets those know that watch the key or wait for it.
    #[inline]
    fn mark_awaited(&mut self, key: Key<'_>) {
        let marks = &mut self.held.shard_mut(key.hash()).marks;
        if !marks.is_empty() && marks.changed(self.number, key.bytes()) {
            let ready = (self.number, key.bytes().into());
            if !self.aftermath.ready.contains(&ready) {
                self.aftermath.ready.push(ready);
            }
        }
    }

    /// Records an event if somebody listens to its class.
    #[inline]
    fn note(&mut self, key: Key<'_>, class: KeyspaceEvents, name: &'static str) {
        note(&mut self.aftermath.events, self.notify, key.bytes(), self.number, class, name);
    }

    /// Starts to watch a key; what it gives back changes when the key does.
    pub fn watch(&mut self, key: Key<'_>) -> u64 {
        self.find(key, Purpose::PEEK);
        let marks = &mut self.held.shard_mut(key.hash()).marks;
        marks.watch(self.number, key.bytes())
    }

    /// Whether a watched key has changed since it had this version; its expiry is a change.
    pub fn watch_broken(&mut self, key: Key<'_>, version: u64) -> bool {
        self.find(key, Purpose::PEEK);
        let marks = &self.held.shard(key.hash()).marks;
        marks.version(self.number, key.bytes()) != Some(version)
    }

    /// Records an event that is not a change of its own: the other key of a move, the end of an emptied
    /// collection. Whoever watches the key or waits for it learns of it all the same.
    #[inline]
    pub fn notify(&mut self, key: Key<'_>, class: KeyspaceEvents, event: &'static str) {
        self.mark(key);
        self.note(key, class, event);
    }

    /// Records that a change which another call of [`Database::changed`] counts changed `key` too
    /// (RENAME, MOVE).
    pub fn changed_too(&mut self, key: Key<'_>, class: KeyspaceEvents, event: &'static str) {
        self.notify(key, class, event);
    }

    /// Counts changes that belong to no single key (FLUSHALL, SWAPDB).
    pub fn add_changes(&mut self, changes: u64) {
        self.changes += changes;
    }

    /// The number of changes made so far.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The ends of keys whose time had come, to be logged before the command itself.
    pub fn expired(&mut self) -> &mut Group {
        &mut self.aftermath.expired
    }

    fn note_expired(&mut self, key: Key<'_>) {
        if let Some(log) = self.log {
            log.push(&mut self.aftermath.expired, self.number, key.bytes());
        }
    }

    /// Where hits, misses and expiries are counted.
    pub fn counters(&self) -> &'a Counters {
        self.counters
    }

    /// The shard of a key, to be asked for things that no method here covers.
    pub fn shard_of(&mut self, hash: KeyHash) -> &mut keyspace::Shard {
        self.held.shard_mut(hash)
    }
}

/// What a lookup does beside looking up.
#[derive(Clone, Copy)]
struct Purpose {
    /// Counts a hit or a miss.
    counts: bool,
    /// Notes the access.
    touches: bool,
    /// Tells who listens that the key is missing.
    announces: bool,
    /// The entry may be changed.
    writes: bool,
}

impl Purpose {
    const READ: Self = Self { counts: true, touches: true, announces: true, writes: false };
    const INSPECT: Self = Self { counts: true, touches: false, announces: true, writes: false };
    const INSPECT_QUIETLY: Self = Self { announces: false, ..Self::INSPECT };
    const WRITE: Self = Self { counts: false, touches: true, announces: false, writes: true };
    const PEEK: Self = Self { counts: false, touches: false, announces: false, writes: false };
}

/// Adds an event if somebody listens to its class.
#[inline]
fn note(
    events: &mut Vec<Event>,
    wanted: KeyspaceEvents,
    key: &[u8],
    database: usize,
    class: KeyspaceEvents,
    name: &'static str,
) {
    if wanted.contains(class) {
        events.push(Event { class, name, key: key.into(), database });
    }
}

/// The event that tells of fields or members that are gone because their time had come.
pub fn members_expired(kind: Kind) -> (KeyspaceEvents, &'static str) {
    match kind {
        Kind::Set => (KeyspaceEvents::SET, "sexpired"),
        Kind::SortedSet => (KeyspaceEvents::ZSET, "zexpired"),
        _ => (KeyspaceEvents::HASH, "hexpired"),
    }
}
