//! MurmurHash64A (Austin Appleby, public domain), which decides the bytes of every HyperLogLog.

const M: u64 = 0xc6a4_a793_5bd1_e995;
const R: u32 = 47;

/// The hash of some bytes, read as little-endian words.
pub(super) fn hash64a(bytes: &[u8], seed: u64) -> u64 {
    let mut h = seed ^ (bytes.len() as u64).wrapping_mul(M);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut k = u64::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> R;
        h = (h ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        h = (h ^ u64::from_le_bytes(last)).wrapping_mul(M);
    }
    h = (h ^ h >> R).wrapping_mul(M);
    h ^ h >> R
}

#[cfg(test)]
mod tests {
    use super::hash64a;

    #[test]
    fn every_byte_counts() {
        let hashes: std::collections::HashSet<_> =
            (0..20).map(|n| hash64a(&b"abcdefghijklmnopqrst"[..n], 1)).collect();
        assert_eq!(hashes.len(), 20);
    }
}
