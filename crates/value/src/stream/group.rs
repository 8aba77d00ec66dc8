//! Consumer groups: who reads, what was delivered and not acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use super::id::Id;
use super::released::Released;

/// The most deliveries that are counted, which is also the mark of an entry that nobody can process.
pub const COUNT_MAX: u64 = i64::MAX as u64;

/// Stands for no consumer: the delivery was given back.
const NOBODY: u32 = u32::MAX;

/// A delivery that has not been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack {
    /// Milliseconds since the epoch; 0 when it was given back.
    pub delivered_ms: u64,
    /// How often it was delivered, at most [`COUNT_MAX`].
    pub count: u64,
    consumer: u32,
}

impl Nack {
    /// Whether its consumer has given it back, so that nobody holds it.
    pub fn is_released(&self) -> bool {
        self.consumer == NOBODY
    }

    /// For how many milliseconds it has been pending; `None` when it was given back.
    pub fn idle_ms(&self, now_ms: u64) -> Option<u64> {
        (!self.is_released()).then(|| now_ms.saturating_sub(self.delivered_ms))
    }
}

/// Who reads from a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last tried to read or claim, in milliseconds since the epoch.
    pub seen_ms: u64,
    /// When it last got something that way; `None` if never.
    pub active_ms: Option<u64>,
    pending: BTreeSet<Id>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The IDs that it has not acknowledged, in order.
    pub fn pending(&self) -> &BTreeSet<Id> {
        &self.pending
    }
}

/// A group of consumers that share the entries of a stream.
///
/// Invariants: the pending IDs of the consumers and the released ones are disjoint, and together the keys of
/// `pending`. `by_time`, where it exists, has those of the consumers.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Up to where entries have been delivered.
    pub last_id: Id,
    /// How many entries that is since the stream began; `None` where it cannot be known.
    pub entries_read: Option<u64>,
    pending: BTreeMap<Id, Nack>,
    names: BTreeMap<Box<[u8]>, u32>,
    /// By number, which names and deliveries refer to; removed ones leave a hole.
    consumers: Vec<Option<Consumer>>,
    name_bytes: usize,
    released: Released,
    /// Deliveries by their time, from the first claim of idle ones on.
    by_time: Option<BTreeSet<(u64, Id)>>,
}

