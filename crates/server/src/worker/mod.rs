//! One thread's loop over its connections: wait, read every ready connection, parse all complete
//! commands, prefetch, execute, flush.
//!
//! `serve.rs` reads and executes, `send.rs` flushes and closes, `wait.rs` ends the waits of blocking
//! commands, `messages.rs` gives subscribers their messages.

mod busy;
mod durable;
mod fanout;
mod messages;
mod send;
mod serve;
#[cfg(test)]
mod tests;
mod wait;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use command::clients::Kill;
use command::{Close, Letter, Mailbox, Services, Session};
use config::Config;
use effects::{Recorder, Waiter};
use env::Random;
use keyspace::gate::GateSlot;
use observe::Counters;
use tracking::Notes;

use fanout::Fanout;

use crate::accept::Arrival;
use crate::batch::Batch;
use crate::buffers::Buffers;
use crate::connection::Connection;
use crate::cron::Cron;
use crate::evict::Evictor;
use crate::helper::Helpers;
use crate::mailbox::{Inbox, Message};
use crate::source::{Ready, Socket, Source, Token};

/// A thread's share of the server.
pub struct Worker<S: Source> {
    pub(crate) number: usize,
    pub(crate) source: S,
    pub(crate) services: Arc<Services>,
    pub(crate) config: Arc<Config>,
    /// The configuration's generation.
    generation: u64,
    pub(crate) counters: Arc<Counters>,
    pub(crate) log: Rc<Recorder>,
    pub(crate) gate: Rc<GateSlot>,
    inbox: Arc<Inbox<S::Stream>>,
    random: Random,
    pub(crate) connections: Vec<Option<Box<Connection<S::Stream>>>>,
    /// Where the connection of a client is, by the client's id.
    tokens: HashMap<u64, Token>,
    free: Vec<Token>,
    /// When waits end, with the client that waits.
    deadlines: BTreeSet<(i64, u64)>,
    pub(crate) buffers: Buffers,
    batch: Batch,
    messages: Vec<Message>,
    /// Invalidations for clients that wait in a blocking command, whose reply may be among the letters.
    postponed: Vec<Message>,
    /// Messages under way to a large audience.
    fanout: Fanout,
    /// What is to be told to those who cache keys.
    pub(crate) notes: RefCell<Notes>,
    ready: Vec<Ready>,
    /// Connections that did something in this turn, to be flushed at its end.
    touched: Vec<Token>,
    /// Connections whose replies wait to become durable, with the number that has to be.
    undurable: VecDeque<(u64, Token, u64)>,
    /// Connections whose socket may have more than was read.
    unread: Vec<Token>,
    /// Connections whose socket may take more than was sent.
    unsent: Vec<Token>,
    /// Connections to be closed that could not be.
    later: Vec<Token>,
    pub(crate) cron: Cron,
    /// Who takes over what takes long; none where all is done in place.
    pub(crate) helpers: Option<Arc<Helpers>>,
    pub(crate) evictor: Evictor,
    /// Held commands may be due.
    pub(crate) resume: bool,
    pub(crate) epoch_us: i64,
    pub(crate) epoch_ns: u64,
}

impl<S: Source> Worker<S> {
    /// A worker without connections.
    pub fn new(
        number: usize,
        source: S,
        services: Arc<Services>,
        inbox: Arc<Inbox<S::Stream>>,
    ) -> Self {
        services.clients.join(inbox.clone() as Arc<dyn Mailbox>);
        services.log.join(inbox.clone() as Arc<dyn Waiter>);
        services.pubsub.join(number, inbox.clone() as Arc<dyn pubsub::Post>);
        services.tracking.join(number, inbox.clone() as Arc<dyn tracking::Post>);
        Self {
            number,
            source,
            config: services.config.snapshot(),
            generation: services.config.generation(),
            counters: services.statistics.register(),
            log: Rc::new(Recorder::new(&services.log)),
            gate: Rc::new(services.keyspace.gate().register()),
            inbox,
            random: env::random(),
            connections: Vec::new(),
            tokens: HashMap::new(),
            free: Vec::new(),
            deadlines: BTreeSet::new(),
            buffers: Buffers::default(),
            batch: Batch::default(),
            messages: Vec::new(),
            postponed: Vec::new(),
            fanout: Fanout::default(),
            notes: RefCell::default(),
            ready: Vec::new(),
            touched: Vec::new(),
            undurable: VecDeque::new(),
            unread: Vec::new(),
            unsent: Vec::new(),
            later: Vec::new(),
            cron: Cron::default(),
            helpers: None,
            evictor: Evictor::default(),
            resume: false,
            epoch_us: services.clock.unix_us(),
            epoch_ns: services.clock.monotonic_ns(),
            services,
        }
    }

