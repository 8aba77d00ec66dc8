//! The heap of small blocks that tables lead to: tight classes, and addresses that fit few bits.
//!
//! # Why
//!
//! A general allocator has four sizes to a doubling, so that a block of 87 bytes takes 96, and its
//! addresses need 47 bits. Here there are classes every 4 bytes (see [`class`]), and all blocks lie in one
//! range of addresses at multiples of 4, so that a reference is a number of 38 bits. That lets a bucket of
//! the table hold eight entries in a cache line.
//!
//! # Shape
//!
//! The range is address space reserved at the first allocation, 1 TiB of it; nothing of it is memory until
//! it is used. It is divided into chunks of 64 KiB. A chunk holds blocks of one class (`bin`), or is
//! part of a run of chunks for a single block that is too large to share one. Each thread keeps a few free
//! blocks of each small class (`cache`) and exchanges them with the bins by the dozen, so a block may be
//! freed by any thread. A chunk without blocks returns its memory to the system, but for a handful.
//!
//! # Bounds
//!
//! Blocks together take up to the range. Where the system grants less (a limit on address space), that is
//! the bound; reaching it is running out of memory. Only what tables refer to lives here: long strings,
//! lists' chunks, the tables' own arrays and everything else are with the global allocator.

mod bin;
mod cache;
mod classes;
mod os;
mod range;
#[cfg(test)]
mod tests;

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

use bin::HEAD;
pub use classes::class;
use classes::{CACHED, SLOT_MAX, index};
use range::CHUNK;

/// Bits of a block's offset.
pub(crate) const OFFSET_BITS: u32 = 40;

const _: () = assert!(range::RANGE <= 1 << OFFSET_BITS);

/// Where a block lies in the range, in bytes: a multiple of 4 below 2^40 that is no multiple of [`CHUNK`].
///
/// # Panics
/// If the pointer is not to a block.
#[inline(always)]
pub(crate) fn offset(block: NonNull<u8>) -> u64 {
    let offset = block.addr().get().wrapping_sub(range::base().addr());
    assert!(offset < range::RANGE && offset.is_multiple_of(4), "a block of the heap");
    offset as u64
}

/// The block at an offset.
#[inline(always)]
pub(crate) fn at_offset(offset: u64) -> *mut u8 {
    range::base().wrapping_add(offset as usize)
}

/// A block of at least `size` bytes, aligned to 4, and to the largest power of two up to 64 that divides
/// [`class`]`(size)`. Its content is arbitrary.
///
/// Ends the process as the global allocator does when there is no memory.
#[inline]
pub fn allocate(size: usize) -> NonNull<u8> {
    let (number, bytes) = (index(size), class(size));
    let block = match number {
        0..CACHED => cache::take(number, bytes),
        _ => allocate_large(number, bytes),
    };
    NonNull::new(block).unwrap_or_else(|| out_of_memory(bytes))
}

#[cold]
fn out_of_memory(bytes: usize) -> ! {
    handle_alloc_error(Layout::from_size_align(bytes, 4).unwrap_or(Layout::new::<u64>()))
}

fn allocate_large(number: usize, bytes: usize) -> *mut u8 {
    cache::count(bytes as i64);
    if bytes <= SLOT_MAX {
        return cache::take_directly(number, bytes);
    }
    match range::take(chunks(bytes)) {
        Some(chunk) => range::address(chunk).as_ptr().wrapping_add(HEAD),
        None => std::ptr::null_mut(),
    }
}

/// Chunks that a block of its own takes.
fn chunks(bytes: usize) -> usize {
    (HEAD + bytes).div_ceil(CHUNK)
}

/// Frees a block.
///
/// # Safety
/// `block` came from [`allocate`] or [`resize`] with a size of the same class, and is not used any more.
#[inline]
pub unsafe fn free(block: NonNull<u8>, size: usize) {
    let (number, bytes) = (index(size), class(size));
    // SAFETY: by the contract, in all three cases.
    unsafe {
        match number {
            0..CACHED => cache::give_back(number, bytes, block.as_ptr()),
            _ => free_large(block, number, bytes),
        }
    }
}

/// # Safety
/// As for [`free`].
unsafe fn free_large(block: NonNull<u8>, number: usize, bytes: usize) {
    cache::count(-(bytes as i64));
    if bytes <= SLOT_MAX {
        // SAFETY: by the contract.
        unsafe { bin::give_back(number, bytes, &[block.as_ptr()]) }
    } else {
        range::give_back(range::chunk_of(block), chunks(bytes), HEAD + bytes);
    }
}

/// Gives a block another size, and returns where it is then. Its content stays, up to the smaller size.
///
/// # Safety
/// `block` came from [`allocate`] or [`resize`] with a size of the class of `old`, and is not used any more:
/// what is returned takes its place.
pub unsafe fn resize(block: NonNull<u8>, old: usize, new: usize) -> NonNull<u8> {
    if class(old) == class(new) {
        return block;
    }
    let moved = allocate(new);
    // SAFETY: both have at least so many bytes, and they are different blocks.
    unsafe {
        moved.copy_from_nonoverlapping(block, old.min(new));
        free(block, old);
    }
    moved
}

/// Bytes of all blocks that are allocated now.
pub fn allocated_bytes() -> usize {
    usize::try_from(cache::allocated()).unwrap_or(0)
}

/// Bytes that the calling thread has allocated, less those that it has freed.
pub fn thread_bytes() -> i64 {
    cache::of_thread()
}

/// Bytes of the chunks that blocks lie in, and of the few that are kept for later.
pub fn held_bytes() -> usize {
    range::held_bytes()
}

/// Whether memory has filled up for which [`use_huge_pages`] can do something.
pub fn wants_huge_pages() -> bool {
    range::wants_huge_pages()
}

/// Puts huge pages behind the chunks that have filled up, where the system can do that. Takes about a
/// millisecond for 2 MiB, so it is for a thread that nobody waits for.
pub fn use_huge_pages() {
    range::use_huge_pages();
}

/// Gives the memory of chunks that are kept for later back to the system.
pub fn purge() {
    range::purge();
}
