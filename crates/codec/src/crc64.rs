//! The checksum of snapshots and DUMP payloads: CRC-64/REDIS.
//!
//! Jones's polynomial 0xad93d23594c935a9, initial value 0, input and output reflected, no final
//! exclusive or. Being linear in its initial value it continues from its own result.

use crc_fast::{CrcAlgorithm, Digest};

/// A checksum of bytes that come in pieces.
#[derive(Clone, Debug)]
pub struct Crc64 {
    digest: Digest,
}

impl Crc64 {
    /// The checksum of nothing.
    pub fn new() -> Self {
        Self { digest: Digest::new(CrcAlgorithm::Crc64Redis) }
    }

    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// The checksum of everything taken in so far.
    pub fn value(&self) -> u64 {
        self.digest.finalize()
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

/// The checksum of `bytes`.
pub fn crc64(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Redis, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bit by bit, from the definition.
    fn by_definition(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0, |crc: u64, &byte| {
            (0..8).fold(crc ^ u64::from(byte), |crc, _| {
                let reflected = 0xad93_d235_94c9_35a9_u64.reverse_bits();
                if crc & 1 == 0 { crc >> 1 } else { (crc >> 1) ^ reflected }
            })
        })
    }

    #[test]
    fn the_checksum_is_redis_s() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
    }

    proptest! {
        #[test]
        fn pieces_sum_up_to_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
            cut: prop::sample::Index,
        ) {
            let cut = cut.index(bytes.len() + 1);
            let mut crc = Crc64::new();
            crc.update(&bytes[..cut]);
            crc.update(&bytes[cut..]);
            prop_assert_eq!(crc.value(), by_definition(&bytes));
            prop_assert_eq!(crc64(&bytes), by_definition(&bytes));
        }
    }
}
