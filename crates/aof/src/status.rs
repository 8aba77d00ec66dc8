use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Whether effects are written to files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// `appendonly no`.
    #[default]
    Off,
    /// It was turned on, and the first base is being written.
    Starting,
    /// They are.
    On,
}

/// What commands ask of those who write the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Write a new base (BGREWRITEAOF).
    Rewrite,
    /// Act on `appendonly`.
    Switch(bool),
    /// Go on in another file, since the keys are others (`encryption-key-file`).
    NextFile,
    /// Load everything anew, for a client that waits (DEBUG LOADAOF).
    Reload(u64),
}

/// A client that waits until something is durable (WAITAOF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaiting {
    /// The client's number.
    pub client: u64,
    /// Up to which number of the log.
    pub seq: u64,
    /// Whether it waits for the file here.
    pub local: bool,
    /// For how many replicas' files it waits.
    pub replicas: u64,
    /// When it gives up, milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// When it began to wait, milliseconds since the epoch.
    pub asked_ms: i64,
}

impl Awaiting {
    /// Whether the wait is over; everything up to number `durable` is durable here.
    pub fn is_over(&self, durable: u64, now_ms: i64) -> bool {
        let acknowledged = self.replicas == 0 && (!self.local || self.seq <= durable);
        acknowledged || self.deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms)
    }
}

/// What the system says of a failure, without the number that Rust adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

/// What everybody may know of the append-only files.
#[derive(Debug, Default)]
pub struct Status {
    state: Mutex<State>,
    on: AtomicBool,
    /// A base is being written.
    pub rewriting: AtomicBool,
    /// A base is to be written as soon as possible.
    pub scheduled: AtomicBool,
    /// When the rewrite that is under way began, milliseconds since the epoch.
    pub rewrite_started_ms: AtomicI64,
    /// How long the last rewrite took, seconds; one more, so that 0 is none.
    pub last_rewrite_s_plus_1: AtomicI64,
    /// Whether the last rewrite failed.
    pub rewrite_failed: AtomicBool,
    /// Rewrites so far.
    pub rewrites: AtomicU64,
    /// Rewrites in a row that failed.
    pub failures: AtomicU64,
    /// Bytes of all files.
    pub size: AtomicU64,
    /// Bytes of all files after the last rewrite, or at the start.
    pub base_size: AtomicU64,
    /// Bytes that wait to be written.
    pub buffered: AtomicU64,
    /// A file is being made durable in the background.
    pub syncing: AtomicBool,
    /// How often that took so long that writing had to wait.
    pub delayed: AtomicU64,
    /// Why writes are refused: the system's words for what failed.
    failure: Mutex<Option<String>>,
    failed: AtomicBool,
    /// Microseconds that every write is delayed by (DEBUG AOF-FLUSH-SLEEP).
    pub flush_delay_us: AtomicU64,
    /// Logging is being turned off: a base that is under way, or begins before that is done, is not wanted.
    unwanted: AtomicBool,
    awaiting: Mutex<Vec<Awaiting>>,
    requests: Mutex<Vec<Request>>,
    asked: Condvar,
}

impl Status {
    /// Whether effects are written to files, or about to be.
    pub fn state(&self) -> State {
        *self.state.lock()
    }

    /// Says whether they are.
    pub fn set_state(&self, state: State) {
        *self.state.lock() = state;
        self.on.store(state != State::Off, Ordering::Release);
    }

    /// Whether effects are written to files, or about to be; cheap.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Why writes are refused.
    pub fn failure(&self) -> Option<String> {
        if !self.failed.load(Ordering::Acquire) {
            return None;
        }
        self.failure.lock().clone()
    }

    /// Whether writes are refused; cheap.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Lets writes be refused, or not any more. Says whether that is new.
    pub fn set_failure(&self, failure: Option<String>) -> bool {
        let mut current = self.failure.lock();
        let is_new = current.is_some() != failure.is_some();
        self.failed.store(failure.is_some(), Ordering::Release);
        *current = failure;
        is_new
    }

    /// Asks for a new base; false when one is being written already.
    pub fn ask_rewrite(&self) -> bool {
        let begins = self.begin_rewrite();
        if begins {
            self.ask(Request::Rewrite);
        }
        begins
    }

    /// Asks for the log to be written from now on, or not any more.
    pub fn ask_switch(&self, on: bool) {
        if on {
            // From now on INFO says so.
            self.set_state(State::Starting);
            self.rewriting.store(true, Ordering::Release);
        } else {
            self.unwanted.store(true, Ordering::Release);
        }
        self.ask(Request::Switch(on));
    }

    /// Whether logging is being turned off.
    pub fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Acquire)
    }

    /// Notes that it has been.
    pub fn set_wanted(&self) {
        self.unwanted.store(false, Ordering::Release);
    }

    /// Asks for everything to be loaded anew; the client is served then.
    pub fn ask_reload(&self, client: u64) {
        self.ask(Request::Reload(client));
    }

    /// Asks for what comes from now on to be written into another file.
    pub fn ask_next_file(&self) {
        self.ask(Request::NextFile);
    }

    /// Notes that a base is being written; false when one is already.
    pub fn begin_rewrite(&self) -> bool {
        !self.rewriting.swap(true, Ordering::AcqRel)
    }

    /// Adds a client that waits.
    pub fn await_durable(&self, awaiting: Awaiting) {
        self.awaiting.lock().push(awaiting);
    }

    /// The clients that wait, for whoever answers them.
    pub fn awaiting(&self) -> MutexGuard<'_, Vec<Awaiting>> {
        self.awaiting.lock()
    }

    fn ask(&self, request: Request) {
        self.requests.lock().push(request);
        self.asked.notify_all();
    }

    /// Takes what was asked for, waiting for it for a while.
    pub fn wait_for_requests(&self, at_most: Duration) -> Vec<Request> {
        let mut requests = self.requests.lock();
        if requests.is_empty() {
            self.asked.wait_for(&mut requests, at_most);
        }
        std::mem::take(&mut *requests)
    }
}
