//! The access clock of an entry: 24 bits that say when, or how often, its key was used.
//!
//! Under an LRU policy they are seconds, modulo 2^24. Under an LFU policy the upper 16 are minutes,
//! modulo 2^16, and the lower 8 a counter of accesses on a logarithmic scale that decays with time
//! (the counter of Morris 1978, with Redis's two options). A switch of policy leaves the old stamps,
//! which are then read in the new way until the keys are used again, as in Redis.

/// Stamps wrap here: 24 bits, about 194 days of seconds.
const WRAP: u32 = 1 << 24;
/// The minutes of an LFU stamp wrap here: about 45 days.
const MINUTES_WRAP: u32 = 1 << 16;
/// What a new key starts with, so that it is not the first to be evicted.
const COUNTER_START: u8 = 5;

/// What a command stamps on the keys that it uses.
#[derive(Clone, Copy, Debug)]
pub struct AccessClock {
    /// State of the generator that decides whether a counter grows.
    noise: u64,
    /// Seconds, or the minutes that stand before a counter.
    now: u32,
    scale: LfuScale,
    /// Whether it counts accesses, and not only their time.
    counts: bool,
    touches: bool,
    /// Whether reading counts as use.
    notes_reads: bool,
}

/// How the LFU counter grows and decays.
#[derive(Clone, Copy, Debug)]
pub struct LfuScale {
    /// `lfu-log-factor`: the higher, the slower the counter grows.
    pub log_factor: u32,
    /// `lfu-decay-time`: minutes after which the counter goes down by one; 0 means never.
    pub decay_minutes: u32,
}

impl AccessClock {
    /// Stamps of an LRU policy, and of all others that are not LFU.
    pub fn recency(now_ms: i64) -> Self {
        let (now, scale) = (seconds(now_ms), LfuScale { log_factor: 0, decay_minutes: 0 });
        Self { noise: 0, now, scale, counts: false, touches: true, notes_reads: true }
    }

    /// Stamps of an LFU policy; every command brings its own [noise](AccessClock::with_noise).
    pub fn frequency(now_ms: i64, scale: LfuScale) -> Self {
        Self { now: minutes(now_ms), scale, counts: true, ..Self::recency(now_ms) }
    }

    /// The same with a random word of which chance is made.
    #[must_use]
    pub fn with_noise(self, noise: u64) -> Self {
        Self { noise, ..self }
    }

    /// Stamps of a policy for which only changes count as use (LRM).
    pub fn modification(now_ms: i64) -> Self {
        Self { notes_reads: false, ..Self::recency(now_ms) }
    }

    /// Whether a key that is only read gets a stamp.
    #[inline]
    pub fn notes_reads(&self) -> bool {
        self.notes_reads
    }

    /// The same for a client that leaves the stamps of the keys that it reads (CLIENT NO-TOUCH).
    #[must_use]
    pub fn without_touching(mut self) -> Self {
        self.touches = false;
        self
    }

    /// The stamp of a key that did not exist.
    #[inline]
    pub fn of_new(&self) -> u32 {
        if self.counts { self.now << 8 | u32::from(COUNTER_START) } else { self.now }
    }

    /// The stamp of a key after an access, given the one before it.
    #[inline]
    pub fn of_used(&mut self, before: u32) -> u32 {
        match (self.touches, self.counts) {
            (false, _) => before,
            (true, false) => self.now,
            (true, true) => self.counted(before),
        }
    }

    fn counted(&mut self, before: u32) -> u32 {
        let counter = decayed(before, self.now, self.scale.decay_minutes);
        let counter = grown(counter, self.scale.log_factor, next_unit(&mut self.noise));
        self.now << 8 | u32::from(counter)
    }

    /// Whether a key whose value is replaced keeps its history.
    #[inline]
    pub fn keeps_history(&self) -> bool {
        self.counts
    }
}

/// Seconds since the last access by a stamp of an LRU policy.
pub fn idle_seconds(stamp: u32, now_ms: i64) -> u32 {
    let now = seconds(now_ms);
    // The clock wraps after its last value, one before 2^24: so Redis counts it.
    if now >= stamp { now - stamp } else { now + (WRAP - 1 - stamp) }
}

/// The counter of a stamp of an LFU policy, as it has decayed by now.
pub fn frequency(stamp: u32, now_ms: i64, scale: LfuScale) -> u8 {
    decayed(stamp, minutes(now_ms), scale.decay_minutes)
}

/// The stamp of a key that has been idle for so many seconds (RESTORE's IDLETIME).
pub fn stamp_of_idle(idle_s: u64, now_ms: i64) -> u32 {
    let idle = (idle_s % u64::from(WRAP)) as u32;
    seconds(now_ms).wrapping_sub(idle) & (WRAP - 1)
}

