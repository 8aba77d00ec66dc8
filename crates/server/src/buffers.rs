/// Buffers kept, and the capacity above which one is given back to the allocator instead.
const KEPT: usize = 256;
const CAPACITY_MAX: usize = 64 * 1024;

/// The capacity of a fresh buffer, bytes.
const CAPACITY: usize = 16 * 1024;

/// Empty buffers, the last used first: an idle connection holds none, and those in use stay in the cache.
#[derive(Default)]
pub struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// An empty buffer.
    pub fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_else(|| Vec::with_capacity(CAPACITY))
    }

    /// Gives `buffer` back when it is empty, leaving one without capacity in its place.
    pub fn reclaim(&mut self, buffer: &mut Vec<u8>) {
        if !buffer.is_empty() || buffer.capacity() == 0 {
            return;
        }
        let buffer = std::mem::take(buffer);
        if self.0.len() < KEPT && (CAPACITY..=CAPACITY_MAX).contains(&buffer.capacity()) {
            self.0.push(buffer);
        }
    }
}
