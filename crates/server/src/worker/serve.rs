//! Reading, parsing and executing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::{Close, OwnedArgs, ReadyKey};
use keyspace::Held;
use resp::{Limits, ProtocolError};

use super::messages::{Hall, REPORT_EARLY};
use super::{Worker, touch};
use crate::batch::{BATCH, Batch, Pending, Progress};
use crate::conditions::Conditions;
use crate::connection::{Connection, Filled};
use crate::execute::{self, Bench, Done};
use crate::source::{Socket, Source, Token};

impl<S: Source> Worker<S> {
    /// Reads from every connection that may have something, and executes what they sent, a batch at a time.
    pub(super) fn read_and_execute(&mut self) {
        let unread = std::mem::take(&mut self.unread);
        for token in &unread {
            self.read(*token);
            // Each has been read once and is done with. Their buffers go to the next, still in the cache.
            if self.touched.len() >= BATCH {
                self.run_batch();
                self.flush_touched();
            }
        }
        self.run_batch();
        // What was not drained comes again in the next turn, behind everybody else.
        for token in unread {
            if let Some(Some(connection)) = self.connections.get(token)
                && connection.readable
            {
                self.unread.push(token);
            }
        }
    }

    fn read(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if connection.parked.is_some() && connection.hung_up {
            // The end came together with the command that waits.
            return self.close(token);
        }
        if !connection.may_run() {
            // What is held back reads on when it is resumed.
            connection.readable = false;
            if connection.hung_up && connection.parked.is_some() {
                self.close(token);
            }
            return;
        }
        if let (Some(more), Some(helpers)) = (connection.needs_move(), &self.helpers) {
            let (client, input) =
                (&connection.session.client, std::mem::take(&mut connection.input));
            let refused = helpers.grow(client, input, more);
            connection.grows = refused.is_none();
            connection.input = refused.unwrap_or_default();
            if connection.grows {
                connection.readable = false;
                return;
            }
        }
        match connection.fill(&mut self.buffers) {
            Filled::Ended => self.end_input(token),
            Filled::Broken => {
                self.run_batch();
                self.close(token);
            }
            Filled::Bytes(count) => {
                self.counters.reads.add(1);
                self.counters.received_bytes.add(count as u64);
                let figures = &connection.session.client.figures;
                figures.received_bytes.add(count as u64);
                if count > 0 {
                    figures.active_ms.store(self.epoch_us / 1000, Ordering::Relaxed);
                }
                connection.report(&self.counters);
                // Before the command that takes so much is complete, and its memory is given back.
                if connection.pending_bytes() > self.config.client_query_buffer_limit {
                    touch(&mut self.touched, token, connection);
                    return self.refuse_query(token);
                }
                if !self.evict_clients() || !self.is_killed(token) {
                    self.parse(token);
                }
            }
        }
    }

    /// Goes on reading a long command.
    pub(super) fn grown(&mut self, client: u64, input: Vec<u8>) {
        let place = self.tokens.get(&client).copied();
        let connection = place.and_then(|token| self.connections.get_mut(token)?.as_mut());
        let (Some(token), Some(connection)) = (place, connection) else {
            return self.buffers.dispose(input);
        };
        (connection.input, connection.grows) = (input, false);
        if !connection.readable {
            connection.readable = true;
            self.unread.push(token);
        }
    }

    /// The other end sends no more, but may still read: it gets its replies before the connection ends.
    fn end_input(&mut self, token: Token) {
        self.run_batch();
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.readable = false;
        connection.ended = true;
        if connection.parked.is_some() {
            return self.close(token);
        }
        if connection.may_run() {
            connection.session.close = Close::AfterReply;
        }
        touch(&mut self.touched, token, connection);
    }

