//! Where a table's buckets lie, for who asks for their memory without holding the table's lock.

use std::ptr::without_provenance;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::array::home;
use crate::bucket::Bucket;
use crate::{Table, position, prefetch};

/// Where the buckets of a table lay when its lock was last held: enough to prefetch one without the lock. Where they
/// have moved since, or are moving, that asks for other memory than will be read, and does no harm.
#[derive(Debug, Default)]
pub struct Hint {
    base: AtomicUsize,
    rest: AtomicUsize,
    split: AtomicU32,
    buckets: AtomicU32,
}

impl Hint {
    /// Notes where the buckets of `table` lie.
    #[inline]
    pub fn note(&self, table: &Table) {
        let (base, rest) = table.current.parts();
        let (split, buckets) = table.current.sizes();
        // They move only when their number changes, but for a table that was emptied meanwhile.
        let is_known = self.base.load(Ordering::Relaxed) == base.addr()
            && self.buckets.load(Ordering::Relaxed) == buckets;
        if !is_known {
            self.base.store(base.addr(), Ordering::Relaxed);
            self.rest.store(rest.addr(), Ordering::Relaxed);
            self.split.store(split, Ordering::Relaxed);
            self.buckets.store(buckets, Ordering::Relaxed);
        }
    }

    /// Asks for the cache line of the home bucket of `hash`.
    #[inline]
    pub fn prefetch(&self, hash: u32) {
        prefetch::read(self.address(hash));
    }

    #[inline(always)]
    fn address(&self, hash: u32) -> *const Bucket {
        let bucket = home(position(hash), self.buckets.load(Ordering::Relaxed));
        let is_first = bucket < self.split.load(Ordering::Relaxed);
        let part = if is_first { &self.base } else { &self.rest };
        let start = without_provenance::<Bucket>(part.load(Ordering::Relaxed));
        start.wrapping_add(bucket as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{block, mixed};

    #[test]
    fn a_hint_leads_to_the_bucket_where_an_entry_belongs_until_the_table_grows() {
        let (hint, mut table) = (Hint::default(), Table::new());
        hint.prefetch(mixed(1));
        for id in 0..5000 {
            table.insert(mixed(id), block(id));
            hint.note(&table);
            let is_moving = table.resize.is_some();
            let asked = mixed(id / 2);
            let home = table.current.home_address(position(asked));
            assert!(is_moving || hint.address(asked).addr() == home.addr(), "at {id} entries");
        }
    }
}
