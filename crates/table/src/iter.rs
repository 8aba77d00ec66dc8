//! Iterating over the pointers of a table that is taken apart.

use std::ptr::NonNull;

use crate::array::Array;
use crate::bucket::LANES;

/// The pointers of a table, which it owned; their blocks are asked for some time before. Frees the table's memory when dropped.
pub struct IntoIter {
    arrays: [Array; 2],
    array: usize,
    bucket: usize,
    lane: usize,
    left: usize,
}

// SAFETY: like for `Table`: owned arrays of opaque values.
unsafe impl Send for IntoIter {}

impl IntoIter {
    pub(crate) fn new(first: Array, second: Option<Array>) -> Self {
        let second = second.unwrap_or_default();
        let left = first.len() + second.len();
        Self { arrays: [first, second], array: 0, bucket: 0, lane: 0, left }
    }
}

impl Iterator for IntoIter {
    type Item = NonNull<u8>;

    fn next(&mut self) -> Option<NonNull<u8>> {
        while let Some(array) = self.arrays.get(self.array) {
            let Some(bucket) = array.ready_bucket(self.bucket) else {
                (self.array, self.bucket) = (self.array + 1, 0);
                continue;
            };
            if self.lane == 0 {
                array.prefetch_blocks(self.bucket + 1);
            }
            while self.lane < LANES {
                self.lane += 1;
                if let Some(pointer) = bucket.pointer(self.lane - 1) {
                    self.left -= 1;
                    return Some(pointer);
                }
            }
            (self.bucket, self.lane) = (self.bucket + 1, 0);
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for IntoIter {}

impl std::fmt::Debug for IntoIter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntoIter").field("left", &self.left).finish()
    }
}
