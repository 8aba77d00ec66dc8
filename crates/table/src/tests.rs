use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;

/// A number that stands for entry `id`, in the place of a pointer: small and large ones.
pub(crate) fn block(id: usize) -> NonNull<u8> {
    let number = (id * 2 + 1) | ((id % 3) << (ODD_BITS - 2));
    NonNull::without_provenance(NonZeroUsize::new(number).unwrap())
}

pub(crate) fn mixed(id: usize) -> u32 {
    splitmix(&mut (id as u64)) as u32
}

impl Table {
    fn check(&self) {
        self.current.check();
        if let Some(resize) = &self.resize {
            resize.target.check();
            assert!(self.current.entries().all(|(at, _)| at >= resize.boundary));
            assert!(resize.target.entries().all(|(at, _)| at < resize.boundary));
        }
    }

    fn of_len(len: usize) -> Self {
        let mut table = Self::new();
        (0..len).for_each(|id| {
            table.insert(mixed(id), block(id));
        });
        table
    }

    fn remove_block(&mut self, hash: u32, id: usize) -> Option<NonNull<u8>> {
        let slot = self.find(hash, |pointer| pointer == block(id))?;
        Some(self.remove(slot))
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// Hash and how many entries to add with hashes from it on, `stride` apart.
    Insert(u32, usize, u32),
    /// Which of the present entries (modulo their number), and how many from it on.
    Remove(usize, usize),
    Replace(usize),
    Reserve(usize),
    Fit,
    Scan,
}

fn hashes() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => any::<u32>(),
        1 => Just(u32::MAX),
        1 => Just(0),
        1 => (0_u32..4).prop_map(|low| 0x1234_5600 + low),
        1 => (0_u32..4).prop_map(|index| index << 30),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let stride = prop_oneof![Just(0_u32), Just(1), Just(0x9E37_79B9)];
    prop_oneof![
        4 => (hashes(), 1_usize..200, stride).prop_map(|(h, n, s)| Op::Insert(h, n, s)),
        3 => (any::<usize>(), 1_usize..250).prop_map(|(which, n)| Op::Remove(which, n)),
        1 => any::<usize>().prop_map(Op::Replace),
        1 => (0_usize..2000).prop_map(Op::Reserve),
        1 => Just(Op::Fit),
        4 => Just(Op::Scan),
    ]
}

/// A scan under way: its cursor, and how often it saw each entry that was there at its start.
#[derive(Default)]
struct Scan {
    cursor: u32,
    seen: HashMap<NonNull<u8>, usize>,
}

#[derive(Default)]
struct Model {
    table: Table,
    /// By address, the hash.
    entries: BTreeMap<NonNull<u8>, u32>,
    next: usize,
    scan: Scan,
}

