//! What the process has allocated, against `maxmemory`.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// A running sum of allocated bytes, exact enough to compare with a limit after every command: each worker
/// adds what its thread has allocated, and now and then the sum is set to what the allocator reports.
#[derive(Default)]
pub struct Budget {
    used: AtomicI64,
    exhausted: AtomicBool,
    /// Since when the limit has been exceeded, milliseconds since the epoch; 0 when it is not.
    since_ms: AtomicI64,
    total_ms: AtomicU64,
}

/// For how long more than `maxmemory` has been in use, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exceeded {
    /// In sum.
    pub total_ms: u64,
    /// Since it was exceeded last, when it still is.
    pub current_ms: u64,
}

impl Budget {
    /// Bytes in use, as far as they have been entered.
    pub fn used(&self) -> u64 {
        u64::try_from(self.used.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Whether nearly all of `limit` bytes is in use, or more; 0 is no limit.
    pub fn is_nearly_spent(&self, limit: u64) -> bool {
        limit > 0 && self.used() > limit - limit / 16
    }

    /// Adds what a thread has allocated since it did so last, or subtracts what it has freed.
    pub fn add(&self, bytes: i64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sets the sum to what the allocator reports.
    pub fn calibrate(&self, allocated: u64) {
        self.used.store(i64::try_from(allocated).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Whether the last command that looked found no room and nothing to evict. What scripts ask before a
    /// command that needs memory.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// Notes whether there is room.
    pub fn note(&self, exceeded: bool, exhausted: bool, now_ms: i64) {
        if self.exhausted.load(Ordering::Relaxed) != exhausted {
            self.exhausted.store(exhausted, Ordering::Relaxed);
        }
        let since = self.since_ms.load(Ordering::Relaxed);
        if exceeded && since == 0 {
            self.since_ms.store(now_ms, Ordering::Relaxed);
        } else if !exceeded && since != 0 {
            self.since_ms.store(0, Ordering::Relaxed);
            self.total_ms.fetch_add(elapsed(since, now_ms), Ordering::Relaxed);
        }
    }

    /// For how long the limit has been exceeded.
    pub fn exceeded(&self, now_ms: i64) -> Exceeded {
        let since = self.since_ms.load(Ordering::Relaxed);
        let current_ms = if since == 0 { 0 } else { elapsed(since, now_ms) };
        Exceeded { total_ms: self.total_ms.load(Ordering::Relaxed) + current_ms, current_ms }
    }
}

fn elapsed(since_ms: i64, now_ms: i64) -> u64 {
    u64::try_from(now_ms - since_ms).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_above_the_limit_is_summed_up() {
        let budget = Budget::default();
        budget.note(true, true, 1000);
        assert!(budget.is_exhausted());
        budget.note(true, false, 1500);
        assert_eq!(budget.exceeded(1600), Exceeded { total_ms: 600, current_ms: 600 });
        budget.note(false, false, 2000);
        assert_eq!(budget.exceeded(9000), Exceeded { total_ms: 1000, current_ms: 0 });
    }

    #[test]
    fn what_threads_add_is_replaced_by_what_the_allocator_says() {
        let budget = Budget::default();
        budget.add(-5);
        assert_eq!(budget.used(), 0);
        budget.calibrate(100);
        budget.add(20);
        budget.add(-30);
        assert_eq!(budget.used(), 90);
    }
}
