//! Each thread's own free blocks, so that most allocations take no lock; and what it has allocated.

use std::cell::{OnceCell, UnsafeCell};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::bin;
use super::classes::CACHED;
use crate::lock::Mutex;

/// Free blocks of a class that a thread keeps at most.
const ROOM: usize = 32;

/// What threads have allocated, less what they have freed: those that run, and the sum of those that ended.
static COUNTS: Mutex<(Vec<Arc<AtomicI64>>, i64)> = Mutex::new((Vec::new(), 0));

thread_local! {
    static CACHE: Cache = const { Cache::new() };
}

struct Cache {
    /// By the class's number.
    magazines: UnsafeCell<[Magazine; CACHED]>,
    /// Written by this thread only.
    bytes: OnceCell<Arc<AtomicI64>>,
}

struct Magazine {
    len: usize,
    blocks: [*mut u8; ROOM],
}

impl Cache {
    const fn new() -> Self {
        let magazines = [const { Magazine { len: 0, blocks: [null_mut(); ROOM] } }; CACHED];
        Self { magazines: UnsafeCell::new(magazines), bytes: OnceCell::new() }
    }

    #[inline]
    fn count(&self, bytes: i64) {
        let count = self.bytes.get_or_init(register);
        // A load and a store, as nobody else writes.
        count.store(count.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }

    /// Calls `f` with the magazine of a class below [`CACHED`].
    #[inline]
    fn with<R>(&self, class: usize, f: impl FnOnce(&mut Magazine) -> R) -> R {
        // SAFETY: the cache is this thread's, and nothing that is called with a magazine, here and in
        // `bin`, comes back to the cache: there is one reference at a time.
        f(unsafe { &mut (*self.magazines.get())[class] })
    }
}

#[cold]
fn register() -> Arc<AtomicI64> {
    let count = Arc::new(AtomicI64::new(0));
    COUNTS.lock().0.push(Arc::clone(&count));
    count
}

/// What all threads have allocated and not freed, bytes.
pub(super) fn allocated() -> i64 {
    let counts = COUNTS.lock();
    counts.1 + counts.0.iter().map(|count| count.load(Ordering::Relaxed)).sum::<i64>()
}

/// What this thread has allocated, less what it has freed, bytes.
pub(super) fn of_thread() -> i64 {
    let count = |cache: &Cache| cache.bytes.get().map(|count| count.load(Ordering::Relaxed));
    CACHE.try_with(count).ok().flatten().unwrap_or(0)
}

/// Counts bytes that are allocated (or freed, if negative) without the cache.
pub(super) fn count(bytes: i64) {
    if CACHE.try_with(|cache| cache.count(bytes)).is_err() {
        COUNTS.lock().1 += bytes;
    }
}

/// A block of the class number `class`, below [`CACHED`], with `size` bytes; null without memory.
#[inline]
pub(super) fn take(class: usize, size: usize) -> *mut u8 {
    let cached = CACHE.try_with(|cache| {
        cache.count(size as i64);
        cache.with(class, |magazine| {
            if magazine.len == 0 {
                // The last is handed out first: filled from the back, blocks come in the chunk's order.
                magazine.len = bin::take(class, size, &mut magazine.blocks[..batch(size)]);
                magazine.blocks[..magazine.len].reverse();
            }
            if magazine.len == 0 {
                return null_mut();
            }
            magazine.len -= 1;
            magazine.blocks[magazine.len]
        })
    });
    cached.unwrap_or_else(|_| {
        count(size as i64);
        take_directly(class, size)
    })
}

/// Blocks that go between a thread and the bins at a time, at most half of the room.
fn batch(size: usize) -> usize {
    (4096 / size).clamp(2, ROOM / 2)
}

/// Takes back what [`take`] gave.
///
/// # Safety
/// `block` came from [`take`] with the same class, and nobody uses it any more.
#[inline]
pub(super) unsafe fn give_back(class: usize, size: usize, block: *mut u8) {
    let cached = CACHE.try_with(|cache| {
        cache.count(-(size as i64));
        cache.with(class, |magazine| {
            let batch = batch(size);
            if magazine.len >= 2 * batch {
                // Those that have been here longest: the others may still be in the processor's cache.
                // SAFETY: the blocks below `len` are free and of this class.
                unsafe { bin::give_back(class, size, &magazine.blocks[..batch]) };
                magazine.blocks.copy_within(batch..magazine.len, 0);
                magazine.len -= batch;
            }
            magazine.blocks[magazine.len] = block;
            magazine.len += 1;
        })
    });
    if cached.is_err() {
        count(-(size as i64));
        // SAFETY: by the contract.
        unsafe { bin::give_back(class, size, &[block]) }
    }
}

/// A block from the bins; null without memory. It is not counted.
pub(super) fn take_directly(class: usize, size: usize) -> *mut u8 {
    let mut block = [null_mut()];
    bin::take(class, size, &mut block);
    block[0]
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, magazine) in self.magazines.get_mut().iter_mut().enumerate() {
            let blocks = &magazine.blocks[..magazine.len];
            // SAFETY: the blocks below `len` are free and of this class.
            unsafe { bin::give_back(class, super::classes::size(class), blocks) };
            magazine.len = 0;
        }
        if let Some(own) = self.bytes.take() {
            let mut counts = COUNTS.lock();
            counts.0.retain(|count| !Arc::ptr_eq(count, &own));
            counts.1 += own.load(Ordering::Relaxed);
        }
    }
}
