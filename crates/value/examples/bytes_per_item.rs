//! Heap bytes per item of the collections at a million items, as the allocator rounds them
//!
//! `cargo run -p value --release --example bytes_per_item`

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use value::Item;
use value::hash::{Hash, HashLimits, Ttl};
use value::list::{List, ListLimits};
use value::set::{Set, SetLimits};

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

fn set(items: usize, text: impl Fn(usize) -> String) -> impl FnOnce() -> Set {
    move || {
        let mut set = Set::new();
        for n in 0..items {
            set.insert(Item::parse(text(n).as_bytes()), SetLimits::default());
        }
        set
    }
}

fn sets() {
    measure("set, 0 to 1 M", MILLION, set(MILLION, |n| n.to_string()), Set::heap_bytes);
    let wide = |n: usize| (n * 7_777_777 % 9_999_999_967).to_string();
    measure("set, 10 digits", MILLION, set(MILLION, wide), Set::heap_bytes);
    measure("set, 0 to 1.1 M", 1_100_000, set(1_100_000, |n| n.to_string()), Set::heap_bytes);
    let texts = |n: usize| format!("member:{n:07}");
    measure("set, member:0000001", MILLION, set(MILLION, texts), Set::heap_bytes);
    measure("intset of 512", 512, set(512, |n| n.to_string()), Set::heap_bytes);
}

fn hash(fields: usize, ttl: Ttl) -> Hash {
    let mut hash = Hash::new();
    for n in 0..fields {
        let (name, value) = (format!("field{n:05}"), format!("value{n:05}"));
        let (name, value) = (Item::parse(name.as_bytes()), Item::parse(value.as_bytes()));
        hash.set(name, value, ttl, HashLimits::default());
    }
    hash
}

fn hashes() {
    measure("hash, 10 B to 10 B", MILLION, || hash(MILLION, Ttl::Clear), Hash::heap_bytes);
    let dated = || hash(MILLION, Ttl::At(1_800_000_000_000));
    measure("hash, 10 B to 10 B, with deadlines", MILLION, dated, Hash::heap_bytes);
    let many = || -> Vec<Hash> { (0..100_000).map(|_| hash(10, Ttl::Clear)).collect() };
    let own = |hashes: &Vec<Hash>| {
        hashes.iter().map(Hash::heap_bytes).sum::<usize>() + hashes.capacity() * size_of::<Hash>()
    };
    measure("hashes of 10 fields, 10 B to 10 B, each", 100_000, many, own);
    let small = || -> Vec<Hash> {
        let fields = |mut hash: Hash, n: usize| {
            let (name, value) = (format!("f{n}"), format!("value:{n}"));
            let (name, value) = (Item::parse(name.as_bytes()), Item::parse(value.as_bytes()));
            hash.set(name, value, Ttl::Clear, HashLimits::default());
            hash
        };
        (0..100_000).map(|_| (0..10).fold(Hash::new(), fields)).collect()
    };
    measure("hashes of 10 fields, 2 B to 7 B, each", 100_000, small, own);
}

fn main() {
    lists();
    sets();
    hashes();
}
