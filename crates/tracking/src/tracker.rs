//! How one client tracks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use bitflags::bitflags;
use parking_lot::Mutex;

bitflags! {
    /// How a client tracks.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Mode: u8 {
        /// It does.
        const ON = 1;
        /// All keys with its prefixes, whether it read them or not.
        const BROADCAST = 1 << 1;
        /// Only what commands read that follow CLIENT CACHING YES.
        const OPT_IN = 1 << 2;
        /// Not what commands read that follow CLIENT CACHING NO.
        const OPT_OUT = 1 << 3;
        /// Nothing that it changes itself.
        const NO_LOOP = 1 << 4;
        /// CLIENT CACHING was called for the next command.
        const CACHING = 1 << 5;
        /// Whoever its invalidations were redirected to has gone.
        const BROKEN = 1 << 6;
    }
}

/// A client that tracks, has tracked, or gets the invalidations of others. There is one per connection, and
/// it outlives the connection as long as the table names it.
pub struct Tracker {
    client: u64,
    worker: usize,
    /// A [`Mode`], changed by the client's own commands, but for `BROKEN`.
    mode: AtomicU8,
    gone: AtomicBool,
    redirect: Mutex<Option<Arc<Tracker>>>,
    prefixes: Mutex<BTreeSet<Arc<[u8]>>>,
}

impl Tracker {
    /// A client that does not track yet, and the number of its worker.
    pub fn new(client: u64, worker: usize) -> Self {
        Self {
            client,
            worker,
            mode: AtomicU8::new(0),
            gone: AtomicBool::new(false),
            redirect: Mutex::new(None),
            prefixes: Mutex::default(),
        }
    }

    /// The client's id.
    pub fn client(&self) -> u64 {
        self.client
    }

    pub(crate) fn worker(&self) -> usize {
        self.worker
    }

    /// How it tracks.
    pub fn mode(&self) -> Mode {
        Mode::from_bits_retain(self.mode.load(Ordering::Relaxed))
    }

    /// Whether what its next command reads is remembered.
    pub fn remembers(&self) -> bool {
        let mode = self.mode();
        let caching = mode.contains(Mode::CACHING);
        self.wants_keys()
            && (!mode.contains(Mode::OPT_IN) || caching)
            && (!mode.contains(Mode::OPT_OUT) || !caching)
    }

    /// Whether it is told of keys that it has read.
    pub(crate) fn wants_keys(&self) -> bool {
        self.mode().intersection(Mode::ON.union(Mode::BROADCAST)) == Mode::ON
    }

    /// Whether it wants to hear nothing of what `client` changes, because it is that client.
    pub(crate) fn is_silent_about(&self, client: u64) -> bool {
        self.client == client && self.mode().contains(Mode::NO_LOOP)
    }

    /// Sets or clears CLIENT CACHING's mark for the next command.
    pub fn set_caching(&self, on: bool) {
        if on {
            self.mode.fetch_or(Mode::CACHING.bits(), Ordering::Relaxed);
        } else if self.mode().contains(Mode::CACHING) {
            self.mode.fetch_and(!Mode::CACHING.bits(), Ordering::Relaxed);
        }
    }

    pub(crate) fn set_broken(&self) {
        self.mode.fetch_or(Mode::BROKEN.bits(), Ordering::Relaxed);
    }

    /// Notes that its connection has ended, so that nothing is redirected to it any more.
    pub fn mark_gone(&self) {
        self.gone.store(true, Ordering::Release);
        *self.redirect.lock() = None;
    }

    /// Whether its connection has ended.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Who gets its invalidations instead of it.
    pub fn redirect(&self) -> Option<Arc<Tracker>> {
        self.redirect.lock().clone()
    }

    /// The prefixes that it named, in the order of their bytes.
    pub fn prefixes(&self) -> Vec<Arc<[u8]>> {
        self.prefixes.lock().iter().cloned().collect()
    }

    /// How many they are.
    pub fn prefixes_len(&self) -> usize {
        self.prefixes.lock().len()
    }

    pub(crate) fn add_prefix(&self, prefix: Arc<[u8]>) {
        self.prefixes.lock().insert(prefix);
    }

    /// Begins to track, or changes how.
    pub(crate) fn begin(&self, mode: Mode, redirect: Option<Arc<Tracker>>) {
        let kept = self.mode().intersection(Mode::CACHING);
        self.mode.store(mode.union(Mode::ON).union(kept).bits(), Ordering::Relaxed);
        if !self.is_gone() {
            *self.redirect.lock() = redirect;
        }
    }

    /// Ends tracking, and gives back the prefixes.
    pub(crate) fn end(&self) -> BTreeSet<Arc<[u8]>> {
        self.mode.store(0, Ordering::Relaxed);
        *self.redirect.lock() = None;
        std::mem::take(&mut *self.prefixes.lock())
    }
}
