//! Server-assisted caching (CLIENT TRACKING): who has read what, and who is told when it changes. No
//! sockets.
//!
//! A client in the default mode is entered with each key that it reads, by [`Tracking::remember`]; whoever
//! changes the key strikes everybody who is entered, and tells them ([`Recorder::changed`]). Both happen
//! under the lock of the key's shard, so no change can fall between a read and its entry. A client in
//! broadcast mode is told of all changed keys with certain prefixes, whether it read them or not.
//!
//! Keys are those of all databases: a client forgets a key when it changes in any of them.
//!
//! What is to be told is collected in [`Notes`] while a command runs and posted to the workers of the
//! clients when the command's reply has been written, with the locks still held. So a client finds the
//! invalidation of a value behind the reply that gave it the value, and before any reply to a command that
//! it sends once it knows of the change; and the invalidations of its own changes behind the reply to the
//! command that made them.
//!
//! A server without such clients pays one relaxed load per command.
#![forbid(unsafe_code)]

mod invalidation;
mod notes;
mod prefixes;
mod table;
#[cfg(test)]
mod tests;
mod tracker;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock};

pub use invalidation::{Invalidation, Receiver, What};
pub use notes::Notes;
use prefixes::Prefixes;
use table::Table;
pub use tracker::{Mode, Tracker};

/// Entries struck at a time when there are too many.
const EVICTION_STEP: usize = 100;

/// Takes invalidations for the connections of one worker, from any thread.
pub trait Post: Send + Sync {
    /// Leaves an invalidation for the worker, behind those left before.
    fn invalidate(&self, invalidation: Invalidation);
}

/// What CLIENT TRACKING ON asks for.
pub struct Request<'a> {
    /// Who gets the invalidations instead of the client.
    pub redirect: Option<Arc<Tracker>>,
    /// `BROADCAST`, `OPT_IN`, `OPT_OUT` and `NO_LOOP`, as far as they were given.
    pub mode: Mode,
    /// Prefixes of the keys to be told of in broadcast mode; none means all keys.
    pub prefixes: Vec<&'a [u8]>,
}

/// All clients that cache, and what they may have cached.
#[derive(Default)]
pub struct Tracking {
    /// The number of `clients`.
    count: AtomicUsize,
    /// Those in tracking mode, by id.
    clients: Mutex<BTreeMap<u64, Arc<Tracker>>>,
    table: Table,
    /// The number of prefixes: while there are none, changes are not collected for broadcasts.
    prefix_count: AtomicUsize,
    prefixes: RwLock<Prefixes>,
    workers: RwLock<Vec<Option<Arc<dyn Post>>>>,
    /// Evictions in a row that did not suffice.
    overruns: AtomicUsize,
}

impl Tracking {
    /// Enters the mailbox of the worker with this number.
    pub fn join(&self, worker: usize, post: Arc<dyn Post>) {
        let mut workers = self.workers.write();
        if workers.len() <= worker {
            workers.resize_with(worker + 1, || None);
        }
        if let Some(place) = workers.get_mut(worker) {
            *place = Some(post);
        }
    }

    /// Whether anybody is in tracking mode.
    ///
    /// Asked under the lock of a key that changes, it does not miss a client that read the key before: the
    /// client was counted before it got the lock.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Puts a client into tracking mode, or changes how it tracks; prefixes are added to those that it has.
    pub fn start(&self, tracker: &Arc<Tracker>, request: Request<'_>) {
        let mut clients = self.clients.lock();
        tracker.begin(request.mode, request.redirect);
        if request.mode.contains(Mode::BROADCAST) {
            let all: &[&[u8]] = &[b""];
            let wanted =
                if request.prefixes.is_empty() { all } else { request.prefixes.as_slice() };
            let mut prefixes = self.prefixes.write();
            for prefix in wanted {
                let prefix = prefixes.add(prefix, tracker);
                tracker.add_prefix(prefix);
            }
            self.prefix_count.store(prefixes.len(), Ordering::Relaxed);
        }
        clients.insert(tracker.client(), Arc::clone(tracker));
        self.count.store(clients.len(), Ordering::Relaxed);
    }