    /// Parses what a connection has sent, running batches as they fill up.
    pub(super) fn parse(&mut self, token: Token) {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(token) else { return };
            if !connection.may_run() {
                return;
            }
            touch(&mut self.touched, token, connection);
            let authenticated =
                connection.session.authenticated || self.services.acl.default_needs_no_password();
            let limits = Limits {
                bulk_len: usize::try_from(self.config.proto_max_bulk_len).unwrap_or(usize::MAX),
                authenticated,
                ..Limits::default()
            };
            // What comes behind AUTH has other limits: it is parsed when AUTH has run.
            let room = if authenticated { usize::MAX } else { 1 };
            match self.batch.parse(token, connection, &limits, &self.services.table, room) {
                Progress::Full => self.run_batch(),
                Progress::Drained { wanted } => {
                    connection.wanted = wanted;
                    let unparsed = connection.input.len() - connection.parsed;
                    if unparsed as u64 > self.config.client_query_buffer_limit {
                        self.refuse_query(token);
                    }
                    return;
                }
                Progress::Broken(error) => return self.break_off(token, error),
            }
        }
    }

    /// Ends a connection that sends a longer command than it may.
    fn refuse_query(&mut self, token: Token) {
        self.run_batch();
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        self.counters.query_buffer_kills.add(1);
        tracing::warn!(
            "Closing client {} that reached max query buffer length",
            connection.session.client.addr
        );
        connection.session.close = Close::AfterReply;
    }

    /// Ends a connection whose stream cannot be read any further, once what came before has been executed.
    fn break_off(&mut self, token: Token, error: ProtocolError) {
        self.run_batch();
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if !connection.may_run() {
            return;
        }
        tracing::debug!("Protocol error ({error}) from client {}", connection.session.client.addr);
        let text = error.to_string();
        execute::protocol_error(&mut connection.session, &text, &mut connection.output);
        self.counters.errors.add(1);
        self.services.statistics.count_error("ERR");
    }

    /// Executes the batch.
    pub(super) fn run_batch(&mut self) {
        if self.batch.len() == 0 {
            return;
        }
        let replies_wait = self.replies_wait();
        // While a script runs for long, a batch is answered outside: only what needs no key runs then.
        let inside = self.gate.enter_unless(|| self.services.scripts.is_busy());
        if inside {
            self.batch.prefetch(&self.services.keyspace);
        }
        let mut from = 0;
        while from < self.batch.len() {
            from = self.run_until_script(from);
            if from < self.batch.len() {
                // Others are served while it runs, and what came before is sent.
                self.hold_replies(replies_wait);
                self.run_script(from);
                from += 1;
            }
        }
        if self.gate.is_inside() {
            self.gate.leave();
        }
        self.log.publish();
        self.hold_replies(replies_wait);
        if self.inbox.has_messages() {
            let mut messages = std::mem::take(&mut self.messages);
            self.inbox.take_messages(&mut messages);
            self.hall().deliver(&messages, false);
            messages.clear();
            self.messages = messages;
        }
        self.batch.clear();
    }

    /// Notes, if replies wait for the disk, that those of the batch tell of everything up to now.
    fn hold_replies(&mut self, replies_wait: bool) {
        if replies_wait {
            let issued = self.services.log.issued();
            for index in 0..self.batch.len() {
                let token = self.batch.get(index).token;
                self.hall().wait_for(token, issued);
            }
        }
    }

    /// Executes the batch from `from` on, up to a command that may run a script; gives back where it stopped.
    fn run_until_script(&mut self, from: usize) -> usize {
        let replies_wait = self.replies_wait();
        let mut bench = Bench {
            services: &self.services,
            config: &self.config,
            counters: &self.counters,
            random: &mut self.random,
            log: &self.log,
            effects: Default::default(),
            gate: &self.gate,
            epoch_us: self.epoch_us,
            epoch_ns: self.epoch_ns,
            clock_ns: self.services.clock.monotonic_ns(),
            evictor: &mut self.evictor,
            idle: None,
            aftermath: Default::default(),
            conditions: Conditions::of(&self.services, &self.config, self.epoch_us / 1000),
            notes: &self.notes,
            helpers: self.helpers.as_deref(),
        };
        let mut hall = Hall {
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
        };
        // There may be a limit no more.
        bench.make_room();
        let mut reached = self.batch.len();
        for index in from..self.batch.len() {
            let pending = self.batch.get(index);
            bench.limit_tracking();
            // What goes is told of before the reply of the command that made it go.
            if self.config.maxmemory > 0 {
                bench.make_room();
            }
            // Its client finds what was published or invalidated before its command, and what its command
            // publishes or invalidates right behind the reply.
            hall.deliver_before(pending.token, &self.inbox, &mut self.messages);
            let Some(connection) = hall.admit(pending.token) else { continue };
            if let Some(command) = pending.command
                && execute::may_run_script(&connection.session, command)
            {
                reached = index;
                break;
            }
            let before = self.log.last();
            let (done, end) = execute(&mut bench, connection, &self.batch, pending);
            connection.note_change(pending.command, before, self.log.last());
            if let Some(moment) = conclude(connection, done, end, &mut self.deadlines) {
                self.cron.wake_at(moment);
            }
            let unsubscribed = connection.session.unsubscribed;
            if connection.unsent() > REPORT_EARLY {
                hall.note_large(pending.token, !replies_wait);
            }
            hall.deliver_behind(pending.token, unsubscribed, &self.inbox, &mut self.messages);
        }
        bench.tell_everybody();
        reached
    }

    /// Serves those who wait for keys that have changed without any command. The worker is inside the gate.
    pub(crate) fn serve_waiting(&mut self, ready: Vec<ReadyKey>) {
        self.on_bench(|bench| {
            let services = bench.services;
            bench.serve_all(ready, Held::nothing(&services.keyspace));
        });
    }

    /// Works as commands do. The worker is inside the gate.
    pub(crate) fn on_bench<T>(&mut self, work: impl FnOnce(&mut Bench<'_>) -> T) -> T {
        let mut bench = Bench {
            services: &self.services,
            config: &self.config,
            counters: &self.counters,
            random: &mut self.random,
            log: &self.log,
            effects: Default::default(),
            gate: &self.gate,
            epoch_us: self.epoch_us,
            epoch_ns: self.epoch_ns,
            clock_ns: self.services.clock.monotonic_ns(),
            evictor: &mut self.evictor,
            idle: None,
            aftermath: Default::default(),
            conditions: Conditions::of(&self.services, &self.config, self.epoch_us / 1000),
            notes: &self.notes,
            helpers: self.helpers.as_deref(),
        };
        let result = work(&mut bench);
        bench.tell_everybody();
        result
    }

    /// Lets commands run again that CLIENT PAUSE held back until `now_ms`.
    pub(crate) fn resume_held(&mut self, now_ms: i64) {
        for token in 0..self.connections.len() {
            let Some(Some(connection)) = self.connections.get_mut(token) else { continue };
            match connection.held_until_ms {
                None => continue,
                Some(until) if until > now_ms => {
                    self.cron.wake_at(until);
                    continue;
                }
                Some(_) => connection.let_go(),
            }
            if !connection.readable && !connection.ended {
                connection.readable = true;
                self.unread.push(token);
            }
            self.parse(token);
            self.run_batch();
            let Some(Some(connection)) = self.connections.get_mut(token) else { continue };
            if connection.ended && connection.may_run() {
                connection.session.close = Close::AfterReply;
                touch(&mut self.touched, token, connection);
            }
        }
        self.flush_touched();
    }
}

