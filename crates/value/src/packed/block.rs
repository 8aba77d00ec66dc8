//! A growable byte buffer behind one thin pointer
//!
//! Small collections are mostly this pointer, so length and a note of 32 bits live in the block
//! itself, and the capacity is not stored at all: it is the heap's size class for the length,
//! computed whenever it is needed. An empty block owns no memory.
#![expect(unsafe_code, reason = "a thin pointer to a header followed by bytes has no safe form")]

use std::mem::ManuallyDrop;
use std::ptr::{NonNull, null_mut};

use table::heap;

/// Bytes that the header takes in front of the content.
pub(crate) const HEAD: usize = size_of::<Head>();

#[repr(C)]
struct Head {
    len: u32,
    note: u32,
}

/// Invariant: a pointer, when there is one, comes from the heap with a size of the class of
/// `size(head.len)`, `head.len > 0`, and all `head.len` bytes after the header are initialised.
pub(crate) struct Block(Option<NonNull<Head>>);

// SAFETY: the block owns its memory alone, which is plain bytes; nothing in it is tied to a thread.
unsafe impl Send for Block {}
// SAFETY: shared access only reads.
unsafe impl Sync for Block {}

/// Bytes of heap that a block takes that holds `len` bytes. Lengths above `u32::MAX` cannot be represented;
/// callers keep below [`MAX_ITEM_LEN`](crate::item::MAX_ITEM_LEN).
fn size(len: usize) -> usize {
    assert!(u32::try_from(len).is_ok(), "capacity overflow: a block of {len} bytes");
    HEAD + len
}

impl Block {
    /// A block without bytes or memory.
    pub(crate) const fn new() -> Self {
        Block(None)
    }

