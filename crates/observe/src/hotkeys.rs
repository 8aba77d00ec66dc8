//! Which keys take most time and traffic (HOTKEYS).
//!
//! Keys are counted in a bounded table after Misra and Gries (Finding repeated elements, 1982), in batches: when the
//! table is twice full, the value of the first key beyond its size is taken from all, and what has none left
//! goes. What was taken is added again when keys are shown, so figures are never too low by more than the weight
//! of a key that would not be shown, and exact while few keys are used.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// Keys kept for each that is shown.
const KEPT_PER_SHOWN: usize = 100;

/// What is measured, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotKeysPlan {
    /// Time is measured.
    pub cpu: bool,
    /// Traffic is measured.
    pub net: bool,
    /// How many keys are shown.
    pub count: usize,
    /// Milliseconds until it ends by itself; none for never.
    pub duration_ms: Option<i64>,
    /// One of so many commands is measured.
    pub sample_ratio: u32,
}

/// Weights of keys: the heaviest, heaviest first.
pub type HeavyKeys = Vec<(Vec<u8>, u64)>;

/// What has been measured.
#[derive(Clone, Debug)]
pub struct HotKeysReport {
    /// What was asked for.
    pub plan: HotKeysPlan,
    /// Whether it goes on.
    pub is_active: bool,
    /// When it began, milliseconds since the epoch.
    pub start_ms: i64,
    /// For how long it went on.
    pub duration_ms: i64,
    /// Microseconds of all commands with keys.
    pub all_us: u64,
    /// Bytes of requests and replies of all commands with keys.
    pub all_bytes: u64,
    /// Bytes of those that were measured.
    pub measured_bytes: u64,
    /// The process's time in user and system mode when it began, microseconds.
    pub start_cpu_us: (u64, u64),
    /// Keys by microseconds.
    pub by_time_us: HeavyKeys,
    /// Keys by bytes.
    pub by_bytes: HeavyKeys,
}

/// The measurement that goes on, or the last one.
#[derive(Default)]
pub struct HotKeys {
    active: AtomicBool,
    session: Mutex<Option<Session>>,
}

struct Session {
    plan: HotKeysPlan,
    start_ms: i64,
    /// Set when it has ended.
    duration_ms: Option<i64>,
    start_cpu_us: (u64, u64),
    all_ns: u64,
    all_bytes: u64,
    measured_bytes: u64,
    time_ns: Heaviest,
    bytes: Heaviest,
}

impl Session {
    /// Ends it when its time is over.
    fn end_in_time(&mut self, now_ms: i64) {
        if let (Some(planned), None) = (self.plan.duration_ms, self.duration_ms)
            && now_ms.saturating_sub(self.start_ms) >= planned
        {
            self.duration_ms = Some(planned);
        }
    }
}

impl HotKeys {
    /// Whether commands are to be noted. One load: commands ask it each time.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Begins; false when one goes on already. What was measured before is forgotten.
    pub fn start(&self, plan: HotKeysPlan, now_ms: i64, start_cpu_us: (u64, u64)) -> bool {
        let mut session = self.locked(now_ms);
        if self.is_active() {
            return false;
        }
        let kept = plan.count.saturating_mul(KEPT_PER_SHOWN).max(1);
        *session = Some(Session {
            plan,
            start_ms: now_ms,
            duration_ms: None,
            start_cpu_us,
            all_ns: 0,
            all_bytes: 0,
            measured_bytes: 0,
            time_ns: Heaviest::new(kept),
            bytes: Heaviest::new(kept),
        });
        self.active.store(true, Ordering::Relaxed);
        true
    }

    /// Ends; false when none goes on.
    pub fn stop(&self, now_ms: i64) -> bool {
        let mut session = self.locked(now_ms);
        match session.as_mut() {
            Some(session) if session.duration_ms.is_none() => {
                session.duration_ms = Some(now_ms.saturating_sub(session.start_ms));
            }
            _ => return false,
        }
        self.active.store(false, Ordering::Relaxed);
        true
    }

    /// Forgets what was measured; false when it still goes on.
    pub fn reset(&self, now_ms: i64) -> bool {
        let mut session = self.locked(now_ms);
        if self.is_active() {
            return false;
        }
        *session = None;
        true
    }

    /// What has been measured; none before the first time and after a reset.
    pub fn report(&self, now_ms: i64) -> Option<HotKeysReport> {
        let session = self.locked(now_ms);
        let session = session.as_ref()?;
        let microseconds = |keys: HeavyKeys| {
            keys.into_iter().map(|(key, ns)| (key, ns / 1000)).filter(|(_, us)| *us > 0).collect()
        };
        let count = session.plan.count;
        Some(HotKeysReport {
            plan: session.plan,
            is_active: session.duration_ms.is_none(),
            start_ms: session.start_ms,
            duration_ms: session
                .duration_ms
                .unwrap_or_else(|| now_ms.saturating_sub(session.start_ms)),
            all_us: session.all_ns / 1000,
            all_bytes: session.all_bytes,
            measured_bytes: session.measured_bytes,
            start_cpu_us: session.start_cpu_us,
            by_time_us: microseconds(session.time_ns.heaviest(count)),
            by_bytes: session.bytes.heaviest(count),
        })
    }

