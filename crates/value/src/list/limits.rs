//! How large one chunk of a list may become

use crate::packed::block::HEAD;

/// Largest chunk, in bytes, where the option counts entries.
const SAFETY_LIMIT: usize = 8192;
/// Chunk size for -1, in bytes; each further class has twice as many.
const SMALLEST_CLASS: usize = 4096;

/// The list options that decide encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Most bytes of a chunk.
    max_bytes: usize,
    /// Most entries of a chunk.
    max_count: usize,
}

impl Default for ListLimits {
    fn default() -> Self {
        ListLimits::new(-2)
    }
}

impl ListLimits {
    /// What `list-max-listpack-size` means: a positive number is the most entries of a chunk (8 KiB at most),
    /// -1 to -5 mean 4, 8, 16, 32, 64 KiB. 0 counts as 1, less than -5 as -5.
    #[inline]
    pub const fn new(max_listpack_size: i64) -> Self {
        if max_listpack_size >= 0 {
            let max_count = if max_listpack_size == 0 { 1 } else { max_listpack_size as usize };
            return ListLimits { max_bytes: SAFETY_LIMIT, max_count };
        }
        let class = if max_listpack_size < -5 { 5 } else { -max_listpack_size };
        ListLimits { max_bytes: SMALLEST_CLASS << (class - 1), max_count: usize::MAX }
    }

    /// Most bytes of a chunk.
    pub(crate) fn max_bytes(self) -> usize {
        self.max_bytes
    }

    /// Whether a listpack of these sizes is too large.
    pub(crate) fn exceeded(self, bytes: usize, count: usize) -> bool {
        bytes > self.max_bytes || count > self.max_count
    }

    /// Whether one listpack of these sizes is small enough to leave the chunked form: half the
    /// limits, so that a list at a limit does not go to and fro.
    pub(crate) fn worth_shrinking(self, bytes: usize, count: usize) -> bool {
        if self.max_count < usize::MAX {
            bytes <= self.max_bytes && count <= self.max_count / 2
        } else {
            bytes <= self.max_bytes / 2
        }
    }

    /// Whether a chunk with `bytes` of content and `count` entries is within the limits; the block's
    /// header counts, so that a full chunk fills its size class.
    pub(crate) fn fits_chunk(self, bytes: usize, count: usize) -> bool {
        HEAD + bytes <= self.max_bytes && count <= self.max_count
    }
}
