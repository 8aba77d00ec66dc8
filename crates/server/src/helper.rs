//! Long commands, on threads of their own: the other clients of their worker need not wait for them.
//!
//! A command on large values is handed over before it has locked anything: its client waits as one in a
//! blocking command does, though for no key, so nothing but the command's end can end the wait; a helper
//! runs it and posts the reply. While it runs, its shards are marked as occupied: whatever else needs
//! them is handed over too, so helpers wait for these locks and workers never do.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use command::blocked::{Arrival, Nothing, Parked, Wait};
use command::clients::Client;
use command::{Flags, Letter, Services, Session, Target};
use effects::Recorder;
use env::Random;
use keyspace::gate::GateSlot;
use keyspace::{Held, Key, KeyHash, LARGE, Turns, Value};
use observe::Counters;
use parking_lot::Mutex;
use tracking::Notes;

use crate::conditions::Conditions;
use crate::evict::Evictor;
use crate::execute::{Bench, Call, Scope, keys_of, scope_of};
use crate::migrate::Migrator;

/// The length from which on the words of a command are not copied by a worker, bytes: it takes about a millisecond.
pub const LONG: usize = 4 << 20;

/// The threads, as workers see them.
pub struct Helpers {
    queue: Sender<Work>,
    migrator: Migrator,
}

/// What they do.
enum Work {
    /// Run a command.
    Run(Arc<Parked>),
    /// Move what a client has sent into a buffer with room for so many bytes more.
    Grow(Arc<Client>, Vec<u8>, usize),
    /// Free what a command had, if nobody else does.
    Forget(Arc<Parked>),
}

impl Helpers {
    /// Starts the threads; they end when this is dropped.
    ///
    /// # Errors
    /// When the system is out of threads.
    pub fn start(services: &Arc<Services>, threads: usize) -> std::io::Result<Self> {
        let (queue, received) = channel();
        let received = Arc::new(Mutex::new(received));
        for number in 0..threads {
            let (services, received) = (Arc::clone(services), Arc::clone(&received));
            let run = move || help(&services, &received);
            thread::Builder::new().name(format!("helper-{number}")).spawn(run)?;
        }
        Ok(Self { queue, migrator: Migrator::new(services) })
    }

    /// Frees what a command had whose client waits no more, which takes long for long words.
    pub fn forget(&self, parked: Arc<Parked>) {
        if parked.args.view().extent() >= LONG {
            let _ = self.queue.send(Work::Forget(parked));
        }
    }

    /// Moves what a client has sent into a buffer with room for so many bytes more, and posts it. Gives it back if
    /// nobody helps any more.
    pub fn grow(&self, client: &Arc<Client>, input: Vec<u8>, more: usize) -> Option<Vec<u8>> {
        match self.queue.send(Work::Grow(Arc::clone(client), input, more)) {
            Ok(()) => None,
            Err(refused) => match refused.0 {
                Work::Grow(_, input, _) => Some(input),
                Work::Run(_) | Work::Forget(_) => None,
            },
        }
    }
}

fn help(services: &Arc<Services>, received: &Mutex<Receiver<Work>>) {
    let turns = Turns::begin();
    let mut hand = Hand::new(services);
    loop {
        let next = received.lock().recv();
        let Ok(next) = next else { return };
        turns.work(|| match next {
            Work::Run(parked) => hand.work(|bench| {
                bench.run_for(&parked);
                bench.tell_everybody();
            }),
            Work::Forget(parked) => drop(parked),
            Work::Grow(client, mut input, more) => {
                input.reserve_exact(more);
                client.post(Letter::Grown { client: client.id, input });
            }
        });
    }
}

/// What a thread that runs commands for workers brings to them.
pub struct Hand<'a> {
    services: &'a Arc<Services>,
    gate: GateSlot,
    counters: Arc<Counters>,
    log: Recorder,
    random: Random,
    notes: RefCell<Notes>,
    evictor: Evictor,
}

impl<'a> Hand<'a> {
    /// That of the calling thread.
    pub fn new(services: &'a Arc<Services>) -> Self {
        Self {
            services,
            gate: services.keyspace.gate().register(),
            counters: services.statistics.register(),
            log: Recorder::new(&services.log),
            random: env::random(),
            notes: RefCell::default(),
            evictor: Evictor::default(),
        }
    }

