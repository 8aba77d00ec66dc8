use std::collections::BTreeMap;

use proptest::prelude::*;

use super::heap::SLICE;
use super::*;

/// The index keeps the upper 24 bits of hashes: those of these tests are shifted there.
const SHIFT: u32 = 8;

/// A shard's owner: its volatile entries by hash, and the index that it keeps as the contract says.
struct Owner {
    entries: BTreeMap<u32, i64>,
    index: ExpiryIndex,
    now_ms: i64,
    sweeps: bool,
    /// The most volatile entries since the last sweep was wanted in vain.
    volatile_max: usize,
}

impl Owner {
    fn new(now_ms: i64, sweeps: bool) -> Self {
        let index = ExpiryIndex::new(now_ms);
        Self { entries: BTreeMap::new(), index, now_ms, sweeps, volatile_max: 0 }
    }

    fn push(&mut self, deadline_ms: i64, hash: u32) {
        self.index.push(deadline_ms, hash << SHIFT);
        self.volatile_max = self.volatile_max.max(self.entries.len());
        if !self.sweeps {
            return;
        }
        if self.index.wants_sweep(self.entries.len()) {
            self.index.sweep(4, |hash| self.entries.get(&(hash >> SHIFT)).copied());
        } else {
            self.volatile_max = self.entries.len();
        }
        let len = self.index.len();
        assert!(2 * len <= 5 * self.volatile_max + 3 * SWEEP_SLACK, "{len} items");
    }

    fn set(&mut self, hash: u32, deadline_ms: i64) {
        let old = self.entries.insert(hash, deadline_ms);
        if old.is_none_or(|old| old > deadline_ms) {
            self.push(deadline_ms, hash);
        }
    }

