//! Threads that work for long make room for others on their core, some times a millisecond.
//!
//! The system does this by itself, but lets those who have used up their share of a core wait for its next tick, which
//! takes milliseconds. Helpers and the reclaimer take and free many blocks of the [heap](crate::heap), so it is where they
//! pause; a snapshot's walk does between shards, when it holds none.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long such a thread keeps its core to itself.
const LENGTH: Duration = Duration::from_micros(300);

/// The time since others could have the core last.
#[derive(Clone, Copy, Debug)]
pub struct Stint(Instant);

impl Stint {
    /// It begins now.
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Lets others have the core if it is time for that.
    #[inline]
    pub fn pause(&mut self) {
        if self.0.elapsed() >= LENGTH {
            std::thread::yield_now();
            *self = Self::begin();
        }
    }
}

thread_local! {
    /// That of a thread that makes room.
    static OWN: Cell<Option<Stint>> = const { Cell::new(None) };
}

/// Has the calling thread make room for others from now on, whatever it holds: nobody who must not wait waits for it.
pub fn make_room() {
    OWN.set(Some(Stint::begin()));
}

/// Lets others have the core if this thread makes room, and has had the core for long.
#[inline]
pub(crate) fn pause() {
    // While a thread ends there is nothing to be read any more.
    if let Ok(Some(mut stint)) = OWN.try_with(Cell::get) {
        stint.pause();
        OWN.set(Some(stint));
    }
}