/// Executes a connection's command; gives back what became of it, and where it ends in the input.
#[inline(always)]
fn execute<S: Socket>(
    bench: &mut Bench<'_>,
    connection: &mut Connection<S>,
    batch: &Batch,
    pending: &Pending,
) -> (Done, usize) {
    if let Some(spans) = batch.long_words(pending) {
        let words = connection.take_words(spans);
        return execute_long(bench, connection, pending, words);
    }
    let args = batch.args(pending, &connection.input);
    let Connection { session, output, .. } = connection;
    (bench.execute(session, pending.command, args, output), pending.end)
}

/// The same for one whose words are so long that whoever runs it instead gets them as they are.
#[cold]
fn execute_long<S: Socket>(
    bench: &mut Bench<'_>,
    connection: &mut Connection<S>,
    pending: &Pending,
    words: Arc<OwnedArgs>,
) -> (Done, usize) {
    let Connection { session, output, .. } = connection;
    session.long_words = Some(Arc::clone(&words));
    let done = bench.execute(session, pending.command, words.view(), output);
    session.long_words = None;
    (done, connection.put_back(words, pending.end))
}

/// Notes what became of a connection's command, which ends at `end` in its input; gives back when the
/// connection is to be looked at again, milliseconds since the epoch.
fn conclude<S: Socket>(
    connection: &mut Connection<S>,
    done: Done,
    end: usize,
    deadlines: &mut BTreeSet<(i64, u64)>,
) -> Option<i64> {
    match done {
        Done::Yes => {
            connection.executed = end;
            None
        }
        Done::Parked(parked) => {
            connection.executed = end;
            let (deadline, again, client) = (parked.deadline_ms, parked.again_ms, parked.client.id);
            connection.parked = Some(parked);
            let moments = [deadline, again].into_iter().flatten();
            deadlines.extend(moments.clone().map(|moment| (moment, client)));
            moments.min()
        }
        Done::HeldUntil(until) => {
            connection.hold_until(until);
            Some(until)
        }
    }
}
