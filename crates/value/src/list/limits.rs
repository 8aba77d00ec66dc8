//! How large one chunk of a list may become

use crate::packed::block::HEAD;

/// Largest chunk, in bytes, where the option counts entries.
const SAFETY_LIMIT: usize = 8192;
/// Chunk sizes for -1 to -5, in bytes.
const CLASS_BYTES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];

/// The list options that decide encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// `list-max-listpack-size`: a positive number is the most entries of a chunk (8 KiB at most),
    /// -1 to -5 mean 4, 8, 16, 32, 64 KiB. 0 counts as 1, less than -5 as -5.
    pub max_listpack_size: i64,
}

impl Default for ListLimits {
    fn default() -> Self {
        ListLimits { max_listpack_size: -2 }
    }
}

impl ListLimits {
    /// Most bytes of a chunk.
    pub(crate) fn max_bytes(self) -> usize {
        if self.max_listpack_size >= 0 {
            return SAFETY_LIMIT;
        }
        let class = self.max_listpack_size.unsigned_abs() as usize - 1;
        CLASS_BYTES[class.min(CLASS_BYTES.len() - 1)]
    }

    /// Most entries of a chunk.
    pub(crate) fn max_count(self) -> usize {
        match usize::try_from(self.max_listpack_size) {
            Ok(count) => count.max(1),
            Err(_) => usize::MAX,
        }
    }

    /// Whether a listpack of these sizes is too large.
    pub(crate) fn exceeded(self, bytes: usize, count: usize) -> bool {
        bytes > self.max_bytes() || count > self.max_count()
    }

    /// Whether one listpack of these sizes is small enough to leave the chunked form: half the
    /// limits, so that a list at a limit does not go to and fro.
    pub(crate) fn worth_shrinking(self, bytes: usize, count: usize) -> bool {
        if self.max_listpack_size >= 0 {
            bytes <= SAFETY_LIMIT && count <= self.max_count() / 2
        } else {
            bytes <= self.max_bytes() / 2
        }
    }

    /// Whether a chunk with `bytes` of content and `count` entries is within the limits; the block's
    /// header counts, so that a full chunk fills its size class.
    pub(crate) fn fits_chunk(self, bytes: usize, count: usize) -> bool {
        HEAD + bytes <= self.max_bytes() && count <= self.max_count()
    }
}
