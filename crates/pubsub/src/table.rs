//! The tables: topics with their subscribers, clients with their topics.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use codec::glob;

use crate::message;
use crate::{Counts, Delivery, Kind, Member, Post, Subscriber};

/// All tables. Every topic in them has a subscriber, and every client a topic.
#[derive(Default)]
pub struct State {
    channels: HashMap<Arc<[u8]>, Audience>,
    /// In a fixed order, so that the messages of one publication always come in the same.
    patterns: BTreeMap<Arc<[u8]>, Audience>,
    shard_channels: HashMap<Arc<[u8]>, Audience>,
    clients: HashMap<u64, Interests>,
    workers: Vec<Option<Arc<dyn Post>>>,
}

/// The subscribers of one topic.
#[derive(Default)]
struct Audience {
    groups: Vec<Group>,
}

/// Those of one worker; never empty. A message on its way shares the list.
struct Group {
    worker: usize,
    members: Arc<Vec<Member>>,
}

/// What one client is subscribed to.
struct Interests {
    worker: usize,
    channels: BTreeSet<Arc<[u8]>>,
    /// Few, and listed in the order in which they came.
    patterns: Vec<Arc<[u8]>>,
    shard_channels: BTreeSet<Arc<[u8]>>,
}

impl Interests {
    fn new(worker: usize) -> Self {
        Self {
            worker,
            channels: BTreeSet::new(),
            patterns: Vec::new(),
            shard_channels: BTreeSet::new(),
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            channels: self.channels.len(),
            patterns: self.patterns.len(),
            shard_channels: self.shard_channels.len(),
        }
    }

    fn contains(&self, kind: Kind, topic: &[u8]) -> bool {
        match kind {
            Kind::Channel => self.channels.contains(topic),
            Kind::Pattern => self.patterns.iter().any(|one| **one == *topic),
            Kind::ShardChannel => self.shard_channels.contains(topic),
        }
    }

    fn add(&mut self, kind: Kind, topic: Arc<[u8]>) {
        match kind {
            Kind::Channel => drop(self.channels.insert(topic)),
            Kind::Pattern => self.patterns.push(topic),
            Kind::ShardChannel => drop(self.shard_channels.insert(topic)),
        }
    }

    fn remove(&mut self, kind: Kind, topic: &[u8]) {
        match kind {
            Kind::Channel => drop(self.channels.remove(topic)),
            Kind::Pattern => self.patterns.retain(|one| **one != *topic),
            Kind::ShardChannel => drop(self.shard_channels.remove(topic)),
        }
    }

    fn list(&self, kind: Kind) -> Vec<Arc<[u8]>> {
        match kind {
            Kind::Channel => self.channels.iter().cloned().collect(),
            Kind::Pattern => self.patterns.clone(),
            Kind::ShardChannel => self.shard_channels.iter().cloned().collect(),
        }
    }
}

impl Audience {
    fn add(&mut self, who: Subscriber) {
        let member = Member { place: who.place, client: who.client };
        match self.groups.iter_mut().find(|group| group.worker == who.worker) {
            Some(group) => Arc::make_mut(&mut group.members).push(member),
            None => {
                self.groups.push(Group { worker: who.worker, members: Arc::new(vec![member]) });
            }
        }
    }

    fn remove(&mut self, worker: usize, client: u64) {
        let Some(at) = self.groups.iter().position(|group| group.worker == worker) else { return };
        let Some(group) = self.groups.get_mut(at) else { return };
        if let Some(place) = group.members.iter().position(|member| member.client == client) {
            Arc::make_mut(&mut group.members).swap_remove(place);
        }
        if group.members.is_empty() {
            self.groups.swap_remove(at);
        }
    }

    fn len(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    /// Hands a message to the workers of all subscribers, and returns how many these are.
    fn send(
        &self,
        workers: &[Option<Arc<dyn Post>>],
        kind: Kind,
        topic: &Arc<[u8]>,
        bytes: &Arc<[u8]>,
    ) -> usize {
        for group in &self.groups {
            if let Some(Some(worker)) = workers.get(group.worker) {
                worker.deliver(Delivery {
                    kind,
                    topic: Arc::clone(topic),
                    members: Arc::clone(&group.members),
                    bytes: Arc::clone(bytes),
                });
            }
        }
        self.len()
    }
}

impl State {
    pub fn join(&mut self, worker: usize, post: Arc<dyn Post>) {
        if self.workers.len() <= worker {
            self.workers.resize_with(worker + 1, || None);
        }
        if let Some(place) = self.workers.get_mut(worker) {
            *place = Some(post);
        }
    }

