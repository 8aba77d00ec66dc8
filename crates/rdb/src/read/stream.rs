//! Streams
//!
//! Entries lie in listpacks, each behind the ID of its first entry, which the others are counted from:
//! `[live][deleted][number of fields][field]... 0`, and then per entry `[flags][ms][seq]`, with other fields
//! than the first `[number]([field][value])...`, otherwise `[value]...`, and at its end the number of these
//! items. Counters and groups follow; from version 4 on what producers sent, in version 5 behind each group what was
//! given back to it.

use std::collections::BTreeMap;

use value::item::Item;
use value::listpack;
use value::stream::{Id, NewId, Retention, Stream, StreamLimits};

use crate::error::Error;
use crate::input::Input;
use crate::op::Type;

const BAD_BLOCK: Error = Error::Corrupt("Stream listpack integrity check failed");
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// The bounds of a stream's retention, those of the options.
const DURATION_MAX_S: u64 = 86_400;
const MESSAGES_MAX: u64 = 10_000;
/// The default of the options, which a stream has that nobody has configured.
pub(crate) const UNUSED: Retention = Retention { duration_s: 100, messages: 100 };

pub(super) fn read(
    input: &mut Input<'_>,
    kind: Type,
    limits: StreamLimits,
) -> Result<Stream, Error> {
    let mut stream = Stream::new();
    for _ in 0..input.count(2)? {
        let key = input.string()?;
        let first = match *key {
            [..] if key.len() == 16 => Input::new(&key).raw_id()?,
            _ => return Err(Error::Corrupt("a stream's block has no ID")),
        };
        let block = input.string()?;
        append_block(&mut stream, first, &listpack::read(&block)?, limits)?;
    }
    if input.number()? != stream.len() {
        return Err(Error::Corrupt("a stream's length is not the number of its entries"));
    }
    let last_id = input.id()?;
    let (mut max_deleted, mut added) = (Id::MIN, stream.len());
    if kind != Type::Stream1 {
        input.id()?;
        max_deleted = input.id()?;
        added = input.number()?;
    }
    // More entries than were ever added cannot be: such a count is only a lower bound.
    stream
        .set_id(last_id, Some(added.max(stream.len())), Some(max_deleted))
        .map_err(|_| Error::Corrupt("a stream's IDs contradict each other"))?;
    for _ in 0..input.count(5)? {
        group(&mut stream, input, kind)?;
    }
    if kind.has_producers() {
        producers(&mut stream, input)?;
    }
    Ok(stream)
}

/// Takes items from the front.
struct Items<'a, 'i>(&'i [Item<'a>]);

impl<'a, 'i> Items<'a, 'i> {
    fn next(&mut self) -> Result<Item<'a>, Error> {
        self.0.split_off_first().copied().ok_or(BAD_BLOCK)
    }

    fn int(&mut self) -> Result<i64, Error> {
        self.next()?.as_int().ok_or(BAD_BLOCK)
    }

    fn take(&mut self, count: usize) -> Result<&'i [Item<'a>], Error> {
        self.0.split_off(..count).ok_or(BAD_BLOCK)
    }

    /// A number of things of `items_each` items each, which the items at hand bound.
    fn count(&mut self, items_each: usize) -> Result<usize, Error> {
        let count = usize::try_from(self.int()?).map_err(|_| BAD_BLOCK)?;
        let fits = count.checked_mul(items_each).is_some_and(|items| items <= self.0.len());
        if fits { Ok(count) } else { Err(BAD_BLOCK) }
    }
}

fn append_block(
    stream: &mut Stream,
    first: Id,
    items: &[Item<'_>],
    limits: StreamLimits,
) -> Result<(), Error> {
    let mut items = Items(items);
    let (live, deleted) = (items.int()?, items.int()?);
    let shared = items.count(1)?;
    let shared = items.take(shared)?;
    if items.int()? != 0 {
        return Err(BAD_BLOCK);
    }
    let (mut seen_live, mut seen_deleted) = (0, 0);
    while !items.0.is_empty() {
        let before = items.0.len();
        let flags = items.int()?;
        let (ms, seq) = (items.int()?, items.int()?);
        let id = Id::new(first.ms.wrapping_add_signed(ms), first.seq.wrapping_add_signed(seq));
        let fields = if flags & SAME_FIELDS != 0 {
            let values = items.take(shared.len())?;
            Fields::Shared(shared, values)
        } else {
            let count = items.count(2)?;
            Fields::Own(items.take(count * 2)?)
        };
        let took = (before - items.0.len()) as i64;
        if items.int()? != took {
            return Err(BAD_BLOCK);
        }
        if flags & DELETED != 0 {
            seen_deleted += 1;
            continue;
        }
        seen_live += 1;
        append(stream, id, &fields, limits)?;
    }
    if (seen_live, seen_deleted) != (live, deleted) {
        return Err(BAD_BLOCK);
    }
    Ok(())
}

enum Fields<'a, 'i> {
    /// The block's fields, and the entry's values.
    Shared(&'i [Item<'a>], &'i [Item<'a>]),
    /// Fields and values in turn.
    Own(&'i [Item<'a>]),
}