    /// Works inside the gate.
    pub fn work<T>(&mut self, work: impl FnOnce(&mut Bench<'_>) -> T) -> T {
        let config = self.services.config.snapshot();
        let now_ns = self.services.clock.monotonic_ns();
        self.gate.enter();
        let epoch_us = self.services.clock.unix_us();
        let mut bench = Bench {
            services: self.services,
            config: &config,
            counters: &self.counters,
            random: &mut self.random,
            log: &self.log,
            effects: Default::default(),
            gate: &self.gate,
            epoch_us,
            epoch_ns: now_ns,
            clock_ns: now_ns,
            idle: None,
            aftermath: Default::default(),
            conditions: Conditions::of(self.services, &config, epoch_us / 1000),
            notes: &self.notes,
            evictor: &mut self.evictor,
            helpers: None,
        };
        let result = work(&mut bench);
        bench.enter_memory();
        drop(bench);
        self.evictor.count_messages();
        self.gate.leave();
        self.log.publish();
        result
    }
}

impl Bench<'_> {
    /// Hands a command over to the helpers if it takes long, or needs what another has occupied.
    #[inline(always)]
    pub fn hand_over(&mut self, session: &Session, call: &Call<'_>) -> Option<Arc<Parked>> {
        let keyspace = &self.services.keyspace;
        let may_last = may_last(call) || session.long_words.is_some();
        if may_last || keyspace.is_occupied() || keyspace.has_cut() {
            return self.hand_over_what_lasts(session, call);
        }
        None
    }

    fn hand_over_what_lasts(&mut self, session: &Session, call: &Call<'_>) -> Option<Arc<Parked>> {
        let helpers = self.helpers.filter(|_| self.gate.is_inside())?;
        if may_last(call) && call.command.name == "migrate" {
            return Some(helpers.migrator.take_over(self.leave_to_others(session, call)));
        }
        let long = may_last(call) && self.is_large(session, call)
            || session.long_words.is_some() && may_be_run_for(call) && has_keys(call);
        let occupied = || self.services.keyspace.is_occupied() && self.meets_occupied(call);
        if !(long || occupied() || self.shows_large(session, call)) {
            return None;
        }
        // What a connection has set up for its commands is not known to the helpers.
        let uses_fieldsets = call.command.container == Some("himport");
        if session.no_touch || uses_fieldsets || self.services.tracking.is_on() {
            return None;
        }
        let parked = self.leave_to_others(session, call);
        self.give_to(helpers, &parked);
        Some(parked)
    }

    /// Has a command run whose client waits for its end.
    fn give_to(&mut self, helpers: &Helpers, parked: &Arc<Parked>) {
        if helpers.queue.send(Work::Run(Arc::clone(parked))).is_err() {
            // Nobody helps any more.
            self.run_for(parked);
        }
    }

    /// Hands a command over that has found out that it takes long. Nothing is locked.
    #[cold]
    pub fn give_away(&mut self, parked: &Arc<Parked>) {
        match self.helpers {
            Some(helpers) => self.give_to(helpers, parked),
            None => self.run_for(parked),
        }
    }

    /// Lets a client wait for others to run its command.
    fn leave_to_others(&self, session: &Session, call: &Call<'_>) -> Arc<Parked> {
        let arrival = Arrival {
            client: Arc::clone(&session.client),
            command: call.command,
            args: session.keep_words(call.args),
            database: session.database,
            protocol: session.protocol,
            user: Arc::clone(&session.user),
        };
        let nothing = Nothing::Null;
        let wait =
            Wait { keys: Vec::new(), deadline_ms: None, again_ms: None, nothing, retry: None };
        let parked = self.services.parked.park(arrival, wait);
        session.client.figures.blocked.store(true, Ordering::Relaxed);
        parked
    }

