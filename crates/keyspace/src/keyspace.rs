use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::lock_api::{RawMutex as _, RawMutexFair as _};
use table::Hint;
use table::lock::Lock;

use crate::gate::{Closed, Gate};
use crate::key::{KeyHash, SHARDS};
use crate::reclaim::Reclaimer;
use crate::shard::Shard;

/// Every database: shards behind their locks, the gate before them, and the order of the databases.
///
/// Invariants:
/// - a shard is touched only under its lock, or by whoever holds the gate closed;
/// - whoever takes more than one lock takes them in ascending order of shard;
/// - whoever touches shards is inside the gate, or holds it closed.
pub struct Keyspace {
    shards: Box<[CachePadded<Cell>]>,
    /// Where the buckets of each shard lie, as last seen under its lock.
    hints: Box<[Hint]>,
    gate: Gate,
    /// Which physical database a number means: SWAPDB swaps two of these.
    order: Box<[AtomicUsize]>,
    reclaimer: Reclaimer,
    /// How many [`Occupied`] there are.
    occupied: AtomicUsize,
    /// A snapshot is under way.
    has_cut: AtomicBool,
}

/// One shard behind its lock. The first line of memory holds all that a lookup needs before the bucket.
#[repr(C)]
struct Cell {
    lock: Lock,
    /// How many announce that they hold the lock, or wait for it, to hold it for long.
    occupied: AtomicU32,
    /// No later than the first deadline in the shard; what expiry looks at before it takes the lock.
    next_due_ms: AtomicI64,
    shard: UnsafeCell<Shard>,
}

impl Cell {
    fn note_deadline(&self, at_ms: i64) {
        if at_ms < self.next_due_ms.load(Ordering::Relaxed) {
            self.next_due_ms.store(at_ms, Ordering::Relaxed);
        }
    }
}

// SAFETY: the shard is reached only through `Guard`s, which hold the lock or the closed gate.
unsafe impl Sync for Cell {}
// SAFETY: a shard owns all that it holds, and entries are Send.
unsafe impl Send for Cell {}

impl Keyspace {
    /// An empty keyspace of `databases` databases; `now_ms` is milliseconds since the epoch.
    pub fn new(databases: usize, now_ms: i64) -> Self {
        let cell = || Cell {
            lock: Lock::INIT,
            occupied: AtomicU32::new(0),
            next_due_ms: AtomicI64::new(i64::MAX),
            shard: UnsafeCell::new(Shard::new(now_ms)),
        };
        Self {
            shards: (0..SHARDS).map(|_| CachePadded::new(cell())).collect(),
            hints: (0..SHARDS).map(|_| Hint::default()).collect(),
            gate: Gate::new(),
            order: (0..databases).map(AtomicUsize::new).collect(),
            reclaimer: Reclaimer::new(),
            occupied: AtomicUsize::new(0),
            has_cut: AtomicBool::new(false),
        }
    }

    /// The gate that every user of the shards passes.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Where big values go to be freed.
    pub fn reclaimer(&self) -> &Reclaimer {
        &self.reclaimer
    }

    /// The number of databases.
    pub fn databases(&self) -> usize {
        self.order.len()
    }

    /// The physical database behind a number below [`Keyspace::databases`].
    #[inline]
    pub fn resolve(&self, database: usize) -> usize {
        self.order[database].load(Ordering::Relaxed)
    }

    /// The number by which a physical database is known now.
    pub fn number_of(&self, physical: usize) -> Option<usize> {
        (0..self.databases()).find(|number| self.resolve(*number) == physical)
    }

    /// Exchanges two databases; the closed gate makes it atomic for everybody.
    pub fn swap(&self, _closed: &Closed<'_>, a: usize, b: usize) {
        let first = self.resolve(a);
        self.order[a].store(self.resolve(b), Ordering::Relaxed);
        self.order[b].store(first, Ordering::Relaxed);
    }

