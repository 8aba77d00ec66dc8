//! The hash of a member or field, seeded anew in every process against chosen collisions

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

use crate::item::Item;

static SECRETS: LazyLock<RapidSecrets> =
    LazyLock::new(|| RapidSecrets::seed(RandomState::new().build_hasher().finish()));

/// Gives each table an order of its own.
///
/// A table lies in the order of its hashes. Were that the same order for all, then what comes out of one table
/// would fill another from its front, whose entries would crowd there and take a time that is quadratic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order(u32);

impl Default for Order {
    fn default() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // The finalizer of MurmurHash3 mixes well; an odd factor keeps different hashes apart.
        let mut mixed = NEXT.fetch_add(1, Ordering::Relaxed);
        mixed = (mixed ^ mixed >> 16).wrapping_mul(0x85eb_ca6b);
        mixed = (mixed ^ mixed >> 13).wrapping_mul(0xc2b2_ae35);
        Self((mixed ^ mixed >> 16) | 1)
    }
}

impl Order {
    /// A hash as this table sorts it.
    #[inline]
    pub(crate) fn of(self, hash: u32) -> u32 {
        hash.wrapping_mul(self.0)
    }
}

/// 32 well mixed bits of `item`.
#[inline]
pub(crate) fn hash(item: Item<'_>) -> u32 {
    let wide = match item {
        Item::Int(int) => rapidhash_v3_seeded(&int.to_le_bytes(), &SECRETS),
        Item::Bytes(bytes) => rapidhash_v3_seeded(bytes, &SECRETS),
    };
    (wide >> 32) as u32
}
