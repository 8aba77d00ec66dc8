use value::set::{Set, SetLimits};

use super::filled;
use crate::error::Error;
use crate::input::{Input, Scratch};

pub(super) fn plain(input: &mut Input<'_>, limits: SetLimits) -> Result<Set, Error> {
    let count = input.count(1)?;
    let mut set = Set::new();
    for number in 0..count {
        let mut scratch = Scratch::new();
        let item = scratch.item(input)?;
        if number == 0 {
            set = Set::for_items(item, count, limits);
        }
        if !set.insert(item, limits) {
            return Err(Error::Corrupt("a set has a member twice"));
        }
    }
    filled(set)
}

pub(super) fn intset(input: &mut Input<'_>, limits: SetLimits) -> Result<Set, Error> {
    let bytes = input.string()?;
    filled(Set::from_intset(&bytes, limits)?)
}

pub(super) fn listpack(input: &mut Input<'_>, limits: SetLimits) -> Result<Set, Error> {
    let bytes = input.string()?;
    filled(Set::from_listpack(&bytes, limits)?)
}
