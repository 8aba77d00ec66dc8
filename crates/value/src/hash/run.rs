//! Small hashes: fields in one packed run, as pairs or, once a field has had a deadline, as triples
//!
//! A triple is field, value and deadline in milliseconds, 0 for none, as Redis stores it.

use smallvec::SmallVec;

use crate::item::Item;
use crate::packed::{Entries, MAX_RUN_LEN, Packed, Run, entry};

use super::{Field, Ttl};

const NO_DEADLINE: i64 = 0;

/// A run whose entries come in groups of `stride`, 2 or 3.
#[derive(Clone, Copy)]
pub(super) struct Groups<'a> {
    run: Run<'a>,
    stride: usize,
}

/// A field and where its entries stand.
struct Found<'a> {
    field: Field<'a>,
    /// Offsets of the field, the value, the entry behind the value, and the next field.
    at: [usize; 4],
}

impl<'a> Groups<'a> {
    pub(super) fn new(run: Run<'a>, stride: usize) -> Self {
        Groups { run, stride }
    }

    pub(super) fn len(self) -> usize {
        self.run.count / self.stride
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Field<'a>> {
        self.walk().map(|found| found.field)
    }

    fn walk(self) -> impl Iterator<Item = Found<'a>> {
        let (mut entries, stride) = (self.run.iter(), self.stride);
        std::iter::from_fn(move || read(&mut entries, stride))
    }

    fn find(self, name: Item<'_>) -> Option<Found<'a>> {
        let start = self.run.find(self.stride, name)?;
        read(&mut Entries::from_offset(self.run.bytes, start), self.stride)
    }

    pub(super) fn get(self, name: Item<'_>) -> Option<Field<'a>> {
        self.find(name).map(|found| found.field)
    }

    /// The field at `index` in storage order.
    pub(super) fn at(self, index: usize) -> Option<Field<'a>> {
        let start = self.run.offset_of(index * self.stride)?;
        let mut entries = Entries::from_offset(self.run.bytes, start);
        read(&mut entries, self.stride).map(|found| found.field)
    }

    /// The earliest deadline.
    pub(super) fn next_expiry(self) -> Option<i64> {
        if self.stride < 3 { None } else { self.iter().filter_map(|field| field.deadline).min() }
    }
}

fn read<'a>(entries: &mut Entries<'a, false>, stride: usize) -> Option<Found<'a>> {
    let start = entries.offset();
    let name = entries.next()?;
    let at_value = entries.offset();
    let value = entries.next()?;
    let behind = entries.offset();
    let deadline = match stride {
        2 => None,
        _ => entries.next()?.as_int().filter(|deadline| *deadline != NO_DEADLINE),
    };
    let field = Field { name, value, deadline };
    Some(Found { field, at: [start, at_value, behind, entries.offset()] })
}

/// Sets a field; says whether it was there.
pub(super) fn set(
    packed: &mut Packed<false>,
    stride: usize,
    name: Item<'_>,
    value: Item<'_>,
    ttl: Ttl,
) -> bool {
    if stride == 2 {
        return set_pair(packed, name, value);
    }
    match Groups::new(packed.view(), stride).find(name) {
        Some(Found { field, at: [_, at_value, behind, _] }) => {
            let deadline = ttl.resolve(field.deadline);
            if deadline != field.deadline {
                packed.replace(behind, Item::Int(deadline.unwrap_or(NO_DEADLINE)));
            }
            packed.replace(at_value, value);
            true
        }
        None => {
            let deadline = Item::Int(ttl.resolve(None).unwrap_or(NO_DEADLINE));
            packed.push_all([name, value, deadline]);
            false
        }
    }
}

/// Sets a field that has no deadline and gets none; says whether it was there.
fn set_pair(packed: &mut Packed<false>, name: Item<'_>, value: Item<'_>) -> bool {
    match packed.view().find(2, name) {
        Some(start) => {
            packed.replace(start + entry::body_len(name), value);
            true
        }
        None => {
            packed.push_all([name, value]);
            false
        }
    }
}

/// Pairs of these fields and values; `None` if a field is there twice, or the run would be too long.
pub(super) fn of_distinct<'a>(
    fields: impl Iterator<Item = (Item<'a>, Item<'a>)>,
) -> Option<Packed<false>> {
    let mut scratch = SmallVec::<[u8; 1024]>::new();
    let mut count = 0;
    for (name, value) in fields {
        if (Run { bytes: &scratch, count }).find(2, name).is_some() {
            return None;
        }
        for item in [name, value] {
            let at = scratch.len();
            scratch.resize(at + entry::body_len(item), 0);
            entry::write_body(item, scratch.get_mut(at..)?);
            count += 1;
        }
    }
    (scratch.len() <= MAX_RUN_LEN).then(|| Packed::from_run(&scratch, count))
}

/// Sets or clears the deadline of a field in triples; false if there is no such field.
pub(super) fn set_deadline(
    packed: &mut Packed<false>,
    name: Item<'_>,
    deadline: Option<i64>,
) -> bool {
    let Some(Found { at: [_, _, behind, _], .. }) = Groups::new(packed.view(), 3).find(name) else {
        return false;
    };
    packed.replace(behind, Item::Int(deadline.unwrap_or(NO_DEADLINE)));
    true
}

/// Removes a field after giving it to `f`.
pub(super) fn take<R>(
    packed: &mut Packed<false>,
    stride: usize,
    name: Item<'_>,
    f: impl FnOnce(Field<'_>) -> R,
) -> Option<R> {
    let Found { field, at: [start, .., end] } = Groups::new(packed.view(), stride).find(name)?;
    let result = f(field);
    packed.remove(start, end, stride);
    Some(result)
}

/// The same fields as triples without deadlines.
pub(super) fn to_triples(pairs: Run<'_>) -> Packed<false> {
    triples(Groups::new(pairs, 2).iter())
}

/// The same triples in the order of their deadlines, those without one last.
pub(super) fn by_deadline(run: Run<'_>) -> Packed<false> {
    let mut fields: Vec<Field<'_>> = Groups::new(run, 3).iter().collect();
    fields.sort_by_key(|field| field.deadline.unwrap_or(i64::MAX));
    triples(fields.into_iter())
}

fn triples<'a>(fields: impl Iterator<Item = Field<'a>>) -> Packed<false> {
    let mut triples = Packed::new();
    for Field { name, value, deadline } in fields {
        for item in [name, value, Item::Int(deadline.unwrap_or(NO_DEADLINE))] {
            triples.push_back(item);
        }
    }
    triples
}

/// Removes up to `limit` fields of triples whose deadline lies before `now`, giving each to
/// `on_field`; returns how many.
pub(super) fn expire_due(
    packed: &mut Packed<false>,
    now: i64,
    limit: usize,
    on_field: &mut impl FnMut(Field<'_>),
) -> usize {
    let (mut at, mut gone) = (0, 0);
    while gone < limit {
        let mut entries = Entries::from_offset(packed.run(), at);
        let Some(Found { field, at: [start, .., end] }) = read(&mut entries, 3) else { break };
        if field.deadline.is_some_and(|deadline| deadline < now) {
            on_field(field);
            packed.remove(start, end, 3);
            gone += 1;
        } else {
            at = end;
        }
    }
    gone
}
