/// Buffers kept, and the capacity above which one is given back to the allocator instead.
const KEPT: usize = 256;
const CAPACITY_MAX: usize = 64 * 1024;

/// The capacity of a fresh buffer, bytes.
const CAPACITY: usize = 16 * 1024;

/// The capacity from which on freeing a buffer is left to another thread: the system takes about a tenth of a
/// millisecond for so much memory, and there are replies of hundreds of megabytes.
const LARGE: usize = 1024 * 1024;

/// Empty buffers, the last used first: an idle connection holds none, and those in use stay in the cache.
#[derive(Default)]
pub struct Buffers {
    empty: Vec<Vec<u8>>,
    was_crowded: bool,
    large: Vec<Vec<u8>>,
}

impl Buffers {
    /// An empty buffer.
    pub fn take(&mut self) -> Vec<u8> {
        self.empty.pop().unwrap_or_else(|| Vec::with_capacity(CAPACITY))
    }

    /// Gives `buffer` back when it is empty, leaving one without capacity in its place.
    pub fn reclaim(&mut self, buffer: &mut Vec<u8>) {
        if !buffer.is_empty() || buffer.capacity() == 0 {
            return;
        }
        let buffer = std::mem::take(buffer);
        if self.empty.len() < KEPT && (CAPACITY..=CAPACITY_MAX).contains(&buffer.capacity()) {
            self.empty.push(buffer);
        } else {
            self.dispose(buffer);
        }
    }

    /// Notes that many buffers at a time are needed only now.
    pub fn note_crowd(&mut self) {
        self.was_crowded = true;
    }

    /// Frees all empty buffers if that was so since the last time.
    pub fn end_crowd(&mut self) {
        if std::mem::take(&mut self.was_crowded) {
            self.empty.clear();
        }
    }

    /// Frees a buffer that nobody needs any more, whatever it holds; a large one later, see [`Buffers::take_large`].
    pub fn dispose(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() >= LARGE {
            self.large.push(buffer);
        }
    }

    /// Those that are to be freed where nobody waits for it.
    pub fn take_large(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.large)
    }
}
