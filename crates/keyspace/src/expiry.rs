//! The expiry index: a shard's deadlines in order, about 9 bytes for each volatile key.
//!
//! # Items are hints
//!
//! An item is 8 bytes: a tick (16 ms, counted from an epoch) and the table hash of a key. It does
//! not say which entry it stands for nor whether that still exists: the owner looks the hash up
//! and checks the real deadline. The contract between the two:
//!
//! - Every volatile entry has at least one item at or before its deadline.
//! - So a fresh deadline, or an earlier one, is pushed. A later one need not be, as the old item
//!   fires first: then the owner finds the entry not due and pushes its deadline (re-arms it).
//! - An item stands for every volatile entry of its 32-bit hash. When one fires, the owner expires
//!   all of them that are due and re-arms the earliest deadline of the others.
//! - An item fires between 0 and 16 ms after its deadline, never before, with one exception: a
//!   deadline beyond the range of the ticks (more than a year ahead) is cut to the range.
//!
//! # The radix heap
//!
//! Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem" (1990): list
//! 0 holds the items at tick `last`, list `i` those whose highest bit that differs from `last` is
//! bit `i - 1`. Lists are thus in order, unordered inside. When lists below `i` are empty and its
//! first possible tick has passed, `last` becomes that tick and the list's items go to lower
//! lists. Each item moves at most 32 times, sequentially in memory, and pushing is one append.
//!
//! It deviates from the paper in three ways: `last` follows the clock and not the minimum, so the
//! heap takes any deadline from now on; a list is redistributed in slices over several calls; and
//! deadlines before `last` (past ones, or any after the clock was set back) have a small binary
//! heap of their own.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Milliseconds in a tick: the resolution of the index.
const TICK_MS: i64 = 16;

/// How far before its creation an index can tell times apart: about 3 days. It matters only if the
/// clock is set back.
const PAST_TICKS: i64 = 1 << 24;

/// Beyond this tick (1.1 years after the epoch) the epoch moves, so that deadlines of at least
/// another 1.1 years fit.
const REBASE_AT: i64 = 1 << 31;

/// Items that one call of [`ExpiryIndex::pop_due`] redistributes at most.
const SLICE: usize = 1024;

/// Stale items that are not worth a sweep.
const SWEEP_SLACK: usize = 64;

