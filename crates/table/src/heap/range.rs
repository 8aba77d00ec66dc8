//! The range of addresses that all chunks lie in, and which of them are free.

use std::collections::BTreeMap;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::os;
use crate::lock::Mutex;

/// Bytes of a chunk, and its alignment.
pub(super) const CHUNK: usize = 64 << 10;

/// Bytes of the range: what a reference can tell apart (see `heap`). It is address space, not memory.
pub(super) const RANGE: usize = if cfg!(miri) { 64 << 20 } else { 1 << 40 };

/// The least range that is asked for where the system refuses a larger one.
const RANGE_MIN: usize = if cfg!(miri) { RANGE } else { 1 << 30 };

/// Chunks made usable at a time.
const COMMIT: usize = 256;

/// Bytes of a huge page, and its alignment.
const HUGE_PAGE: usize = if cfg!(miri) { CHUNK } else { 2 << 20 };

/// Chunks of a huge page, and all of them as bits.
const PER_HUGE_PAGE: usize = HUGE_PAGE / CHUNK;
const ALL_FILLED: u32 = u32::MAX >> (u32::BITS as usize - PER_HUGE_PAGE);
const _: () = assert!(0 < PER_HUGE_PAGE && PER_HUGE_PAGE <= u32::BITS as usize);

/// Free chunks that keep their memory, so that a chunk that empties and fills costs no call to the system.
const WARM_MAX: usize = 8;

static BASE: AtomicPtr<u8> = AtomicPtr::new(null_mut());
static CHUNKS: Mutex<Chunks> = Mutex::new(Chunks::NONE);
static HELD: AtomicUsize = AtomicUsize::new(0);

struct Chunks {
    /// Chunks in the range.
    end: usize,
    /// Chunks from the first on that may be read and written.
    usable: usize,
    /// Chunks from the first on that have been given out once.
    used: usize,
    /// By huge page: which of its chunks are filled, as bits.
    filled: Vec<u32>,
    /// Huge pages to make: a random access pays for fewer steps to find its page. All their chunks are filled, so
    /// they take no more memory. Where memory is given back they fall apart.
    small: Vec<usize>,
    /// Free chunks with memory.
    warm: Vec<usize>,
    /// Free chunks without memory: where runs of them start, and their lengths. Runs never touch.
    cold: BTreeMap<usize, usize>,
}

/// Where the range starts; null before the first chunk is taken. Whoever has a block sees it: the store
/// happened before the block was made.
#[inline(always)]
pub(super) fn base() -> *mut u8 {
    BASE.load(Ordering::Relaxed)
}

/// The address of a chunk that is in use.
#[inline]
pub(super) fn address(chunk: usize) -> NonNull<u8> {
    let address = base().wrapping_add(chunk * CHUNK);
    NonNull::new(address).expect("a chunk is in use, so the range is reserved")
}

/// The chunk that an address of the range lies in.
#[inline]
pub(super) fn chunk_of(block: NonNull<u8>) -> usize {
    (block.addr().get() - base().addr()) / CHUNK
}

/// Bytes of the chunks that are in use or keep their memory.
pub(super) fn held_bytes() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// Takes `count` chunks in a row; `None` if the system has no more memory or the range no more room.
pub(super) fn take(count: usize) -> Option<usize> {
    let mut chunks = CHUNKS.lock();
    if count == 1
        && let Some(chunk) = chunks.warm.pop()
    {
        return Some(chunk);
    }
    let chunk = match chunks.take_cold(count) {
        Some(chunk) => chunk,
        None => chunks.take_fresh(count)?,
    };
    HELD.fetch_add(count * CHUNK, Ordering::Relaxed);
    Some(chunk)
}

/// Gives `count` chunks from `chunk` on back, of which the first `touched` bytes were used.
pub(super) fn give_back(chunk: usize, count: usize, touched: usize) {
    let mut chunks = CHUNKS.lock();
    chunks.empty(chunk, count);
    if count == 1 && chunks.warm.len() < WARM_MAX {
        chunks.warm.push(chunk);
        return;
    }
    chunks.forget(chunk, count, touched);
}

/// Says that all memory of a chunk has been used.
pub(super) fn fill(chunk: usize) {
    CHUNKS.lock().fill(chunk);
}

/// Whether memory has filled up for which [`use_huge_pages`] can do something.
pub(super) fn wants_huge_pages() -> bool {
    !CHUNKS.lock().small.is_empty()
}

/// Puts huge pages behind the chunks that have filled up. Takes about a millisecond for each, so it is for a
/// thread that nobody waits for.
pub(super) fn use_huge_pages() {
    loop {
        let Some(page) = CHUNKS.lock().small.pop() else { return };
        os::collapse(address(page * PER_HUGE_PAGE), HUGE_PAGE);
    }
}

