//! Heap bytes per item of the collections at a million items, as the allocator rounds them
//!
//! `cargo run -p value --release --example bytes_per_item`

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use value::Item;
use value::list::{List, ListLimits};

/// Counts live bytes in size classes: every 8 up to 64, then four per doubling.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

fn class(bytes: usize) -> usize {
    if bytes <= 64 {
        return bytes.next_multiple_of(8);
    }
    bytes.next_multiple_of(1 << ((bytes - 1).ilog2() - 2))
}

// SAFETY: every call is passed on to the system's allocator; only a counter is kept beside it.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(class(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(class(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MILLION: usize = 1_000_000;

/// Prints what `build`'s result holds, per item, by the allocator's count and by its own.
fn measure<T>(name: &str, items: usize, build: impl FnOnce() -> T, own: impl Fn(&T) -> usize) {
    let before = LIVE.load(Ordering::Relaxed);
    let start = std::time::Instant::now();
    let built = build();
    let nanos = start.elapsed().as_nanos() as f64 / items as f64;
    let counted = LIVE.load(Ordering::Relaxed) - before;
    let per = |bytes: usize| bytes as f64 / items as f64;
    println!(
        "{name:<48} {:>7.2} bytes, own count {:>7.2}, built in {nanos:>6.1} ns",
        per(counted),
        per(own(&built))
    );
}

fn list(text: impl Fn(usize) -> String) -> impl FnOnce() -> List {
    move || {
        let (mut list, limits) = (List::new(), ListLimits::default());
        for n in 0..MILLION {
            let text = text(n);
            list.before_growth(1, text.len(), limits);
            list.push_back(Item::parse(text.as_bytes()), limits);
        }
        list
    }
}

fn lists() {
    measure("list, item:000001", MILLION, list(|n| format!("item:{n:06}")), List::heap_bytes);
    measure("list, item:1", MILLION, list(|n| format!("item:{n}")), List::heap_bytes);
    measure("list, 0 to 1 M", MILLION, list(|n| n.to_string()), List::heap_bytes);
    let mixed = list(|n| "x".repeat(6 + n * 7919 % 13));
    measure("list, 6 to 18 bytes, 12 on average", MILLION, mixed, List::heap_bytes);
}

fn main() {
    lists();
}
