//! Connections whose clients wait in blocking commands.

use std::sync::atomic::Ordering;

use command::ReplyMode;
use resp::Writer;

use super::{Worker, touch};
use crate::blocked;
use crate::connection::Connection;
use crate::source::{Source, Token};

impl<S: Source> Worker<S> {
    /// Gives a client the reply that it waited for.
    pub(super) fn served(&mut self, client: u64, ticket: u64, reply: &[u8]) {
        let Some(&token) = self.tokens.get(&client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if connection.parked.take_if(|parked| parked.ticket == ticket).is_some() {
            if connection.session.reply_mode == ReplyMode::On {
                connection.output.extend_from_slice(reply);
            }
            self.go_on(token);
        }
    }

    /// Ends a client's wait as a timeout does, or with an error.
    pub(super) fn unblock(&mut self, client: u64, ticket: u64, with_error: bool) {
        let Some(&token) = self.tokens.get(&client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        let Some(parked) = connection.parked.take_if(|parked| parked.ticket == ticket) else {
            return;
        };
        self.gate.enter();
        let ended = blocked::end_wait(&self.services, &parked);
        self.gate.leave();
        if !ended {
            // It is being served at this very moment.
            connection.parked = Some(parked);
            return;
        }
        if connection.session.reply_mode == ReplyMode::On {
            let mut writer = Writer::new(&mut connection.output, connection.session.protocol);
            if with_error {
                writer.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            } else {
                parked.nothing.write(&mut writer);
            }
        }
        self.go_on(token);
    }

    /// Lets a connection run commands again after a wait.
    fn go_on(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.session.client.figures.blocked.store(false, Ordering::Relaxed);
        if !connection.readable {
            connection.readable = true;
            self.unread.push(token);
        }
        touch(&mut self.touched, token, connection);
        self.parse(token);
    }

    /// Ends the waits whose time is over.
    pub(super) fn end_waits(&mut self) {
        let now_ms = self.now_ms();
        while let Some((deadline, client)) = self.deadlines.pop_first() {
            if deadline > now_ms {
                self.deadlines.insert((deadline, client));
                self.cron.wake_at(deadline);
                break;
            }
            let token = self.tokens.get(&client);
            let connection = token.and_then(|token| self.connections.get(*token)?.as_ref());
            let parked = connection.and_then(|connection| connection.parked.as_ref());
            if let Some(parked) = parked
                && parked.deadline_ms == Some(deadline)
            {
                self.unblock(client, parked.ticket, false);
            }
        }
        self.run_batch();
        self.flush_touched();
    }

    /// Ends what a connection has attached to keys.
    pub(super) fn detach(&mut self, connection: &mut Connection<S::Stream>) {
        let client = &connection.session.client;
        if client.figures.is_subscriber() {
            self.services.pubsub.leave(client.id);
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
            blocked::end_wait(&self.services, &parked);
        }
        self.gate.leave();
    }
}
