//! The chunks of one class: where threads get their free blocks from, many at a time.

use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use super::classes::CLASSES;
use super::range::{self, CHUNK};
use crate::lock::Mutex;
use crate::stint;

/// Bytes at the start of every chunk that no block lies in. So no block's offset from the start of the
/// range is a multiple of [`CHUNK`], and blocks of classes that are a multiple of 64 are aligned to 64.
pub(super) const HEAD: usize = 64;

/// Bytes of the system's pages, or of smaller ones.
const PAGE: u32 = 4 << 10;

const NONE: u32 = u32::MAX;

static BINS: [CachePadded<Mutex<Bin>>; CLASSES] =
    [const { CachePadded::new(Mutex::new(Bin { first: NONE })) }; CLASSES];

/// The chunks of a class that have free blocks: a list through their heads.
struct Bin {
    first: u32,
}

/// The start of a chunk. It belongs to whoever holds the lock of the bin of its class.
#[repr(C)]
struct Head {
    /// Blocks that are not free.
    taken: u32,
    /// Where the first free block lies, bytes from the chunk's start; 0 if there is none. Its first 4
    /// bytes say where the next lies.
    free: u32,
    /// Where the blocks begin that were never taken.
    fresh: u32,
    /// The neighbours in the bin's list, for a chunk with free blocks.
    previous: u32,
    next: u32,
}

const _: () = assert!(size_of::<Head>() <= HEAD && CHUNK <= u32::MAX as usize);

/// Fills `out` from its start with blocks of the class number `class`, which has `size` bytes; returns how
/// many there were memory for.
pub(super) fn take(class: usize, size: usize, out: &mut [*mut u8]) -> usize {
    // Nothing is locked.
    stint::pause();
    let mut bin = BINS[class].lock();
    for (count, block) in out.iter_mut().enumerate() {
        if bin.first == NONE && !bin.add_chunk() {
            return count;
        }
        *block = bin.pop(size as u32);
    }
    out.len()
}

/// Takes blocks of the class number `class`, which has `size` bytes, back.
///
/// # Safety
/// All of them came from [`take`] with the same class, and nobody uses them any more.
pub(super) unsafe fn give_back(class: usize, size: usize, blocks: &[*mut u8]) {
    stint::pause();
    let mut bin = BINS[class].lock();
    for block in blocks.iter().copied().filter_map(NonNull::new) {
        // SAFETY: by the contract, and the bin is locked.
        unsafe { bin.push(block, size as u32) }
    }
}

/// The head of a chunk that belongs to a locked bin.
fn head(chunk: u32) -> NonNull<Head> {
    range::address(chunk as usize).cast()
}

impl Bin {
    fn add_chunk(&mut self) -> bool {
        let Some(chunk) = range::take(1) else { return false };
        let new = Head { taken: 0, free: 0, fresh: HEAD as u32, previous: NONE, next: NONE };
        // SAFETY: the chunk is usable memory that nobody else has now, and its start is aligned.
        unsafe { head(chunk as u32).write(new) };
        self.link(chunk as u32);
        true
    }

    /// A free block of the first chunk, which there is.
    fn pop(&mut self, size: u32) -> *mut u8 {
        let chunk = self.first;
        // SAFETY: a chunk in the list has a head, which is ours as the bin is locked.
        let state = unsafe { head(chunk).as_mut() };
        let start = range::address(chunk as usize).as_ptr();
        let at = if state.free != 0 {
            let at = state.free;
            // SAFETY: a free block lies there, inside the chunk; `push` wrote its first 4 bytes.
            state.free = unsafe { start.add(at as usize).cast::<u32>().read() };
            at
        } else {
            let at = state.fresh;
            state.fresh += size;
            // Larger blocks may leave pages at the end.
            let left = CHUNK as u32 - state.fresh;
            if left < size && left < PAGE {
                range::fill(chunk as usize);
            }
            at
        };
        state.taken += 1;
        if state.free == 0 && state.fresh + size > CHUNK as u32 {
            self.unlink(chunk);
        }
        start.wrapping_add(at as usize)
    }

    /// # Safety
    /// As for [`give_back`]; this is the bin of the block's class, of which blocks have `size` bytes.
    unsafe fn push(&mut self, block: NonNull<u8>, size: u32) {
        let chunk = range::chunk_of(block);
        let at = (block.addr().get() % CHUNK) as u32;
        // SAFETY: the block was taken from a chunk of this bin, which has a head as long as blocks are
        // taken from it, and that is ours as the bin is locked.
        let state = unsafe { head(chunk as u32).as_mut() };
        let was_full = state.free == 0 && state.fresh + size > CHUNK as u32;
        // SAFETY: by the contract the block is nobody's; it has 8 bytes or more, aligned to 4.
        unsafe { block.cast::<u32>().write(state.free) };
        state.free = at;
        state.taken -= 1;
        let (taken, touched) = (state.taken, state.fresh);
        if was_full {
            self.link(chunk as u32);
        }
        if taken == 0 {
            self.unlink(chunk as u32);
            range::give_back(chunk, 1, touched as usize);
        }
    }

    fn link(&mut self, chunk: u32) {
        let next = std::mem::replace(&mut self.first, chunk);
        // SAFETY: chunks of the list, and this one, have heads that are ours as the bin is locked. No two
        // references to heads exist at a time.
        unsafe {
            let state = head(chunk).as_mut();
            (state.previous, state.next) = (NONE, next);
            if next != NONE {
                head(next).as_mut().previous = chunk;
            }
        }
    }

    fn unlink(&mut self, chunk: u32) {
        // SAFETY: as in `link`.
        unsafe {
            let state = head(chunk).as_mut();
            let (previous, next) = (state.previous, state.next);
            match previous {
                NONE => self.first = next,
                _ => head(previous).as_mut().next = next,
            }
            if next != NONE {
                head(next).as_mut().previous = previous;
            }
        }
    }
}
