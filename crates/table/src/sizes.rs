//! How many buckets a table has.

use crate::bucket::LANES;

/// The smallest size class of at least `units`: 1 to 8, then four to a doubling (10, 12, 14, 16,
/// 20, 24, ...). Those are jemalloc's classes for any unit that is itself one (8 or 64 bytes), so
/// an array of that many units wastes nothing in the allocator.
pub const fn class_at_least(units: usize) -> usize {
    if units <= 8 {
        return if units == 0 { 1 } else { units };
    }
    let step = 1_usize << ((units - 1).ilog2() - 2);
    units.next_multiple_of(step)
}

/// Entries at which a table of so many buckets grows. A single bucket fills altogether,
/// since a search reads one line there however full it is.
pub(crate) const fn entries_max(buckets: u32) -> usize {
    match buckets {
        0 => 0,
        1 => LANES,
        _ => buckets as usize * LANES * MAX_LOAD_PERCENT / 100,
    }
}

/// Measured with `examples/probe.rs`, 1 M items in 1024 tables: hits cost the same up to 0.94, misses
/// 28, 31, 40, 67 ns at loads of 0.73, 0.76, 0.79, 0.85. Growing at 0.88 makes 0.81 on average.
const MAX_LOAD_PERCENT: usize = 88;

/// Below so many entries (half of the lanes) a table shrinks.
pub(crate) const fn shrink_below(buckets: u32) -> usize {
    (buckets as usize * LANES).div_ceil(2)
}

/// Buckets for so many entries after a shrink: at most 3/4 full, so that neither another shrink
/// nor growth is near. An empty table has none.
pub(crate) fn shrunk(entries: usize) -> u32 {
    if entries == 0 {
        return 0;
    }
    buckets(class_at_least((entries * 4).div_ceil(LANES * 3)))
}

/// The next larger number of buckets.
pub(crate) fn grown(now: u32) -> u32 {
    buckets(class_at_least(now as usize + 1))
}

fn buckets(count: usize) -> u32 {
    u32::try_from(count).expect("a table has fewer than 2^32 buckets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_four_to_a_doubling() {
        let mut classes = vec![1];
        while classes.len() < 20 {
            classes.push(class_at_least(classes[classes.len() - 1] + 1));
        }
        assert_eq!(
            classes,
            [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]
        );
    }

    #[test]
    fn a_shrunk_table_is_neither_full_nor_near_the_next_shrink() {
        for buckets in (2..10_000).filter(|&b| class_at_least(b as usize) == b as usize) {
            let entries = shrink_below(buckets) - 1;
            let shrunk = shrunk(entries);
            if shrunk < buckets {
                assert!(entries < entries_max(shrunk) || shrunk <= 1);
                assert!(shrunk <= 2 || entries >= shrink_below(shrunk));
            }
        }
    }
}