    /// Expires what is due, and checks that this is what should be.
    fn expire(&mut self) {
        loop {
            let Some(hash) = self.index.pop_due(self.now_ms) else {
                if self.index.next_due_ms().is_some_and(|due| due <= self.now_ms) {
                    continue;
                }
                break;
            };
            let hash = hash >> SHIFT;
            let Some(&deadline_ms) = self.entries.get(&hash) else { continue };
            if deadline_ms <= self.now_ms {
                self.entries.remove(&hash);
            } else {
                self.index.push(deadline_ms, hash << SHIFT);
            }
        }
        let late = self.now_ms - TICK_MS;
        assert!(self.entries.values().all(|&deadline_ms| deadline_ms > late));
        if let Some(next) = self.entries.values().min() {
            assert!(self.index.next_due_ms().unwrap() <= next.max(&0).saturating_add(TICK_MS));
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Hashes from the first on, each with a deadline so many milliseconds from now.
    Set(u32, u32, i64),
    Delete(u32, u32),
    Recreate(u32, i64),
    Advance(i64),
}

fn spans() -> impl Strategy<Value = i64> {
    prop_oneof![0..100_i64, 0..5_000_i64, 0..10_000_000_i64, 0..40_000_000_000_i64, Just(1 << 45)]
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..300_u32, 1..50_u32, spans()).prop_map(|(h, n, ms)| Op::Set(h, n, ms)),
        1 => (0..300_u32, 1..50_u32, -1_000_i64..0).prop_map(|(h, n, ms)| Op::Set(h, n, ms)),
        2 => (0..300_u32, 1..100_u32).prop_map(|(h, n)| Op::Delete(h, n)),
        1 => (0..300_u32, spans()).prop_map(|(h, ms)| Op::Recreate(h, ms)),
        3 => spans().prop_map(Op::Advance),
        1 => (-5_000_i64..0).prop_map(Op::Advance),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_entry_expires_within_a_tick_of_its_deadline_and_none_before(
        ops in prop::collection::vec(ops(), 1..80), sweeps: bool
    ) {
        let mut owner = Owner::new(1_700_000_000_000, sweeps);
        for op in ops {
            match op {
                Op::Set(first, count, ms) => {
                    for hash in first..first + count {
                        owner.set(hash, owner.now_ms + ms * i64::from(hash % 7 + 1));
                    }
                }
                Op::Delete(first, count) => {
                    owner.entries.retain(|hash, _| !(first..first + count).contains(hash));
                }
                Op::Recreate(hash, ms) => {
                    for times in 0..200 {
                        owner.entries.remove(&hash);
                        owner.set(hash, owner.now_ms + ms + times);
                    }
                }
                Op::Advance(ms) if ms < 1 << 44 => owner.now_ms += ms,
                Op::Advance(_) => {}
            }
            owner.expire();
        }
        // What was pushed while a pass went on waits for the next one.
        for _ in 0..2 {
            while owner.index.sweep(5, |hash| owner.entries.get(&(hash >> SHIFT)).copied()) {}
        }
        prop_assert_eq!(owner.index.len(), owner.entries.len());
        owner.expire();
        prop_assert!(!owner.entries.is_empty() || owner.index.heap_bytes() == 0);
    }
}

#[test]
fn a_lone_item_fires_too_early_a_few_times_at_most() {
    let start_ms = 1_700_000_000_000;
    let mut index = ExpiryIndex::new(start_ms);
    // Half a year on, where items of a fresh index are 2 s too early.
    let now_ms = start_ms + 180 * 86_400_000;
    index.push(now_ms + 300, 1 << SHIFT);
    for fired in 0.. {
        assert!(fired < 8, "it never gets on");
        let Some(hash) = index.pop_due(now_ms) else { break };
        index.push(now_ms + 300, hash);
    }
    assert_eq!(index.pop_due(now_ms + 300 + TICK_MS), Some(1 << SHIFT));
}

#[test]
fn past_and_negative_deadlines_fire_at_once() {
    let now_ms = 1_700_000_000_000;
    let mut index = ExpiryIndex::new(now_ms);
    for (hash, deadline_ms) in
        [i64::MIN, -1, 0, now_ms - 1_000_000_000, now_ms - TICK_MS].into_iter().enumerate()
    {
        let hash = (hash as u32) << SHIFT;
        index.push(deadline_ms, hash);
        assert!(index.next_due_ms().unwrap() <= now_ms);
        assert_eq!(index.pop_due(now_ms), Some(hash));
    }
    assert!(index.is_empty());
}

#[test]
fn deadlines_beyond_the_range_live_through_decades() {
    let mut owner = Owner::new(0, true);
    let year = 365 * 86_400_000;
    (0..50).for_each(|hash| owner.set(hash, year * (i64::from(hash) + 1)));
    owner.set(50, i64::MAX);
    for _ in 0..51 * 12 {
        owner.now_ms += year / 12;
        owner.expire();
    }
    assert_eq!(owner.entries.len(), 1);
}

#[test]
fn one_call_redistributes_one_slice_only() {
    let mut index = ExpiryIndex::new(0);
    let hour = 3_600_000;
    (0..10_000).for_each(|hash| index.push(hour + i64::from(hash), hash));
    let mut calls = 0;
    let now_ms = hour - 1;
    while index.next_due_ms().unwrap() <= now_ms {
        assert_eq!(index.pop_due(now_ms), None);
        calls += 1;
    }
    assert!(calls >= 10_000 / SLICE, "{calls} calls");
    assert!(calls < 32 * 10_000 / SLICE, "{calls} calls");
}

#[test]
fn recreating_a_key_with_an_equal_or_earlier_deadline_does_not_pile_up_items() {
    let mut owner = Owner::new(0, true);
    (0..100).for_each(|hash| owner.set(hash, 60_000));
    for round in 0..20_000 {
        let hash = round % 100;
        owner.entries.remove(&hash);
        owner.set(hash, 60_000 - i64::from(round / 1000));
        assert!(owner.index.len() <= 2 * 100 + 100 / 2 + 2 * SWEEP_SLACK);
    }
    assert!(owner.index.heap_bytes() < 8 * 1024, "{} bytes", owner.index.heap_bytes());
}

#[test]
fn an_item_takes_less_than_eight_bytes() {
    let mut index = ExpiryIndex::new(0);
    for hash in 0..4000_u32 {
        let spread = hash.wrapping_mul(0x9E37_79B9);
        index.push(i64::from(spread % 3_600_000), hash);
    }
    let bytes = index.heap_bytes() as f64 / index.len() as f64;
    assert!(bytes < 8.0, "{bytes}");
}

#[test]
fn a_far_deadline_fires_early_by_little_and_is_armed_again() {
    let start = 1_700_000_000_000;
    let year = 365 * 86_400_000;
    let mut index = ExpiryIndex::new(start);
    (0..1000).for_each(|hash| index.push(start + year + i64::from(hash) * 77, hash << SHIFT));
    let mut now_ms = start;
    while !index.is_empty() {
        now_ms = index.next_due_ms().unwrap().max(now_ms);
        while let Some(hash) = index.pop_due(now_ms) {
            let deadline_ms = start + year + i64::from(hash >> SHIFT) * 77;
            assert!(deadline_ms - now_ms < 128 * TICK_MS, "{} ms early", deadline_ms - now_ms);
            assert!(now_ms - deadline_ms <= TICK_MS, "{} ms late", now_ms - deadline_ms);
            if now_ms < deadline_ms {
                index.push(deadline_ms, hash);
            }
        }
    }
}
