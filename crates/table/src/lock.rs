//! The lock of what workers share with threads that work all the time: a snapshot's, helpers, the reclaimer.
//!
//! Who waits for it spins for a moment and then sleeps, and never yields its core instead, as most locks would have it
//! do. Who has yielded is still runnable, and so is not woken up when the lock is free: on a core that it shares with a
//! thread that works all the time it goes on when the system's tick looks at the two next, which takes milliseconds.
//! Who sleeps is woken up, and preferred to whoever has worked for long.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU8, Ordering};

use parking_lot::lock_api::{self, GuardSend};
use parking_lot_core::{DEFAULT_PARK_TOKEN, ParkResult, UnparkResult, UnparkToken};

/// A value behind a [`Lock`].
pub type Mutex<T> = lock_api::Mutex<Lock, T>;

/// Somebody has the lock.
const LOCKED: u8 = 1;
/// Somebody sleeps until it is free.
const PARKED: u8 = 2;

/// Who is woken up has the lock already.
const HANDED_OVER: UnparkToken = UnparkToken(1);
/// Who is woken up has to take it like anybody else.
const FREED: UnparkToken = UnparkToken(0);

/// Pauses before who waits sleeps: some microseconds, which is longer than nearly all commands have a lock.
const PAUSES: u32 = 64;

/// A lock of one byte. Whoever sleeps on it does so in a table of all that sleep in this process, by its address.
pub struct Lock(AtomicU8);

// SAFETY: only who has set `LOCKED`, or was handed it over, has the lock, until it gives it back.
unsafe impl lock_api::RawMutex for Lock {
    const INIT: Self = Self(AtomicU8::new(0));

    type GuardMarker = GuardSend;

    #[inline]
    fn lock(&self) {
        if self.0.compare_exchange_weak(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.wait();
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while state & LOCKED == 0 {
            match self.take(state) {
                Ok(()) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    #[inline]
    unsafe fn unlock(&self) {
        if self.0.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.wake(false);
        }
    }
}

// SAFETY: who sleeps has the lock before anybody else can take it.
unsafe impl lock_api::RawMutexFair for Lock {
    unsafe fn unlock_fair(&self) {
        if self.0.compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.wake(true);
        }
    }
}

impl Lock {
    #[inline]
    fn take(&self, state: u8) -> Result<(), u8> {
        let taken = state | LOCKED;
        let result =
            self.0.compare_exchange_weak(state, taken, Ordering::Acquire, Ordering::Relaxed);
        result.map(drop)
    }

    #[cold]
    fn wait(&self) {
        let mut pauses = 0;
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            if state & LOCKED == 0 {
                match self.take(state) {
                    Ok(()) => return,
                    Err(now) => state = now,
                }
                continue;
            }
            // Behind others who sleep there is nothing to be had soon.
            if state & PARKED == 0 && pauses < PAUSES {
                pauses += 1;
                spin_loop();
                state = self.0.load(Ordering::Relaxed);
                continue;
            }
            if state & PARKED == 0
                && let Err(now) = self.0.compare_exchange_weak(
                    state,
                    state | PARKED,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
            {
                state = now;
                continue;
            }
            if self.sleep() {
                return;
            }
            pauses = 0;
            state = self.0.load(Ordering::Relaxed);
        }
    }

    /// Sleeps if the lock is taken and says that somebody sleeps; true when the caller has the lock then.
    fn sleep(&self) -> bool {
        let is_still_taken = || self.0.load(Ordering::Relaxed) == LOCKED | PARKED;
        // SAFETY: the address is this lock's own, nobody sleeps on it but here, and the closures call nothing of
        // the table of sleepers and do not panic.
        let result = unsafe {
            parking_lot_core::park(
                self.address(),
                is_still_taken,
                || (),
                |_, _| (),
                DEFAULT_PARK_TOKEN,
                None,
            )
        };
        result == ParkResult::Unparked(HANDED_OVER)
    }

    /// Wakes one of those who sleep, under the lock of their queue, so that no one begins to sleep meanwhile.
    #[cold]
    fn wake(&self, hand_over: bool) {
        let decide = |result: UnparkResult| {
            let parked = if result.have_more_threads { PARKED } else { 0 };
            // Now and then who sleeps is served first in any case, so that nobody starves.
            if result.unparked_threads != 0 && (hand_over || result.be_fair) {
                self.0.store(LOCKED | parked, Ordering::Relaxed);
                return HANDED_OVER;
            }
            self.0.store(parked, Ordering::Release);
            FREED
        };
        // SAFETY: as in `sleep`.
        unsafe { parking_lot_core::unpark_one(self.address(), decide) };
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize};
    use std::thread;
    use std::time::Duration;

    use parking_lot::lock_api::{RawMutex as _, RawMutexFair as _};

    use super::*;

    /// Adds without atomicity, so that two at a time lose something.
    fn add(sum: &AtomicU64) {
        let before = sum.load(Ordering::Relaxed);
        spin_loop();
        sum.store(before + 1, Ordering::Relaxed);
    }

    #[test]
    fn one_at_a_time_has_the_lock_however_it_is_given_back() {
        const EACH: u64 = 20_000;
        let (lock, sum) = (Lock::INIT, AtomicU64::new(0));
        thread::scope(|scope| {
            for thread in 0..4 {
                let (lock, sum) = (&lock, &sum);
                scope.spawn(move || {
                    for turn in 0..EACH {
                        if turn % 7 != 3 || !lock.try_lock() {
                            lock.lock();
                        }
                        add(sum);
                        // SAFETY: this thread has the lock.
                        unsafe {
                            if (turn + thread) % 3 == 0 {
                                lock.unlock_fair()
                            } else {
                                lock.unlock()
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(sum.into_inner(), 4 * EACH);
        assert_eq!(lock.0.into_inner(), 0);
    }

    #[test]
    fn who_sleeps_has_the_lock_before_the_one_who_handed_it_over() {
        let (lock, order) = (Lock::INIT, AtomicUsize::new(0));
        lock.lock();
        thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                lock.lock();
                let place = order.fetch_add(1, Ordering::Relaxed);
                // SAFETY: this thread has the lock.
                unsafe { lock.unlock() };
                place
            });
            while lock.0.load(Ordering::Relaxed) & PARKED == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            // It sleeps, or is just about to.
            thread::sleep(Duration::from_millis(20));
            // SAFETY: this thread has the lock.
            unsafe { lock.unlock_fair() };
            lock.lock();
            let own = order.fetch_add(1, Ordering::Relaxed);
            // SAFETY: this thread has the lock.
            unsafe { lock.unlock() };
            assert_eq!((sleeper.join().unwrap_or(9), own), (0, 1));
        });
    }

    #[test]
    fn a_taken_lock_is_not_taken_again() {
        let lock = Lock::INIT;
        assert!(lock.try_lock());
        assert!(!lock.try_lock());
        // SAFETY: this thread has the lock.
        unsafe { lock.unlock() };
        assert!(lock.try_lock());
    }
}
