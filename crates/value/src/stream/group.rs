//! Consumer groups: who reads, what was delivered and not acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use super::id::Id;

/// A delivery that has not been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack {
    /// Milliseconds since the epoch.
    pub delivered_ms: u64,
    /// How often it was delivered.
    pub count: u64,
    consumer: u32,
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
/// Invariant: the pending IDs of the consumers are disjoint, and together the keys of `pending`.
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
            self.pending.remove(id);
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

    /// The delivery of an entry, with the name of its consumer.
    pub fn nack(&self, id: Id) -> Option<(Nack, &[u8])> {
        let nack = *self.pending.get(&id)?;
        Some((nack, self.by_number(nack.consumer).name()))
    }

    /// The unacknowledged deliveries between two IDs, upwards, with their consumers' names.
    pub fn pending(&self, start: Id, end: Id) -> impl Iterator<Item = (Id, Nack, &[u8])> {
        let range = if start <= end {
            self.pending.range(start..=end)
        } else {
            self.pending.range(..Id::MIN)
        };
        range.map(|(&id, &nack)| (id, nack, self.by_number(nack.consumer).name()))
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

    /// Acknowledges a delivery; whether there was one.
    pub fn ack(&mut self, id: Id) -> bool {
        let Some(nack) = self.pending.remove(&id) else { return false };
        if let Some(Some(consumer)) = self.consumers.get_mut(nack.consumer as usize) {
            consumer.pending.remove(&id);
        }
        true
    }

    /// Notes that a consumer, made if it is not there, holds an entry. Whoever held it before does no longer.
    pub fn assign(&mut self, id: Id, consumer: &[u8], delivered_ms: u64, count: u64) {
        let number = self.ensure(consumer, delivered_ms);
        let nack = Nack { delivered_ms, count, consumer: number };
        if let Some(old) = self.pending.insert(id, nack)
            && old.consumer != number
            && let Some(Some(old)) = self.consumers.get_mut(old.consumer as usize)
        {
            old.pending.remove(&id);
        }
        if let Some(Some(consumer)) = self.consumers.get_mut(number as usize) {
            consumer.pending.insert(id);
        }
    }

    /// Bytes of heap memory, the maps' nodes counted at the fill that they usually have.
    pub fn heap_bytes(&self) -> usize {
        const FILL: f64 = 0.7;
        let per_pending = size_of::<(Id, Nack)>() + size_of::<Id>();
        let per_name = size_of::<(Box<[u8]>, u32)>();
        let maps = self.pending.len() * per_pending + self.names.len() * per_name;
        (maps as f64 / FILL) as usize
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
            + self.name_bytes
    }

    pub(super) fn first_pending_from(&self, start: Id) -> Option<(Id, Nack)> {
        self.pending.range(start..).next().map(|(&id, &nack)| (id, nack))
    }

    /// Marks a delivery as repeated at a time.
    pub(super) fn redeliver(&mut self, id: Id, now_ms: u64) {
        if let Some(nack) = self.pending.get_mut(&id) {
            nack.delivered_ms = now_ms;
            nack.count += 1;
        }
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
