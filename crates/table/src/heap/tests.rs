use std::sync::Mutex;

use super::*;

/// The counts are the process's: tests that look at them do so one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A block that knows what was written to it.
struct Block {
    start: NonNull<u8>,
    size: usize,
    mark: u8,
}

impl Block {
    fn new(size: usize, mark: u8) -> Self {
        let start = allocate(size);
        // SAFETY: the block has `size` bytes.
        unsafe { start.write_bytes(mark, size) };
        Self { start, size, mark }
    }

    fn resize(&mut self, size: usize) {
        self.check(self.size);
        // SAFETY: the block came from here; what is returned takes its place.
        self.start = unsafe { super::resize(self.start, self.size, size) };
        self.check(self.size.min(size));
        // SAFETY: the block has `size` bytes.
        unsafe { self.start.write_bytes(self.mark, size) };
        self.size = size;
    }

    fn check(&self, size: usize) {
        // SAFETY: the block has its size in bytes, all of which are written.
        let bytes = unsafe { std::slice::from_raw_parts(self.start.as_ptr(), size) };
        assert!(bytes.iter().all(|byte| *byte == self.mark), "{size} bytes of {}", self.mark);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.check(self.size);
        // SAFETY: the block came from here, and it is dropped.
        unsafe { free(self.start, self.size) }
    }
}

// SAFETY: a block is the only one to refer to its bytes.
unsafe impl Send for Block {}

const SIZES: [usize; 15] =
    [1, 8, 9, 39, 44, 87, 128, 129, 1000, 1024, 1025, 9216, 16_384, 16_385, 150_000];

fn mixed(count: usize) -> Vec<Block> {
    (0..count).map(|at| Block::new(SIZES[at % SIZES.len()], at as u8)).collect()
}

#[test]
fn blocks_are_apart_aligned_and_keep_their_content() {
    let _alone = alone();
    let count = if cfg!(miri) { 60 } else { 3000 };
    let mut blocks = mixed(count);
    for (at, block) in blocks.iter_mut().enumerate() {
        assert_eq!(block.start.addr().get() % 4, 0);
        let align = (1 << class(block.size).trailing_zeros()).min(64);
        assert_eq!(block.start.addr().get() % align, 0, "{}", block.size);
        block.resize(SIZES[(at * 7 + 3) % SIZES.len()]);
    }
    // In an order that mixes old and new chunks.
    while blocks.len() > 1 {
        blocks.swap_remove(blocks.len() * 5 / 8);
        if blocks.len() % 3 == 0 {
            blocks.push(Block::new(87, 255));
            blocks.swap_remove(0);
        }
    }
}

#[test]
fn what_is_freed_is_counted_and_its_memory_goes_back() {
    let _alone = alone();
    let (allocated, thread) = (allocated_bytes(), thread_bytes());
    let blocks: Vec<Block> = (0..20_000).map(|at| Block::new(87, at as u8)).collect();
    assert_eq!(allocated_bytes() - allocated, 20_000 * 88);
    assert_eq!(thread_bytes() - thread, 20_000 * 88);
    let held = held_bytes();
    assert!(held >= 20_000 * 88);
    drop(blocks);
    purge();
    assert_eq!((allocated_bytes(), thread_bytes()), (allocated, thread));
    assert!(held - held_bytes() > 19_000 * 88, "{held} became {}", held_bytes());
}

#[test]
fn blocks_wander_between_threads_and_outlive_them() {
    let _alone = alone();
    let before = allocated_bytes();
    let rounds = if cfg!(miri) { 2 } else { 40 };
    std::thread::scope(|scope| {
        let (to_freer, blocks) = std::sync::mpsc::channel::<Vec<Block>>();
        for _ in 0..3 {
            let to_freer = to_freer.clone();
            scope.spawn(move || {
                (0..rounds).for_each(|_| to_freer.send(mixed(90)).unwrap());
            });
        }
        drop(to_freer);
        scope.spawn(move || {
            // Some are kept for a while, so that chunks stay half full.
            let mut kept = Vec::new();
            for mut some in blocks {
                kept.push(some.split_off(45));
            }
        });
    });
    assert_eq!(allocated_bytes(), before);
}
