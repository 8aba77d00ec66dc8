use value::Item;
use value::list::{List, ListLimits};

use super::{filled, ziplist};
use crate::error::Error;
use crate::input::{Input, Scratch};

/// A node that is a single text.
const PLAIN: u64 = 1;
/// A node that is a listpack.
const PACKED: u64 = 2;

pub(super) fn plain(input: &mut Input<'_>, limits: ListLimits) -> Result<List, Error> {
    let mut list = List::new();
    for _ in 0..input.count(1)? {
        push(&mut list, Scratch::new().item(input)?, limits);
    }
    settled(list, limits)
}

pub(super) fn ziplist(input: &mut Input<'_>, limits: ListLimits) -> Result<List, Error> {
    let bytes = input.string()?;
    let mut list = List::new();
    ziplist::items(&bytes)?.into_iter().for_each(|item| push(&mut list, item, limits));
    settled(list, limits)
}

pub(super) fn quicklist(input: &mut Input<'_>, limits: ListLimits) -> Result<List, Error> {
    let mut list = List::new();
    for _ in 0..input.count(1)? {
        let bytes = input.string()?;
        ziplist::items(&bytes)?.into_iter().for_each(|item| push(&mut list, item, limits));
    }
    settled(list, limits)
}

pub(super) fn quicklist2(input: &mut Input<'_>, limits: ListLimits) -> Result<List, Error> {
    let mut list = List::new();
    for _ in 0..input.count(2)? {
        let container = input.number()?;
        let bytes = input.string()?;
        match container {
            _ if bytes.is_empty() => return Err(Error::Corrupt("a list's node is empty")),
            PLAIN => push(&mut list, Item::parse(&bytes), limits),
            PACKED => list.append_listpack(&bytes, limits)?,
            _ => return Err(Error::Corrupt("a list's node is of an unknown kind")),
        }
    }
    settled(list, limits)
}

fn push(list: &mut List, item: Item<'_>, limits: ListLimits) {
    list.before_growth(1, item.text_len(), limits);
    list.push_back(item, limits);
}

fn settled(mut list: List, limits: ListLimits) -> Result<List, Error> {
    list.settle(limits);
    filled(list)
}
