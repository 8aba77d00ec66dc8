use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_micro_inline};

/// The number of shards: a power of two, far above the number of cores, so that two workers seldom
/// meet at one lock, and small enough that the shard headers stay in the second-level cache.
pub const SHARDS: usize = 1024;

/// A key's name with its hash, computed once per command.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    bytes: &'a [u8],
    hash: KeyHash,
}

/// The hash of a key: its low bits choose the shard, its high half the place in the shard's table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash(u64);

impl<'a> Key<'a> {
    /// Hashes `bytes` with the seed of this process.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, hash: KeyHash::of(bytes) }
    }

    /// Joins a name with the hash that an earlier call computed for it.
    #[inline]
    pub fn with_hash(bytes: &'a [u8], hash: KeyHash) -> Self {
        debug_assert_eq!(hash, KeyHash::of(bytes));
        Self { bytes, hash }
    }

    /// The key's name.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The key's hash.
    #[inline]
    pub fn hash(&self) -> KeyHash {
        self.hash
    }
}

impl KeyHash {
    /// The hash of `bytes` under the seed of this process.
    pub fn of(bytes: &[u8]) -> Self {
        Self(rapidhash_v3_micro_inline::<true, false>(bytes, secrets()))
    }

    /// The shard that holds the key, below [`SHARDS`].
    #[inline]
    pub fn shard(self) -> usize {
        (self.0 as usize) & (SHARDS - 1)
    }

    /// All bits, for other tables of keys.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The bits that the shard's table orders its entries by; independent of the shard number.
    #[inline]
    pub fn table(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Seeded per process, so that nobody outside can choose keys that collide.
fn secrets() -> &'static RapidSecrets {
    static SECRETS: OnceLock<RapidSecrets> = OnceLock::new();
    SECRETS.get_or_init(|| RapidSecrets::seed(RandomState::new().build_hasher().finish()))
}