    pub fn subscribe(&mut self, kind: Kind, topic: &[u8], who: Subscriber) -> Counts {
        let interests =
            self.clients.entry(who.client).or_insert_with(|| Interests::new(who.worker));
        if interests.contains(kind, topic) {
            return interests.counts();
        }
        let known = match kind {
            Kind::Channel => self.channels.get_key_value(topic).map(|(name, _)| name),
            Kind::Pattern => self.patterns.get_key_value(topic).map(|(name, _)| name),
            Kind::ShardChannel => self.shard_channels.get_key_value(topic).map(|(name, _)| name),
        };
        let topic: Arc<[u8]> = known.cloned().unwrap_or_else(|| topic.into());
        interests.add(kind, Arc::clone(&topic));
        let audience = match kind {
            Kind::Channel => self.channels.entry(topic).or_default(),
            Kind::Pattern => self.patterns.entry(topic).or_default(),
            Kind::ShardChannel => self.shard_channels.entry(topic).or_default(),
        };
        audience.add(who);
        interests.counts()
    }

    pub fn unsubscribe(&mut self, kind: Kind, topic: &[u8], client: u64) -> Counts {
        let Some(interests) = self.clients.get_mut(&client) else { return Counts::default() };
        if !interests.contains(kind, topic) {
            return interests.counts();
        }
        interests.remove(kind, topic);
        let (worker, counts) = (interests.worker, interests.counts());
        if counts == Counts::default() {
            self.clients.remove(&client);
        }
        self.leave_topic(kind, topic, worker, client);
        counts
    }

    fn leave_topic(&mut self, kind: Kind, topic: &[u8], worker: usize, client: u64) {
        let audience = match kind {
            Kind::Channel => self.channels.get_mut(topic),
            Kind::Pattern => self.patterns.get_mut(topic),
            Kind::ShardChannel => self.shard_channels.get_mut(topic),
        };
        let Some(audience) = audience else { return };
        audience.remove(worker, client);
        if !audience.groups.is_empty() {
            return;
        }
        match kind {
            Kind::Channel => drop(self.channels.remove(topic)),
            Kind::Pattern => drop(self.patterns.remove(topic)),
            Kind::ShardChannel => drop(self.shard_channels.remove(topic)),
        }
    }

    pub fn leave(&mut self, client: u64) {
        let Some(interests) = self.clients.remove(&client) else { return };
        for kind in [Kind::Channel, Kind::Pattern, Kind::ShardChannel] {
            for topic in interests.list(kind) {
                self.leave_topic(kind, &topic, interests.worker, client);
            }
        }
    }

    pub fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let mut receivers = 0;
        if let Some((topic, audience)) = self.channels.get_key_value(channel) {
            let bytes = message::encode(Kind::Channel, channel, message);
            receivers += audience.send(&self.workers, Kind::Channel, topic, &bytes);
        }
        for (pattern, audience) in &self.patterns {
            if glob::matches(pattern, channel, false) {
                let bytes = message::encode_matched(pattern, channel, message);
                receivers += audience.send(&self.workers, Kind::Pattern, pattern, &bytes);
            }
        }
        receivers
    }

    pub fn publish_to_shard(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let Some((topic, audience)) = self.shard_channels.get_key_value(channel) else { return 0 };
        let bytes = message::encode(Kind::ShardChannel, channel, message);
        audience.send(&self.workers, Kind::ShardChannel, topic, &bytes)
    }

    pub fn topics_of(&self, kind: Kind, client: u64) -> Vec<Arc<[u8]>> {
        self.clients.get(&client).map(|interests| interests.list(kind)).unwrap_or_default()
    }

    pub fn is_subscribed(&self, kind: Kind, topic: &[u8], client: u64) -> bool {
        self.clients.get(&client).is_some_and(|interests| interests.contains(kind, topic))
    }

    pub fn topics(&self, kind: Kind) -> Vec<Arc<[u8]>> {
        match kind {
            Kind::Channel => self.channels.keys().cloned().collect(),
            Kind::Pattern => self.patterns.keys().cloned().collect(),
            Kind::ShardChannel => self.shard_channels.keys().cloned().collect(),
        }
    }

    pub fn len_of(&self, kind: Kind) -> usize {
        match kind {
            Kind::Channel => self.channels.len(),
            Kind::Pattern => self.patterns.len(),
            Kind::ShardChannel => self.shard_channels.len(),
        }
    }

    pub fn len(&self) -> usize {
        self.channels.len() + self.patterns.len() + self.shard_channels.len()
    }

    pub fn subscribers(&self, kind: Kind, topic: &[u8]) -> usize {
        let audience = match kind {
            Kind::Channel => self.channels.get(topic),
            Kind::Pattern => self.patterns.get(topic),
            Kind::ShardChannel => self.shard_channels.get(topic),
        };
        audience.map_or(0, Audience::len)
    }
}
