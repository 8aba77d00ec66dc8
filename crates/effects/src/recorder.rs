use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::encode::encode;
use crate::group::{Group, Part, Targets};
use crate::log::{Log, Slot};

/// Bytes after which a thread hands its buffer over before its batch ends.
const CHUNK_MOST: usize = 256 * 1024;

/// Buffers kept to be used again: as many as are handed over while whoever merges them rests, or waits for a core.
const SPARES_MOST: usize = 32;
/// Bytes of a buffer that is kept, at most.
const SPARE_MOST: usize = 64 * 1024;

/// What one thread has recorded: groups in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub bytes: Vec<u8>,
    pub parts: Vec<Part>,
    pub groups: Vec<Mark>,
}

/// Where a group of a chunk ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub seq: u64,
    /// Number of commands.
    pub parts: usize,
    /// Seconds since the epoch.
    pub unix_s: i64,
}

impl Chunk {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
        self.groups.clear();
    }
}

/// One thread's hand in the log.
pub struct Recorder {
    log: Arc<Log>,
    slot: Arc<Slot>,
    chunk: RefCell<Chunk>,
    last: Cell<u64>,
}

impl Recorder {
    /// A hand in `log` for the calling thread.
    pub fn new(log: &Arc<Log>) -> Self {
        Self {
            log: Arc::clone(log),
            slot: log.add_slot(),
            chunk: RefCell::default(),
            last: Cell::new(0),
        }
    }

    /// The log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// The number that this thread drew last; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last.get()
    }

    /// Whether somebody reads the log; if not, nothing need be recorded.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.log.is_on()
    }

    /// Records effects that stay together, and empties `group`. Several of them become a transaction. The
    /// caller holds the locks of everything that changed. `now_ms` is milliseconds since the epoch.
    pub fn record(&self, group: &mut Group, now_ms: i64) {
        let (Some(first), Some(last)) = (group.parts.first(), group.parts.last()) else { return };
        self.add(now_ms, |chunk| {
            let wraps = group.len() > 1;
            let targets =
                || group.parts.iter().fold(Targets::empty(), |all, one| all | one.targets);
            if wraps {
                chunk.push(first.database, targets(), 1, [&b"MULTI"[..]].into_iter());
            }
            chunk.bytes.extend_from_slice(&group.bytes);
            chunk.parts.extend_from_slice(&group.parts);
            if wraps {
                chunk.push(last.database, targets(), 1, [&b"EXEC"[..]].into_iter());
            }
        });
        group.clear();
    }

    /// Records one effect: a command of `count` words. Otherwise as [`Recorder::record`].
    pub fn record_one<'w>(
        &self,
        database: usize,
        targets: Targets,
        count: usize,
        words: impl Iterator<Item = &'w [u8]>,
        now_ms: i64,
    ) {
        self.add(now_ms, |chunk| chunk.push(database as u32, targets, count, words));
    }

    /// Records one effect that is there in its RESP form. Otherwise as [`Recorder::record`].
    pub fn record_encoded(&self, database: usize, targets: Targets, bytes: &[u8], now_ms: i64) {
        self.add(now_ms, |chunk| {
            chunk.bytes.extend_from_slice(bytes);
            chunk.parts.push(Part { database: database as u32, targets, bytes: bytes.len() });
        });
    }

    #[inline]
    fn add(&self, now_ms: i64, add: impl FnOnce(&mut Chunk)) {
        let mut chunk = self.chunk.borrow_mut();
        let before = chunk.parts.len();
        add(&mut chunk);
        let parts = chunk.parts.len() - before;
        let seq = self.log.issue();
        self.last.set(seq);
        chunk.groups.push(Mark { seq, parts, unix_s: now_ms / 1000 });
        if chunk.bytes.len() >= CHUNK_MOST {
            drop(chunk);
            self.hand_over(false);
        }
    }

    /// Hands over what has been recorded. A thread does it at the end of each batch, and before it waits
    /// for anything: nobody else's later effects come out of the log before.
    pub fn publish(&self) {
        if !self.chunk.borrow().groups.is_empty() {
            self.hand_over(true);
        }
    }

    /// Waits for room if `may_wait`; whoever holds locks may not.
    fn hand_over(&self, may_wait: bool) {
        let fresh = self.slot.spare.lock().pop().unwrap_or_default();
        let chunk = self.chunk.replace(fresh);
        self.log.hand_over(&self.slot, chunk, may_wait);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.publish();
    }
}

impl Chunk {
    fn push<'w>(
        &mut self,
        database: u32,
        targets: Targets,
        count: usize,
        words: impl Iterator<Item = &'w [u8]>,
    ) {
        let start = self.bytes.len();
        encode(&mut self.bytes, count, words);
        self.parts.push(Part { database, targets, bytes: self.bytes.len() - start });
    }
}

impl Slot {
    /// Gives a buffer back whose content has been merged.
    pub(crate) fn recycle(&self, mut chunk: Chunk) {
        chunk.clear();
        let mut spare = self.spare.lock();
        if spare.len() < SPARES_MOST && chunk.bytes.capacity() <= SPARE_MOST {
            spare.push(chunk);
        }
    }
}