fn append(
    stream: &mut Stream,
    id: Id,
    fields: &Fields<'_, '_>,
    limits: StreamLimits,
) -> Result<(), Error> {
    let texts: Vec<(Vec<u8>, Vec<u8>)> = match fields {
        Fields::Shared(names, values) => {
            names.iter().zip(*values).map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
        }
        Fields::Own(items) => items
            .chunks_exact(2)
            .filter_map(|pair| Some((pair.first()?.to_vec(), pair.last()?.to_vec())))
            .collect(),
    };
    let pairs = texts.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    stream
        .append(NewId::Exact(id), pairs, limits)
        .map_err(|_| Error::Corrupt("a stream's entries are out of order"))?;
    Ok(())
}

fn group(stream: &mut Stream, input: &mut Input<'_>, kind: Type) -> Result<(), Error> {
    let name = input.string()?;
    let last_id = input.id()?;
    let entries_read = match kind {
        Type::Stream1 => stream.added_up_to(last_id),
        // Minus one stands for "cannot be known".
        _ => Some(input.number()?).filter(|&read| i64::try_from(read).is_ok()),
    };
    if !stream.create_group(&name, last_id, entries_read) {
        return Err(Error::Corrupt("a stream has a group twice"));
    }
    let group = stream.group_mut(&name).ok_or(Error::Corrupt("a stream's group is missing"))?;
    let mut pending = BTreeMap::new();
    for _ in 0..input.count(25)? {
        let id = input.raw_id()?;
        let delivered_ms = u64::try_from(input.i64()?).unwrap_or(0);
        if pending.insert(id, (delivered_ms, input.number()?)).is_some() {
            return Err(Error::Corrupt("a stream's group has a delivery twice"));
        }
    }
    for _ in 0..input.count(10)? {
        let name = input.string()?;
        let seen_ms = u64::try_from(input.i64()?).unwrap_or(0);
        let active_ms = match kind {
            _ if kind.has_active_times() => u64::try_from(input.i64()?).ok(),
            _ => Some(seen_ms),
        };
        if !group.create_consumer(&name, seen_ms) {
            return Err(Error::Corrupt("Duplicate stream consumer detected"));
        }
        for _ in 0..input.count(16)? {
            let id = input.raw_id()?;
            let (delivered_ms, count) = pending
                .remove(&id)
                .ok_or(Error::Corrupt("a consumer has a delivery that its group has not"))?;
            group.assign(id, &name, delivered_ms, count);
        }
        if let Some(consumer) = group.consumer_mut(&name) {
            consumer.active_ms = active_ms;
        }
    }
    if kind == Type::Stream5 {
        for _ in 0..input.count(16)? {
            let id = input.raw_id()?;
            let (_, count) = pending
                .remove(&id)
                .ok_or(Error::Corrupt("a delivery was given back that its group has not"))?;
            group.release(id, count);
        }
    }
    if !pending.is_empty() {
        return Err(Error::Corrupt("a stream's group has deliveries that no consumer has"));
    }
    Ok(())
}

/// What producers sent, and for how long that is remembered.
fn producers(stream: &mut Stream, input: &mut Input<'_>) -> Result<(), Error> {
    let duration_s = input.number()?.clamp(1, DURATION_MAX_S);
    let messages = input.number()?.clamp(1, MESSAGES_MAX) as usize;
    let retention = Retention { duration_s, messages };
    let count = input.count(2)?;
    if count == 0 && retention == UNUSED {
        // A version that the stream has for something else: then nothing follows but two zeros.
        let (added, duplicates) = (input.number()?, input.number()?);
        if added > 0 || duplicates > 0 {
            let known = stream.idempotence_mut(retention);
            (known.added, known.duplicates) = (added, duplicates);
        }
        return Ok(());
    }
    let known = stream.idempotence_mut(retention);
    for _ in 0..count {
        let producer = input.string()?;
        for _ in 0..input.count(3)? {
            let message = input.string()?;
            // At the time 0 nothing is too old.
            known.record(&producer, &message, input.id()?, 0);
        }
    }
    known.added = input.number()?;
    known.duplicates = input.number()?;
    Ok(())
}
