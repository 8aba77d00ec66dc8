//! What concerns a whole database: walking over it, its size, emptying and exchanging it.
//!
//! A walk visits one shard after the other and holds each lock only briefly, so what it sees of one key
//! and what it sees of another are not of the same moment; a command that needs that runs alone.

use config::KeyspaceEvents;
use keyspace::{Db, Entry, EntryRef, Key, SHARDS};

use super::{Database, note};

/// Places of a shard visited under one lock: some tens of microseconds.
const PLACES_PER_LOCK: u32 = 256;

/// Where a walk over a database goes on: shard, and place in its table.
///
/// As a number the place is in the lower 24 bits and the shard above them; 0 is the beginning and, as an
/// answer, the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    shard: usize,
    place: u32,
}

impl Cursor {
    const PLACE_BITS: u32 = 24;

    /// A cursor that a client sent. One that was never given out leads to some other place, or to the
    /// end.
    pub fn from_number(number: u64) -> Self {
        let place = (number & ((1 << Self::PLACE_BITS) - 1)) as u32;
        let shard = usize::try_from(number >> Self::PLACE_BITS).unwrap_or(SHARDS);
        Self { shard, place }
    }

    /// The number that a client sends to go on from here.
    pub fn number(self) -> u64 {
        (self.shard as u64) << Self::PLACE_BITS | u64::from(self.place)
    }

    /// Whether nothing is left.
    pub fn is_end(self) -> bool {
        self.shard >= SHARDS
    }

    fn next_shard(self) -> Self {
        Self { shard: self.shard + 1, place: 0 }
    }
}

/// How much of a walk one call does.
#[derive(Clone, Copy, Debug)]
pub struct Stint {
    /// Places with or without keys to visit at most; a shard without keys costs a fraction of one.
    pub places: u64,
    /// Keys after which to stop; those at one place come together.
    pub keys: u64,
    /// Whether keys whose time has come are removed, or only passed over.
    pub expires: bool,
}

impl Stint {
    /// Shards without keys that cost as much as one place. So many that a database of a few keys is
    /// walked in one call even with COUNT 1, as Redis does; there are no more than [`SHARDS`] anyway.
    const EMPTY_SHARDS_PER_PLACE: u64 = 128;

    /// Everything.
    pub const ALL: Self = Self { places: u64::MAX, keys: u64::MAX, expires: false };
}