    /// A block of `len` zero bytes.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut block = Block::new();
        block.resize(len);
        block
    }

    /// Gives the block to whoever makes one of it again.
    pub(crate) fn into_raw(self) -> *mut u8 {
        ManuallyDrop::new(self).0.map_or(null_mut(), |head| head.cast().as_ptr())
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// `raw` came from [`Block::into_raw`], and nobody else has it.
    pub(crate) unsafe fn from_raw(raw: *mut u8) -> Self {
        Block(NonNull::new(raw.cast()))
    }

    /// Content and note of the block that a pointer stands for.
    ///
    /// # Safety
    /// `raw` came from [`Block::into_raw`], and the block stays as it is for `'a`.
    #[inline]
    pub(crate) unsafe fn parts_of_raw<'a>(raw: *mut u8) -> (&'a [u8], u32) {
        let Some(head) = NonNull::new(raw.cast::<Head>()) else { return (&[], 0) };
        // SAFETY: a live header, followed by `len` initialised bytes, by the contract and the invariant.
        unsafe {
            let Head { len, note } = head.read();
            let start = head.add(1).cast::<u8>().as_ptr();
            (std::slice::from_raw_parts(start, len as usize), note)
        }
    }

    /// How many bytes the block holds.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self.0 {
            // SAFETY: the pointer is to a live header, by the invariant.
            Some(head) => unsafe { head.as_ref() }.len as usize,
            None => 0,
        }
    }

    /// The note, 0 for a block without memory.
    #[inline]
    pub(crate) fn note(&self) -> u32 {
        match self.0 {
            // SAFETY: the pointer is to a live header, by the invariant.
            Some(head) => unsafe { head.as_ref() }.note,
            None => 0,
        }
    }

    /// Sets the note; a block without memory keeps 0.
    #[inline]
    pub(crate) fn set_note(&mut self, note: u32) {
        if let Some(head) = &mut self.0 {
            // SAFETY: the pointer is to a live header that `&mut self` owns alone.
            unsafe { head.as_mut() }.note = note;
        }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self.0 {
            // SAFETY: `len` initialised bytes follow the header in the same allocation, and live
            // as long as the borrow of `self`.
            Some(head) => unsafe {
                std::slice::from_raw_parts(head.add(1).cast::<u8>().as_ptr(), self.len())
            },
            None => &[],
        }
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self.0 {
            // SAFETY: as in `bytes`, and `&mut self` makes the access exclusive.
            Some(head) => unsafe {
                std::slice::from_raw_parts_mut(head.add(1).cast::<u8>().as_ptr(), self.len())
            },
            None => &mut [],
        }
    }

    /// How many bytes a block can hold that was made for `len`.
    pub(crate) fn capacity_for(len: usize) -> usize {
        heap::class(size(len)) - HEAD
    }

    /// Heap memory held, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        Self::heap_bytes_for(self.len())
    }

    /// Heap memory of a block of `len` bytes.
    pub(crate) fn heap_bytes_for(len: usize) -> usize {
        if len > 0 { heap::class(size(len)) } else { 0 }
    }

    /// Makes the block `len` bytes long; added bytes are zero. Moves only where the size class
    /// changes; the note stays, unless the length becomes 0, which frees the memory.
    pub(crate) fn resize(&mut self, len: usize) {
        let Some(head) = self.0 else {
            if len > 0 {
                self.0 = Some(Self::allocate(len));
            }
            return;
        };
        let old_len = self.len();
        if len == 0 {
            self.0 = None;
            // SAFETY: the size is of the block's class by the invariant, and it is no longer referenced.
            unsafe { heap::free(head.cast(), size(old_len)) };
            return;
        }
        // SAFETY: the size is of the block's class by the invariant, and the new block takes its place.
        let mut head: NonNull<Head> =
            unsafe { heap::resize(head.cast(), size(old_len), size(len)) }.cast();
        self.0 = Some(head);
        if len > old_len {
            // SAFETY: the allocation holds at least `HEAD + len` bytes.
            unsafe {
                let start = head.add(1).cast::<u8>().as_ptr().add(old_len);
                start.write_bytes(0, len - old_len);
            }
        }
        // SAFETY: live header, owned alone; all bytes up to `len` are initialised now.
        unsafe { head.as_mut() }.len = len as u32;
    }

    /// A new allocation for `len > 0` zero bytes.
    fn allocate(len: usize) -> NonNull<Head> {
        let head: NonNull<Head> = heap::allocate(size(len)).cast();
        // SAFETY: the allocation is aligned to 4, as a `Head` is, and holds it and `len` bytes after it.
        unsafe {
            head.write(Head { len: len as u32, note: 0 });
            head.add(1).cast::<u8>().as_ptr().write_bytes(0, len);
        }
        head
    }

    /// Opens a gap of `len` zeroed or stale bytes at `at`, and returns it.
    pub(crate) fn open(&mut self, at: usize, len: usize) -> &mut [u8] {
        let old = self.len();
        assert!(at <= old, "a gap inside the block");
        match self.0 {
            Some(head) if len > 0 && heap::class(size(old)) != heap::class(size(old + len)) => {
                // SAFETY: the block has `old` bytes, and `at` is not behind them.
                self.0 = Some(unsafe { Self::moved(head, at, len) });
            }
            _ => {
                self.resize(old + len);
                self.bytes_mut().copy_within(at..old, at + len);
            }
        }
        &mut self.bytes_mut()[at..at + len]
    }

    /// A block with the content of `head`'s and a gap of `len` zeroes at `at`, in its place: each byte moves
    /// once.
    ///
    /// # Safety
    /// `head` is that of a live block of at least `at` bytes, which nobody uses any more.
    unsafe fn moved(head: NonNull<Head>, at: usize, len: usize) -> NonNull<Head> {
        // SAFETY: a live header, by the contract.
        let Head { len: old, note } = unsafe { head.read() };
        let old = old as usize;
        let new: NonNull<Head> = heap::allocate(size(old + len)).cast();
        // SAFETY: the new block has room for a header and `old + len` bytes, which are all written here; the
        // old one has `old` of them. They are different blocks, and the old one is of the class of its size.
        unsafe {
            new.write(Head { len: (old + len) as u32, note });
            let (from, to) = (head.add(1).cast::<u8>(), new.add(1).cast::<u8>());
            to.copy_from_nonoverlapping(from, at);
            to.add(at).write_bytes(0, len);
            to.add(at + len).copy_from_nonoverlapping(from.add(at), old - at);
            heap::free(head.cast(), size(old));
        }
        new
    }

    /// Removes `len` bytes at `at`.
    pub(crate) fn close(&mut self, at: usize, len: usize) {
        let old = self.len();
        self.bytes_mut().copy_within(at + len..old, at);
        self.resize(old - len);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.resize(0);
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        let mut copy = Block::zeroed(self.len());
        copy.bytes_mut().copy_from_slice(self.bytes());
        copy.set_note(self.note());
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_note_survive_growing_and_shrinking() {
        let mut block = Block::new();
        assert_eq!(block.heap_bytes(), 0);
        block.open(0, 3).copy_from_slice(b"abc");
        block.set_note(7);
        block.open(1, 1000).fill(b'x');
        assert_eq!((block.len(), block.note()), (1003, 7));
        assert_eq!(&block.bytes()[1001..], b"bc");
        block.close(1, 1000);
        assert_eq!(block.clone().bytes(), b"abc");
        assert_eq!(block.note(), 7);
        block.close(0, 3);
        assert_eq!((block.len(), block.note(), block.heap_bytes()), (0, 0, 0));
    }
}
