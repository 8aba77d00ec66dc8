//! What producers have sent, so that what they send again is not added again (Redis 8.6).
//!
//! A producer names itself and its messages. For each producer the last messages are remembered with the IDs of
//! their entries, whose milliseconds say how old they are. What is too old counts as forgotten at once; its memory
//! is given back when the producer sends something again, or a few producers at a time when others do.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::id::Id;

/// How many other producers are looked at for what is too old when one sends something: more than one, so that
/// they are gone through faster than new ones come.
const SWEPT: usize = 2;

/// How long messages are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Seconds.
    pub duration_s: u64,
    /// Most messages of one producer.
    pub messages: usize,
}

/// What a stream remembers of its producers.
#[derive(Clone, Debug)]
pub struct Idempotence {
    retention: Retention,
    producers: BTreeMap<Box<[u8]>, Producer>,
    /// The producer that was looked at last for what is too old.
    swept: Box<[u8]>,
    /// Messages held in all, too old ones included.
    held: usize,
    /// Bytes of their names and of those of the producers.
    name_bytes: usize,
    /// How many messages were ever added with a name.
    pub added: u64,
    /// How many were not, since they had been before.
    pub duplicates: u64,
}

#[derive(Clone, Debug, Default)]
struct Producer {
    messages: BTreeMap<Arc<[u8]>, Id>,
    /// As they came.
    order: VecDeque<Arc<[u8]>>,
}

impl Idempotence {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            retention,
            producers: BTreeMap::new(),
            swept: Box::default(),
            held: 0,
            name_bytes: 0,
            added: 0,
            duplicates: 0,
        }
    }

    /// How long messages are remembered.
    pub fn retention(&self) -> Retention {
        self.retention
    }

    /// Remembers messages for another time; what is remembered so far is forgotten, unless that is no change.
    pub fn set_retention(&mut self, retention: Retention) {
        if self.retention != retention {
            self.retention = retention;
            self.producers.clear();
            (self.held, self.name_bytes) = (0, 0);
        }
    }

    /// The entry of a producer's message, if it is remembered.
    pub fn find(&self, producer: &[u8], message: &[u8], now_ms: u64) -> Option<Id> {
        let id = *self.producers.get(producer)?.messages.get(message)?;
        Some(id).filter(|&id| !is_over(id, self.retention, now_ms))
    }

    /// Remembers the entry of a producer's message, in the place of what was remembered of that message.
    pub fn record(&mut self, producer: &[u8], message: &[u8], id: Id, now_ms: u64) {
        self.sweep(now_ms);
        self.forget(producer, now_ms, self.retention.messages.saturating_sub(1));
        if !self.producers.contains_key(producer) {
            self.name_bytes += producer.len();
        }
        let one = self.producers.entry(producer.into()).or_default();
        if let Some(known) = one.messages.get_mut(message) {
            *known = id;
            return;
        }
        let name: Arc<[u8]> = message.into();
        one.order.push_back(Arc::clone(&name));
        one.messages.insert(name, id);
        self.held += 1;
        self.name_bytes += message.len();
    }

    /// The producers of which something is remembered, with the names and entries of their messages as they
    /// came.
    pub fn producers(
        &self,
        now_ms: u64,
    ) -> impl Iterator<Item = (&[u8], impl Iterator<Item = (&[u8], Id)>)> {
        let all = self.producers.iter();
        all.map(move |(name, one)| (&**name, one.alive(self.retention, now_ms))).filter(
            move |(name, _)| {
                let one = self.producers.get(*name);
                one.is_some_and(|one| one.alive(self.retention, now_ms).next().is_some())
            },
        )
    }

    /// How many messages are held, those included that are too old.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Bytes of heap memory, the maps' nodes counted at the fill that they usually have.
    pub fn heap_bytes(&self) -> usize {
        let message = size_of::<(Arc<[u8]>, Id)>() * 10 / 7 + size_of::<Arc<[u8]>>() + 16;
        let producer = size_of::<(Box<[u8]>, Producer)>() * 10 / 7;
        size_of::<Self>() + self.name_bytes + self.held * message + self.producers.len() * producer
    }

    /// Frees a few producers of what is too old.
    fn sweep(&mut self, now_ms: u64) {
        for _ in 0..SWEPT.min(self.producers.len()) {
            let after = (Bound::Excluded(&*self.swept), Bound::Unbounded);
            let next = self.producers.range::<[u8], _>(after).next();
            let next = next.or_else(|| self.producers.first_key_value());
            let Some(name) = next.map(|(name, _)| name.clone()) else { return };
            self.forget(&name, now_ms, usize::MAX);
            self.swept = name;
        }
    }

    /// Forgets of a producer what is too old, and the first of what is more than `most`.
    fn forget(&mut self, producer: &[u8], now_ms: u64, most: usize) {
        let Some(one) = self.producers.get_mut(producer) else { return };
        while let Some(first) = one.order.front()
            && (one.order.len() > most
                || one.messages.get(first).is_none_or(|&id| is_over(id, self.retention, now_ms)))
        {
            self.name_bytes -= first.len();
            self.held -= 1;
            one.messages.remove(&**first);
            one.order.pop_front();
        }
        if one.order.is_empty() {
            self.producers.remove(producer);
            self.name_bytes -= producer.len();
        }
    }
}