/// The stamp of a key with this counter (RESTORE's FREQ).
pub fn stamp_of_frequency(counter: u8, now_ms: i64) -> u32 {
    minutes(now_ms) << 8 | u32::from(counter)
}

fn seconds(now_ms: i64) -> u32 {
    (now_ms / 1000) as u32 & (WRAP - 1)
}

fn minutes(now_ms: i64) -> u32 {
    (now_ms / 60_000) as u32 & (MINUTES_WRAP - 1)
}

fn decayed(stamp: u32, now: u32, decay_minutes: u32) -> u8 {
    let (then, counter) = (stamp >> 8, stamp as u8);
    let elapsed = if now >= then { now - then } else { MINUTES_WRAP - 1 - then + now };
    match elapsed.checked_div(decay_minutes) {
        Some(periods) => counter.saturating_sub(u8::try_from(periods).unwrap_or(u8::MAX)),
        None => counter,
    }
}

/// Grows the counter with the probability `1 / (counter * factor + 1)`, counted from where new keys
/// start; `unit` lies in [0, 1).
fn grown(counter: u8, log_factor: u32, unit: f64) -> u8 {
    let above = f64::from(counter.saturating_sub(COUNTER_START));
    let grows = unit < 1.0 / (above * f64::from(log_factor) + 1.0);
    counter.saturating_add(u8::from(grows))
}

/// Steps a SplitMix64 generator; a number in [0, 1).
fn next_unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^= word >> 31;
    (word >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: LfuScale = LfuScale { log_factor: 10, decay_minutes: 1 };
    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn idle_time_is_counted_in_seconds_and_survives_the_wrap() {
        let start = 1_700_000_000_000;
        let stamp = AccessClock::recency(start).of_new();
        assert_eq!(idle_seconds(stamp, start), 0);
        assert_eq!(idle_seconds(stamp, start + 999), 0);
        assert_eq!(idle_seconds(stamp, start + 90_000), 90);
        let before_wrap = i64::from(WRAP - 2) * 1000;
        let stamp = AccessClock::recency(before_wrap).of_new();
        assert_eq!(idle_seconds(stamp, before_wrap + 5000), 4);
    }

    #[test]
    fn a_client_that_does_not_touch_leaves_the_stamp_of_what_it_reads_only() {
        let mut clock = AccessClock::recency(50_000).without_touching();
        assert_eq!(clock.of_used(7), 7);
        assert_eq!(clock.of_new(), 50);
    }

    #[test]
    fn a_new_key_starts_at_five_and_decays_one_a_period() {
        let now = 1_700_000_000_000;
        let stamp = AccessClock::frequency(now, SCALE).of_new();
        assert_eq!(frequency(stamp, now, SCALE), 5);
        assert_eq!(frequency(stamp, now + 3 * MINUTE_MS, SCALE), 2);
        assert_eq!(frequency(stamp, now + 100 * MINUTE_MS, SCALE), 0);
        let never = LfuScale { decay_minutes: 0, ..SCALE };
        assert_eq!(frequency(stamp, now + 100 * MINUTE_MS, never), 5);
    }

    /// The figures that the documentation of `lfu-log-factor` gives: with a factor of 10 about 10
    /// after 100 accesses, 18 after 1000, 142 after 100 000.
    #[test]
    fn the_counter_grows_with_the_logarithm_of_the_accesses() {
        let mut clock = AccessClock::frequency(0, SCALE).with_noise(42);
        let mut stamp = clock.of_new();
        let mut seen = Vec::new();
        for access in 1..=100_000 {
            stamp = clock.of_used(stamp);
            if [100, 1000, 100_000].contains(&access) {
                seen.push(stamp as u8);
            }
        }
        assert!((7..=14).contains(&seen[0]), "{seen:?}");
        assert!((14..=24).contains(&seen[1]), "{seen:?}");
        assert!((125..=165).contains(&seen[2]), "{seen:?}");
    }

    #[test]
    fn without_a_factor_every_access_counts_up_to_255() {
        let scale = LfuScale { log_factor: 0, decay_minutes: 0 };
        let mut clock = AccessClock::frequency(0, scale).with_noise(1);
        let mut stamp = clock.of_new();
        for expected in 6..=255 {
            stamp = clock.of_used(stamp);
            assert_eq!(stamp as u8, expected);
        }
        assert_eq!(clock.of_used(stamp) as u8, 255);
    }

    #[test]
    fn stamps_can_be_made_of_what_is_shown() {
        let now = 1_700_000_000_000;
        for idle in [0, 1, 1000, 16_000_000] {
            let shown = idle_seconds(stamp_of_idle(idle, now), now);
            assert!(u64::from(shown).abs_diff(idle) <= 1, "{idle} became {shown}");
        }
        assert_eq!(frequency(stamp_of_frequency(200, now), now, SCALE), 200);
    }
}
