//! One thread's loop over its connections: wait, read every ready connection, parse all complete
//! commands, prefetch, execute, flush.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use command::clients::Kill;
use command::{Close, Letter, Mailbox, ReplyMode, Services, Session};
use config::Config;
use env::Random;
use keyspace::gate::GateSlot;
use observe::Counters;
use resp::{Limits, Writer};

use crate::accept::Arrival;
use crate::batch::{Batch, Progress};
use crate::blocked;
use crate::buffers::Buffers;
use crate::connection::{Connection, Filled};
use crate::cron::Cron;
use crate::execute::{self, Bench, Done};
use crate::mailbox::Inbox;
use crate::source::{Ready, Source, Token};
use crate::stream::Stream;

/// Output above which a connection is flushed in the middle of a turn.
const FLUSH_EARLY: usize = 256 * 1024;

/// A thread's share of the server.
pub struct Worker<S: Source> {
    pub(crate) number: usize,
    pub(crate) source: S,
    pub(crate) services: Arc<Services>,
    pub(crate) config: Arc<Config>,
    /// The configuration's generation.
    generation: u64,
    pub(crate) counters: Arc<Counters>,
    pub(crate) gate: GateSlot,
    inbox: Arc<Inbox>,
    random: Random,
    pub(crate) connections: Vec<Option<Box<Connection<S::Stream>>>>,
    free: Vec<Token>,
    /// Connections by client.
    tokens: HashMap<u64, Token>,
    /// When waits end, with the client that waits.
    pub(crate) deadlines: BTreeSet<(i64, u64)>,
    buffers: Buffers,
    batch: Batch,
    ready: Vec<Ready>,
    /// Connections that did something in this turn, to be flushed at its end.
    touched: Vec<Token>,
    /// Connections whose socket may have more than was read.
    unread: Vec<Token>,
    pub(crate) cron: Cron,
    /// Held commands may be due.
    pub(crate) resume: bool,
    pub(crate) epoch_us: i64,
    pub(crate) epoch_ns: u64,
}

impl<S: Source<Stream = Stream>> Worker<S> {
    /// A worker without connections.
    pub fn new(number: usize, source: S, services: Arc<Services>, inbox: Arc<Inbox>) -> Self {
        Self {
            number,
            source,
            config: services.config.snapshot(),
            generation: services.config.generation(),
            counters: services.statistics.register(),
            gate: services.keyspace.gate().register(),
            inbox,
            random: env::random(),
            connections: Vec::new(),
            free: Vec::new(),
            tokens: HashMap::new(),
            deadlines: BTreeSet::new(),
            buffers: Buffers::default(),
            batch: Batch::default(),
            ready: Vec::new(),
            touched: Vec::new(),
            unread: Vec::new(),
            cron: Cron::default(),
            resume: false,
            epoch_us: services.clock.unix_us(),
            epoch_ns: services.clock.monotonic_ns(),
            services,
        }
    }

    /// Milliseconds since the epoch at the beginning of this turn.
    pub(crate) fn now_ms(&self) -> i64 {
        self.epoch_us / 1000
    }

    /// One turn. The event source's errors end the worker.
    ///
    /// # Errors
    /// When the event source fails.
    pub fn turn(&mut self) -> std::io::Result<()> {
        let timeout =
            if self.unread.is_empty() { self.cron.timeout(self.now_ms()) } else { Duration::ZERO };
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        self.source.wait(Some(timeout), &mut ready)?;
        self.counters.turns.add(1);
        self.epoch_us = self.services.clock.unix_us();
        self.epoch_ns = self.services.clock.monotonic_ns();
        if self.generation != self.services.config.generation() {
            self.generation = self.services.config.generation();
            self.config = self.services.config.snapshot();
        }

        self.read_mail();
        for one in &ready {
            self.note_ready(*one);
        }
        self.ready = ready;
        self.read_and_execute();
        self.flush_touched();
        crate::cron::tick(self);
        if std::mem::take(&mut self.resume) {
            self.resume_held(self.now_ms());
            self.end_waits(self.now_ms());
        }
        Ok(())
    }

    fn note_ready(&mut self, ready: Ready) {
        let Some(Some(connection)) = self.connections.get_mut(ready.token) else { return };
        if ready.writable {
            connection.writable = true;
            if connection.unsent() > 0 {
                touch(&mut self.touched, ready.token, connection);
            }
        }
        connection.hung_up |= ready.hung_up;
        if connection.hung_up && connection.parked.is_some() {
            // Nobody is there any more to be given what it waits for.
            return self.close(ready.token);
        }
        if ready.readable && !connection.readable {
            connection.readable = true;
            self.unread.push(ready.token);
        }
    }

    fn read_mail(&mut self) {
        let posted = self.inbox.take();
        for arrival in posted.arrivals {
            self.adopt(arrival);
        }
        for letter in posted.letters {
            match letter {
                Letter::Check { client } => {
                    if let Some(token) = self.token_of(client) {
                        self.check_killed(token);
                    }
                }
                Letter::Push { client, bytes } => {
                    if let Some(token) = self.token_of(client)
                        && let Some(Some(connection)) = self.connections.get_mut(token)
                    {
                        connection.output.extend_from_slice(&bytes);
                        touch(&mut self.touched, token, connection);
                    }
                }
                Letter::Served { client, ticket, reply } => self.served(client, ticket, &reply),
                Letter::Unblock { client, with_error } => self.unblock(client, with_error),
                Letter::Resume => self.resume_held(i64::MAX),
            }
        }
    }

