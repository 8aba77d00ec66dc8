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

/// The smallest number of buckets of at least `count` that tables have: all up to 16, then eight to a doubling.
fn buckets_at_least(count: usize) -> u32 {
    let step = if count <= 16 { 1 } else { 1_usize << ((count - 1).ilog2() - 3) };
    u32::try_from(count.next_multiple_of(step)).expect("a table has fewer than 2^32 buckets")
}

/// Of so many buckets, those in the first of two allocations: as many as fill a size class of the allocator,
/// of which there are four to a doubling. The others, if any, fill a smaller one.
pub(crate) fn first_part(buckets: u32) -> u32 {
    let step = if buckets < 8 { 1 } else { 1 << (buckets.ilog2() - 2) };
    buckets - buckets % step
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

/// What a miss costs is the share of full buckets: at 0.9 with eight lanes it is 30 %, as at 0.88 with seven.
/// Hits cost the same up to 0.94 (`examples/probe.rs`). Growing at 0.9 makes 0.85 on average.
const MAX_LOAD_PERCENT: usize = 90;

/// The smallest number of buckets of a table that does not grow before it has more than so many entries.
pub(crate) fn buckets_for(entries: usize) -> u32 {
    match entries {
        0 => 0,
        1..=LANES => 1,
        _ => {
            let buckets = buckets_at_least((entries * 100).div_ceil(LANES * MAX_LOAD_PERCENT));
            if entries_max(buckets) < entries { grown(buckets) } else { buckets }
        }
    }
}

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
    buckets_at_least((entries * 4).div_ceil(LANES * 3))
}

/// The next larger number of buckets.
pub(crate) fn grown(now: u32) -> u32 {
    buckets_at_least(now as usize + 1)
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
    fn both_parts_of_a_table_fill_size_classes() {
        let mut now = 0;
        while now < 1 << 20 {
            let more = grown(now);
            assert!(more > now && (now < 8 || more - now <= now / 8));
            now = more;
            let parts = [first_part(now), now - first_part(now)].map(|part| part as usize);
            assert_eq!(class_at_least(parts[0]), parts[0]);
            assert!(parts[1] == 0 || parts[1].is_power_of_two());
        }
    }

    #[test]
    fn so_many_entries_fit_and_no_smaller_table_has_room_for_them() {
        for entries in 1..20_000 {
            let buckets = buckets_for(entries);
            assert!(entries_max(buckets) >= entries);
            let smaller = (1..buckets).rev().find(|&b| buckets_at_least(b as usize) == b);
            assert!(smaller.is_none_or(|smaller| entries_max(smaller) < entries));
        }
    }

    #[test]
    fn a_shrunk_table_is_neither_full_nor_near_the_next_shrink() {
        for buckets in (2..10_000).filter(|&b| buckets_at_least(b as usize) == b) {
            let entries = shrink_below(buckets) - 1;
            let shrunk = shrunk(entries);
            if shrunk < buckets {
                assert!(entries < entries_max(shrunk) || shrunk <= 1);
                assert!(shrunk <= 2 || entries >= shrink_below(shrunk));
            }
        }
    }
}
