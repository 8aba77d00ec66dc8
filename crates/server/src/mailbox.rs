use std::sync::Arc;

use command::{Letter, Mailbox};
use mio::Waker;
use parking_lot::Mutex;

use crate::accept::Arrival;

/// The letters and new connections for one worker.
pub struct Inbox {
    waker: Arc<Waker>,
    posted: Mutex<Posted>,
}

/// What has arrived since the worker last looked.
#[derive(Default)]
pub struct Posted {
    /// About connections.
    pub letters: Vec<Letter>,
    /// New connections.
    pub arrivals: Vec<Arrival>,
}

impl Posted {
    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.arrivals.is_empty()
    }
}

impl Inbox {
    /// An inbox whose worker `waker` wakes.
    pub fn new(waker: Arc<Waker>) -> Self {
        Self { waker, posted: Mutex::default() }
    }

    /// Takes everything.
    pub fn take(&self) -> Posted {
        std::mem::take(&mut *self.posted.lock())
    }

    /// Hands a new connection over.
    pub fn hand_over(&self, arrival: Arrival) {
        self.put(|posted| posted.arrivals.push(arrival));
    }

    /// Ends the worker's wait.
    pub fn wake(&self) {
        // A worker whose waker fails still looks at its inbox every tick of its cron.
        let _ = self.waker.wake();
    }

    /// The first thing to arrive wakes the worker; those after it find it awake.
    fn put(&self, add: impl FnOnce(&mut Posted)) {
        let mut posted = self.posted.lock();
        let first = posted.is_empty();
        add(&mut posted);
        drop(posted);
        if first {
            self.wake();
        }
    }
}

impl Mailbox for Inbox {
    fn post(&self, letter: Letter) {
        self.put(|posted| posted.letters.push(letter));
    }
}