    /// Ends a client's tracking mode. Its entries go when their keys change.
    pub fn stop(&self, tracker: &Tracker) {
        let mut clients = self.clients.lock();
        if clients.remove(&tracker.client()).is_none() {
            return;
        }
        let own = tracker.end();
        if !own.is_empty() {
            let mut prefixes = self.prefixes.write();
            own.iter().for_each(|prefix| prefixes.remove(prefix, tracker.client()));
            self.prefix_count.store(prefixes.len(), Ordering::Relaxed);
        }
        self.count.store(clients.len(), Ordering::Relaxed);
        if clients.is_empty() {
            // Nobody keeps the table current any more, and nobody needs it. Whoever comes next waits for
            // the lock, so none of its entries goes; the memory is freed behind the lock.
            let entries = self.table.take();
            drop(clients);
            drop(entries);
        }
    }

    /// Notes that a client has gone: it does not track any more, and nobody can redirect to it.
    pub fn leave(&self, tracker: &Tracker) {
        tracker.mark_gone();
        self.stop(tracker);
    }

    /// Enters a client as one that has read a key, whose hash is `hash`. The caller holds the lock under
    /// which the key was read.
    pub fn remember(&self, hash: u64, key: &[u8], tracker: &Arc<Tracker>) {
        self.table.add(hash, key, tracker);
    }

    /// Strikes entries when there are more than `most` keys (0: no limit), and tells their readers, who are
    /// not entered any more: some of them in each call, and more when that does not suffice.
    pub fn evict(&self, most: u64, notes: &mut Notes) {
        let most = if most == 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
        if self.table.keys() <= most {
            return;
        }
        let steps = EVICTION_STEP * (self.overruns.load(Ordering::Relaxed) + 1);
        for _ in 0..steps {
            let Some((key, readers)) = self.table.pop() else { break };
            notes.add_key(&key, readers.into_iter().filter(|one| one.wants_keys()).collect());
            if self.table.keys() <= most {
                self.overruns.store(0, Ordering::Relaxed);
                return;
            }
        }
        self.overruns.fetch_add(1, Ordering::Relaxed);
    }

    /// Posts what was collected for those who have read the keys.
    pub fn post(&self, notes: &mut Notes) {
        notes.post(&self.workers.read());
    }

    /// Posts what was collected, to those in broadcast mode too: each prefix with all its keys in one
    /// message.
    pub fn broadcast(&self, notes: &mut Notes) {
        if notes.has_changes() {
            let prefixes = self.prefixes.read();
            prefixes.match_changes(notes);
        }
        self.post(notes);
    }

    /// The number of clients in tracking mode.
    pub fn clients(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The number of keys that somebody may have cached.
    pub fn keys(&self) -> usize {
        self.table.keys()
    }

    /// The number of pairs of a key and a client that may have cached it.
    pub fn items(&self) -> usize {
        self.table.items()
    }

    /// The number of prefixes that clients in broadcast mode named.
    pub fn prefixes(&self) -> usize {
        self.prefix_count.load(Ordering::Relaxed)
    }

    fn everybody(&self) -> Vec<Arc<Tracker>> {
        self.clients.lock().values().cloned().collect()
    }
}

/// Notes what one client's command changes.
#[derive(Clone, Copy)]
pub struct Recorder<'a> {
    /// Whom to tell.
    pub tracking: &'a Tracking,
    /// Where it is collected.
    pub notes: &'a RefCell<Notes>,
    /// Who changes; 0 when it is nobody.
    pub client: u64,
}

impl Recorder<'_> {
    /// Notes that a key, whose hash is `hash`, has changed. The caller holds its lock.
    pub fn changed(&self, hash: u64, key: &[u8]) {
        self.note(hash, key, self.client);
    }

    /// Notes that a key has gone by itself: those who want to hear nothing of their own changes hear of
    /// this in broadcast mode.
    pub fn expired(&self, hash: u64, key: &[u8]) {
        self.note(hash, key, 0);
    }

    fn note(&self, hash: u64, key: &[u8], by: u64) {
        let mut notes = self.notes.borrow_mut();
        if self.tracking.prefix_count.load(Ordering::Relaxed) > 0 {
            notes.add_change(key, by);
        }
        if let Some(readers) = self.tracking.table.remove(hash, key) {
            let hears = |one: &Arc<Tracker>| one.wants_keys() && !one.is_silent_about(self.client);
            notes.add_key(key, readers.into_iter().filter(hears).collect());
        }
    }

    /// Notes that all keys of a database have gone or become others: everybody forgets everything. The
    /// caller holds all locks.
    pub fn flushed(&self) {
        let mut notes = self.notes.borrow_mut();
        // FLUSHALL comes here for every database.
        if !notes.tells_everything_last() {
            drop(self.tracking.table.take());
            notes.add_all(self.tracking.everybody());
        }
    }
}