impl Producer {
    fn alive(&self, retention: Retention, now_ms: u64) -> impl Iterator<Item = (&[u8], Id)> {
        let all = self.order.iter().filter_map(|name| Some((&**name, *self.messages.get(name)?)));
        all.filter(move |(_, id)| !is_over(*id, retention, now_ms))
    }
}

fn is_over(id: Id, retention: Retention, now_ms: u64) -> bool {
    now_ms.saturating_sub(id.ms) >= retention.duration_s.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Messages = Vec<(Vec<u8>, Id)>;

    fn tracked(all: &Idempotence, now_ms: u64) -> Vec<(Vec<u8>, Messages)> {
        let lists = all.producers(now_ms).map(|(name, messages)| {
            (name.to_vec(), messages.map(|(message, id)| (message.to_vec(), id)).collect())
        });
        lists.collect()
    }

    proptest! {
        #[test]
        fn remembers_the_last_messages_of_each_producer_for_their_time(
            messages in 1usize..5,
            ops in prop::collection::vec((0u8..4, 0u8..8, 0u64..700), 1..200),
        ) {
            let retention = Retention { duration_s: 2, messages };
            let mut all = Idempotence::new(retention);
            let mut model: BTreeMap<u8, Vec<(u8, Id)>> = BTreeMap::new();
            let (mut now_ms, mut seq) = (10_000, 0);
            for (producer, message, pause) in ops {
                now_ms += pause;
                seq += 1;
                for list in model.values_mut() {
                    list.retain(|(_, id)| now_ms - id.ms < 2000);
                }
                let list = model.entry(producer).or_default();
                let known = list.iter().find(|(name, _)| *name == message).map(|(_, id)| *id);
                prop_assert_eq!(all.find(&[producer], &[message], now_ms), known);
                if known.is_none() {
                    let id = Id::new(now_ms, seq);
                    all.record(&[producer], &[message], id, now_ms);
                    list.push((message, id));
                    list.drain(..list.len().saturating_sub(messages));
                }
                let expected: Vec<_> = model
                    .iter()
                    .filter(|(_, list)| !list.is_empty())
                    .map(|(name, list)| {
                        let list = list.iter().map(|(message, id)| (vec![*message], *id));
                        (vec![*name], list.collect::<Vec<_>>())
                    })
                    .collect();
                prop_assert_eq!(tracked(&all, now_ms), expected);
                let held: usize = all.producers.values().map(|one| one.order.len()).sum();
                prop_assert_eq!(all.held(), held);
                let names = all.producers.iter().map(|(name, one)| {
                    name.len() + one.order.iter().map(|name| name.len()).sum::<usize>()
                });
                prop_assert_eq!(all.name_bytes, names.sum::<usize>());
            }
        }
    }

    #[test]
    fn silent_producers_are_forgotten_while_others_send() {
        let mut all = Idempotence::new(Retention { duration_s: 1, messages: 10 });
        for producer in 0..1000u32 {
            all.record(&producer.to_be_bytes(), b"m", Id::new(1, 0), 1);
        }
        for round in 0..600u64 {
            all.record(b"busy", &round.to_be_bytes(), Id::new(5000, round), 5000);
        }
        assert_eq!((all.producers.len(), all.held()), (1, 10));
    }

    #[test]
    fn another_retention_forgets_everything() {
        let retention = Retention { duration_s: 1, messages: 10 };
        let mut all = Idempotence::new(retention);
        all.record(b"p", b"m", Id::new(1, 0), 1);
        all.set_retention(retention);
        assert_eq!(all.find(b"p", b"m", 1), Some(Id::new(1, 0)));
        all.set_retention(Retention { messages: 11, ..retention });
        assert_eq!((all.find(b"p", b"m", 1), all.heap_bytes()), (None, size_of::<Idempotence>()));
    }
}