impl Model {
    fn nth(&self, which: usize) -> Option<(NonNull<u8>, u32)> {
        let index = which.checked_rem(self.entries.len())?;
        self.entries.iter().nth(index).map(|(&pointer, &hash)| (pointer, hash))
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Insert(hash, count, stride) => {
                for index in 0..count as u32 {
                    let hash = hash.wrapping_add(index.wrapping_mul(stride));
                    let pointer = block(self.next);
                    self.next += 1;
                    let slot = self.table.insert(hash, pointer);
                    assert_eq!(self.table.get(slot), pointer);
                    self.entries.insert(pointer, hash);
                }
            }
            Op::Remove(which, count) => {
                for index in 0..count {
                    let Some((pointer, hash)) = self.nth(which.wrapping_add(index)) else { break };
                    let slot = self.table.find(hash, |found| found == pointer).unwrap();
                    assert_eq!(self.table.remove(slot), pointer);
                    self.entries.remove(&pointer);
                    self.scan.seen.remove(&pointer);
                }
            }
            Op::Replace(which) => {
                let Some((old, hash)) = self.nth(which) else { return };
                let slot = self.table.find(hash, |found| found == old).unwrap();
                let new = block(self.next);
                self.next += 1;
                assert_eq!(self.table.replace(slot, new), old);
                assert_eq!(self.table.get(slot), new);
                self.entries.remove(&old);
                self.entries.insert(new, hash);
                if let Some(times) = self.scan.seen.remove(&old) {
                    self.scan.seen.insert(new, times);
                }
            }
            Op::Reserve(entries) => self.table.reserve(entries),
            Op::Fit => self.table.fit(),
            Op::Scan => self.scan(),
        }
    }

    fn scan(&mut self) {
        let seen = &mut self.scan.seen;
        let next = self.table.scan(self.scan.cursor, |pointer| {
            if let Some(times) = seen.get_mut(&pointer) {
                *times += 1;
            }
        });
        if let Some(cursor) = next {
            assert!(cursor > self.scan.cursor);
            self.scan.cursor = cursor;
            return;
        }
        assert!(seen.values().all(|&times| times == 1), "each entry is seen once");
        self.scan.cursor = 0;
        self.scan.seen = self.entries.keys().map(|&pointer| (pointer, 0)).collect();
    }

    fn check(&self) {
        self.table.check();
        assert_eq!(self.table.len(), self.entries.len());
        for (&pointer, &hash) in &self.entries {
            let slot = self.table.find(hash, |found| found == pointer).unwrap();
            assert_eq!(self.table.get(slot), pointer);
            assert!(self.table.candidate(hash).is_some());
        }
        let mut all: Vec<_> = self.table.iter().collect();
        all.sort_unstable();
        assert!(all.iter().eq(self.entries.keys()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_behaves_like_a_map_and_a_scan_sees_each_lasting_entry_once(
        ops in prop::collection::vec(ops(), 1..60)
    ) {
        let mut model = Model::default();
        for op in &ops {
            model.apply(op);
            model.check();
        }
        // Let the scan end: what lasted until now must have been seen.
        (0..2 * POSITIONS).map_while(|_| {
            model.scan();
            (model.scan.cursor != 0).then_some(())
        }).count();
        let drained = model.table.drain();
        prop_assert_eq!(drained.len(), model.entries.len());
        let mut all: Vec<_> = drained.collect();
        all.sort_unstable();
        prop_assert!(all.iter().eq(model.entries.keys()));
        prop_assert!(model.table.is_empty());
        prop_assert_eq!(model.table.heap_bytes(), 0);
    }
}

#[test]
fn an_empty_table_owns_nothing_and_answers() {
    let table = Table::new();
    assert_eq!(table.heap_bytes(), 0);
    assert!(table.find(7, |_| true).is_none());
    assert!(table.candidate(u32::MAX).is_none());
    assert!(table.scan(0, |_| panic!("there is nothing")).is_none());
    assert!(table.random(1).is_none());
    table.prefetch_bucket(u32::MAX);
    assert_eq!(table.into_iter().count(), 0);
}

#[test]
fn counters_saturate_and_the_pile_stays_correct_until_a_resize_heals_it() {
    let mut table = Table::new();
    let hash = 0xFFFF_FFFF;
    (0..1500).for_each(|id| {
        table.insert(hash, block(id));
    });
    table.check();
    let saturated = |table: &Table| {
        table.current.saturated() + table.resize.as_ref().map_or(0, |r| r.target.saturated())
    };
    assert!(saturated(&table) > 0);
    for id in (0..1500).step_by(3) {
        assert_eq!(table.remove_block(hash, id), Some(block(id)));
    }
    table.check();
    for id in 0..1500 {
        assert_eq!(table.find(hash, |p| p == block(id)).is_some(), id % 3 != 0);
    }
    for id in 0..1500 {
        table.remove_block(hash, id);
    }
    assert!(table.is_empty() && saturated(&table) == 0);
    assert_eq!(table.heap_bytes(), 0);
}

#[test]
fn find_offers_every_entry_of_equal_hash() {
    let mut table = Table::of_len(500);
    (1000..1040).for_each(|id| {
        table.insert(0xABCD_EF01, block(id));
    });
    let mut offered = Vec::new();
    assert!(
        table
            .find(0xABCD_EF01, |pointer| {
                offered.push(pointer);
                false
            })
            .is_none()
    );
    let expected: Vec<_> = (1000..1040).map(block).collect();
    offered.retain(|pointer| expected.contains(pointer));
    offered.sort_unstable();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(offered, sorted);
}

#[test]
fn load_while_growing_is_at_least_82_percent_on_average() {
    let mut table = Table::new();
    let (mut bytes, mut items) = (0, 0);
    for id in 0..20_000 {
        table.insert(mixed(id), block(id));
        if id >= 100 && table.resize.is_none() {
            bytes += table.current.buckets() as usize * bucket::LANES;
            items += table.len();
        }
    }
    let load = items as f64 / bytes as f64;
    assert!(load >= 0.82, "load {load}");
}

#[test]
fn a_table_with_room_does_not_grow_and_one_that_fits_is_about_full() {
    let mut table = Table::new();
    table.reserve(10_000);
    let bytes = table.heap_bytes();
    for id in 0..5_000 {
        table.insert(mixed(id), block(id));
        assert_eq!(table.heap_bytes(), bytes);
    }
    table.fit();
    table.check();
    assert!(table.heap_bytes() < bytes * 6 / 10);
    table.reserve(10_000);
    (5_000..10_000).for_each(|id| {
        table.insert(mixed(id), block(id));
    });
    assert_eq!(table.heap_bytes(), bytes);
    table.fit();
    assert_eq!(table.heap_bytes(), bytes);
    table.drain();
    table.fit();
    assert_eq!(table.heap_bytes(), 0);
}

#[test]
fn a_table_shrinks_as_it_empties() {
    let mut table = Table::of_len(10_000);
    for id in 0..10_000 {
        table.remove_block(mixed(id), id).unwrap();
        if table.resize.is_none() && !table.is_empty() {
            let lanes = table.current.buckets() as usize * bucket::LANES;
            assert!(lanes <= 2 * bucket::LANES || table.len() * 2 >= lanes);
        }
    }
    assert_eq!(table.heap_bytes(), 0);
}

#[test]
fn random_picks_are_even_over_entries_also_amid_a_resize() {
    let mut table = Table::new();
    let mut ids = 0..;
    while table.len() < 400 || table.resize.as_ref().is_none_or(|r| r.boundary < POSITIONS / 2) {
        let id = ids.next().unwrap();
        // Half of the entries share one home: the others must not suffer for it.
        let hash = if id % 2 == 0 { 0x7777_0000 } else { mixed(id) };
        table.insert(hash, block(id));
    }
    let mut counts: HashMap<_, u32> = table.iter().map(|pointer| (pointer, 0)).collect();
    let draws = 200 * counts.len();
    for seed in 0..draws {
        *counts.get_mut(&table.random(mixed(seed) as u64).unwrap()).unwrap() += 1;
    }
    let chi_squared: f64 = counts.values().map(|&n| (f64::from(n) - 200.0).powi(2) / 200.0).sum();
    // Mean n - 1, standard deviation sqrt(2 n): five of them off is no chance.
    let n = counts.len() as f64;
    assert!((chi_squared - n).abs() < 5.0 * (2.0 * n).sqrt(), "{chi_squared} for {n}");
}

#[test]
fn a_stale_slot_panics_and_does_no_harm() {
    let mut table = Table::of_len(2);
    let slot = table.find(mixed(0), |_| true).unwrap();
    table.remove(slot);
    assert!(std::panic::catch_unwind(|| table.get(slot)).is_err());
    table.drain();
    assert!(std::panic::catch_unwind(|| table.get(slot)).is_err());
    assert_eq!(table.len(), 0);
}

#[test]
fn blocks_of_the_heap_and_numbers_live_side_by_side() {
    let mut table = Table::new();
    let blocks: Vec<_> = (0..1000).map(|id| (mixed(id), heap::allocate(8 + id * 40))).collect();
    for (id, (hash, block)) in blocks.iter().enumerate() {
        table.insert(*hash, *block);
        table.insert(*hash, self::block(id));
    }
    for (id, (hash, block)) in blocks.iter().enumerate() {
        assert!(table.find(*hash, |pointer| pointer == *block).is_some());
        assert!(table.remove_block(*hash, id).is_some());
    }
    assert_eq!(table.len(), blocks.len());
    let size = |block| blocks.iter().position(|(_, other)| *other == block).map(|id| 8 + id * 40);
    for block in table.drain() {
        // SAFETY: the table gives back what was allocated with this size.
        unsafe { heap::free(block, size(block).unwrap()) }
    }
}

#[test]
fn other_pointers_are_refused() {
    let mut table = Table::new();
    let local = 7_u64;
    let mut insert = |pointer| {
        let insert = std::panic::AssertUnwindSafe(|| table.insert(1, pointer));
        std::panic::catch_unwind(insert).is_err()
    };
    assert!(insert(NonNull::from_ref(&local).cast()));
    assert!(insert(NonNull::without_provenance(NonZeroUsize::new(1 | 1 << ODD_BITS).unwrap())));
}
