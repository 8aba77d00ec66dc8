//! The expiry index: a shard's deadlines in order, about 7 bytes for each volatile key.
//!
//! # Items are hints
//!
//! An item is a tick (16 ms, counted from an epoch) and the hash of a key as far as the table stores it,
//! the top 24 bits; it takes 6 bytes. It does not say which entry it stands for nor whether that still
//! exists: the owner looks the hash up and checks the real deadline. The contract between the two:
//!
//! - Every volatile entry has at least one item at or before its deadline.
//! - So a fresh deadline, or an earlier one, is pushed. A later one need not be, as the old item
//!   fires first: then the owner finds the entry not due and pushes its deadline (re-arms it).
//! - An item stands for every volatile entry of its hash. When one fires, the owner expires all of them
//!   that are due and re-arms the earliest deadline of the others.
//! - An item fires between 0 and 16 ms after its deadline, never before, with two exceptions: a deadline
//!   beyond the range of the ticks (more than a year ahead) is cut to the range, and one in a list above
//!   25 (three days ahead, as a rule) may fire up to 2 s too early, once.
//!
//! # The radix heap
//!
//! Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem" (1990): list
//! 0 holds the items at tick `last`, list `i` those whose highest bit that differs from `last` is
//! bit `i - 1`. Lists are thus in order, unordered inside. When lists below `i` are empty and its
//! first possible tick has passed, `last` becomes that tick and the list's items go to lower
//! lists. Each item moves at most 32 times, sequentially in memory, and pushing is one append.
//!
//! All items of a list above 0 agree above bit `i - 1`, so that they need to keep the lower bits only: the
//! highest 24 of these.
//!
//! It deviates from the paper in three ways: `last` follows the clock and not the minimum, so the
//! heap takes any deadline from now on; a list is redistributed in slices over several calls; and
//! deadlines before `last` (past ones, or any after the clock was set back) have a small binary
//! heap of their own.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use heap::{Heap, Item};

mod heap;

/// Milliseconds in a tick: the resolution of the index.
const TICK_MS: i64 = 16;

/// How far before its creation an index can tell times apart: about 3 days. It matters only if the
/// clock is set back.
const PAST_TICKS: i64 = 1 << 24;

/// Beyond this tick (1.1 years after the epoch) the epoch moves, so that deadlines of at least
/// another 1.1 years fit.
const REBASE_AT: i64 = 1 << 31;

/// The bits of a hash that an item keeps: those that tables tell entries apart by.
const STORED: u32 = !0xFF;

/// Stale items that are not worth a sweep.
const SWEEP_SLACK: usize = 64;

/// The deadlines of a shard. Owns no memory while it is empty.
#[derive(Debug)]
pub struct ExpiryIndex {
    /// The time of tick 0, in milliseconds since 1970.
    epoch_ms: i64,
    /// Where the next heap starts: where the last one had got to. From further back an item that fired too early
    /// would do so again and again.
    last: u32,
    heap: Option<Box<Heap>>,
    sweep: Option<Box<Sweep>>,
}

/// A pass over the items that were there when it began.
#[derive(Debug)]
struct Sweep {
    /// Items not examined yet.
    old: Heap,
    /// Hashes of which `heap` holds an item at or before the deadline.
    armed: HashSet<u32, BuildHasherDefault<Spread>>,
}

impl ExpiryIndex {
    /// An empty index. `now_ms` is milliseconds since 1970, like all times here.
    pub fn new(now_ms: i64) -> Self {
        let epoch_ms = now_ms.saturating_sub(PAST_TICKS * TICK_MS);
        Self { epoch_ms, last: 0, heap: None, sweep: None }
    }