    /// Lets helpers take over what takes long.
    pub fn set_helpers(&mut self, helpers: Arc<Helpers>) {
        self.helpers = Some(helpers);
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
        let idle = self.unread.is_empty() && self.unsent.is_empty() && self.postponed.is_empty();
        let idle = idle && self.fanout.is_empty();
        let timeout = if idle { self.cron.timeout(self.now_ms()) } else { Duration::ZERO };
        self.wait(timeout)?;
        self.counters.turns.add(1);
        if self.generation != self.services.config.generation() {
            self.generation = self.services.config.generation();
            self.config = self.services.config.snapshot();
            self.evict_clients();
        }

        let executed = self.counters.commands.get();
        self.release_durable();
        self.read_mail();
        self.note_all_ready();
        self.read_and_execute();
        self.send_on();
        self.flush_touched();
        if self.evictor.has_messages() {
            self.tell_of_evictions();
        }
        self.go_round();
        self.evict_clients();
        self.counters.turn_commands_max.raise(self.counters.commands.get().wrapping_sub(executed));
        crate::cron::tick(self);
        if self.services.budget.is_nearly_spent(self.config.maxmemory) {
            self.buffers.end_crowd();
        }
        for large in self.buffers.take_large() {
            self.services.keyspace.reclaimer().dispose_bytes(large);
        }
        if std::mem::take(&mut self.resume) {
            self.resume_held(self.now_ms());
            self.end_waits();
            let later = std::mem::take(&mut self.later);
            later.into_iter().for_each(|token| self.close(token));
        }
        Ok(())
    }

    /// Ends connections when all together take more than `maxmemory-clients`; false when none had to be.
    fn evict_clients(&mut self) -> bool {
        let limit = self.config.maxmemory_clients.limit(self.config.maxmemory);
        let Some(limit) = limit.filter(|limit| self.services.statistics.client_bytes() > *limit)
        else {
            return false;
        };
        let evicted = self.services.clients.evict(limit);
        self.counters.evicted_clients.add(evicted);
        evicted > 0
    }

    fn is_killed(&self, token: Token) -> bool {
        let connection = self.connections.get(token).and_then(Option::as_ref);
        connection.is_some_and(|one| one.session.client.killed() == Kill::Now)
    }

    /// Waits for events, and reads the clocks.
    fn wait(&mut self, timeout: Duration) -> std::io::Result<()> {
        self.ready.clear();
        let may_sleep = timeout > Duration::ZERO && self.inbox.may_sleep();
        let timeout = if may_sleep { timeout } else { Duration::ZERO };
        let busy_ns = self.services.clock.monotonic_ns().saturating_sub(self.epoch_ns);
        self.counters.busy_ns.add(busy_ns);
        self.counters.busy_ns_max.raise(busy_ns);
        self.source.wait(Some(timeout), &mut self.ready)?;
        self.epoch_us = self.services.clock.unix_us();
        self.epoch_ns = self.services.clock.monotonic_ns();
        Ok(())
    }

    fn note_all_ready(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        ready.iter().for_each(|one| self.note_ready(*one));
        self.ready = ready;
    }

    fn note_ready(&mut self, ready: Ready) {
        let Some(Some(connection)) = self.connections.get_mut(ready.token) else { return };
        if ready.writable {
            connection.writable = true;
            if connection.has_unsent() {
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
        if !posted.letters.is_empty() {
            // What they bring came later than what is under way.
            self.hall().finish_fanout();
        }
        for arrival in posted.arrivals {
            self.adopt(arrival);
        }
        for letter in posted.letters {
            match letter {
                Letter::Check { client } => self.check_killed(client),
                Letter::Push { client, bytes } => self.push(client, &bytes, false),
                Letter::Monitor { client, line } => self.push(client, &line, true),
                Letter::Served { client, ticket, reply } => self.served(client, ticket, reply),
                Letter::Grown { client, input } => self.grown(client, input),
                Letter::Again { client, at_ms } => self.try_again_at(client, at_ms),
                Letter::Resume => self.resume_held(i64::MAX),
            }
        }
        let postponed = std::mem::take(&mut self.postponed);
        self.deliver(&postponed);
        self.deliver(&posted.messages);
    }

    /// Takes a new connection over.
    fn adopt(&mut self, arrival: Arrival<S::Stream>) {
        let token = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let acl = &self.services.acl;
        let user = Arc::clone(acl.default_user());
        let mut session = Session::new(arrival.client, user, acl.default_needs_no_password());
        session.place = token;
        let mut connection = Box::new(Connection::new(arrival.stream, session));
        if self.source.add(&mut connection.stream, token).is_err() {
            self.services.clients.disconnect(&connection.session.client);
            self.inbox.let_go();
            self.free.push(token);
            return;
        }
        self.counters.connections.add(1);
        connection.readable = connection.stream.may_hold_input();
        if connection.readable {
            self.unread.push(token);
        }
        if let Some(user) = arrival.user.and_then(|name| acl.user(&name))
            && user.rights().account.enabled
        {
            // Its certificate says who it is, so it needs no password.
            connection.session.become_user(user);
            connection.session.authenticated = true;
        }
        connection.report(&self.counters);
        self.tokens.insert(connection.session.client.id, token);
        if let Some(place) = self.connections.get_mut(token) {
            *place = Some(connection);
        }
    }

    /// Appends bytes that are no reply. A line of MONITOR's stream may come after its reader's RESET.
    fn push(&mut self, client: u64, bytes: &[u8], is_monitor: bool) {
        let Some(&token) = self.tokens.get(&client) else { return };
        let Some(Some(connection)) = self.connections.get_mut(token) else { return };
        let reads = &connection.session.client.figures.monitor;
        let wanted = !is_monitor || reads.load(std::sync::atomic::Ordering::Relaxed);
        if wanted && connection.session.close == Close::No {
            connection.output.extend_from_slice(bytes);
            touch(&mut self.touched, token, connection);
        }
    }

    fn check_killed(&mut self, client: u64) {
        let Some(&token) = self.tokens.get(&client) else { return };
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
}

fn touch<S>(touched: &mut Vec<Token>, token: Token, connection: &mut Connection<S>) {
    if !connection.touched {
        connection.touched = true;
        touched.push(token);
    }
}
