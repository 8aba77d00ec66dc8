//! The allocators, and what it and the operating system know of the process's memory.

use command::MemoryFigures;
use server::ProcessMemory;
use table::heap;

/// The process's memory.
pub struct Memory;

/// Resident set of the process, bytes; 0 where the system does not tell.
fn rss() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

#[cfg(feature = "jemalloc")]
mod jemalloc {
    use std::alloc::{GlobalAlloc, Layout};
    use std::ffi::c_int;

    use tikv_jemalloc_sys as je;

    /// jemalloc with size classes every 8 bytes, which therefore aligns small blocks to 8 bytes only: greater
    /// alignment is asked for. (The crate that usually joins jemalloc to Rust takes 16 for granted.)
    pub struct Jemalloc;

    const NATURAL_ALIGN: usize = 8;

    fn flags(layout: Layout) -> c_int {
        if layout.align() <= NATURAL_ALIGN { 0 } else { je::MALLOCX_ALIGN(layout.align()) }
    }

    // SAFETY: every method passes the layout's size and alignment to jemalloc, which keeps the contract
    // of `GlobalAlloc` for them. Rust never asks for 0 bytes.
    unsafe impl GlobalAlloc for Jemalloc {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the size is not 0.
            unsafe { je::mallocx(layout.size(), flags(layout)).cast() }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the size is not 0.
            unsafe { je::mallocx(layout.size(), flags(layout) | je::MALLOCX_ZERO).cast() }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the block was allocated here with this layout.
            unsafe { je::sdallocx(block.cast(), layout.size(), flags(layout)) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the block was allocated here with this layout; the size is not 0.
            unsafe { je::rallocx(block.cast(), size, flags(layout)).cast() }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Jemalloc = Jemalloc;

    /// Options that jemalloc reads at its start. Pages that growing tables leave behind go back after a
    /// tenth of a second rather than ten: 15 bytes a key less after a load, at no cost that could be measured.
    /// The background thread does it without stopping anybody.
    #[unsafe(export_name = "_rjem_malloc_conf")]
    pub static OPTIONS: Option<&'static std::ffi::c_char> = Some(
        // SAFETY: the text ends in a zero byte and lives as long as the program.
        unsafe { &*c"background_thread:true,dirty_decay_ms:100,metadata_thp:auto".as_ptr() },
    );
}

/// Bytes in the threads' caches, which the allocator counts as allocated though nobody has them.
#[cfg(feature = "jemalloc")]
fn cached() -> u64 {
    // SAFETY: the name is a C string of a figure that is a `size_t`. 4096 stands for all arenas.
    let bytes = unsafe { tikv_jemalloc_ctl::raw::read(b"stats.arenas.4096.tcache_bytes\0") };
    bytes.map_or(0, |bytes: usize| bytes as u64)
}

#[cfg(feature = "jemalloc")]
impl ProcessMemory for Memory {
    fn figures(&self) -> MemoryFigures {
        use tikv_jemalloc_ctl::{epoch, stats};
        // The figures are as old as the epoch.
        let _ = epoch::advance();
        let read = |figure: Result<usize, _>| figure.map_or(0, |bytes: usize| bytes as u64);
        let (blocks, chunks) = (heap::allocated_bytes() as u64, heap::held_bytes() as u64);
        MemoryFigures {
            allocated: read(stats::allocated::read()).saturating_sub(cached()) + blocks,
            active: read(stats::active::read()) + chunks,
            resident: read(stats::resident::read()) + chunks,
            rss: rss(),
            peak: 0,
            startup: 0,
        }
    }

    fn thread(&self) -> Option<i64> {
        use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
        thread_local! {
            static COUNTS: Option<(ThreadLocal<u64>, ThreadLocal<u64>)> =
                allocatedp::read().ok().zip(deallocatedp::read().ok());
        }
        let net = |counts: &Option<(ThreadLocal<u64>, ThreadLocal<u64>)>| {
            let (allocated, freed) = counts.as_ref()?;
            Some(allocated.get().wrapping_sub(freed.get()) as i64)
        };
        COUNTS.try_with(net).ok().flatten().map(|net| net + heap::thread_bytes())
    }

    fn prefer_thread(&self) {
        crate::schedule::prefer_this_thread();
    }

    fn purge(&self) {
        // SAFETY: the name is a C string; the call takes and gives nothing. 4096 stands for all arenas.
        unsafe {
            use std::ptr::null_mut;
            let name = c"arena.4096.purge".as_ptr();
            tikv_jemalloc_sys::mallctl(name, null_mut(), null_mut(), null_mut(), 0);
        }
        heap::purge();
    }

    fn report(&self) -> String {
        let mut report = Vec::new();
        let options = tikv_jemalloc_ctl::stats_print::Options::default();
        match tikv_jemalloc_ctl::stats_print::stats_print(&mut report, options) {
            Ok(()) => String::from_utf8_lossy(&report).into_owned(),
            Err(error) => format!("jemalloc did not report: {error}"),
        }
    }

    fn allocator(&self) -> &'static str {
        static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        NAME.get_or_init(|| {
            let version = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
            // `5.3.0-1-gab12...`, of which only the numbers are anybody's concern.
            format!("jemalloc-{}", version.split('-').next().unwrap_or_default())
        })
    }
}

#[cfg(not(feature = "jemalloc"))]
impl ProcessMemory for Memory {
    fn figures(&self) -> MemoryFigures {
        let rss = rss();
        MemoryFigures { allocated: rss, active: rss, resident: rss, rss, peak: 0, startup: 0 }
    }

    fn prefer_thread(&self) {
        crate::schedule::prefer_this_thread();
    }

    fn purge(&self) {
        heap::purge();
    }

    fn report(&self) -> String {
        "Stats not supported for the current allocator".into()
    }
}
