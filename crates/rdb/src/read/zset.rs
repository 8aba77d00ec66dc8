use std::borrow::Cow;
use std::cmp::Ordering;

use hashbrown::HashSet;
use rapidhash::fast::RandomState;
use value::item::Digits;
use value::zset::{Zset, ZsetLimits};
use value::{Item, listpack as packed};

use super::ziplist;
use crate::error::Error;
use crate::input::Input;

/// A score as text: a length byte with the digits behind it, or one of three special lengths.
pub(super) fn text_score(input: &mut Input<'_>) -> Result<f64, Error> {
    match input.byte()? {
        255 => Ok(f64::NEG_INFINITY),
        254 => Ok(f64::INFINITY),
        253 => Err(NAN),
        len => parse_score(input.take(usize::from(len))?),
    }
}

const NAN: Error = Error::Corrupt("a score is not a number");

fn parse_score(text: &[u8]) -> Result<f64, Error> {
    codec::number::parse_f64(text).filter(|score| !score.is_nan()).ok_or(NAN)
}

pub(super) fn plain<'a>(
    input: &mut Input<'a>,
    limits: ZsetLimits,
    mut score: impl FnMut(&mut Input<'a>) -> Result<f64, Error>,
) -> Result<Zset, Error> {
    let count = input.count(2)?;
    let mut members = Vec::with_capacity(count);
    for _ in 0..count {
        let member = input.string()?;
        members.push((member, score(input)?));
    }
    build(members, limits)
}

pub(super) fn ziplist(input: &mut Input<'_>, limits: ZsetLimits) -> Result<Zset, Error> {
    let bytes = input.string()?;
    from_items(&ziplist::items(&bytes)?, limits)
}

pub(super) fn listpack(input: &mut Input<'_>, limits: ZsetLimits) -> Result<Zset, Error> {
    let bytes = input.string()?;
    from_items(&packed::read(&bytes)?, limits)
}

fn from_items(items: &[Item<'_>], limits: ZsetLimits) -> Result<Zset, Error> {
    if !items.len().is_multiple_of(2) {
        return Err(Error::Corrupt("a sorted set lacks a score"));
    }
    let mut members = Vec::with_capacity(items.len() / 2);
    for pair in items.chunks_exact(2) {
        let [member, score] = pair else { continue };
        let score = score.text(&mut Digits::new()).to_vec();
        let member = match *member {
            Item::Bytes(bytes) => Cow::Borrowed(bytes),
            int => Cow::Owned(int.to_vec()),
        };
        members.push((member, parse_score(&score)?));
    }
    build(members, limits)
}

/// A set of members that may come in any order.
fn build(mut members: Vec<(Cow<'_, [u8]>, f64)>, limits: ZsetLimits) -> Result<Zset, Error> {
    if members.is_empty() {
        return Err(Error::Empty);
    }
    if members.iter().any(|(_, score)| score.is_nan()) {
        return Err(NAN);
    }
    // Redis writes big sets from the highest score down.
    if !members.is_sorted_by(|a, b| order(a, b).is_le()) {
        members.reverse();
        if !members.is_sorted_by(|a, b| order(a, b).is_le()) {
            members.sort_unstable_by(order);
        }
    }
    const TWICE: Error = Error::Corrupt("a sorted set has a member twice");
    let sorted = members.iter().map(|(member, score)| (&**member, *score));
    if members.len() > limits.entries {
        return Zset::from_sorted_if_distinct(sorted).ok_or(TWICE);
    }
    let mut seen = HashSet::with_capacity_and_hasher(members.len(), RandomState::default());
    if !members.iter().all(|(member, _)| seen.insert(&**member)) {
        return Err(TWICE);
    }
    Ok(Zset::from_sorted(sorted, limits))
}

fn order(a: &(Cow<'_, [u8]>, f64), b: &(Cow<'_, [u8]>, f64)) -> Ordering {
    // No score is NaN, and the zeroes are equal.
    a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal).then_with(|| a.0.cmp(&b.0))
}
