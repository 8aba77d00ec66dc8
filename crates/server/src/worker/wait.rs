//! Connections whose clients wait in blocking commands.

use std::sync::atomic::Ordering;

use command::{Flags, ReplyMode};
use keyspace::Held;
use resp::Writer;

use super::{Worker, touch};
use crate::connection::Connection;
use crate::source::{Source, Token};

/// Replies up to this many bytes are copied into the connection's buffer.
const COPIED: usize = 16 * 1024;

/// When to try again what a script kept off.
const RETRY_MS: i64 = 10;

impl<S: Source> Worker<S> {
    /// Gives a client the reply that it waited for.
    pub(super) fn served(&mut self, client: u64, ticket: u64, reply: Vec<u8>) {
        let Some(&token) = self.tokens.get(&client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        let Some(parked) = connection.end_wait(ticket) else { return };
        if let Some(deadline) = parked.deadline_ms {
            self.deadlines.remove(&(deadline, client));
        }
        match connection.session.reply_mode {
            ReplyMode::Skip => connection.session.reply_mode = ReplyMode::On,
            ReplyMode::Off => {}
            // A large one is not copied.
            ReplyMode::On | ReplyMode::SkipNext
                if connection.output.is_empty() && reply.len() > COPIED =>
            {
                connection.output = reply;
            }
            ReplyMode::On | ReplyMode::SkipNext => connection.output.extend_from_slice(&reply),
        }
        if parked.command.flags.contains(Flags::WRITE) {
            connection.wrote = self.services.log.issued();
        }
        if let Some(helpers) = &self.helpers {
            helpers.forget(parked);
        }
        if self.replies_wait() {
            self.note_undurable(token);
        }
        self.go_on(token);
    }

    /// Ends a client's wait for want of anything to give it; false when that is not possible now.
    fn time_out(&mut self, token: Token) -> bool {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return true };
        let Some(parked) = connection.parked.clone() else { return true };
        if !self.gate.enter_unless(|| self.services.scripts.is_busy()) {
            return false;
        }
        let mut held = Held::nothing(&self.services.keyspace);
        let ended = self.services.parked.give_up(&parked, &mut held.lend());
        drop(held);
        self.gate.leave();
        // Otherwise it has just been served, and the letter with its reply is under way.
        if ended {
            let mut reply = Vec::new();
            parked.nothing.write(&mut Writer::new(&mut reply, parked.protocol));
            let (client, ticket) = (parked.client.id, parked.ticket);
            self.served(client, ticket, reply);
        }
        true
    }

    /// Lets a connection run commands again after a wait.
    fn go_on(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        let figures = &connection.session.client.figures;
        figures.blocked.store(false, Ordering::Relaxed);
        figures.commands.add(1);
        if !connection.readable {
            connection.readable = true;
            self.unread.push(token);
        }
        touch(&mut self.touched, token, connection);
        self.parse(token);
    }

    /// Tries at a time whether there is something for a client that waits.
    pub(super) fn try_again_at(&mut self, client: u64, at_ms: i64) {
        self.deadlines.insert((at_ms, client));
        self.cron.wake_at(at_ms);
    }

    /// Runs a waiting client's command for it; false when that is not possible now.
    fn try_again(&mut self, token: Token) -> bool {
        let Some(Some(connection)) = self.connections.get(token) else { return true };
        let Some(parked) = connection.parked.clone() else { return true };
        if !self.gate.enter_unless(|| self.services.scripts.is_busy()) {
            return false;
        }
        let ready = parked.keys.iter().map(|key| (parked.database, key.clone()));
        self.serve_waiting(ready.collect());
        self.gate.leave();
        true
    }

    /// Whether a client's wait is over at a moment.
    fn gives_up(&self, token: Token, now_ms: i64) -> bool {
        let Some(Some(connection)) = self.connections.get(token) else { return false };
        let deadline = connection.parked.as_ref().and_then(|parked| parked.deadline_ms);
        deadline.is_some_and(|deadline| deadline <= now_ms)
    }

    /// Ends the waits whose time is over, and lets those try again whose moment has come.
    pub(super) fn end_waits(&mut self) {
        let now_ms = self.now_ms();
        while let Some((deadline, client)) = self.deadlines.pop_first() {
            if deadline > now_ms {
                self.deadlines.insert((deadline, client));
                self.cron.wake_at(deadline);
                break;
            }
            if let Some(&token) = self.tokens.get(&client)
                && !if self.gives_up(token, now_ms) {
                    self.time_out(token)
                } else {
                    self.try_again(token)
                }
            {
                self.deadlines.insert((deadline, client));
                self.cron.wake_at(now_ms + RETRY_MS);
                break;
            }
        }
        self.run_batch();
        self.flush_touched();
    }

    /// Whether a connection may end now. One that has attached something to keys has to wait while a script
    /// runs for long.
    pub(super) fn may_detach(&mut self, token: Token) -> bool {
        let Some(Some(connection)) = self.connections.get(token) else { return true };
        if connection.session.watched.is_empty() && connection.parked.is_none() {
            return true;
        }
        if self.gate.enter_unless(|| self.services.scripts.is_busy()) {
            self.gate.leave();
            return true;
        }
        self.later.push(token);
        self.cron.wake_at(self.now_ms() + RETRY_MS);
        false
    }

    /// Ends what a connection has attached to keys.
    pub(super) fn detach(&mut self, connection: &mut Connection<S::Stream>) {
        let client = &connection.session.client;
        if client.figures.is_subscriber() {
            self.services.pubsub.leave(client.id);
        }
        if let Some(tracker) = client.tracker() {
            self.services.tracking.leave(tracker);
        }
        let watched = std::mem::take(&mut connection.session.watched);
        let parked = connection.parked.take();
        if watched.is_empty() && parked.is_none() {
            return;
        }
        self.gate.enter();
        crate::transaction::forget_watches(&self.services, &watched);
        if let Some(parked) = parked {
            // If it is being served, what it was given is lost with its connection, as it is when the
            // reply is under way.
            let mut held = Held::nothing(&self.services.keyspace);
            self.services.parked.give_up(&parked, &mut held.lend());
            if let Some(deadline) = parked.deadline_ms {
                self.deadlines.remove(&(deadline, parked.client.id));
            }
        }
        self.gate.leave();
    }
}