    /// Notes a command: its keys share its time and its traffic. `chance` is a random number, which decides
    /// whether it belongs to the sample.
    pub fn note<'k>(
        &self,
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
        took_ns: u64,
        bytes: u64,
        chance: u64,
        now_ms: i64,
    ) {
        let Some(count) = std::num::NonZeroU64::new(keys.len() as u64) else { return };
        let mut session = self.locked(now_ms);
        let Some(session) = session.as_mut().filter(|session| session.duration_ms.is_none()) else {
            return;
        };
        session.all_ns = session.all_ns.saturating_add(took_ns);
        session.all_bytes = session.all_bytes.saturating_add(bytes);
        if !chance.is_multiple_of(u64::from(session.plan.sample_ratio.max(1))) {
            return;
        }
        session.measured_bytes = session.measured_bytes.saturating_add(bytes / count * count.get());
        for key in keys {
            if session.plan.cpu {
                session.time_ns.add(key, took_ns / count);
            }
            if session.plan.net {
                session.bytes.add(key, bytes / count);
            }
        }
    }

    /// The session, ended when its time is over.
    fn locked(&self, now_ms: i64) -> parking_lot::MutexGuard<'_, Option<Session>> {
        let mut session = self.session.lock();
        if let Some(one) = session.as_mut() {
            one.end_in_time(now_ms);
            if one.duration_ms.is_some() {
                self.active.store(false, Ordering::Relaxed);
            }
        }
        session
    }
}

/// The heaviest keys, so many and no more.
struct Heaviest {
    weights: HashMap<Vec<u8>, u64>,
    kept: usize,
    /// What has been taken from all.
    taken: u64,
}

impl Heaviest {
    fn new(kept: usize) -> Self {
        Self { weights: HashMap::new(), kept, taken: 0 }
    }

    fn add(&mut self, key: &[u8], weight: u64) {
        if let Some(sum) = self.weights.get_mut(key) {
            *sum = sum.saturating_add(weight);
            return;
        }
        self.weights.insert(key.to_vec(), weight);
        if self.weights.len() >= self.kept.saturating_mul(2) {
            self.thin_out();
        }
    }

    fn thin_out(&mut self) {
        let mut all: Vec<u64> = self.weights.values().copied().collect();
        let (_, first_beyond, _) = all.select_nth_unstable_by(self.kept, |a, b| b.cmp(a));
        let first_beyond = *first_beyond;
        self.taken = self.taken.saturating_add(first_beyond);
        self.weights.retain(|_, weight| {
            *weight = weight.saturating_sub(first_beyond);
            *weight > 0
        });
    }

    fn heaviest(&self, count: usize) -> HeavyKeys {
        let mut all: Vec<(&Vec<u8>, u64)> = self
            .weights
            .iter()
            .map(|(key, weight)| (key, weight.saturating_add(self.taken)))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        all.sort_unstable_by(|(a, heavy), (b, light)| light.cmp(heavy).then(a.cmp(b)));
        all.into_iter().take(count).map(|(key, weight)| (key.clone(), weight)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: HotKeysPlan =
        HotKeysPlan { cpu: true, net: true, count: 3, duration_ms: None, sample_ratio: 1 };

    fn note(keys: &HotKeys, names: &[&str], ns: u64, bytes: u64, now_ms: i64) {
        keys.note(names.iter().map(|name| name.as_bytes()), ns, bytes, 0, now_ms);
    }

    #[test]
    fn the_heaviest_of_many_keys_are_found_in_little_memory() {
        let mut heaviest = Heaviest::new(300);
        for round in 0..200_000_u64 {
            heaviest.add(format!("cold{round}").as_bytes(), 1);
            if round % 100 == 0 {
                heaviest.add(b"hot", 20);
                heaviest.add(b"warm", 10);
            }
        }
        assert!(heaviest.weights.len() < 600);
        let found = heaviest.heaviest(2);
        assert_eq!((&found[0].0[..], &found[1].0[..]), (&b"hot"[..], &b"warm"[..]));
        let error = heaviest.taken;
        assert!((40_000..=40_000 + error).contains(&found[0].1), "{found:?}");
        assert!(error <= 1000, "{error}");
    }

    #[test]
    fn keys_share_what_their_command_took() {
        let keys = HotKeys::default();
        assert!(keys.start(PLAN, 1000, (0, 0)) && !keys.start(PLAN, 1000, (0, 0)));
        note(&keys, &["a", "b"], 10_000, 100, 1001);
        note(&keys, &["a"], 3_000, 30, 1002);
        note(&keys, &[], 3_000, 30, 1002);
        let report = keys.report(1005).expect("a report");
        assert_eq!(report.by_time_us, [(b"a".to_vec(), 8), (b"b".to_vec(), 5)]);
        assert_eq!(report.by_bytes, [(b"a".to_vec(), 80), (b"b".to_vec(), 50)]);
        assert_eq!((report.all_us, report.all_bytes, report.duration_ms), (13, 130, 5));
        assert!(!keys.reset(1006) && keys.stop(1006) && !keys.stop(1007) && keys.reset(1008));
        assert!(keys.report(1009).is_none());
    }

    #[test]
    fn a_measurement_ends_in_time() {
        let keys = HotKeys::default();
        assert!(keys.start(HotKeysPlan { duration_ms: Some(1000), ..PLAN }, 0, (0, 0)));
        note(&keys, &["a"], 1000, 1, 999);
        note(&keys, &["a"], 1000, 1, 1000);
        assert!(!keys.is_active());
        let report = keys.report(5000).expect("a report");
        assert_eq!((report.is_active, report.duration_ms, report.all_bytes), (false, 1000, 1));
    }
}
