//! Publish/subscribe: who is subscribed to what, and whom a message reaches. No sockets.
//!
//! All tables are behind one lock, and a message is handed to the workers of its receivers while it is
//! held. So everybody sees all messages in one order, whatever the channels and whoever published, as with
//! a single-threaded server; and a message that was published because of another comes after it.
//!
//! What a message costs here is one entry in the mail of each worker that has receivers: the message is
//! encoded once, and the list of receivers is shared with the table, which copies it only when it has to
//! change before the message is delivered.
#![forbid(unsafe_code)]

mod message;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

pub use message::confirmation;
use table::State;

/// The three name spaces that one can be subscribed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Channels (SUBSCRIBE).
    Channel,
    /// Patterns of channel names (PSUBSCRIBE).
    Pattern,
    /// Channels that belong to a slot of the cluster (SSUBSCRIBE).
    ShardChannel,
}

/// Where a subscriber is.
#[derive(Clone, Copy, Debug)]
pub struct Subscriber {
    /// The client's id.
    pub client: u64,
    /// The number of the client's worker.
    pub worker: usize,
    /// Where the worker keeps the client's connection.
    pub place: usize,
}

/// A subscriber as its worker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where the worker keeps the client's connection.
    pub place: usize,
    /// The client's id: the place may have been given to another one meanwhile.
    pub client: u64,
}

/// A message on its way to the subscribers of one topic that one worker has.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What kind of topic it is.
    pub kind: Kind,
    /// The channel or pattern.
    pub topic: Arc<[u8]>,
    /// Who was subscribed when the message was published.
    pub members: Arc<Vec<Member>>,
    /// The message in RESP2. In RESP3 only the first byte differs: it is [`Delivery::RESP3_MARK`].
    pub bytes: Arc<[u8]>,
}

impl Delivery {
    /// What a push begins with in RESP3.
    pub const RESP3_MARK: u8 = b'>';
}

/// Takes the messages for the connections of one worker, from any thread.
pub trait Post: Send + Sync {
    /// Leaves messages for the worker, in the order of the calls.
    fn deliver(&self, delivery: Delivery);
}

/// How much a client is subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Channels.
    pub channels: usize,
    /// Patterns.
    pub patterns: usize,
    /// Shard channels.
    pub shard_channels: usize,
}

impl Counts {
    /// The number that the confirmation of a change in `kind` tells.
    pub fn told(self, kind: Kind) -> usize {
        match kind {
            Kind::Channel | Kind::Pattern => self.channels + self.patterns,
            Kind::ShardChannel => self.shard_channels,
        }
    }
}

/// All subscriptions of a server.
#[derive(Default)]
pub struct PubSub {
    state: Mutex<State>,
    /// Topics that have subscribers: while there are none, publishing takes no lock.
    topics: AtomicUsize,
}

impl PubSub {
    /// Enters the mailbox of the worker with this number.
    pub fn join(&self, worker: usize, post: Arc<dyn Post>) {
        self.state.lock().join(worker, post);
    }

    /// Subscribes a client; returns what it is subscribed to now.
    pub fn subscribe(&self, kind: Kind, topic: &[u8], who: Subscriber) -> Counts {
        self.change(|state| state.subscribe(kind, topic, who))
    }

    /// Ends a subscription, if there is one; returns what the client is subscribed to now.
    pub fn unsubscribe(&self, kind: Kind, topic: &[u8], client: u64) -> Counts {
        self.change(|state| state.unsubscribe(kind, topic, client))
    }

    /// Ends all subscriptions of a client.
    pub fn leave(&self, client: u64) {
        self.change(|state| state.leave(client));
    }

    fn change<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = work(&mut state);
        self.topics.store(state.len(), Ordering::Release);
        result
    }

    /// Whether nobody is subscribed to anything.
    pub fn is_idle(&self) -> bool {
        self.topics.load(Ordering::Acquire) == 0
    }

    /// Sends a message to the subscribers of a channel and of the patterns that match it; returns how many
    /// those are.
    pub fn publish(&self, channel: &[u8], message: &[u8]) -> usize {
        if self.is_idle() { 0 } else { self.state.lock().publish(channel, message) }
    }

    /// Sends a message to the subscribers of a shard channel; returns how many those are.
    pub fn publish_to_shard(&self, channel: &[u8], message: &[u8]) -> usize {
        if self.is_idle() { 0 } else { self.state.lock().publish_to_shard(channel, message) }
    }

    /// What a client is subscribed to: patterns in the order in which it subscribed, channels in that of
    /// their names.
    pub fn topics_of(&self, kind: Kind, client: u64) -> Vec<Arc<[u8]>> {
        self.state.lock().topics_of(kind, client)
    }

    /// Whether a client is subscribed to this.
    pub fn is_subscribed(&self, kind: Kind, topic: &[u8], client: u64) -> bool {
        self.state.lock().is_subscribed(kind, topic, client)
    }

    /// Everything of one kind that has subscribers and that `pattern` matches.
    pub fn topics(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Arc<[u8]>> {
        let all = self.state.lock().topics(kind);
        let wanted = |topic: &Arc<[u8]>| {
            pattern.is_none_or(|pattern| codec::glob::matches(pattern, topic, false))
        };
        all.into_iter().filter(wanted).collect()
    }

    /// How much of one kind has subscribers.
    pub fn len(&self, kind: Kind) -> usize {
        self.state.lock().len_of(kind)
    }

    /// The number of subscribers.
    pub fn subscribers(&self, kind: Kind, topic: &[u8]) -> usize {
        self.state.lock().subscribers(kind, topic)
    }
}
