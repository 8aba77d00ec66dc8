use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};

use crate::recorder::Chunk;

/// Bytes that wait to be merged above which whoever hands more over waits: the disk is slower than the
/// clients.
const QUEUE_MOST: usize = 256 * 1024 * 1024;

/// Is told when numbers become durable.
pub trait Waiter: Send + Sync {
    /// Everything up to [`Log::durable`] is.
    fn durable(&self);
}

/// What all threads share of the log.
#[derive(Default)]
pub struct Log {
    on: AtomicBool,
    /// The last number drawn.
    issued: CachePadded<AtomicU64>,
    /// Up to here everything is on disk, if somebody asked for it.
    durable: CachePadded<AtomicU64>,
    /// Bytes handed over and not merged yet.
    queued: AtomicUsize,
    /// How often something was handed over, or the merger was to look for another reason.
    posts: AtomicU64,
    slots: Mutex<Vec<Arc<Slot>>>,
    signal: Signal,
    waiters: Mutex<Vec<Arc<dyn Waiter>>>,
}

#[derive(Default)]
struct Signal {
    lock: Mutex<()>,
    /// The merger sleeps here.
    work: Condvar,
    /// Whoever hands too much over sleeps here.
    room: Condvar,
    /// The merger sleeps, or is about to.
    asleep: AtomicBool,
}

/// A thread's place, where it hands its buffers over.
#[derive(Default)]
pub(crate) struct Slot {
    pub queue: Mutex<VecDeque<Chunk>>,
    /// Buffers to be used again.
    pub spare: Mutex<Vec<Chunk>>,
}

impl Log {
    /// Whether somebody reads the log. Changes only behind the closed gate of the keyspace, so whoever is
    /// inside sees one value throughout.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Starts or stops the recording of effects. The caller holds the keyspace's gate closed.
    pub fn set_on(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// The last number drawn: whatever has happened so far has this number or a lower one.
    pub fn issued(&self) -> u64 {
        self.issued.load(Ordering::Acquire)
    }

    pub(crate) fn issue(&self) -> u64 {
        self.issued.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The number up to which everything is durable, as far as anybody waits for that.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Notes that everything up to `seq` is durable, and tells those who wait for it.
    pub fn set_durable(&self, seq: u64) {
        if self.durable.fetch_max(seq, Ordering::AcqRel) < seq {
            self.wake_waiters();
        }
    }

    /// Lets those look again who wait for numbers to become durable.
    pub fn wake_waiters(&self) {
        self.waiters.lock().iter().for_each(|waiter| waiter.durable());
    }

    /// Adds somebody to be told when numbers become durable.
    pub fn join(&self, waiter: Arc<dyn Waiter>) {
        self.waiters.lock().push(waiter);
    }

    pub(crate) fn add_slot(&self) -> Arc<Slot> {
        let slot = Arc::new(Slot::default());
        self.slots.lock().push(Arc::clone(&slot));
        slot
    }

    pub(crate) fn slots(&self, known: usize) -> Vec<Arc<Slot>> {
        self.slots.lock().get(known..).unwrap_or_default().to_vec()
    }

    /// Takes a thread's buffer. Waits for room if it may: whoever holds locks may not.
    pub(crate) fn hand_over(&self, slot: &Slot, chunk: Chunk, may_wait: bool) {
        let bytes = chunk.bytes.len();
        // Counted before anybody can take it away again.
        let queued = self.queued.fetch_add(bytes, Ordering::AcqRel) + bytes;
        slot.queue.lock().push_back(chunk);
        self.wake();
        if may_wait && queued > QUEUE_MOST {
            self.wait_for_room();
        }
    }

    #[cold]
    fn wait_for_room(&self) {
        let mut state = self.signal.lock.lock();
        while self.queued.load(Ordering::Acquire) > QUEUE_MOST {
            self.signal.room.wait_for(&mut state, Duration::from_millis(100));
        }
    }

    pub(crate) fn taken(&self, bytes: usize) {
        let before = self.queued.fetch_sub(bytes, Ordering::AcqRel);
        if before > QUEUE_MOST {
            let _lock = self.signal.lock.lock();
            self.signal.room.notify_all();
        }
    }

    /// Makes the merger's thread look, if it sleeps.
    pub fn wake(&self) {
        // Ordered with `sleep`: either this sees it asleep, or it sees that there was a post.
        self.posts.fetch_add(1, Ordering::SeqCst);
        if self.signal.asleep.swap(false, Ordering::SeqCst) {
            // Not between its look and its sleep: it holds the lock meanwhile.
            drop(self.signal.lock.lock());
            self.signal.work.notify_one();
        }
    }

    /// Counts what the merger is to look at.
    pub fn posts(&self) -> u64 {
        self.posts.load(Ordering::SeqCst)
    }

    /// Lets the merger's thread sleep until there have been more than `posts`, or for `at_most`.
    pub fn sleep(&self, posts: u64, at_most: Duration) {
        let mut lock = self.signal.lock.lock();
        self.signal.asleep.store(true, Ordering::SeqCst);
        if self.posts() == posts {
            self.signal.work.wait_for(&mut lock, at_most);
        }
        self.signal.asleep.store(false, Ordering::SeqCst);
    }
}
