//! Giving clients what they are told apart from replies: subscribers their messages, those who cache the
//! invalidations.

use std::collections::HashMap;
use std::sync::Arc;

use command::clients::Kill;
use command::{Close, Services};
use config::Config;
use observe::Counters;
use pubsub::{Delivery, Member};
use resp::{Protocol, Writer};
use tracking::Invalidation;

use super::fanout::Fanout;
use super::{Worker, touch};
use crate::buffers::Buffers;
use crate::connection::Connection;
use crate::cron::above_output_limit;
use crate::mailbox::{Inbox, Message};
use crate::source::{Socket, Source, Token};

/// Output above which a connection is flushed in the middle of a turn, and its limit looked at.
const FLUSH_EARLY: usize = 256 * 1024;

/// Output above which it is known at once how much memory the connection takes.
pub(super) const REPORT_EARLY: usize = 16 * 1024;

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
    /// Messages under way to a large audience.
    pub fanout: &'a mut Fanout,
}

/// Messages in a row for the same subscribers.
struct Run<'a, I> {
    first: &'a Delivery,
    messages: I,
    is_single: bool,
    resp2: Vec<u8>,
    resp3: Vec<u8>,
}

impl<'a, I: Iterator<Item = &'a Delivery> + Clone> Run<'a, I> {
    fn new(messages: I) -> Option<Self> {
        let mut rest = messages.clone();
        let first = rest.next()?;
        let is_single = rest.next().is_none();
        Some(Self { first, messages, is_single, resp2: Vec::new(), resp3: Vec::new() })
    }

    fn bytes(&mut self, protocol: Protocol) -> &[u8] {
        match protocol {
            Protocol::Resp2 if self.is_single => &self.first.bytes,
            Protocol::Resp2 => {
                if self.resp2.is_empty() {
                    for one in self.messages.clone() {
                        self.resp2.extend_from_slice(&one.bytes);
                    }
                }
                &self.resp2
            }
            Protocol::Resp3 => {
                if self.resp3.is_empty() {
                    for one in self.messages.clone() {
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

    /// Delivers the messages that wait, and those under way, if the client may be among their receivers: it has
    /// subscriptions, has just ended them, or caches. `scratch` is empty, and stays so.
    #[inline]
    pub fn deliver_before(&mut self, token: Token, inbox: &Inbox<S>, scratch: &mut Vec<Message>) {
        if !inbox.has_messages() && self.fanout.is_empty() {
            return;
        }
        let Some(Some(connection)) = self.connections.get(token) else { return };
        let session = &connection.session;
        if session.unsubscribed
            || session.client.figures.is_subscriber()
            || session.client.tracker().is_some()
        {
            inbox.take_messages(scratch);
            self.deliver(scratch, false);
            scratch.clear();
            self.finish_fanout();
        }
    }

    /// The same behind a command's reply. Behind the end of a subscription no message is under way any more that
    /// came before.
    #[inline]
    pub fn deliver_behind(
        &mut self,
        token: Token,
        unsubscribed: bool,
        inbox: &Inbox<S>,
        scratch: &mut Vec<Message>,
    ) {
        self.deliver_before(token, inbox, scratch);
        if unsubscribed && let Some(Some(connection)) = self.connections.get_mut(token) {
            connection.session.unsubscribed = false;
        }
    }

    /// Lets a connection's replies wait until everything up to a number of the log is durable.
    pub fn wait_for(&mut self, token: Token, seq: u64) {
        if let Some(Some(connection)) = self.connections.get_mut(token) {
            connection.durable_from = seq;
        }
    }

    /// Takes notice of what a command has added to a connection's output, and sends it if that may be and it is much.
    #[cold]
    pub fn note_large(&mut self, token: Token, may_send: bool) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.report(self.counters);
        if may_send && connection.unsent() > FLUSH_EARLY {
            self.relieve(token);
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

    /// Delivers messages in their order, or has them under way: those for the same subscribers together, and
    /// without a copy when there are no others. `behind_letters` says whether all letters that came before
    /// have been read.
    pub fn deliver(&mut self, messages: &[Message], behind_letters: bool) {
        let same = |one: &Message, next: &Message| match (one, next) {
            (Message::Published(one), Message::Published(next)) => {
                Arc::ptr_eq(&one.members, &next.members)
            }
            _ => false,
        };
        for run in messages.chunk_by(same) {
            match run.first() {
                Some(Message::Published(first)) if Fanout::is_for(first) => {
                    deliveries(run).for_each(|one| self.send_round(one));
                }
                Some(Message::Published(first)) => {
                    self.finish_fanout();
                    if let Some(all) = Run::new(deliveries(run)) {
                        self.publish(all, &first.members, run.len() == messages.len());
                    }
                }
                Some(Message::Invalidated(one)) => {
                    self.finish_fanout();
                    self.invalidate(one, behind_letters);
                }
                None => {}
            }
        }
    }

    /// Lets a message go round, behind whatever is under way.
    fn send_round(&mut self, delivery: &Delivery) {
        if !self.fanout.takes(delivery) {
            self.finish_fanout();
        }
        self.fanout.join(delivery.clone());
    }

    /// Delivers what is under way: everything comes in its order.
    pub fn finish_fanout(&mut self) {
        while !self.fanout.is_empty() {
            self.serve_slice();
        }
    }

    /// Delivers what is under way to those whose turn it is.
    pub fn serve_slice(&mut self) {
        let mut fanout = std::mem::take(self.fanout);
        if let Some(run) = Run::new(fanout.messages()) {
            let members = &run.first.members;
            self.publish(run, members.get(fanout.slice()).unwrap_or_default(), true);
        }
        fanout.advance();
        *self.fanout = fanout;
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
            self.buffers.note_crowd();
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

    fn publish<'a>(
        &mut self,
        mut run: Run<'a, impl Iterator<Item = &'a Delivery> + Clone>,
        members: &[Member],
        at_once: bool,
    ) {
        let first = run.first;
        for member in members {
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

/// Those messages that were published.
fn deliveries(messages: &[Message]) -> impl Iterator<Item = &Delivery> + Clone {
    messages.iter().filter_map(|message| match message {
        Message::Published(delivery) => Some(delivery),
        Message::Invalidated(_) => None,
    })
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
            fanout: &mut self.fanout,
        }
    }

    /// Sends the invalidations that evictions have caused: what they take must not make more keys go.
    #[cold]
    pub(super) fn tell_of_evictions(&mut self) {
        let mut messages = Vec::new();
        self.inbox.take_messages(&mut messages);
        self.hall().deliver(&messages, false);
        self.flush_touched();
        // Nor must the buffers that they were sent from.
        self.buffers.end_crowd();
        self.evictor.count_messages();
    }

    /// Gives messages to those whom they are for; the letters have been read.
    pub(super) fn deliver(&mut self, messages: &[Message]) {
        self.hall().deliver(messages, true);
    }

    /// Serves the next of a large audience, behind everything that this turn has to send.
    pub(super) fn go_round(&mut self) {
        if !self.fanout.is_empty() {
            self.hall().serve_slice();
            self.flush_touched();
        }
    }
}