impl<'a> Database<'a> {
    /// Visits keys from `from` on, those excepted whose time has come, and returns where to go on. A
    /// key that is there from the beginning of a walk to its end is visited at least once.
    pub fn walk(
        &mut self,
        from: Cursor,
        stint: Stint,
        mut visit: impl FnMut(EntryRef<'_>),
    ) -> Cursor {
        let (physical, now_ms) = (self.physical, self.horizon_ms);
        let mut at = from;
        let mut credit = stint.places.saturating_mul(Stint::EMPTY_SHARDS_PER_PLACE);
        let mut keys = stint.keys;
        let mut expired = Vec::new();
        while !at.is_end() && credit > 0 && keys > 0 {
            credit -= 1;
            at = self.held.visit(at.shard, |shard| {
                let Some(db) = shard.db(physical).filter(|db| !db.is_empty()) else {
                    return at.next_shard();
                };
                let mut place = Some(at.place);
                for _ in 0..PLACES_PER_LOCK {
                    let Some(here) = place.filter(|_| credit > 0 && keys > 0) else { break };
                    place = db.scan(here, |entry| {
                        keys = keys.saturating_sub(1);
                        if is_due(entry, now_ms) {
                            if stint.expires {
                                expired.push(entry.key().to_vec());
                            }
                        } else {
                            visit(entry);
                        }
                    });
                    credit = credit.saturating_sub(Stint::EMPTY_SHARDS_PER_PLACE);
                }
                place.map_or(at.next_shard(), |place| Cursor { place, ..at })
            });
            expired.drain(..).for_each(|key| self.expire(&key));
        }
        at
    }

    /// Whether a key has to stay although its time has come.
    pub(super) fn hides(&mut self, key: keyspace::Key<'_>) -> bool {
        let (physical, now_ms) = (self.physical, self.horizon_ms);
        let stored = |shard: &keyspace::Shard| {
            shard.db(physical)?.get(key).map(|entry| is_due(entry, now_ms))
        };
        self.frozen && stored(self.held.shard(key.hash())).unwrap_or(false)
    }

    /// Removes a key whose time has come; the caller has met it while no lock was declared for it.
    fn expire(&mut self, key: &[u8]) {
        if self.frozen {
            return;
        }
        let (physical, now_ms) = (self.physical, self.horizon_ms);
        let key = keyspace::Key::new(key);
        let number = self.number;
        let log = self.log.filter(|_| !self.held.covers(key.hash()));
        let removed = self.held.visit(key.hash().shard(), |shard| {
            let (db, marks) = shard.db_and_marks(physical);
            db.get(key).filter(|entry| is_due(*entry, now_ms))?;
            let awaited = !marks.is_empty() && marks.changed(number, key.bytes());
            if let Some(log) = log {
                // The lock is given back at once, so this cannot wait for the end of the command.
                log.record(number, key.bytes(), now_ms);
            }
            Some((db.remove(key)?, awaited))
        });
        if log.is_none() && removed.is_some() {
            self.note_expired(key);
        }
        if let Some((entry, awaited)) = removed {
            if let Some(tracking) = self.tracking {
                tracking.expired(key.hash().bits(), key.bytes());
            }
            if awaited {
                self.aftermath.ready.push((number, key.bytes().into()));
            }
            self.dispose_expired(entry);
        }
    }

    fn dispose_expired(&mut self, entry: Entry) {
        self.counters.expired_keys.add(1);
        let (class, number) = (KeyspaceEvents::EXPIRED, self.number);
        note(&mut self.aftermath.events, self.notify, entry.view().key(), number, class, "expired");
        self.held.keyspace().reclaimer().dispose(entry);
    }

    /// The number of keys, those included whose time has come but that nobody has met since.
    pub fn len(&mut self) -> u64 {
        (0..SHARDS).map(|shard| self.len_of(shard)).sum()
    }

    fn len_of(&mut self, shard: usize) -> u64 {
        let physical = self.physical;
        self.held.visit(shard, |shard| shard.db(physical).map_or(0, |db| db.len() as u64))
    }

    /// The number of keys, of keys with a deadline, and heap bytes of tables and indexes.
    pub fn table_figures(&mut self) -> (u64, u64, u64) {
        let physical = self.physical;
        let mut sum = (0, 0, 0);
        for shard in 0..SHARDS {
            self.held.visit(shard, |shard| {
                if let Some(db) = shard.db(physical) {
                    sum.0 += db.len() as u64;
                    sum.1 += db.volatile() as u64;
                    sum.2 += db.overhead_bytes() as u64;
                }
            });
        }
        sum
    }

    /// Whether there is no key.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// A key, each with the same probability; `word` gives random words. `None` when there is none.
    ///
    /// Keys whose time has come are removed when they are met; after many of them in a row the next key
    /// in the order of the walk is taken, so that the search ends.
    pub fn random_key(&mut self, mut word: impl FnMut() -> u64) -> Option<Vec<u8>> {
        const TRIES: usize = 100;
        let (physical, now_ms) = (self.physical, self.horizon_ms);
        let sizes: Vec<u64> = (0..SHARDS).map(|shard| self.len_of(shard)).collect();
        let total: u64 = sizes.iter().sum();
        if total == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let mut nth = below(word(), total);
            let chosen = sizes.iter().position(|size| {
                let found = nth < *size;
                nth = nth.saturating_sub(*size);
                found
            });
            let pick = word();
            let found = self.held.visit(chosen?, |shard| {
                let entry = shard.db(physical)?.random(pick)?;
                Some((entry.key().to_vec(), is_due(entry, now_ms)))
            });
            match found {
                Some((key, false)) => return Some(key),
                Some((key, true)) => self.expire(&key),
                None => {}
            }
        }
        let start = Cursor { shard: below(word(), SHARDS as u64) as usize, place: 0 };
        self.first_key(start).or_else(|| self.first_key(Cursor::default()))
    }

