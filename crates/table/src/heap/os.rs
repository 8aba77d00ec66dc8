//! What the heap asks of the operating system: address space, and memory for parts of it.

use std::ptr::NonNull;

#[cfg(not(miri))]
pub(super) use system::{collapse, forget, make_usable, reserve};

#[cfg(miri)]
pub(super) use simulated::{collapse, forget, make_usable, reserve};

#[cfg(not(miri))]
mod system {
    use std::ptr::null_mut;

    #[cfg(target_os = "linux")]
    use rustix::mm::munmap;
    use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
    use rustix::mm::{madvise, mmap_anonymous, mprotect};

    use super::NonNull;

    /// `bytes` of addresses at a multiple of `align`, a power of two, that may not be touched yet and that
    /// no limit on committed memory counts. They are never given back.
    pub(crate) fn reserve(bytes: usize, align: usize) -> Option<NonNull<u8>> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address of the system's choice touches nobody's memory.
        let start =
            unsafe { mmap_anonymous(null_mut(), bytes + align, ProtFlags::empty(), flags).ok()? };
        let start = start.cast::<u8>();
        NonNull::new(start.wrapping_add(start.align_offset(align)))
    }

    /// Makes reserved addresses readable and writable; `None` if the system refuses.
    pub(crate) fn make_usable(start: NonNull<u8>, bytes: usize) -> Option<()> {
        let flags = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: the addresses are a part of the mapping that `reserve` made, which nobody uses yet.
        unsafe { mprotect(start.as_ptr().cast(), bytes, flags).ok() }
    }

    /// Puts a huge page behind these addresses, which are one, in place of small ones. Where the system has none
    /// (Linux has since 6.1), they stay small.
    #[cfg(target_os = "linux")]
    pub(crate) fn collapse(start: NonNull<u8>, bytes: usize) {
        warm_up(bytes);
        // SAFETY: the addresses are the heap's; what they hold stays.
        let _ = unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_COLLAPSE) };
    }

    /// Takes a huge page and gives it back, so that it is the one that the system takes next. While Linux collapses
    /// a page, nothing else runs on this core, nor does anybody's memory grow. That is half a millisecond, but ten
    /// where a virtual machine's host has yet to find memory for the huge page, which it is made to do here.
    #[cfg(target_os = "linux")]
    fn warm_up(bytes: usize) {
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping at an address of the system's choice touches nobody's memory.
        let Ok(map) = (unsafe { mmap_anonymous(null_mut(), 2 * bytes, protection, flags) }) else {
            return;
        };
        let map = map.cast::<u8>();
        let page = map.wrapping_add(map.align_offset(bytes));
        // SAFETY: the page lies in the mapping, which is twice as long and nobody else's; it is unmapped once.
        unsafe {
            if madvise(page.cast(), bytes, Advice::LinuxHugepage).is_ok() {
                page.write_volatile(1);
            }
            let _ = munmap(map.cast(), 2 * bytes);
        }
    }

    /// There are none.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn collapse(_start: NonNull<u8>, _bytes: usize) {}

    /// Gives the memory behind free addresses back; they read as zeros afterwards, or as before.
    pub(crate) fn forget(start: NonNull<u8>, bytes: usize) {
        #[cfg(target_os = "linux")]
        let advice = Advice::LinuxDontNeed;
        #[cfg(not(target_os = "linux"))]
        let advice = Advice::DontNeed;
        // SAFETY: the addresses belong to free chunks, in which nobody keeps anything. Where the system
        // refuses, the memory stays.
        let _ = unsafe { madvise(start.as_ptr().cast(), bytes, advice) };
    }
}

/// Miri knows no protection of pages.
#[cfg(miri)]
mod simulated {
    use std::alloc::{Layout, alloc};

    use super::NonNull;

    pub(crate) fn reserve(bytes: usize, align: usize) -> Option<NonNull<u8>> {
        let layout = Layout::from_size_align(bytes, align).ok()?;
        // SAFETY: the size is not 0.
        NonNull::new(unsafe { alloc(layout) })
    }

    pub(crate) fn make_usable(_start: NonNull<u8>, _bytes: usize) -> Option<()> {
        Some(())
    }

    pub(crate) fn collapse(_start: NonNull<u8>, _bytes: usize) {}

    pub(crate) fn forget(_start: NonNull<u8>, _bytes: usize) {}
}
