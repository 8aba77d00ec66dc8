//! Threads that work for long make room for others on their core, some times a millisecond.
//!
//! The system does this by itself, but lets those who have used up their share of a core wait for its next tick, which
//! takes milliseconds. Such threads take and free many blocks of the [heap](crate::heap), so it is where they pause.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// How long such a thread keeps its core to itself.
const STINT: Duration = Duration::from_micros(300);

thread_local! {
    /// When others could have the core last, in a thread that makes room.
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Has the calling thread make room for others from now on, whatever it holds: nobody who must not wait waits for it.
pub fn make_room() {
    BEGUN.set(Some(Instant::now()));
}

/// Lets others have the core if this thread makes room, and has had the core for long.
#[inline]
pub(crate) fn pause() {
    // While a thread ends there is nothing to be read any more.
    if let Ok(Some(begun)) = BEGUN.try_with(Cell::get)
        && begun.elapsed() >= STINT
    {
        std::thread::yield_now();
        make_room();
    }
}