/// The deadlines of a shard. Owns no memory while it is empty.
#[derive(Debug)]
pub struct ExpiryIndex {
    /// The time of tick 0, in milliseconds since 1970.
    epoch_ms: i64,
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
        Self { epoch_ms, heap: None, sweep: None }
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
            size_of::<Sweep>() + sweep.old.list_bytes() + sweep.armed.capacity() * 6
        });
        self.heap.as_ref().map_or(0, |heap| size_of::<Heap>() + heap.list_bytes()) + sweep
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
        if let Some(sweep) = &mut self.sweep {
            // An item of this hash in `heap` may be later than this one: those that the sweep
            // still finds must be compared with the entry again.
            sweep.armed.remove(&hash);
        }
        let tick = self.tick(deadline_ms);
        self.heap.get_or_insert_default().push(item(tick, hash));
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
        item.map(hash_of)
    }

    /// Moves the epoch to a little before `now_ms`: once a year, for all items at once.
    fn rebase(&mut self, now_ms: i64) {
        let epoch_ms = Self::new(now_ms).epoch_ms;
        let shift = self.ticks(epoch_ms).clamp(0, u32::MAX.into()) as u32;
        self.epoch_ms = epoch_ms;
        if let Some(heap) = &mut self.heap {
            heap.shift(shift);
        }
        if let Some(sweep) = &mut self.sweep {
            sweep.old.shift(shift);
        }
    }

    fn free_if_empty(&mut self) {
        self.heap.take_if(|heap| heap.len == 0);
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

fn item(tick: u32, hash: u32) -> u64 {
    u64::from(tick) << 32 | u64::from(hash)
}

fn tick_of(item: u64) -> u32 {
    (item >> 32) as u32
}

fn hash_of(item: u64) -> u32 {
    item as u32
}

/// A list for each bit and one for equality.
const LISTS: usize = 33;

/// The radix heap. Items at list `i` agree with `last` above bit `i - 1` and differ in that bit
/// (list 0: agree), but for the list that is `opened`, whose items are just not before `last`.
#[derive(Debug)]
struct Heap {
    last: u32,
    /// The list that is being redistributed, 0 if none. No item belongs there while it is: `last`
    /// has its bit set, so an item that differs there is before `last`.
    opened: usize,
    len: usize,
    lists: [Vec<u64>; LISTS],
    /// Items before `last`.
    early: BinaryHeap<Reverse<u64>>,
}

impl Default for Heap {
    fn default() -> Self {
        let lists = std::array::from_fn(|_| Vec::new());
        Self { last: 0, opened: 0, len: 0, lists, early: BinaryHeap::new() }
    }
}

impl Heap {
    fn list_bytes(&self) -> usize {
        let items: usize = self.lists.iter().map(Vec::capacity).sum();
        (items + self.early.capacity()) * size_of::<u64>()
    }

    fn push(&mut self, item: u64) {
        self.len += 1;
        if tick_of(item) < self.last {
            if self.early.len() == self.early.capacity() {
                self.early.reserve_exact(room_for_more(self.early.len()));
            }
            self.early.push(Reverse(item));
        } else {
            self.place(item);
        }
    }

    /// Puts an item that is not before `last` into its list.
    fn place(&mut self, item: u64) {
        let differing_bits = u32::BITS - (tick_of(item) ^ self.last).leading_zeros();
        let list = &mut self.lists[differing_bits as usize];
        if list.len() == list.capacity() {
            list.reserve_exact(room_for_more(list.len()));
        }
        list.push(item);
    }

    /// One of the items, in no order.
    fn nth(&self, mut nth: usize) -> Option<u64> {
        for list in &self.lists {
            match list.get(nth) {
                Some(item) => return Some(*item),
                None => nth -= list.len(),
            }
        }
        self.early.as_slice().get(nth).map(|Reverse(item)| *item)
    }

    /// The first list above 0 with items, and the first tick that they can have.
    fn first_list(&self) -> Option<(usize, u32)> {
        let list = (1..LISTS).find(|&list| !self.lists[list].is_empty())?;
        let bit = list - 1;
        Some((list, (self.last >> bit | 1) << bit))
    }

    /// A tick that no item is before.
    fn next_tick(&self) -> Option<u32> {
        let early = self.early.peek().map(|&Reverse(item)| tick_of(item));
        let later = if self.lists[0].is_empty() && self.opened == 0 {
            self.first_list().map(|(_, tick)| tick)
        } else {
            Some(self.last)
        };
        [early, later].into_iter().flatten().min()
    }

    /// Takes out an item at or before tick `due`, within one slice of work.
    fn pop_due(&mut self, due: u32) -> Option<u32> {
        if self.early.peek().is_some_and(|&Reverse(item)| tick_of(item) <= due) {
            self.len -= 1;
            return self.pop_early().map(hash_of);
        }
        if self.last <= due
            && let Some(item) = pop_tight(&mut self.lists[0])
        {
            self.len -= 1;
            return Some(hash_of(item));
        }
        for _ in 0..SLICE {
            if self.opened == 0 {
                let (list, first) = self.first_list()?;
                if first > due {
                    return None;
                }
                (self.opened, self.last) = (list, first);
            }
            let list = &mut self.lists[self.opened];
            let item = pop_tight(list);
            if list.is_empty() {
                self.opened = 0;
            }
            match item {
                Some(item) if tick_of(item) <= due => {
                    self.len -= 1;
                    return Some(hash_of(item));
                }
                Some(item) => self.place(item),
                None => {}
            }
        }
        None
    }

    fn pop_early(&mut self) -> Option<u64> {
        let Reverse(item) = self.early.pop()?;
        if self.early.is_empty() {
            self.early = BinaryHeap::new();
        }
        Some(item)
    }

    /// Takes out any item.
    fn take_any(&mut self) -> Option<u32> {
        let mut item = self.pop_early();
        if item.is_none() {
            let list = (0..LISTS).rev().find(|&list| !self.lists[list].is_empty())?;
            item = pop_tight(&mut self.lists[list]);
            if self.opened == list && self.lists[list].is_empty() {
                self.opened = 0;
            }
        }
        self.len -= 1;
        item.map(hash_of)
    }

    /// Makes every tick `shift` smaller, at least 0.
    fn shift(&mut self, shift: u32) {
        let old = std::mem::take(self);
        self.last = old.last.saturating_sub(shift);
        let early = old.early.into_iter().map(|Reverse(item)| item);
        for item in early.chain(old.lists.into_iter().flatten()) {
            self.push(self::item(tick_of(item).saturating_sub(shift), hash_of(item)));
        }
    }
}

/// How many items more a full list of `len` should hold: to the allocator's next size class, so at
/// most a quarter more.
fn room_for_more(len: usize) -> usize {
    table::class_at_least(len + 1) - len
}

/// Pops, and frees the list with its last item.
fn pop_tight(list: &mut Vec<u64>) -> Option<u64> {
    let item = list.pop()?;
    if list.is_empty() {
        *list = Vec::new();
    }
    Some(item)
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
