//! Giving clients what they are told apart from replies: subscribers their messages, those who cache the
//! invalidations.

use std::collections::HashMap;
use std::sync::Arc;

use command::clients::Kill;
use command::{Close, Services};
use config::Config;
use observe::Counters;
use pubsub::Delivery;
use resp::{Protocol, Writer};
use tracking::Invalidation;

use super::{Worker, touch};
use crate::buffers::Buffers;
use crate::connection::Connection;
use crate::cron::above_output_limit;
use crate::mailbox::{Inbox, Message};
use crate::source::{Socket, Source, Token};

/// Output above which a connection is flushed in the middle of a turn, and its limit looked at.
pub(super) const FLUSH_EARLY: usize = 256 * 1024;

/// The part of a worker that reaches all connections while one of them runs a command.
pub(super) struct Hall<'a, S> {
    pub connections: &'a mut [Option<Box<Connection<S>>>],
    pub touched: &'a mut Vec<Token>,
    pub buffers: &'a mut Buffers,
    pub services: &'a Services,
    pub config: &'a Config,
    pub counters: &'a Counters,
    pub now_ms: i64,
    /// Where the connection of a client is, by the client's id.
    pub tokens: &'a HashMap<u64, Token>,
    /// Invalidations that are delivered behind the letters.
    pub postponed: &'a mut Vec<Message>,
}

/// Messages in a row for the same subscribers.
struct Run<'a> {
    first: &'a Delivery,
    messages: &'a [Message],
    resp2: Vec<u8>,
    resp3: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(first: &'a Delivery, messages: &'a [Message]) -> Self {
        Self { first, messages, resp2: Vec::new(), resp3: Vec::new() }
    }

    fn deliveries(messages: &[Message]) -> impl Iterator<Item = &Delivery> {
        messages.iter().filter_map(|message| match message {
            Message::Published(delivery) => Some(delivery),
            Message::Invalidated(_) => None,
        })
    }

    fn bytes(&mut self, protocol: Protocol) -> &[u8] {
        match (protocol, self.messages) {
            (Protocol::Resp2, [_]) => &self.first.bytes,
            (Protocol::Resp2, several) => {
                if self.resp2.is_empty() {
                    for one in Self::deliveries(several) {
                        self.resp2.extend_from_slice(&one.bytes);
                    }
                }
                &self.resp2
            }
            (Protocol::Resp3, several) => {
                if self.resp3.is_empty() {
                    for one in Self::deliveries(several) {
                        self.resp3.push(Delivery::RESP3_MARK);
                        self.resp3.extend_from_slice(one.bytes.get(1..).unwrap_or_default());
                    }
                }
                &self.resp3
            }
        }
    }
}