    /// Whether a command reaches many elements of the values at its keys.
    pub fn is_large(&self, session: &Session, call: &Call<'_>) -> bool {
        let reach = |target: Target<'_>| match call.command.reach {
            Some(reach) => reach(call.args, target),
            None => target.elements(),
        };
        if call.command.flags.contains(Flags::EXCLUSIVE) {
            // It reaches everything.
            return true;
        }
        let keyspace = &self.services.keyspace;
        let physical = keyspace.resolve(session.database);
        let mut elements = 0usize;
        for (word, _) in keys_of(call.command, call.args) {
            let key = Key::new(call.args.at(word));
            // One that is locked is looked at when it is not; a long hold shows as an occupied shard.
            let Some(guard) = keyspace.try_lock(key.hash().shard()) else { continue };
            let entry = guard.get().db(physical).and_then(|db| db.get(key));
            let target = match entry.map(|entry| entry.value()) {
                Some(Value::Object(object)) => Target::Value(object),
                _ => Target::Small,
            };
            elements = elements.saturating_add(reach(target));
        }
        elements >= LARGE
    }

    /// Whether a command changes a large value that a snapshot has not seen yet: it is encoded before that.
    fn shows_large(&self, session: &Session, call: &Call<'_>) -> bool {
        let keyspace = &self.services.keyspace;
        if !keyspace.has_cut() || !call.command.flags.contains(Flags::WRITE) {
            return false;
        }
        // Those that do not go by their keys' locks are run where they are.
        if call.command.flags.intersects(Flags::BLOCKING | Flags::NO_MULTI | Flags::EXCLUSIVE) {
            return false;
        }
        let physical = keyspace.resolve(session.database);
        keys_of(call.command, call.args).iter().any(|(word, _)| {
            let key = Key::new(call.args.at(*word));
            let guard = keyspace.lock(key.hash().shard());
            guard.get().db(physical).is_some_and(|db| db.shows_large(key))
        })
    }

    /// Whether a command would wait for the lock of an occupied shard, and can be run by somebody else.
    fn meets_occupied(&self, call: &Call<'_>) -> bool {
        let keyspace = &self.services.keyspace;
        let flags = call.command.flags;
        if !may_be_run_for(call) {
            return false;
        }
        let occupied = |hash: &KeyHash| keyspace.is_shard_occupied(hash.shard());
        match scope_of(call.command, call.args) {
            Scope::Key(hash) => occupied(&hash),
            Scope::Keys(hashes) => hashes.iter().any(occupied),
            Scope::Nothing => flags.contains(Flags::WALK) && call.command.container.is_none(),
            Scope::All => false,
        }
    }

    /// Runs a command that was handed over.
    fn run_for(&mut self, parked: &Parked) {
        let mut session = Session::new(Arc::clone(&parked.client), Arc::clone(&parked.user), true);
        (session.database, session.protocol) = (parked.database, parked.protocol);
        let now_us = self.now_us();
        let call = Call {
            command: parked.command,
            args: parked.args.view(),
            now_us,
            may_wait: false,
            waited: false,
            alone: true,
        };
        let scope = scope_of(call.command, call.args);
        let services = self.services;
        // What is here only because others held its locks is short.
        let is_long = call.command.flags.contains(Flags::LINEAR)
            || parked.nothing == Nothing::Helped
            || call.args.extent() >= LONG
            || services.keyspace.has_cut();
        let shards = if is_long { shards_of(&scope) } else { Vec::new() };
        let occupied = services.keyspace.occupy(shards);
        let mut reply = Vec::new();
        let run = |bench: &mut Self, held: Held<'_>| {
            bench.run(&mut session, &call, &mut reply, held);
        };
        if self.with_held(scope, run).is_none() {
            // A script keeps everybody waiting.
            let error = self.busy();
            self.refuse(&mut session, Some(call.command), &error, &mut reply);
        }
        drop(occupied);
        answer(services, parked, reply);
    }
}

/// Whether others can run a command for its client: some change their connection.
fn may_be_run_for(call: &Call<'_>) -> bool {
    !call.command.flags.intersects(Flags::BLOCKING | Flags::PUBSUB | Flags::NO_MULTI)
        && call.command.group != command::Group::Transactions
}

/// Whether a command goes by the locks of its keys.
fn has_keys(call: &Call<'_>) -> bool {
    matches!(scope_of(call.command, call.args), Scope::Key(_) | Scope::Keys(_))
}

/// Whether a command may take long, by its words alone.
#[inline]
fn may_last(call: &Call<'_>) -> bool {
    let reach = || call.command.reach.map_or(LARGE, |reach| reach(call.args, Target::Unknown));
    call.command.flags.contains(Flags::LINEAR) && reach() >= LARGE
}

/// Ends the wait of a client whose command others have run.
pub fn answer(services: &Services, parked: &Parked, reply: Vec<u8>) {
    parked.finish();
    services.parked.leave(parked.ticket);
    let (client, ticket) = (parked.client.id, parked.ticket);
    parked.client.post(Letter::Served { client, ticket, reply });
}

/// The shards of some keys.
pub fn shards_of(scope: &Scope) -> Vec<usize> {
    match scope {
        Scope::Key(hash) => vec![hash.shard()],
        Scope::Keys(hashes) => hashes.iter().map(|hash| hash.shard()).collect(),
        Scope::Nothing | Scope::All => Vec::new(),
    }
}