/// Gives the memory of all free chunks back to the system.
pub(super) fn purge() {
    let mut chunks = CHUNKS.lock();
    while let Some(chunk) = chunks.warm.pop() {
        chunks.forget(chunk, 1, CHUNK);
    }
}

impl Chunks {
    const NONE: Self = Self {
        end: 0,
        usable: 0,
        used: 0,
        filled: Vec::new(),
        small: Vec::new(),
        warm: Vec::new(),
        cold: BTreeMap::new(),
    };

    /// Notes that all memory of a chunk has been used.
    fn fill(&mut self, chunk: usize) {
        let page = chunk / PER_HUGE_PAGE;
        if self.filled.len() <= page {
            self.filled.resize(page + 1, 0);
        }
        if let Some(filled) = self.filled.get_mut(page) {
            *filled |= 1 << (chunk % PER_HUGE_PAGE);
            if *filled == ALL_FILLED {
                self.small.push(page);
            }
        }
    }

    /// Notes that chunks have been given back.
    fn empty(&mut self, chunk: usize, count: usize) {
        for chunk in chunk..chunk + count {
            let page = chunk / PER_HUGE_PAGE;
            let Some(filled) = self.filled.get_mut(page) else { return };
            if std::mem::replace(filled, *filled & !(1 << (chunk % PER_HUGE_PAGE))) == ALL_FILLED {
                self.small.retain(|small| *small != page);
            }
        }
    }

    /// Gives the memory of chunks back to the system, of which the first `touched` bytes were used.
    fn forget(&mut self, chunk: usize, count: usize, touched: usize) {
        os::forget(address(chunk), touched);
        HELD.fetch_sub(count * CHUNK, Ordering::Relaxed);
        self.add_cold(chunk, count);
    }

    /// The first run that is long enough: low addresses fill up, high ones stay free.
    fn take_cold(&mut self, count: usize) -> Option<usize> {
        let (&start, &len) = self.cold.iter().find(|(_, len)| **len >= count)?;
        self.cold.remove(&start);
        if len > count {
            self.cold.insert(start + count, len - count);
        }
        Some(start)
    }

    fn add_cold(&mut self, chunk: usize, count: usize) {
        let (mut start, mut end) = (chunk, chunk + count);
        if let Some((&before, &len)) = self.cold.range(..chunk).next_back()
            && before + len == chunk
        {
            start = before;
        }
        if let Some(len) = self.cold.remove(&end) {
            end += len;
        }
        self.cold.insert(start, end - start);
    }

    fn take_fresh(&mut self, count: usize) -> Option<usize> {
        if self.end == 0 {
            self.reserve()?;
        }
        let chunk = self.used;
        let used = chunk.checked_add(count).filter(|used| *used <= self.end)?;
        if used > self.usable {
            let usable = used.next_multiple_of(COMMIT).min(self.end);
            os::make_usable(address(self.usable), (usable - self.usable) * CHUNK)?;
            self.usable = usable;
        }
        self.used = used;
        Some(chunk)
    }

    /// Reserves the range, or as much of it as the system allows.
    fn reserve(&mut self) -> Option<()> {
        let mut bytes = RANGE;
        let base = loop {
            match os::reserve(bytes, HUGE_PAGE) {
                Some(base) => break base,
                None if bytes > RANGE_MIN => bytes /= 2,
                None => return None,
            }
        };
        self.end = bytes / CHUNK;
        BASE.store(base.as_ptr(), Ordering::Relaxed);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_runs_become_one_and_the_first_that_fits_is_taken() {
        let mut chunks = Chunks::NONE;
        for (chunk, count) in [(10, 2), (20, 3), (13, 1), (12, 1), (15, 4), (19, 1)] {
            chunks.add_cold(chunk, count);
        }
        assert_eq!(chunks.cold, BTreeMap::from([(10, 4), (15, 8)]));
        assert_eq!(chunks.take_cold(5), Some(15));
        assert_eq!(chunks.take_cold(4), Some(10));
        assert_eq!(chunks.take_cold(4), None);
        assert_eq!(chunks.cold, BTreeMap::from([(20, 3)]));
    }

    #[test]
    fn a_huge_page_is_made_of_chunks_that_are_all_filled() {
        let mut chunks = Chunks::NONE;
        let page = |page: usize| page * PER_HUGE_PAGE..(page + 1) * PER_HUGE_PAGE;
        page(1).rev().for_each(|chunk| chunks.fill(chunk));
        page(3).skip(1).for_each(|chunk| chunks.fill(chunk));
        page(2).for_each(|chunk| chunks.fill(chunk));
        assert_eq!(chunks.small, [1, 2]);
        chunks.empty(page(1).end - 1, 2);
        assert!(chunks.small.is_empty());
        chunks.fill(page(3).start);
        chunks.fill(page(2).start);
        assert_eq!(chunks.small, [3, 2]);
    }
}