impl<S: Socket> Hall<'_, S> {
    /// The connection, if it may run a command now.
    pub fn admit(&mut self, token: Token) -> Option<&mut Connection<S>> {
        let connection = self.connections.get_mut(token)?.as_mut()?;
        if connection.session.client.killed() == Kill::Now {
            connection.session.close = Close::Now;
        }
        if !connection.may_run() {
            return None;
        }
        if connection.output.capacity() == 0 {
            connection.output = self.buffers.take();
        }
        Some(connection)
    }

    /// Whether there may be messages for the client: it has subscriptions, has just ended them, or caches.
    pub fn hears_messages(&self, token: Token) -> bool {
        let Some(Some(connection)) = self.connections.get(token) else { return false };
        let session = &connection.session;
        session.unsubscribed
            || session.client.figures.is_subscriber()
            || session.client.tracker().is_some()
    }

    /// Notes that no message is under way any more that came before the end of a subscription.
    pub fn forget_unsubscribed(&mut self, token: Token) {
        if let Some(Some(connection)) = self.connections.get_mut(token) {
            connection.session.unsubscribed = false;
        }
    }

    /// Lets a connection's replies wait until everything up to a number of the log is durable.
    pub fn wait_for(&mut self, token: Token, seq: u64) {
        if let Some(Some(connection)) = self.connections.get_mut(token) {
            connection.durable_from = seq;
        }
    }

    /// Sends what a connection has to be sent, and gives it up if too much remains.
    pub fn relieve(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if connection.durable_from > self.services.log.durable() {
            return;
        }
        let alive = !above_output_limit(connection, self.config, self.now_ms, self.counters)
            && connection.send(self.buffers, self.counters, self.now_ms)
            && !above_output_limit(connection, self.config, self.now_ms, self.counters);
        if !alive {
            connection.session.close = Close::Now;
        }
    }

    /// Delivers the messages that wait. `scratch` is empty, and stays so.
    pub fn deliver_waiting(&mut self, inbox: &Inbox<S>, scratch: &mut Vec<Message>) {
        inbox.take_messages(scratch);
        self.deliver(scratch, false);
        scratch.clear();
    }

    /// Delivers messages in their order: those for the same subscribers together, and without a copy when
    /// there are no others. `behind_letters` says whether all letters that came before have been read.
    pub fn deliver(&mut self, messages: &[Message], behind_letters: bool) {
        let same = |one: &Message, next: &Message| match (one, next) {
            (Message::Published(one), Message::Published(next)) => {
                Arc::ptr_eq(&one.members, &next.members)
            }
            _ => false,
        };
        for run in messages.chunk_by(same) {
            match run.first() {
                Some(Message::Published(first)) => {
                    self.publish(Run::new(first, run), run.len() == messages.len());
                }
                Some(Message::Invalidated(one)) => self.invalidate(one, behind_letters),
                None => {}
            }
        }
    }

    /// Tells clients what to forget. One that waits may already be served by a letter, whose reply comes
    /// first.
    fn invalidate(&mut self, invalidation: &Invalidation, behind_letters: bool) {
        for receiver in &invalidation.to {
            let Some(&token) = self.tokens.get(&receiver.client) else { continue };
            let Some(Some(connection)) = self.connections.get_mut(token) else { continue };
            if connection.session.close != Close::No {
                continue;
            }
            if connection.parked.is_some() && !behind_letters {
                let one = Invalidation { what: invalidation.what.clone(), to: vec![*receiver] };
                self.postponed.push(Message::Invalidated(one));
                continue;
            }
            connection.keep(&[], self.buffers);
            let is_subscriber = connection.session.client.figures.is_subscriber();
            let mut writer = Writer::new(&mut connection.output, connection.session.protocol);
            invalidation.what.write(&mut writer, receiver.redirected, is_subscriber);
            touch(self.touched, token, connection);
            if connection.unsent() > FLUSH_EARLY {
                self.relieve(token);
            }
        }
    }

    fn publish(&mut self, mut run: Run<'_>, at_once: bool) {
        let first = run.first;
        for member in first.members.iter() {
            let Some(Some(connection)) = self.connections.get_mut(member.place) else { continue };
            if connection.client != member.client || connection.session.close != Close::No {
                continue;
            }
            // Nothing comes behind the answer to UNSUBSCRIBE or RESET.
            if connection.session.unsubscribed
                && !self.services.pubsub.is_subscribed(first.kind, &first.topic, member.client)
            {
                continue;
            }
            let bytes = run.bytes(connection.session.protocol);
            let mut alive = true;
            if at_once {
                alive = connection.send_now(bytes, self.buffers, self.counters, self.now_ms);
            } else {
                connection.keep(bytes, self.buffers);
            }
            if !alive {
                connection.session.close = Close::Now;
            }
            let unsent = connection.unsent();
            if !alive || connection.has_unsent() {
                touch(self.touched, member.place, connection);
            }
            if unsent > FLUSH_EARLY {
                self.relieve(member.place);
            }
        }
    }
}

impl<S: Source> Worker<S> {
    /// What the delivery of messages needs of this worker.
    pub(super) fn hall(&mut self) -> Hall<'_, S::Stream> {
        Hall {
            connections: &mut self.connections,
            touched: &mut self.touched,
            buffers: &mut self.buffers,
            services: &self.services,
            config: &self.config,
            counters: &self.counters,
            now_ms: self.epoch_us / 1000,
            tokens: &self.tokens,
            postponed: &mut self.postponed,
        }
    }

    /// Gives messages to those whom they are for; the letters have been read.
    pub(super) fn deliver(&mut self, messages: &[Message]) {
        self.hall().deliver(messages, true);
    }
}