    /// Takes a new connection over.
    fn adopt(&mut self, arrival: Arrival) {
        let now_ms = self.now_ms();
        let mailbox: Arc<dyn Mailbox> = self.inbox.clone();
        let client = self.services.clients.connect(
            arrival.peer.origin(arrival.fd),
            self.number,
            mailbox,
            now_ms,
        );
        let session = Session::new(client, self.config.requirepass.is_empty());
        let mut connection = Box::new(Connection::new(arrival.stream, session));
        let token = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        if self.source.add(&mut connection.stream, token).is_err() {
            self.services.clients.disconnect(&connection.session.client);
            self.free.push(token);
            return;
        }
        self.counters.connections.add(1);
        self.tokens.insert(connection.session.client.id, token);
        self.connections[token] = Some(connection);
    }

    fn token_of(&self, client: u64) -> Option<Token> {
        self.connections
            .iter()
            .position(|one| one.as_ref().is_some_and(|one| one.session.client.id == client))
    }

    fn check_killed(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        match connection.session.client.killed() {
            Kill::No => {}
            Kill::AfterReply => {
                connection.session.close = Close::AfterReply;
                touch(&mut self.touched, token, connection);
            }
            Kill::Now => self.close(token),
        }
    }

    /// Reads from every connection that may have something, and executes what they sent, a batch at a time.
    fn read_and_execute(&mut self) {
        let unread = std::mem::take(&mut self.unread);
        for token in &unread {
            self.read(*token);
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
        if !connection.may_run() {
            connection.readable = false;
            return;
        }
        match connection.fill(&mut self.buffers) {
            Filled::Closed => self.close_after_batch(token),
            Filled::Bytes(count) => {
                self.counters.reads.add(1);
                self.counters.received_bytes.add(count as u64);
                let figures = &connection.session.client.figures;
                figures.received_bytes.add(count as u64);
                figures.active_ms.store(self.epoch_us / 1000, Ordering::Relaxed);
                self.parse(token);
            }
        }
    }

    /// Parses what a connection has sent, running batches as they fill up.
    fn parse(&mut self, token: Token) {
        loop {
            let Some(Some(connection)) = self.connections.get_mut(token) else { return };
            if !connection.may_run() {
                return;
            }
            touch(&mut self.touched, token, connection);
            let limits = Limits {
                bulk_len: usize::try_from(self.config.proto_max_bulk_len).unwrap_or(usize::MAX),
                authenticated: connection.session.authenticated,
                ..Limits::default()
            };
            match self.batch.parse(token, connection, &limits, &self.services.table) {
                Progress::Full => self.run_batch(),
                Progress::Drained { wanted } => {
                    connection.wanted = wanted;
                    let unparsed = connection.input.len() - connection.parsed;
                    if unparsed as u64 > self.config.client_query_buffer_limit {
                        self.counters.query_buffer_kills.add(1);
                        tracing::warn!(
                            "Closing client {} that reached max query buffer length",
                            connection.session.client.addr
                        );
                        self.close_after_batch(token);
                    }
                    return;
                }
                Progress::Broken(error) => {
                    // What came before the error is executed first.
                    self.run_batch();
                    let Some(Some(connection)) = self.connections.get_mut(token) else { return };
                    if connection.session.close == Close::No {
                        let text = error.to_string();
                        execute::protocol_error(
                            &mut connection.session,
                            &text,
                            &mut connection.output,
                        );
                        self.counters.errors.add(1);
                    }
                    return;
                }
            }
        }
    }

    /// Executes the batch.
    fn run_batch(&mut self) {
        if self.batch.len() == 0 {
            return;
        }
        self.gate.enter();
        self.batch.prefetch(&self.services.keyspace);
        let mut bench = Bench {
            services: &self.services,
            config: &self.config,
            counters: &self.counters,
            random: &mut self.random,
            gate: &self.gate,
            epoch_us: self.epoch_us,
            epoch_ns: self.epoch_ns,
            clock_ns: self.services.clock.monotonic_ns(),
            garbage: Vec::new(),
        };
        for index in 0..self.batch.len() {
            let pending = self.batch.get(index);
            let Some(Some(connection)) = self.connections.get_mut(pending.token) else { continue };
            if !connection.may_run() {
                continue;
            }
            if connection.output.capacity() == 0 {
                connection.output = self.buffers.take();
            }
            let end = pending.end;
            let args = self.batch.args(index, &connection.input);
            let done = bench.execute(
                &mut connection.session,
                pending.command,
                args,
                &mut connection.output,
            );
            match done {
                Done::Yes => connection.executed = end,
                Done::Parked(parked) => {
                    connection.executed = end;
                    if let Some(deadline) = parked.deadline_ms {
                        self.deadlines.insert((deadline, parked.client.id));
                        self.cron.wake_at(deadline);
                    }
                    connection.parked = Some(parked);
                }
                Done::HeldUntil(until) => {
                    connection.held_until_ms = Some(until);
                    self.cron.wake_at(until);
                }
            }
            if connection.unsent() > FLUSH_EARLY && connection.writable {
                let (_, count) = connection.flush(&mut self.buffers);
                self.counters.sent_bytes.add(count as u64);
            }
        }
        self.gate.leave();
        self.batch.clear();
    }

    /// Gives a client the reply that it waited for.
    fn served(&mut self, client: u64, ticket: u64, reply: &[u8]) {
        let Some(token) = self.token_of(client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        if connection.parked.take_if(|parked| parked.ticket == ticket).is_some() {
            if connection.session.reply_mode == ReplyMode::On {
                connection.output.extend_from_slice(reply);
            }
            self.go_on(token);
        }
    }

    /// Ends a client's wait as a timeout does, or with an error.
    pub(crate) fn unblock(&mut self, client: u64, with_error: bool) {
        let Some(token) = self.token_of(client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        let Some(parked) = connection.parked.take() else { return };
        self.gate.enter();
        let ended = blocked::end_wait(&self.services, &parked);
        self.gate.leave();
        if !ended {
            // It is being served at this very moment.
            connection.parked = Some(parked);
            return;
        }
        let mut writer = Writer::new(&mut connection.output, connection.session.protocol);
        if with_error {
            writer.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
        } else {
            parked.nothing.write(&mut writer);
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
    pub(crate) fn end_waits(&mut self, now_ms: i64) {
        while let Some((deadline, client)) = self.deadlines.pop_first() {
            if deadline > now_ms {
                self.deadlines.insert((deadline, client));
                self.cron.wake_at(deadline);
                break;
            }
            let waits =
                self.token_of(client).and_then(|token| self.connections.get(token)?.as_ref());
            if waits.is_some_and(|one| {
                one.parked.as_ref().is_some_and(|parked| parked.deadline_ms == Some(deadline))
            }) {
                self.unblock(client, false);
            }
        }
        self.run_batch();
        self.flush_touched();
    }

    /// Ends what a connection has attached to keys.
    fn detach(&mut self, connection: &mut Connection<S::Stream>) {
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

    /// Lets commands run again that CLIENT PAUSE held back until `now_ms`.
    pub(crate) fn resume_held(&mut self, now_ms: i64) {
        for token in 0..self.connections.len() {
            let Some(Some(connection)) = self.connections.get_mut(token) else { continue };
            if connection.held_until_ms.is_some_and(|until| until <= now_ms) {
                connection.held_until_ms = None;
                if !connection.readable {
                    connection.readable = true;
                    self.unread.push(token);
                }
                self.parse(token);
            }
        }
        self.run_batch();
        self.flush_touched();
    }

    /// Sends what this turn's commands wrote, and closes whom they closed.
    fn flush_touched(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for token in touched.drain(..) {
            self.flush(token);
        }
        self.touched = touched;
    }

    fn flush(&mut self, token: Token) {
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        connection.touched = false;
        connection.consume(&mut self.buffers);
        if connection.session.close == Close::Now {
            return self.close(token);
        }
        let mut alive = true;
        if connection.writable && connection.unsent() > 0 {
            let (whole, count) = connection.flush(&mut self.buffers);
            alive = whole;
            self.counters.writes.add(1);
            self.counters.sent_bytes.add(count as u64);
            connection.session.client.figures.sent_bytes.add(count as u64);
        }
        if connection.session.client.killed() == Kill::AfterReply {
            connection.session.close = Close::AfterReply;
        }
        connection.report();
        let ends = connection.session.close == Close::AfterReply && connection.unsent() == 0;
        if !alive
            || ends
            || crate::cron::above_output_limit(
                connection,
                &self.config,
                self.epoch_us / 1000,
                &self.counters,
            )
        {
            self.close(token);
        }
    }

    /// Closes a connection once what it has sent before has been executed and answered.
    fn close_after_batch(&mut self, token: Token) {
        self.run_batch();
        if let Some(Some(connection)) = self.connections.get_mut(token) {
            let _ = connection.flush(&mut self.buffers);
        }
        self.close(token);
    }

    pub(crate) fn close(&mut self, token: Token) {
        let Some(mut connection) = self.connections.get_mut(token).and_then(Option::take) else {
            return;
        };
        self.source.remove(&mut connection.stream);
        self.tokens.remove(&connection.session.client.id);
        self.detach(&mut connection);
        self.services.clients.disconnect(&connection.session.client);
        self.free.push(token);
    }

    /// Ends all connections, sending what they are still to be sent as far as sockets take it.
    pub fn finish(&mut self) {
        for token in 0..self.connections.len() {
            if let Some(Some(connection)) = self.connections.get_mut(token) {
                let _ = connection.flush(&mut self.buffers);
            }
            self.close(token);
        }
    }
}

fn touch<S>(touched: &mut Vec<Token>, token: Token, connection: &mut Connection<S>) {
    if !connection.touched {
        connection.touched = true;
        touched.push(token);
    }
}