    /// Waits for the lock of a shard. The caller is inside the gate.
    #[inline]
    pub fn lock(&self, shard: usize) -> Guard<'_> {
        let cell = &*self.shards[shard];
        cell.lock.lock();
        Guard { cell, index: shard }
    }

    /// Takes the lock of a shard if it is free. The caller is inside the gate.
    #[inline]
    pub fn try_lock(&self, shard: usize) -> Option<Guard<'_>> {
        let cell = &*self.shards[shard];
        // Lazily: a guard that is dropped unlocks.
        cell.lock.try_lock().then(|| Guard { cell, index: shard })
    }

    /// A shard for whoever holds the gate closed.
    ///
    /// # Safety
    /// Nobody writes to this shard meanwhile: the caller has the only way to it.
    pub(crate) unsafe fn exclusive(&self, _closed: &Closed<'_>, shard: usize) -> &Shard {
        // SAFETY: the caller's promise, and nobody else is inside the gate.
        unsafe { &*self.shards[shard].shard.get() }
    }

    /// The same for writing.
    ///
    /// # Safety
    /// Nobody else reaches this shard meanwhile: the caller has the only way to it, and nothing borrowed from it.
    #[expect(clippy::mut_from_ref, reason = "the closed gate excludes all others")]
    pub(crate) unsafe fn exclusive_mut(&self, _closed: &Closed<'_>, shard: usize) -> &mut Shard {
        // SAFETY: the caller's promise, and nobody else is inside the gate.
        unsafe { &mut *self.shards[shard].shard.get() }
    }

    /// Tells expiry that a shard has a deadline at `at_ms`. The caller may touch the shard.
    pub(crate) fn note_deadline(&self, shard: usize, at_ms: i64) {
        self.shards[shard].note_deadline(at_ms);
    }

    /// Whether a shard may have something to expire at `now_ms`; takes no lock.
    pub fn may_expire(&self, shard: usize, now_ms: i64) -> bool {
        self.shards[shard].next_due_ms.load(Ordering::Relaxed) <= now_ms
    }

    /// Announces that these shards are about to be locked for long: who must not wait asks
    /// [`Keyspace::is_shard_occupied`] first. It is a hint; the locks alone keep others out.
    pub fn occupy(&self, shards: Vec<usize>) -> Occupied<'_> {
        for cell in shards.iter().filter_map(|shard| self.shards.get(*shard)) {
            cell.occupied.fetch_add(1, Ordering::SeqCst);
        }
        self.occupied.fetch_add(1, Ordering::SeqCst);
        Occupied { keyspace: self, shards }
    }

    /// Whether any shard may be occupied.
    #[inline]
    pub fn is_occupied(&self) -> bool {
        self.occupied.load(Ordering::Relaxed) > 0
    }

    /// Notes whether a snapshot is under way.
    pub fn set_cut(&self, on: bool) {
        self.has_cut.store(on, Ordering::Relaxed);
    }

    /// Whether a snapshot may be under way: then changing a large value may take long, since the snapshot is shown
    /// it first. As with [`Keyspace::occupy`] it is a hint.
    #[inline]
    pub fn has_cut(&self) -> bool {
        self.has_cut.load(Ordering::Relaxed)
    }

    /// Whether a shard is locked for long, or about to be.
    pub fn is_shard_occupied(&self, shard: usize) -> bool {
        self.shards[shard].occupied.load(Ordering::Relaxed) > 0
    }

    /// First step of a prefetch for a batch: the shard's lock, and the line of the table where the key belongs.
    #[inline]
    pub fn prefetch_bucket(&self, hash: KeyHash) {
        let shard = hash.shard();
        table::prefetch::read(&raw const *self.shards[shard]);
        self.hints[shard].prefetch(hash.table());
    }

    /// Second step: the entry itself.
    #[inline]
    pub fn prefetch_entry(&self, database: usize, hash: KeyHash) {
        let Some(guard) = self.try_lock(hash.shard()) else { return };
        let physical = self.resolve(database);
        if let Some(db) = guard.get().db(physical) {
            db.prefetch_entry(hash);
            db.note_buckets(&self.hints[guard.index]);
        }
    }

    /// Notes for the first step where the buckets of a database lie: of the one that is used now.
    #[inline]
    pub fn note_buckets(&self, guard: &Guard<'_>, physical: usize) {
        if let Some(db) = guard.get().db(physical) {
            db.note_buckets(&self.hints[guard.index]);
        }
    }
}

/// While this lives, shards are marked as occupied.
#[must_use = "the shards are free when this is dropped"]
pub struct Occupied<'k> {
    keyspace: &'k Keyspace,
    shards: Vec<usize>,
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        for cell in self.shards.iter().filter_map(|shard| self.keyspace.shards.get(*shard)) {
            cell.occupied.fetch_sub(1, Ordering::SeqCst);
        }
        self.keyspace.occupied.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Access to one shard, by its lock.
pub struct Guard<'k> {
    cell: &'k Cell,
    index: usize,
}

impl Guard<'_> {
    /// The number of the shard.
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The shard.
    #[inline]
    pub fn get(&self) -> &Shard {
        // SAFETY: this guard holds the shard's lock.
        unsafe { &*self.cell.shard.get() }
    }

    /// The shard for writing.
    #[inline]
    pub fn get_mut(&mut self) -> &mut Shard {
        // SAFETY: as in `get`, and the guard is borrowed exclusively.
        unsafe { &mut *self.cell.shard.get() }
    }

    /// Gives the shard to whoever waits for it, if somebody does: for those who come back for it at once, and would
    /// most likely have it again before who waits has woken up.
    pub fn give_way(self) {
        let cell = std::mem::ManuallyDrop::new(self).cell;
        // SAFETY: this guard took the lock and was its only holder; it is not dropped.
        unsafe { cell.lock.unlock_fair() }
    }

    /// Tells expiry that this shard has a deadline at `at_ms`.
    pub fn note_deadline(&self, at_ms: i64) {
        self.cell.note_deadline(at_ms);
    }

    /// Tells expiry that nothing is due in this shard before `at_ms`.
    pub fn set_next_due(&self, at_ms: i64) {
        self.cell.next_due_ms.store(at_ms, Ordering::Relaxed);
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // SAFETY: this guard took the lock and is its only holder.
        unsafe { self.cell.lock.unlock() }
    }
}