    /// The number of items: at least one for each volatile entry, and stale ones.
    pub fn len(&self) -> usize {
        self.heap.as_ref().map_or(0, |heap| heap.len)
            + self.sweep.as_ref().map_or(0, |sweep| sweep.old.len)
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all items: when no entry has a deadline.
    pub fn clear(&mut self) {
        (self.heap, self.sweep) = (None, None);
    }

    /// Bytes of heap that the index takes.
    pub fn heap_bytes(&self) -> usize {
        let sweep = self.sweep.as_ref().map_or(0, |sweep| {
            size_of::<Sweep>() + sweep.old.heap_bytes() + sweep.armed.capacity() * 6
        });
        self.heap.as_ref().map_or(0, |heap| size_of::<Heap>() + heap.heap_bytes()) + sweep
    }

    /// Ticks from the epoch to a time, rounded down; may be out of the range of an item.
    fn ticks(&self, time_ms: i64) -> i64 {
        time_ms.saturating_sub(self.epoch_ms).div_euclid(TICK_MS)
    }

    /// The tick that holds a deadline, cut to the range of an item.
    fn tick(&self, deadline_ms: i64) -> u32 {
        self.ticks(deadline_ms).clamp(0, u32::MAX.into()) as u32
    }

    /// Adds a deadline for the entry with this hash. Past and negative ones fire at once.
    pub fn push(&mut self, deadline_ms: i64, hash: u32) {
        let hash = hash & STORED;
        if let Some(sweep) = &mut self.sweep {
            // An item of this hash in `heap` may be later than this one: those that the sweep
            // still finds must be compared with the entry again.
            sweep.armed.remove(&hash);
        }
        let tick = self.tick(deadline_ms);
        let heap = self.heap.get_or_insert_with(|| Box::new(Heap::starting_at(self.last)));
        heap.push(Item { tick, hash });
    }

    /// When to call [`ExpiryIndex::pop_due`] next: nothing fires earlier. It may be that nothing
    /// fires then either. `None` if there is no item.
    pub fn next_due_ms(&self) -> Option<i64> {
        let heap = self.heap.as_ref().and_then(|heap| heap.next_tick());
        let old = self.sweep.as_ref().and_then(|sweep| sweep.old.next_tick());
        let tick = [heap, old].into_iter().flatten().min()?;
        Some(self.epoch_ms.saturating_add((i64::from(tick) + 1) * TICK_MS))
    }

    /// Takes out an item whose tick has passed, in no exact order, and returns its hash.
    ///
    /// A call does a bounded amount of work. So after `None`, if [`ExpiryIndex::next_due_ms`] is
    /// not after `now_ms`, items may still be due: call again, in this turn or the next.
    pub fn pop_due(&mut self, now_ms: i64) -> Option<u32> {
        // The tick before the one that is running.
        let mut due = self.ticks(now_ms).saturating_sub(1);
        if due >= REBASE_AT {
            self.rebase(now_ms);
            due = self.ticks(now_ms).saturating_sub(1);
        }
        let due = u32::try_from(due).ok()?;
        let popped = self.heap.as_mut().and_then(|heap| heap.pop_due(due));
        let popped = match (popped, &mut self.sweep) {
            (None, Some(sweep)) => sweep.old.pop_due(due),
            (popped, _) => popped,
        };
        self.free_if_empty();
        if let (Some(hash), Some(sweep)) = (popped, &mut self.sweep) {
            // What was taken out may be the item that `armed` speaks of.
            sweep.armed.remove(&hash);
        }
        popped
    }

    /// The hash of an item picked evenly, by a random word; the item may be stale.
    pub fn random(&self, word: u64) -> Option<u32> {
        let nth = ((u128::from(word) * self.len() as u128) >> 64) as usize;
        let fresh = self.heap.as_ref().map_or(0, |heap| heap.len);
        let item = match &self.sweep {
            Some(sweep) if nth >= fresh => sweep.old.nth(nth - fresh),
            _ => self.heap.as_ref()?.nth(nth),
        };
        item.map(|item| item.hash)
    }

    /// Moves the epoch to a little before `now_ms`: once a year, for all items at once.
    fn rebase(&mut self, now_ms: i64) {
        let epoch_ms = Self::new(now_ms).epoch_ms;
        let shift = self.ticks(epoch_ms).clamp(0, u32::MAX.into()) as u32;
        self.epoch_ms = epoch_ms;
        self.last = self.last.saturating_sub(shift);
        if let Some(heap) = &mut self.heap {
            heap.shift(shift);
        }
        if let Some(sweep) = &mut self.sweep {
            sweep.old.shift(shift);
        }
    }

    fn free_if_empty(&mut self) {
        if let Some(heap) = self.heap.take_if(|heap| heap.len == 0) {
            self.last = heap.last();
        }
        self.sweep.take_if(|sweep| sweep.old.len == 0);
    }

    /// Whether [`ExpiryIndex::sweep`] should be called: one is under way, or more than half of the
    /// items are stale, given the number of volatile entries.
    pub fn wants_sweep(&self, volatile: usize) -> bool {
        self.sweep.is_some() || self.len() > 2 * volatile + SWEEP_SLACK
    }

    /// Examines up to `count` items, starting a pass over all items if none is under way, and drops
    /// those that are stale or stand beside another of the same hash.
    ///
    /// `deadline` says the earliest deadline of the volatile entries with a hash, `None` if there is
    /// none. Returns whether the pass goes on. Called with 4 on each push while
    /// [`ExpiryIndex::wants_sweep`], it keeps the index below 2.5 items for each volatile entry.
    pub fn sweep(&mut self, count: usize, mut deadline: impl FnMut(u32) -> Option<i64>) -> bool {
        if self.sweep.is_none() {
            let Some(old) = self.heap.take() else { return false };
            self.last = old.last();
            self.sweep = Some(Box::new(Sweep { old: *old, armed: HashSet::default() }));
        }
        for _ in 0..count {
            let Some(sweep) = &mut self.sweep else { break };
            let Some(hash) = sweep.old.take_any() else { break };
            if sweep.armed.contains(&hash) {
                continue;
            }
            if let Some(deadline_ms) = deadline(hash) {
                self.push(deadline_ms, hash);
                if let Some(sweep) = &mut self.sweep {
                    sweep.armed.insert(hash);
                }
            }
        }
        self.free_if_empty();
        self.sweep.is_some()
    }
}

/// Spreads the bits of a `u32` that is mixed already over the 64 that a hash set looks at.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32);
    }
}

#[cfg(test)]
mod tests;
