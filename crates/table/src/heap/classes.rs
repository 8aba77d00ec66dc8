//! The sizes that blocks come in.

/// The smallest block, bytes.
const SIZE_MIN: usize = 8;
/// Up to here there is a class every 4 bytes.
const BY_FOUR_MAX: usize = 128;
/// Up to here there is a class every 8 bytes; above, eight to a doubling.
const BY_EIGHT_MAX: usize = 1024;
/// The largest class that shares chunks with others of its size.
pub(super) const SLOT_MAX: usize = 16 << 10;

const BY_FOUR: usize = (BY_FOUR_MAX - SIZE_MIN) / 4 + 1;
const BY_EIGHT: usize = (BY_EIGHT_MAX - BY_FOUR_MAX) / 8;
/// Classes that threads keep free blocks of.
pub(super) const CACHED: usize = BY_FOUR + BY_EIGHT;
/// Classes that share chunks.
pub(super) const CLASSES: usize = index(SLOT_MAX) + 1;

/// The size that a block for `size` bytes has: every 4 bytes up to 128, every 8 up to 1024, then eight
/// to a doubling. What is allocated for one size may be used for, and freed with, any of the same class.
#[inline]
pub const fn class(size: usize) -> usize {
    if size <= SIZE_MIN {
        SIZE_MIN
    } else if size <= BY_FOUR_MAX {
        size.next_multiple_of(4)
    } else if size <= BY_EIGHT_MAX {
        size.next_multiple_of(8)
    } else {
        size.next_multiple_of(step(size))
    }
}

/// The distance of the classes around a size above [`BY_EIGHT_MAX`].
const fn step(size: usize) -> usize {
    1 << ((size - 1).ilog2() - 3)
}

/// The number of the class for `size` bytes.
#[inline]
pub(super) const fn index(size: usize) -> usize {
    if size <= SIZE_MIN {
        0
    } else if size <= BY_FOUR_MAX {
        size.div_ceil(4) - SIZE_MIN / 4
    } else if size <= BY_EIGHT_MAX {
        size.div_ceil(8) - BY_FOUR_MAX / 8 + BY_FOUR - 1
    } else {
        let doubling = (size - 1).ilog2();
        let doublings = (doubling - BY_EIGHT_MAX.ilog2()) as usize;
        CACHED - 1 + doublings * 8 + (size - (1 << doubling)).div_ceil(step(size))
    }
}

/// The bytes of the class number `index`, below [`CACHED`].
pub(super) const fn size(index: usize) -> usize {
    if index < BY_FOUR {
        SIZE_MIN + index * 4
    } else {
        BY_FOUR_MAX + (index + 1 - BY_FOUR) * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbered_in_order_and_waste_at_most_an_eighth() {
        let mut last = (0, 0);
        for size in 1..=SLOT_MAX {
            let now = (index(size), class(size));
            assert!(now.1 >= size && class(now.1) == now.1 && index(now.1) == now.0);
            assert!(now.0 >= CACHED || super::size(now.0) == now.1);
            assert!(size < 9 || now.1 - size <= size.div_ceil(8).max(3), "{size}");
            if now != last && last.1 != 0 {
                assert_eq!((now.0, size), (last.0 + 1, last.1 + 1));
            }
            last = now;
        }
        assert_eq!((index(BY_EIGHT_MAX), index(BY_EIGHT_MAX + 1)), (CACHED - 1, CACHED));
        assert_eq!(last.0, CLASSES - 1);
        assert_eq!([39, 87, 129, 1025, 20_000].map(class), [40, 88, 136, 1152, 20_480]);
    }
}
