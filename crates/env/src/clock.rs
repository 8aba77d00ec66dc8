use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Two clocks in one: the wall clock that deadlines refer to, and a monotonic one for durations.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch.
    fn unix_us(&self) -> i64;

    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_ns(&self) -> u64;

    /// Milliseconds since the Unix epoch.
    fn unix_ms(&self) -> i64 {
        self.unix_us() / 1000
    }
}

/// The machine's clocks. The monotonic one reads the time-stamp counter where that is reliable,
/// because a worker reads it once per command.
pub struct SystemClock {
    ticks: quanta::Clock,
    start: u64,
}

impl SystemClock {
    /// Calibrates the time-stamp counter on first use in a process (some milliseconds).
    pub fn new() -> Self {
        let ticks = quanta::Clock::new();
        let start = ticks.raw();
        Self { ticks, start }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix_us(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    fn monotonic_ns(&self) -> u64 {
        self.ticks.delta_as_nanos(self.start, self.ticks.raw())
    }
}

/// A clock that moves only when told to; both clocks show the same time.
#[derive(Default)]
pub struct ManualClock {
    unix_us: AtomicI64,
}

impl ManualClock {
    /// Starts at `unix_ms` milliseconds since the epoch.
    pub fn at_ms(unix_ms: i64) -> Self {
        Self { unix_us: AtomicI64::new(unix_ms * 1000) }
    }

    /// Moves the clock forward.
    pub fn advance_ms(&self, ms: i64) {
        self.unix_us.fetch_add(ms * 1000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn unix_us(&self) -> i64 {
        self.unix_us.load(Ordering::Relaxed)
    }

    fn monotonic_ns(&self) -> u64 {
        self.unix_us().unsigned_abs().saturating_mul(1000)
    }
}
