use value::Item;
use value::hash::{Change, Hash, HashLimits, Ttl};

use super::{filled, ziplist, zipmap};
use crate::error::Error;
use crate::input::{Input, Scratch};

/// The latest deadline that a field may have: what fits in 48 bits, less what Redis reserves.
const DEADLINE_MAX: u64 = (1 << 48) - 2;

fn add(
    hash: &mut Hash,
    name: Item<'_>,
    value: Item<'_>,
    ttl: Ttl,
    limits: HashLimits,
) -> Result<(), Error> {
    match hash.set(name, value, ttl, limits) {
        Change::Created => Ok(()),
        Change::Updated => Err(Error::Corrupt("Hash integrity check failed: it has a field twice")),
    }
}

pub(super) fn plain(input: &mut Input<'_>, limits: HashLimits) -> Result<Hash, Error> {
    let count = input.count(2)?;
    let mut hash = Hash::new();
    hash.before_growth(count, 0, limits);
    let (mut name, mut value) = (Scratch::new(), Scratch::new());
    for _ in 0..count {
        let name = name.item(input)?;
        add(&mut hash, name, value.item(input)?, Ttl::Clear, limits)?;
    }
    filled(hash)
}

/// Fields with deadlines, absolute or counted from the first of all, which then stands in front.
pub(super) fn metadata(
    input: &mut Input<'_>,
    limits: HashLimits,
    relative: bool,
) -> Result<Hash, Error> {
    let first = if relative { input.i64()? } else { 0 };
    let first = u64::try_from(first).map_err(|_| Error::Corrupt("a deadline is negative"))?;
    let count = input.count(3)?;
    let mut hash = Hash::new();
    hash.make_expirable();
    hash.before_growth(count, 0, limits);
    let (mut name, mut value) = (Scratch::new(), Scratch::new());
    for _ in 0..count {
        let ttl = match input.number()? {
            0 => Ttl::Clear,
            after if relative => at((after - 1).saturating_add(first))?,
            deadline => at(deadline)?,
        };
        let name = name.item(input)?;
        add(&mut hash, name, value.item(input)?, ttl, limits)?;
    }
    filled(hash)
}

fn at(deadline: u64) -> Result<Ttl, Error> {
    match i64::try_from(deadline) {
        Ok(at) if at > 0 && deadline <= DEADLINE_MAX => Ok(Ttl::At(at)),
        _ => Err(Error::Corrupt("a field's deadline is out of range")),
    }
}

/// Valkey's form: field, value, deadline or -1.
pub(super) fn valkey(input: &mut Input<'_>, limits: HashLimits) -> Result<Hash, Error> {
    let count = input.count(10)?;
    let mut hash = Hash::new();
    hash.before_growth(count, 0, limits);
    let (mut name, mut value) = (Scratch::new(), Scratch::new());
    for _ in 0..count {
        let name = name.item(input)?;
        let value = value.item(input)?;
        let ttl = match input.i64()? {
            -1 => Ttl::Clear,
            deadline => at(u64::try_from(deadline).unwrap_or(0))?,
        };
        add(&mut hash, name, value, ttl, limits)?;
    }
    filled(hash)
}

pub(super) fn listpack(input: &mut Input<'_>, limits: HashLimits) -> Result<Hash, Error> {
    let bytes = input.string()?;
    filled(Hash::from_listpack(&bytes, false, limits)?)
}

pub(super) fn listpack_ex(
    input: &mut Input<'_>,
    limits: HashLimits,
    with_first: bool,
) -> Result<Hash, Error> {
    if with_first {
        input.i64()?;
    }
    let bytes = input.string()?;
    filled(Hash::from_listpack(&bytes, true, limits)?)
}

pub(super) fn ziplist(input: &mut Input<'_>, limits: HashLimits) -> Result<Hash, Error> {
    let bytes = input.string()?;
    let items = ziplist::items(&bytes)?;
    if !items.len().is_multiple_of(2) {
        return Err(Error::Corrupt("a hash's ziplist lacks a value"));
    }
    from_pairs(
        items.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?))),
        limits,
    )
}

pub(super) fn zipmap(input: &mut Input<'_>, limits: HashLimits) -> Result<Hash, Error> {
    let bytes = input.string()?;
    let pairs = zipmap::pairs(&bytes)?;
    from_pairs(
        pairs.into_iter().map(|(name, value)| (Item::parse(name), Item::parse(value))),
        limits,
    )
}

fn from_pairs<'a>(
    pairs: impl Iterator<Item = (Item<'a>, Item<'a>)>,
    limits: HashLimits,
) -> Result<Hash, Error> {
    let mut hash = Hash::new();
    for (name, value) in pairs {
        add(&mut hash, name, value, Ttl::Clear, limits)?;
    }
    filled(hash)
}
