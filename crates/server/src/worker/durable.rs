//! Group commit (`appendfsync always`): replies go out when what they tell of is durable.
//!
//! That goes for what was read as much as for what was written: nobody is shown what a crash would undo. Unless
//! the file takes no more: then whoever waits to be told that something is durable is told nothing, and loses
//! its connection, and reads go on.

use config::AppendFsync;

use super::{Worker, touch};
use crate::source::{Source, Token};

impl<S: Source> Worker<S> {
    /// Whether replies have to wait for the disk.
    pub(super) fn replies_wait(&self) -> bool {
        self.config.appendfsync == AppendFsync::Always && self.services.log.is_on()
    }

    /// Notes that what a connection is about to be sent tells of everything up to now.
    pub(super) fn note_undurable(&mut self, token: Token) {
        if let Some(Some(connection)) = self.connections.get_mut(token) {
            connection.durable_from = self.services.log.issued();
        }
    }

    /// Holds a connection's replies back if they tell of something that is not durable yet.
    pub(super) fn hold_undurable(&mut self, token: Token) -> bool {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return false };
        if connection.awaits_durability {
            return true;
        }
        if connection.durable_from <= self.services.log.durable() || !self.services.log.is_on() {
            return false;
        }
        if self.services.aof.has_failed() {
            if connection.wrote > self.services.log.durable() {
                connection.session.close = command::Close::Now;
            }
            return false;
        }
        connection.awaits_durability = true;
        self.undurable.push_back((connection.durable_from, token, connection.client));
        if self.undurable.len() == 1 {
            self.inbox.await_durability(true);
            // It may have become durable before anybody could know that this waits for it.
            if connection.durable_from <= self.services.log.durable()
                || self.services.aof.has_failed()
            {
                self.inbox.wake();
            }
        }
        true
    }

    /// Sends the replies of which everything is durable by now, and reads on from those connections.
    pub(super) fn release_durable(&mut self) {
        if self.undurable.is_empty() {
            return;
        }
        let waits = self.services.log.is_on() && !self.services.aof.has_failed();
        let durable = if waits { self.services.log.durable() } else { u64::MAX };
        while let Some((seq, token, client)) = self.undurable.pop_front() {
            if seq > durable {
                self.undurable.push_front((seq, token, client));
                break;
            }
            self.release(token, client);
        }
        if self.undurable.is_empty() {
            self.inbox.await_durability(false);
        }
        self.flush_touched();
    }

    fn release(&mut self, token: Token, client: u64) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if connection.client != client {
            return;
        }
        connection.awaits_durability = false;
        if connection.ended && connection.may_run() {
            connection.session.close = command::Close::AfterReply;
        } else if !connection.readable && !connection.ended {
            connection.readable = true;
            self.unread.push(token);
        }
        touch(&mut self.touched, token, connection);
    }
}
