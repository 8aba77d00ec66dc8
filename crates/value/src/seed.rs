//! The hash of a member or field, seeded anew in every process against chosen collisions

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

use crate::item::Item;

static SECRETS: LazyLock<RapidSecrets> =
    LazyLock::new(|| RapidSecrets::seed(RandomState::new().build_hasher().finish()));

/// 32 well mixed bits of `item`.
#[inline]
pub(crate) fn hash(item: Item<'_>) -> u32 {
    let wide = match item {
        Item::Int(int) => rapidhash_v3_seeded(&int.to_le_bytes(), &SECRETS),
        Item::Bytes(bytes) => rapidhash_v3_seeded(bytes, &SECRETS),
    };
    (wide >> 32) as u32
}
