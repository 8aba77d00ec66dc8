//! Measures the table: `cargo run --profile quick -p table --example probe [items ...]`.
//!
//! For each size it prints bytes per item, and nanoseconds per insertion,
//! per find (each entry's block is read, as a key comparison would), and per find in batches of
//! 32 that prefetch the buckets, then the blocks.

use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Instant;

use table::{Table, heap};

const BATCH: usize = 32;

fn mix(id: u64) -> u64 {
    let z = (id ^ (id >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn prefetch(block: NonNull<u8>) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch faults on no address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    black_box(block);
}

/// Bytes of the tables' blocks, which hold their id, like small entries.
const BLOCK: usize = 48;

fn block(id: u64) -> NonNull<u8> {
    let block = heap::allocate(BLOCK);
    // SAFETY: the block has room for the number, and is aligned to 16.
    unsafe { block.cast().write(id) };
    block
}

struct Keys {
    tables: Vec<Table>,
}

impl Keys {
    fn table(&self, hash: u64) -> &Table {
        &self.tables[(hash >> 32) as usize & (self.tables.len() - 1)]
    }

    fn find(&self, id: u64) -> bool {
        let hash = mix(id);
        // SAFETY: every block in the tables holds its id, and outlives them.
        let is_it = |block: NonNull<u8>| unsafe { block.cast::<u64>().read() == id };
        self.table(hash).find(hash as u32, is_it).is_some()
    }
}

fn ns(start: Instant, count: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Fills tables (a power of two of them), and calls `after` after each insertion.
fn fill(blocks: &[NonNull<u8>], shards: usize, mut after: impl FnMut()) -> Keys {
    let mut keys = Keys { tables: (0..shards).map(|_| Table::new()).collect() };
    for (id, block) in blocks.iter().enumerate() {
        let hash = mix(id as u64);
        let table = &mut keys.tables[(hash >> 32) as usize & (shards - 1)];
        table.insert(hash as u32, *block);
        after();
    }
    keys
}

fn measure(items: usize, shards: usize) {
    let blocks: Vec<NonNull<u8>> = (0..items as u64).map(block).collect();
    let start = Instant::now();
    let keys = fill(&blocks, shards, || ());
    let insert = ns(start, items);
    let (mut slowest, mut last) = (0, Instant::now());
    fill(&blocks, shards, || {
        slowest = slowest.max(last.elapsed().as_micros());
        last = Instant::now();
    });
    let finds = 2_000_000;
    let order: Vec<u64> = (0..finds as u64).map(|i| mix(i + 7) % items as u64).collect();
    let start = Instant::now();
    let hits = order.iter().filter(|&&id| keys.find(id)).count();
    let plain = ns(start, finds);
    assert_eq!(hits, finds);
    let start = Instant::now();
    for batch in order.chunks(BATCH) {
        for &id in batch {
            keys.table(mix(id)).prefetch_bucket(mix(id) as u32);
        }
        for &id in batch {
            if let Some(block) = keys.table(mix(id)).candidate(mix(id) as u32) {
                prefetch(block);
            }
        }
        for &id in batch {
            black_box(keys.find(id));
        }
    }
    let ahead = ns(start, finds);
    let start = Instant::now();
    let hits = order.iter().filter(|&&id| keys.find(id + items as u64)).count();
    let miss = ns(start, finds);
    assert_eq!(hits, 0);
    let start = Instant::now();
    for batch in order.chunks(BATCH) {
        for &id in batch {
            let hash = mix(id + items as u64);
            keys.table(hash).prefetch_bucket(hash as u32);
        }
        for &id in batch {
            black_box(keys.find(id + items as u64));
        }
    }
    let miss_ahead = ns(start, finds);
    let bytes: usize = keys.tables.iter().map(Table::heap_bytes).sum();
    println!(
        "{items:>9} items {shards:>5} tables: {:5.2} B/item; ns: insert {insert:5.1} (slowest {slowest} us), \
         find {plain:5.1}, prefetched {ahead:5.1}, miss {miss:5.1}, prefetched {miss_ahead:5.1}",
        bytes as f64 / items as f64
    );
}

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 100_000, 1_000_000, 4_000_000] } else { asked };
    for items in sizes {
        measure(items, 1);
        if items >= 100_000 {
            measure(items, 1024);
        }
    }
}
