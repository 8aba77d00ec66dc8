//! Scores: their order as integers, and their short form in bytes.

/// The order of a score as an integer: `key(a) < key(b)` exactly when `a < b`. Both zeroes have one key.
#[inline]
pub(super) fn key(score: f64) -> u64 {
    // Adding +0.0 turns -0.0 into +0.0 and leaves every other number alone.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The number of leading (big-endian) bytes that carry the score: 0 or 2 to 8. Most scores that
/// applications use (small integers, short fractions, timestamps) end in zero bytes.
pub(super) fn width(score: f64) -> usize {
    let bits = score.to_bits();
    if bits == 0 {
        return 0;
    }
    (8 - bits.trailing_zeros() as usize / 8).max(2)
}

/// Three bits for a width.
pub(super) fn width_code(width: usize) -> u8 {
    width.saturating_sub(1) as u8
}

/// The width that three bits stand for.
#[inline]
pub(super) fn code_width(code: u8) -> usize {
    let code = usize::from(code & 7);
    code + usize::from(code != 0)
}

/// The score whose leading bytes are `bytes` (at most eight).
pub(super) fn from_bytes(bytes: &[u8]) -> f64 {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    f64::from_bits(u64::from_be_bytes(whole))
}

/// The same, of a word whose first `width` bytes are the score's.
#[inline]
pub(super) fn from_word(word: [u8; 8], width: usize) -> f64 {
    // In two steps, neither of which is as wide as the word.
    let beyond = (u64::MAX >> (4 * width)) >> (4 * width);
    f64::from_bits(u64::from_be_bytes(word) & !beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zeroes_are_equal_and_infinities_are_the_ends() {
        assert_eq!(key(0.0), key(-0.0));
        assert!(key(f64::NEG_INFINITY) < key(f64::MIN));
        assert!(key(f64::INFINITY) > key(f64::MAX));
    }

    #[test]
    fn common_scores_are_short() {
        assert_eq!([0.0, 1.0, 0.5, 1000.0, 1_700_000_001.0, 0.1].map(width), [0, 2, 2, 3, 6, 8]);
    }

    proptest! {
        #[test]
        fn keys_order_as_scores(a in proptest::num::f64::ANY, b in proptest::num::f64::ANY) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(Some(key(a).cmp(&key(b))), a.partial_cmp(&b));
        }

        #[test]
        fn leading_bytes_restore_the_score(a in proptest::num::f64::ANY) {
            let n = width(a);
            prop_assert_eq!(code_width(width_code(n)), n);
            prop_assert_eq!(from_bytes(&a.to_bits().to_be_bytes()[..n]).to_bits(), a.to_bits());
            let mut word = a.to_bits().to_be_bytes();
            word[n..].fill(0xA5);
            prop_assert_eq!(from_word(word, n).to_bits(), a.to_bits());
        }
    }
}
