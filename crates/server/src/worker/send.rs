//! Flushing and closing.

use std::time::Duration;

use command::Close;
use command::clients::Kill;

use super::{Worker, touch};
use crate::cron::above_output_limit;
use crate::source::{Source, Token};

/// How long connections have at the end of the process to take what they are still to be sent.
const FAREWELL_MS: i64 = 500;

impl<S: Source> Worker<S> {
    /// Lets connections send on that had more to send in the last turn than one turn is for.
    pub(super) fn send_on(&mut self) {
        for token in std::mem::take(&mut self.unsent) {
            if let Some(Some(connection)) = self.connections.get_mut(token) {
                touch(&mut self.touched, token, connection);
            }
        }
    }

    /// Sends what this turn's commands wrote, and closes whom they closed.
    pub(super) fn flush_touched(&mut self) {
        let mut next = 0;
        while let Some(&token) = self.touched.get(next) {
            self.flush(token);
            next += 1;
        }
        self.touched.clear();
    }

    fn flush(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.touched = false;
        if self.hold_undurable(token) {
            return;
        }
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.consume(&mut self.buffers);
        match connection.session.close {
            Close::Now => return self.close(token),
            Close::WithProcess => return,
            Close::No | Close::AfterReply => {}
        }
        if connection.session.close == Close::AfterReply
            && let Some(tracker) = connection.session.client.tracker()
        {
            // Whoever sees the last reply knows that nothing is redirected to the client any more.
            self.services.tracking.leave(tracker);
        }
        let now_ms = self.epoch_us / 1000;
        // Whoever has a reply sees that its command is no longer in the buffer.
        connection.report_input();
        // Nothing is sent of what is too much.
        if above_output_limit(connection, &self.config, now_ms, &self.counters) {
            return self.close(token);
        }
        let alive = connection.send(&mut self.buffers, &self.counters, now_ms);
        if connection.session.client.killed() == Kill::AfterReply {
            connection.session.close = Close::AfterReply;
        }
        connection.report(&self.counters);
        let sent_all = !connection.has_unsent();
        if alive && !sent_all && connection.writable {
            self.unsent.push(token);
        }
        if connection.session.close == Close::AfterReply && sent_all && alive {
            connection.drain(&mut self.buffers);
            return self.close(token);
        }
        if !alive || above_output_limit(connection, &self.config, now_ms, &self.counters) {
            self.close(token);
        }
    }

    pub(crate) fn close(&mut self, token: Token) {
        if !self.may_detach(token) {
            return;
        }
        let Some(mut connection) = self.connections.get_mut(token).and_then(Option::take) else {
            return;
        };
        self.source.remove(&mut connection.stream);
        self.detach(&mut connection);
        connection.count(0, &self.counters);
        connection.dispose(&mut self.buffers);
        self.services.clients.disconnect(&connection.session.client);
        self.tokens.remove(&connection.session.client.id);
        self.inbox.let_go();
        self.free.push(token);
    }

    /// Ends all connections; those that read get what they are still to be sent.
    pub fn finish(&mut self) {
        self.hall().finish_fanout();
        for token in 0..self.connections.len() {
            if let Some(Some(connection)) = self.connections.get_mut(token) {
                connection.session.close = Close::AfterReply;
            }
            self.flush(token);
        }
        let deadline_ms = self.services.clock.unix_ms() + FAREWELL_MS;
        while !self.tokens.is_empty() && self.services.clock.unix_ms() < deadline_ms {
            let pause = if self.unsent.is_empty() { 20 } else { 0 };
            if self.wait(Duration::from_millis(pause)).is_err() {
                break;
            }
            self.note_all_ready();
            self.release_durable();
            self.send_on();
            self.flush_touched();
        }
        (0..self.connections.len()).for_each(|token| self.close(token));
    }
}
