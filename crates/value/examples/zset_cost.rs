//! What a big sorted set costs: bytes per member as the allocator's size classes round them, and
//! nanoseconds per operation, at ten thousand and at a million members.
//!
//! `cargo run --profile quick -p value --example zset_cost`

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use value::zset::{ScoreBound, Zset, ZsetLimits};

static USED: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting bytes as size classes of four per doubling would round them.
struct Counting;

fn class(size: usize) -> usize {
    match size {
        0..=64 => size.max(1).next_multiple_of(8),
        _ => size.next_multiple_of(size.next_power_of_two() / 8),
    }
}

// SAFETY: everything is passed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USED.fetch_add(class(layout.size()), Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        USED.fetch_sub(class(layout.size()), Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 29
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn time(ops: usize, mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..ops).for_each(|_| f());
    start.elapsed().as_nanos() as f64 / ops as f64
}

fn names(n: usize, width: usize) -> Vec<Vec<u8>> {
    (0..n).map(|i| format!("m{i:0w$}", w = width - 1).into_bytes()).collect()
}

/// A member of 14 bytes; made on the spot, so that the set's own cache misses are what is timed.
fn name(mut i: usize) -> [u8; 14] {
    let mut name = *b"m0000000000000";
    for digit in name[1..].iter_mut().rev() {
        *digit += (i % 10) as u8;
        i /= 10;
    }
    name
}

fn bytes() {
    let limits = ZsetLimits::default();
    let mut random = Random(1);
    println!("bytes per member, 1 M members      random order   in order   heap_bytes/len");
    type Score = fn(&mut Random) -> f64;
    let kinds: [(&str, Score); 3] = [
        ("integers below a million", |random| random.below(1_000_000) as f64),
        ("doubles", |random| random.next() as f64 / 1e7),
        ("all equal", |_| 1.0),
    ];
    for width in [10, 12, 14, 16] {
        let names = names(1_000_000, width);
        for (kind, score) in kinds {
            let mut order: Vec<usize> = (0..names.len()).collect();
            (1..order.len()).for_each(|i| order.swap(i, random.below(i + 1)));
            let before = USED.load(Relaxed);
            let mut zset = Zset::new();
            for &i in &order {
                zset.insert(&names[i], score(&mut random), limits);
            }
            let shuffled = (USED.load(Relaxed) - before) as f64 / 1e6;
            let claimed = zset.heap_bytes() as f64 / 1e6;
            drop(zset);
            let before = USED.load(Relaxed);
            let mut zset = Zset::new();
            for (i, name) in names.iter().enumerate() {
                zset.insert(name, i as f64, limits);
            }
            let in_order = (USED.load(Relaxed) - before) as f64 / 1e6;
            println!("{width:2} B, {kind:26} {shuffled:14.1} {in_order:10.1} {claimed:12.1}");
        }
    }
}

fn speed(n: usize) {
    let limits = ZsetLimits::default();
    let mut random = Random(2);
    let mut zset = Zset::new();
    let mut order: Vec<usize> = (0..n).collect();
    (1..n).for_each(|i| order.swap(i, random.below(i + 1)));
    let mut next = order.iter();
    let add = time(n, || {
        let &i = next.next().unwrap_or(&0);
        zset.insert(&name(i), random.below(10 * n) as f64, limits);
    });
    let ops = 300_000;
    let update = time(ops, || {
        let i = random.below(n);
        black_box(zset.insert(&name(i), random.below(10 * n) as f64, limits));
    });
    let score = time(ops, || {
        black_box(zset.score(&name(random.below(n))));
    });
    let rank = time(ops, || {
        black_box(zset.rank(&name(random.below(n)), false));
    });
    let range = time(ops, || {
        let low = random.below(10 * n) as f64;
        let ranks = zset.score_range(ScoreBound::incl(low), ScoreBound::incl(low + 100.0));
        black_box(zset.range(ranks, false).count());
    });
    let page = time(ops, || {
        let rank = random.below(n);
        black_box(zset.range(rank..rank + 100, false).map(|(_, score)| score).sum::<f64>());
    });
    let remove = time(ops.min(n / 2), || {
        black_box(zset.remove(&name(random.below(n))));
    });
    let copy = {
        let start = Instant::now();
        black_box(zset.clone());
        start.elapsed().as_nanos() as f64 / zset.len() as f64
    };
    println!(
        "{n:9} {add:6.0} {update:8.0} {score:7.0} {rank:6.0} {range:10.0} {page:9.0} {remove:8.0} {copy:7.0}"
    );
}

fn main() {
    println!("ns per    add  update   score   rank  range of 10  100 by rank  remove  clone");
    for n in [1_000, 10_000, 100_000, 1_000_000] {
        speed(n);
    }
    if std::env::args().len() < 2 {
        bytes();
    }
}
