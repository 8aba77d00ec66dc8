//! A member and its score in one heap block, which the tree and the index both point to.

use std::ptr::NonNull;

use table::heap;

use super::entry::Layout;
use super::score;

/// What blocks are aligned to.
pub(super) const ALIGN: usize = 8;

/// A pointer to a member's block.
///
/// It is a plain pointer: copies of it lie in the tree's leaf, in the tree's inner nodes and in the
/// index. What makes reading through any of them sound is the contract of [`Block::free`], the only
/// way a block ends, and that a block's bytes change only in [`Block::set_score`]; both ask their
/// caller for the proof. The block is aligned to 8 bytes, is at least 16 long, and every byte of it
/// is initialised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Block(NonNull<u8>);

// SAFETY: the pointer stands for heap memory that no thread owns in particular; what may be done to it
// from where is decided by the owner, `Big`, which hands out nothing but borrows of itself.
unsafe impl Send for Block {}
// SAFETY: shared access only reads.
unsafe impl Sync for Block {}

impl Block {
    /// Copies a member and its score to the heap.
    pub(super) fn new(member: &[u8], score: f64) -> Self {
        let entry = Layout::new(member, score);
        let size = memory(entry);
        let ptr = heap::allocate(size);
        // SAFETY: the block has `size` bytes that nothing else refers to, initialised by the first call.
        let bytes = unsafe {
            ptr.write_bytes(0, size);
            std::slice::from_raw_parts_mut(ptr.as_ptr(), size)
        };
        entry.write(bytes, member, score);
        Self(ptr)
    }

    /// The block at an address that [`Block::addr`] gave.
    ///
    /// # Safety
    /// `addr` must have come from `addr` of a block that has not been freed.
    pub(super) unsafe fn from_addr(addr: u64) -> Self {
        let ptr = std::ptr::with_exposed_provenance_mut(addr as usize);
        // SAFETY: a block's address is not null.
        Self(unsafe { NonNull::new_unchecked(ptr) })
    }

    /// The address: a multiple of [`ALIGN`] whose 16 high bits are zero.
    pub(super) fn addr(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// The pointer itself, for the index.
    pub(super) fn as_ptr(self) -> NonNull<u8> {
        self.0
    }

    fn layout(self) -> Layout {
        // SAFETY: `Layout::read` asks only for bytes of the entry that `new` wrote, and the block lives.
        Layout::read(|at| unsafe { *self.0.as_ptr().add(at) })
    }

    /// The member. The reference must not outlive the block: see [`Block::free`].
    pub(super) fn member<'a>(self) -> &'a [u8] {
        let entry = self.layout();
        // SAFETY: the entry of this layout lies in the block, which lives and whose member never changes.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(entry.head), entry.len) }
    }

    /// The score.
    pub(super) fn score(self) -> f64 {
        // SAFETY: a block has at least 16 initialised bytes, so 9 may be read.
        let (first, word) =
            unsafe { (*self.0.as_ptr(), self.0.as_ptr().add(1).cast::<[u8; 8]>().read()) };
        score::from_word(word, score::code_width(first))
    }

    /// The place of the score in the order.
    pub(super) fn key(self) -> u64 {
        score::key(self.score())
    }

    /// Bytes of heap memory.
    pub(super) fn heap_bytes(self) -> usize {
        memory(self.layout())
    }

    /// Gives the block another score where its memory has room for it; otherwise says no.
    ///
    /// # Safety
    /// No reference into this block is in use.
    pub(super) unsafe fn set_score(self, score: f64) -> bool {
        let old = self.layout();
        let new = old.widened(score);
        let size = memory(old);
        if memory(new) != size {
            return false;
        }
        // SAFETY: the block lives and has `size` initialised bytes; the caller vouches for exclusion.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr(), size) };
        bytes.copy_within(old.head..old.total(), new.head);
        new.write_head(bytes, score);
        true
    }

    /// Gives the block's memory back; says how many bytes that is.
    ///
    /// # Safety
    /// No copy of this pointer and no reference into the block is used afterwards.
    pub(super) unsafe fn free(self) -> usize {
        let size = self.heap_bytes();
        // SAFETY: `new` allocated with the size of the same entry: `set_score` keeps it.
        unsafe { heap::free(self.0, size) }
        size
    }
}

/// The size of the entry's block: a class that is a multiple of [`ALIGN`], which aligns it, and at least 16, so that
/// a score can be read at once.
fn memory(entry: Layout) -> usize {
    heap::class(entry.total().max(16).next_multiple_of(ALIGN))
}
