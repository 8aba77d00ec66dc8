//! Threads that work for long make room for others on their core.
//!
//! The system does this by itself, but lets those who have used up their share of a core wait for its next tick, which
//! takes milliseconds: a worker that has been busy until just now, for instance.
//!
//! Helpers and the reclaimer take and free many blocks of the [heap](crate::heap), so it is where they look at the clock
//! and pause, some times a millisecond; a snapshot's walk does between shards, when it holds none. Whatever else helpers
//! do, sort, copy a reply, read pages that the system has yet to find, a timer interrupts them ([`Turns`]), as Go does it
//! with goroutines: no command needs to think of it. That is rarer, as the system takes long for an interruption,
//! a tenth of a millisecond where a virtual machine's host is a virtual machine. Who is interrupted may hold a lock;
//! whoever wants it sleeps ([`crate::lock`]), and the work goes on.

#[cfg_attr(all(target_os = "linux", not(miri)), path = "stint/timer.rs")]
#[cfg_attr(not(all(target_os = "linux", not(miri))), path = "stint/none.rs")]
mod timer;

use std::cell::Cell;
use std::time::{Duration, Instant};

use timer::Timer;

/// How long such a thread keeps its core to itself.
const LENGTH: Duration = Duration::from_micros(300);

/// How long it does where it does not look at the clock.
const LENGTH_MAX: Duration = Duration::from_millis(2);

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

/// Lets others have the core if this thread makes room, and has had the core for long.
#[inline]
pub(crate) fn pause() {
    // While a thread ends there is nothing to be read any more.
    if let Ok(Some(mut stint)) = OWN.try_with(Cell::get) {
        stint.pause();
        OWN.set(Some(stint));
    }
}

/// How a thread works that nobody waits for who must not wait, whatever it holds.
pub struct Turns(Option<Timer>);

impl Turns {
    /// Has the calling thread work so from now on. Where the system has no timer for it, it pauses at the heap only.
    pub fn begin() -> Self {
        OWN.set(Some(Stint::begin()));
        Self(Timer::new())
    }

    /// Works, and gives the core up now and then, whatever it is doing; once before it begins, as the system may have
    /// taken the core from who asked for this.
    pub fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        std::thread::yield_now();
        let _running = self.0.as_ref().map(|timer| timer.run(LENGTH_MAX));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_in_turns_is_interrupted_and_nobody_else_is() {
        let turns = Turns::begin();
        let spin = || {
            let (start, mut rounds) = (Instant::now(), 0_u64);
            while start.elapsed() < 10 * LENGTH_MAX {
                rounds += 1;
            }
            assert!(rounds > 0);
        };
        let mut seen = timer::interruptions();
        for _ in 0..3 {
            spin();
            assert_eq!(timer::interruptions(), seen);
            turns.work(spin);
            let interrupted = timer::interruptions();
            assert!(interrupted > seen || turns.0.is_none());
            seen = interrupted;
        }
    }
}
