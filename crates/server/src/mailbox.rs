use std::sync::atomic::{AtomicUsize, Ordering};

use command::{Letter, Mailbox};
use parking_lot::Mutex;

use crate::accept::Arrival;

/// The letters and new connections for one worker.
pub struct Inbox<S> {
    wake: Box<dyn Fn() + Send + Sync>,
    posted: Mutex<Posted<S>>,
    /// Connections that the worker has or is about to have.
    load: AtomicUsize,
}

/// What has arrived since the worker last looked.
pub struct Posted<S> {
    /// About connections.
    pub letters: Vec<Letter>,
    /// New connections.
    pub arrivals: Vec<Arrival<S>>,
}

impl<S> Default for Posted<S> {
    fn default() -> Self {
        Self { letters: Vec::new(), arrivals: Vec::new() }
    }
}

impl<S> Posted<S> {
    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.arrivals.is_empty()
    }
}

impl<S> Inbox<S> {
    /// An inbox whose worker `wake` wakes.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { wake: Box::new(wake), posted: Mutex::default(), load: AtomicUsize::new(0) }
    }

    /// Takes everything.
    pub fn take(&self) -> Posted<S> {
        std::mem::take(&mut *self.posted.lock())
    }

    /// Hands a new connection over.
    pub fn hand_over(&self, arrival: Arrival<S>) {
        self.load.fetch_add(1, Ordering::Relaxed);
        self.put(|posted| posted.arrivals.push(arrival));
    }

    /// Notes that a connection has ended.
    pub fn let_go(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number of connections handed over and not ended.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Ends the worker's wait.
    pub fn wake(&self) {
        (self.wake)();
    }

    /// The first thing to arrive wakes the worker; those after it find it awake.
    fn put(&self, add: impl FnOnce(&mut Posted<S>)) {
        let mut posted = self.posted.lock();
        let first = posted.is_empty();
        add(&mut posted);
        drop(posted);
        if first {
            self.wake();
        }
    }
}

impl<S: Send> Mailbox for Inbox<S> {
    fn post(&self, letter: Letter) {
        self.put(|posted| posted.letters.push(letter));
    }
}
