use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use command::{Letter, Mailbox};
use effects::Waiter;
use parking_lot::Mutex;
use pubsub::Delivery;
use tracking::Invalidation;

use crate::accept::Arrival;

/// The letters and new connections for one worker.
pub struct Inbox<S> {
    wake: Box<dyn Fn() + Send + Sync>,
    posted: Mutex<Posted<S>>,
    /// Messages wait: what the worker looks at after commands.
    has_messages: AtomicBool,
    /// Replies wait to become durable.
    awaits_durability: AtomicBool,
    /// Connections that the worker has or is about to have.
    load: AtomicUsize,
}

/// What clients are told apart from replies.
#[derive(Clone, Debug)]
pub enum Message {
    /// To subscribers.
    Published(Delivery),
    /// To those who cache.
    Invalidated(Invalidation),
}

/// What has arrived since the worker last looked.
pub struct Posted<S> {
    /// About connections.
    pub letters: Vec<Letter>,
    /// New connections.
    pub arrivals: Vec<Arrival<S>>,
    /// What clients are told apart from replies, in its order.
    pub messages: Vec<Message>,
    /// The worker waits, or is about to, and has to be woken.
    asleep: bool,
}

impl<S> Default for Posted<S> {
    fn default() -> Self {
        Self { letters: Vec::new(), arrivals: Vec::new(), messages: Vec::new(), asleep: false }
    }
}

impl<S> Posted<S> {
    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.arrivals.is_empty() && self.messages.is_empty()
    }
}

impl<S> Inbox<S> {
    /// An inbox whose worker `wake` wakes.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            wake: Box::new(wake),
            posted: Mutex::default(),
            has_messages: AtomicBool::new(false),
            awaits_durability: AtomicBool::new(false),
            load: AtomicUsize::new(0),
        }
    }

    /// Says whether the worker has to be woken when something becomes durable.
    pub fn await_durability(&self, awaits: bool) {
        self.awaits_durability.store(awaits, Ordering::SeqCst);
    }

    /// Takes everything; the worker is awake.
    pub fn take(&self) -> Posted<S> {
        let mut posted = self.posted.lock();
        self.has_messages.store(false, Ordering::Relaxed);
        std::mem::take(&mut *posted)
    }

    /// Whether the worker may wait: nothing has arrived, and whatever does will wake it.
    pub fn may_sleep(&self) -> bool {
        let mut posted = self.posted.lock();
        posted.asleep = posted.is_empty();
        posted.asleep
    }

    /// Whether messages wait that were published before: by this thread, or by another whose publisher
    /// could already know.
    pub fn has_messages(&self) -> bool {
        self.has_messages.load(Ordering::Acquire)
    }

    /// Exchanges the messages that wait for `empty`.
    pub fn take_messages(&self, empty: &mut Vec<Message>) {
        let mut posted = self.posted.lock();
        self.has_messages.store(false, Ordering::Relaxed);
        std::mem::swap(&mut posted.messages, empty);
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

    fn tell(&self, message: Message) {
        self.put(|posted| {
            posted.messages.push(message);
            self.has_messages.store(true, Ordering::Release);
        });
    }

    /// The first thing to arrive wakes a worker that waits; one that is awake looks before it waits.
    fn put(&self, add: impl FnOnce(&mut Posted<S>)) {
        let mut posted = self.posted.lock();
        add(&mut posted);
        let asleep = std::mem::take(&mut posted.asleep);
        drop(posted);
        if asleep {
            self.wake();
        }
    }
}

impl<S: Send> Mailbox for Inbox<S> {
    fn post(&self, letter: Letter) {
        self.put(|posted| posted.letters.push(letter));
    }
}

impl<S: Send> Waiter for Inbox<S> {
    fn durable(&self) {
        if self.awaits_durability.load(Ordering::SeqCst) {
            self.wake();
        }
    }
}

impl<S: Send> pubsub::Post for Inbox<S> {
    fn deliver(&self, delivery: Delivery) {
        self.tell(Message::Published(delivery));
    }
}

impl<S: Send> tracking::Post for Inbox<S> {
    fn invalidate(&self, invalidation: Invalidation) {
        self.tell(Message::Invalidated(invalidation));
    }
}