impl Group {
    pub(super) fn new(last_id: Id, entries_read: Option<u64>) -> Self {
        Self { last_id, entries_read, ..Self::default() }
    }

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        // Every name has a consumer.
        self.names.values().map(|&number| self.by_number(number))
    }

    /// A consumer.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(self.number(name)? as usize)?.as_ref()
    }

    /// A consumer, to note when it was seen.
    pub fn consumer_mut(&mut self, name: &[u8]) -> Option<&mut Consumer> {
        let number = self.number(name)?;
        self.consumers.get_mut(number as usize)?.as_mut()
    }

    /// Makes a consumer; false if there is one of this name.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: u64) -> bool {
        let new = !self.names.contains_key(name);
        self.ensure(name, now_ms);
        new
    }

    /// Removes a consumer with what it has pending, and gives the number of that.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let number = self.names.remove(name)?;
        let consumer = self.consumers.get_mut(number as usize)?.take()?;
        self.name_bytes -= 2 * name.len();
        for id in &consumer.pending {
            if let Some(nack) = self.pending.remove(id) {
                self.forget_time(*id, nack);
            }
        }
        Some(consumer.pending.len())
    }

    /// Number of deliveries that have not been acknowledged.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The lowest ID that has not been acknowledged.
    pub fn first_pending(&self) -> Option<Id> {
        self.pending.keys().next().copied()
    }

    /// The highest ID that has not been acknowledged.
    pub fn last_pending(&self) -> Option<Id> {
        self.pending.keys().next_back().copied()
    }

    /// The delivery of an entry, with the name of its consumer, which is empty when it was given back.
    pub fn nack(&self, id: Id) -> Option<(Nack, &[u8])> {
        let nack = *self.pending.get(&id)?;
        Some((nack, self.owner(nack)))
    }

    /// The unacknowledged deliveries between two IDs, upwards, with their consumers' names.
    pub fn pending(&self, start: Id, end: Id) -> impl Iterator<Item = (Id, Nack, &[u8])> {
        let range = if start <= end {
            self.pending.range(start..=end)
        } else {
            self.pending.range(..Id::MIN)
        };
        range.map(|(&id, &nack)| (id, nack, self.owner(nack)))
    }

    /// The same for one consumer.
    pub fn pending_of<'a>(
        &'a self,
        consumer: &'a Consumer,
        start: Id,
        end: Id,
    ) -> impl Iterator<Item = (Id, Nack, &'a [u8])> {
        let range = (start <= end).then(|| consumer.pending.range(start..=end));
        range.into_iter().flatten().filter_map(|&id| {
            let nack = *self.pending.get(&id)?;
            Some((id, nack, consumer.name()))
        })
    }

    /// The deliveries that were given back, in the order of that.
    pub fn released(&self) -> impl ExactSizeIterator<Item = Id> {
        self.released.iter()
    }

    /// Acknowledges a delivery; whether there was one.
    pub fn ack(&mut self, id: Id) -> bool {
        let Some(nack) = self.pending.remove(&id) else { return false };
        self.unlink(id, nack);
        true
    }

    /// Notes that a consumer, made if it is not there, holds an entry. Whoever held it before does no longer.
    pub fn assign(&mut self, id: Id, consumer: &[u8], delivered_ms: u64, count: u64) {
        let number = self.ensure(consumer, delivered_ms);
        let nack = Nack { delivered_ms, count: count.min(COUNT_MAX), consumer: number };
        match self.pending.insert(id, nack) {
            Some(old) if old.consumer == number => self.forget_time(id, old),
            Some(old) => self.unlink(id, old),
            None => {}
        }
        if let Some(Some(consumer)) = self.consumers.get_mut(number as usize) {
            consumer.pending.insert(id);
        }
        self.note_time(id, delivered_ms);
    }

    /// Notes that nobody holds a delivery any longer, which is behind those that were given back before, and
    /// how often it has been delivered. An entry that nobody held becomes pending.
    pub fn release(&mut self, id: Id, count: u64) {
        let nack = Nack { delivered_ms: 0, count: count.min(COUNT_MAX), consumer: NOBODY };
        if let Some(old) = self.pending.insert(id, nack) {
            self.unlink(id, old);
        }
        self.released.push(id);
    }

    /// Bytes of heap memory, the maps' nodes counted at the fill that they usually have.
    pub fn heap_bytes(&self) -> usize {
        const FILL: f64 = 0.7;
        let per_pending = size_of::<(Id, Nack)>() + size_of::<Id>();
        let per_name = size_of::<(Box<[u8]>, u32)>();
        let maps = self.pending.len() * per_pending + self.names.len() * per_name;
        let times = self.by_time.as_ref().map_or(0, |times| times.len() * size_of::<(u64, Id)>());
        ((maps + times) as f64 / FILL) as usize
            + self.released.heap_bytes()
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
            + self.name_bytes
    }

    pub(super) fn first_pending_from(&self, start: Id) -> Option<(Id, Nack)> {
        self.pending.range(start..).next().map(|(&id, &nack)| (id, nack))
    }

    /// Marks a delivery as repeated at a time.
    pub(super) fn redeliver(&mut self, id: Id, now_ms: u64) {
        if let Some(nack) = self.pending.get_mut(&id) {
            let old = *nack;
            nack.delivered_ms = now_ms;
            nack.count = nack.count.saturating_add(1).min(COUNT_MAX);
            self.forget_time(id, old);
            self.note_time(id, now_ms);
        }
    }

    /// The delivery that was given back first.
    pub(super) fn first_released(&self) -> Option<Id> {
        self.released.iter().next()
    }

    /// The deliveries that consumers hold by their time. They are indexed at the first call, and that is
    /// kept up from then on.
    pub(super) fn by_time(&mut self) -> &mut BTreeSet<(u64, Id)> {
        let Self { by_time, pending, .. } = self;
        by_time.get_or_insert_with(|| {
            let held = pending.iter().filter(|(_, nack)| !nack.is_released());
            held.map(|(&id, nack)| (nack.delivered_ms, id)).collect()
        })
    }

    fn note_time(&mut self, id: Id, delivered_ms: u64) {
        if let Some(times) = &mut self.by_time {
            times.insert((delivered_ms, id));
        }
    }

    fn forget_time(&mut self, id: Id, nack: Nack) {
        if let Some(times) = &mut self.by_time {
            times.remove(&(nack.delivered_ms, id));
        }
    }

    /// Takes a delivery from whoever held it.
    fn unlink(&mut self, id: Id, nack: Nack) {
        if nack.is_released() {
            self.released.remove(id);
            return;
        }
        self.forget_time(id, nack);
        if let Some(Some(consumer)) = self.consumers.get_mut(nack.consumer as usize) {
            consumer.pending.remove(&id);
        }
    }

    /// The name of whoever holds a delivery.
    fn owner(&self, nack: Nack) -> &[u8] {
        if nack.is_released() { b"" } else { self.by_number(nack.consumer).name() }
    }

    fn number(&self, name: &[u8]) -> Option<u32> {
        self.names.get(name).copied()
    }

    fn ensure(&mut self, name: &[u8], now_ms: u64) -> u32 {
        if let Some(number) = self.number(name) {
            return number;
        }
        let consumer = Consumer {
            name: name.into(),
            seen_ms: now_ms,
            active_ms: None,
            pending: BTreeSet::new(),
        };
        let holes = self.names.len() < self.consumers.len();
        let hole = holes.then(|| self.consumers.iter().position(Option::is_none)).flatten();
        let number = hole.unwrap_or(self.consumers.len());
        match self.consumers.get_mut(number) {
            Some(hole) => *hole = Some(consumer),
            None => self.consumers.push(Some(consumer)),
        }
        self.name_bytes += 2 * name.len();
        self.names.insert(name.into(), number as u32);
        number as u32
    }

    fn by_number(&self, number: u32) -> &Consumer {
        self.consumers[number as usize].as_ref().expect("names and deliveries refer to consumers")
    }
}
