//! The gate: lets workers run side by side, and now and then one operation run alone.
//!
//! Each worker has a [`GateSlot`] with a cache line of its own, so passing the open gate touches
//! no line that another worker writes: one store and one load to enter, the same to leave. Closing
//! is the expensive side; it takes a lock and looks at every slot.
//!
//! # Why it is correct
//!
//! Entering is "say that I am inside, then look whether the gate is closed"; closing is "say that
//! it is closed, then look who is inside" (Dekker's pattern). Both stores and both loads are
//! sequentially consistent, so at least one side sees the other: never do both go ahead. Leaving is
//! "say that I am outside, then look whether it is closed", so likewise either the closer sees
//! the slot empty, or the leaver sees the gate closed and wakes the closer. A wake-up is not lost
//! because whoever sleeps holds `state` from its check to its sleep, and whoever wakes takes
//! `state` after its own store.
//!
//! Model-checked with loom, which explores the interleavings and memory orders of small cases:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 \
//!     cargo test --release -p keyspace --lib --target-dir target/loom gate::loom_tests
//! ```
#![allow(unexpected_cfgs, reason = "`loom` is set by hand for the model checker only")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::PoisonError;

use crossbeam_utils::CachePadded;

use sync::{Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering};

#[cfg(not(loom))]
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, Ordering};
    pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
}

#[cfg(loom)]
mod sync {
    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
}

/// A gate that participants pass cheaply and that can be closed to run alone. Clones are handles
/// to the same gate.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    /// Written under `state`; read by participants without it.
    closed: CachePadded<AtomicBool>,
    state: Mutex<State>,
    /// A closer sleeps here until everyone is outside.
    all_outside: Condvar,
    /// Participants that want in and further closers sleep here until the gate opens.
    opened: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether each registered participant is inside, by the id of its slot.
    participants: Vec<(u64, Inside)>,
    next_id: u64,
}

type Inside = Arc<CachePadded<AtomicBool>>;

/// Stores `value` so that the loads that follow in this thread come after it in the one order of
/// all sequentially consistent operations.
fn announce(flag: &AtomicBool, value: bool) {
    flag.store(value, Ordering::SeqCst);
    // Loom treats SeqCst loads and stores as AcqRel, which is too weak for Dekker's pattern; it
    // does model SeqCst fences, and with one on each side the guarantee is the same.
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed, so a panic elsewhere is no reason
        // to stop everyone.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'a>(on: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        on.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Makes the closer that sleeps, if any, look again.
    fn wake_closer(&self) {
        // Not before it sleeps: it holds the lock from its look to its sleep.
        drop(self.lock());
        self.all_outside.notify_one();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("closed", &self.shared.is_closed()).finish_non_exhaustive()
    }
}

impl Gate {
    /// An open gate without participants.
    pub fn new() -> Self {
        let shared = Shared {
            closed: CachePadded::new(AtomicBool::new(false)),
            state: Mutex::new(State::default()),
            all_outside: Condvar::new(),
            opened: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Adds a participant, which is outside. Does not wait, even while the gate is closed.
    pub fn register(&self) -> GateSlot {
        let inside = Arc::new(CachePadded::new(AtomicBool::new(false)));
        let mut state = self.shared.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.participants.push((id, Arc::clone(&inside)));
        drop(state);
        GateSlot { inside, id, shared: Arc::clone(&self.shared), _one_thread: PhantomData }
    }

    /// Makes whoever waits look again whether to go on waiting.
    pub fn nudge(&self) {
        drop(self.shared.lock());
        self.shared.opened.notify_all();
    }

    /// Closes the gate: waits for its turn if it is closed already, then until every participant
    /// is outside. None gets in until the guard is dropped.
    ///
    /// The calling thread must be outside with all of its own slots and hold no other guard of
    /// this gate: it would wait for itself.
    pub fn close(&self) -> Closed<'_> {
        loop {
            if let Some(closed) = self.close_unless(|| false) {
                return closed;
            }
        }
    }

    /// The same, unless `gives_up` says so while another keeps it closed. It is asked before each sleep, and
    /// again at each [`Gate::nudge`].
    pub fn close_unless(&self, gives_up: impl Fn() -> bool) -> Option<Closed<'_>> {
        let shared = &*self.shared;
        let mut state = shared.lock();
        while shared.is_closed() {
            if gives_up() {
                return None;
            }
            state = Shared::sleep(&shared.opened, state);
        }
        announce(&shared.closed, true);
        // Participants may come and go while this sleeps; so each look is at all of them.
        while state.participants.iter().any(|(_, inside)| inside.load(Ordering::SeqCst)) {
            state = Shared::sleep(&shared.all_outside, state);
        }
        Some(Closed { shared, _one_thread: PhantomData })
    }
}

/// A participant's side of the gate. Belongs to one thread at a time.
///
/// Dropping it leaves the gate if it is inside, and takes the participant out.
pub struct GateSlot {
    inside: Inside,
    id: u64,
    shared: Arc<Shared>,
    /// Not `Sync`: two threads that shared a slot would undo each other's entering.
    _one_thread: PhantomData<Cell<()>>,
}

impl GateSlot {
    /// Enters; sleeps while the gate is closed. Must be outside.
    #[inline]
    pub fn enter(&self) {
        debug_assert!(!self.is_inside(), "entering is not reentrant");
        announce(&self.inside, true);
        if self.shared.is_closed() {
            self.enter_when_open(|| false);
        }
    }

    /// Enters, unless `gives_up` says so while the gate is closed; says whether it did. It is asked before
    /// each sleep, and again at each [`Gate::nudge`]. Must be outside.
    #[inline]
    pub fn enter_unless(&self, gives_up: impl Fn() -> bool) -> bool {
        debug_assert!(!self.is_inside(), "entering is not reentrant");
        announce(&self.inside, true);
        !self.shared.is_closed() || self.enter_when_open(gives_up)
    }

    #[cold]
    fn enter_when_open(&self, gives_up: impl Fn() -> bool) -> bool {
        // Not inside after all; the closer may have seen it otherwise and sleep because of it.
        self.leave();
        let mut state = self.shared.lock();
        while self.shared.is_closed() {
            if gives_up() {
                return false;
            }
            state = Shared::sleep(&self.shared.opened, state);
        }
        // The next closer takes the lock first, so it sees this and waits.
        announce(&self.inside, true);
        drop(state);
        true
    }

    /// Leaves. Must be inside.
    #[inline]
    pub fn leave(&self) {
        debug_assert!(self.is_inside(), "only who is inside can leave");
        announce(&self.inside, false);
        if self.shared.is_closed() {
            self.shared.wake_closer();
        }
    }

    /// Whether this participant is inside.
    pub fn is_inside(&self) -> bool {
        // The slot's own thread wrote it last.
        self.inside.load(Ordering::Relaxed)
    }
}

impl Drop for GateSlot {
    fn drop(&mut self) {
        if self.is_inside() {
            self.leave();
        }
        self.shared.lock().participants.retain(|(id, _)| *id != self.id);
    }
}

impl std::fmt::Debug for GateSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GateSlot").field("id", &self.id).field("inside", &self.is_inside()).finish()
    }
}

/// While this lives, no participant is inside and no other closer is at work.
#[must_use = "the gate opens when this is dropped"]
pub struct Closed<'a> {
    shared: &'a Shared,
    _one_thread: PhantomData<*const ()>,
}

impl std::fmt::Debug for Closed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Closed")
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        let state = self.shared.lock();
        announce(&self.shared.closed, false);
        drop(state);
        self.shared.opened.notify_all();
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
