//! Measures the expiry index: `cargo run --profile quick -p keyspace --example expiry`.
//!
//! Deadlines are spread over an hour; the clock then walks that hour in steps of 100 ms.

use std::time::Instant;

use keyspace::expiry::ExpiryIndex;

const HOUR_MS: u64 = 3_600_000;

fn main() {
    for items in [100, 1_000, 10_000, 100_000_u32] {
        let repeats = 1_000_000 / items;
        let (mut push_ns, mut pop_ns, mut bytes) = (0, 0, 0);
        for _ in 0..repeats {
            let mut index = ExpiryIndex::new(0);
            let start = Instant::now();
            for item in 0..items {
                let hash = item.wrapping_mul(0x9E37_79B9);
                index.push(((u64::from(hash) * HOUR_MS) >> 32) as i64, hash);
            }
            push_ns += start.elapsed().as_nanos();
            bytes += index.heap_bytes();
            let start = Instant::now();
            for now_ms in (0..).step_by(100) {
                while index.pop_due(now_ms).is_some() {}
                if index.is_empty() {
                    break;
                }
            }
            pop_ns += start.elapsed().as_nanos();
        }
        let total = u128::from(items * repeats);
        println!(
            "{items:>6} items: {:5.2} B/item, push {} ns, pop {} ns (with {} empty looks)",
            bytes as f64 / total as f64,
            push_ns / total,
            pop_ns / total,
            HOUR_MS / 100
        );
    }
}