    fn first_key(&mut self, mut from: Cursor) -> Option<Vec<u8>> {
        let mut first = None;
        while !from.is_end() && first.is_none() {
            from = self.walk(from, Stint { keys: 1, ..Stint::ALL }, |entry| {
                first.get_or_insert_with(|| entry.key().to_vec());
            });
        }
        first
    }

    /// Takes away all keys of this database, and returns how many there were. They are freed in the
    /// background, or before the client gets its reply.
    ///
    /// The caller holds everything, so that nobody sees half of it.
    pub fn clear(&mut self, background: bool) -> u64 {
        let physical = self.physical;
        self.mark_all(self.number, physical);
        self.forget_all();
        let taken: Vec<Db> = (0..SHARDS)
            .map(|shard| self.held.visit(shard, |shard| shard.take(physical)))
            .filter(|db| !db.is_empty())
            .collect();
        let keys = taken.iter().map(|db| db.len() as u64).sum();
        if background {
            self.held.keyspace().reclaimer().dispose_databases(taken);
        } else {
            self.aftermath.garbage.extend(taken);
        }
        keys
    }

    /// Lets those know that watch keys of database `number`, or wait for them, as far as these are in the
    /// physical database.
    fn mark_all(&mut self, number: usize, physical: usize) {
        for shard in 0..SHARDS {
            let ready = self.held.visit(shard, |shard| {
                if shard.marks.is_empty() {
                    return Vec::new();
                }
                let mut keys = shard.marks.watched(number);
                keys.extend(shard.marks.awaited(number));
                keys.retain(|key| {
                    let there =
                        shard.db(physical).is_some_and(|db| db.get(Key::new(key)).is_some());
                    there && shard.marks.changed(number, key)
                });
                keys
            });
            self.aftermath.ready.extend(ready.into_iter().map(|key| (number, key)));
        }
    }

    /// Lets those know that cache keys that any key may have changed.
    fn forget_all(&self) {
        if let Some(tracking) = self.tracking {
            tracking.flushed();
        }
    }

    /// Exchanges two databases; the caller holds everything.
    pub fn swap(&mut self, a: usize, b: usize) {
        let keyspace = self.held.keyspace();
        for number in [a, b] {
            self.mark_all(number, keyspace.resolve(number));
        }
        for (number, other) in [(a, b), (b, a)] {
            // A key whose time has come does not appear: whoever watches its name sees no change.
            self.expire_attached(number, other);
            self.mark_all(number, keyspace.resolve(other));
        }
        self.forget_all();
        self.held.swap(a, b);
        self.physical = self.held.keyspace().resolve(self.number);
    }

    /// Removes keys from the database `other` whose time has come and whose names clients of the database
    /// `number` watch or wait for.
    fn expire_attached(&mut self, number: usize, other: usize) {
        let names: Vec<_> = (0..SHARDS)
            .flat_map(|shard| {
                self.held.visit(shard, |shard| {
                    let mut names = shard.marks.watched(number);
                    names.extend(shard.marks.awaited(number));
                    names
                })
            })
            .collect();
        self.within(other, |db| names.iter().for_each(|name| db.expire(name)));
    }
}

fn is_due(entry: EntryRef<'_>, now_ms: i64) -> bool {
    entry.deadline_ms().is_some_and(|deadline| deadline <= now_ms)
}

/// Maps a random word to a number below `bound`.
fn below(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}
