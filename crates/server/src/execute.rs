//! What happens around a command: checks, locks, the command itself, its error, statistics and logs.

use std::cell::RefCell;
use std::sync::Arc;

use command::blocked::{Parked, Wait};
use command::{
    Aftermath, Args, Close, Command, Ctx, Database, Effects, Error, ExpiryLog, Flags, Idle,
    KeyList, ReplyMode, Services, Session, Setting,
};
use commands::logs::{self, Finished};
use commands::monitor;
use config::Config;
use effects::{Group, Recorder};
use env::{Random, RngCore};
use keyspace::access::AccessClock;
use keyspace::gate::GateSlot;
use keyspace::{Held, KeyHash};
use observe::Counters;
use resp::Writer;
use tracking::Notes;

use crate::admission::{Admitted, is_http};
use crate::conditions::Conditions;
use crate::evict::Evictor;
use crate::helper::Helpers;
use crate::notify;

/// What a worker brings to every command.
pub struct Bench<'a> {
    /// The parts of the server.
    pub services: &'a Arc<Services>,
    /// The configuration of this turn.
    pub config: &'a Config,
    /// The worker's counters.
    pub counters: &'a Counters,
    /// The worker's randomness.
    pub random: &'a mut Random,
    /// The worker's hand in the log of effects.
    pub log: &'a Recorder,
    /// What is to be recorded before the locks are given back.
    pub effects: Group,
    /// The worker's place at the gate; it is inside.
    pub gate: &'a GateSlot,
    /// Microseconds since the epoch when `epoch_ns` was read.
    pub epoch_us: i64,
    /// The stop watch when `epoch_us` was read.
    pub epoch_ns: u64,
    /// The stop watch at the end of the last command, which is the start of this one.
    pub clock_ns: u64,
    /// What it keeps between evictions.
    pub evictor: &'a mut Evictor,
    /// What the worker does while a script keeps it busy.
    pub idle: Option<&'a dyn Idle>,
    /// What commands leave behind.
    pub aftermath: Aftermath,
    /// What is the same for all commands.
    pub conditions: Conditions,
    /// What is to be told to those who cache keys.
    pub notes: &'a RefCell<Notes>,
    /// Who takes over what takes long; none where all is done in place.
    pub helpers: Option<&'a Helpers>,
}

/// A command about to run.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The command.
    pub command: Command,
    /// Its words.
    pub args: Args<'a>,
    /// Its time, microseconds since the epoch.
    pub now_us: i64,
    /// Whether it may wait.
    pub may_wait: bool,
    /// Whether its client has waited.
    pub waited: bool,
    /// Whether it is no part of a transaction.
    pub alone: bool,
}

/// What became of a command.
pub enum Done {
    /// It ran, was queued, or was refused; its reply is in the output.
    Yes,
    /// It has to be held back until this moment, milliseconds since the epoch (CLIENT PAUSE).
    HeldUntil(i64),
    /// Its client waits.
    Parked(Arc<Parked>),
}

/// The locks that something needs.
pub enum Scope {
    /// Those of the shards of these keys.
    Keys(Vec<KeyHash>),
    /// Those of one key's shard.
    Key(KeyHash),
    /// None, or one shard at a time.
    Nothing,
    /// All: it runs behind the closed gate.
    All,
}

impl Bench<'_> {
    /// The time of the command that begins now, microseconds since the epoch.
    pub fn now_us(&self) -> i64 {
        self.epoch_us + (self.clock_ns.saturating_sub(self.epoch_ns) / 1000) as i64
    }

    /// Executes one command for `session`, and appends its reply to `output`.
    pub fn execute(
        &mut self,
        session: &mut Session,
        command: Option<Command>,
        args: Args<'_>,
        output: &mut Vec<u8>,
    ) -> Done {
        let start = output.len();
        let now_us = self.now_us();
        let done = match command {
            Some(command) if self.passes(session, command, args) => {
                self.execute_admitted(session, command, args, now_us, output)
            }
            _ => self.execute_checked(session, command, args, now_us, output),
        };
        if let Done::HeldUntil(_) = done {
            return done;
        }
        if session.reply_mode != ReplyMode::On {
            silence(session, &done, output, start);
        }
        if !session.unsilenced.is_empty() {
            output.append(&mut session.unsilenced);
        }
        self.end_caching(session, command);
        done
    }

    /// Executes a command if it may run, and says why not otherwise.
    fn execute_checked(
        &mut self,
        session: &mut Session,
        command: Option<Command>,
        args: Args<'_>,
        now_us: i64,
        output: &mut Vec<u8>,
    ) -> Done {
        if command.is_none() && is_http(args) {
            tracing::warn!(
                "Possible SECURITY ATTACK detected: {} sends HTTP. Connection aborted.",
                session.client.addr
            );
            session.close = Close::Now;
            return Done::Yes;
        }
        match self.admit(session, command, args, now_us / 1000) {
            Ok(Admitted::HeldUntil(until)) => return Done::HeldUntil(until),
            Ok(Admitted::Run(command)) => {
                return self.execute_admitted(session, command, args, now_us, output);
            }
            Err(error) => self.refuse(session, command, &error, output),
        }
        Done::Yes
    }

    #[inline(always)]
    fn execute_admitted(
        &mut self,
        session: &mut Session,
        command: Command,
        args: Args<'_>,
        now_us: i64,
        output: &mut Vec<u8>,
    ) -> Done {
        session.client.note_command(command);
        let call = Call { command, args, now_us, may_wait: true, waited: false, alone: true };
        let done = self.run_or_queue(session, &call, output);
        let shown = (command, &call.args);
        monitor::feed(self.services, session, shown, now_us, monitor::Sender::Client);
        done
    }

    #[inline(always)]
    fn run_or_queue(
        &mut self,
        session: &mut Session,
        call: &Call<'_>,
        output: &mut Vec<u8>,
    ) -> Done {
        if session.transaction.is_some() {
            self.queue(session, call, output);
            return Done::Yes;
        }
        if let Some(parked) = self.hand_over(session, call) {
            return Done::Parked(parked);
        }
        let scope = scope_of(call.command, call.args);
        let parked = self.with_held(scope, |bench, held| bench.run(session, call, output, held));
        let Some(parked) = parked else {
            let error = self.busy();
            self.refuse(session, Some(call.command), &error, output);
            return Done::Yes;
        };
        parked.map_or(Done::Yes, Done::Parked)
    }

    /// Queues a command for EXEC, or ends the transaction.
    fn queue(&mut self, session: &mut Session, call: &Call<'_>, output: &mut Vec<u8>) {
        match call.command.name {
            "exec" if call.command.container.is_none() => self.exec(session, call, output),
            "multi" | "watch" | "discard" | "quit" | "reset"
                if call.command.container.is_none() =>
            {
                let scope = scope_of(call.command, call.args);
                let call = Call { may_wait: false, ..*call };
                self.with_held(scope, |bench, held| bench.run(session, &call, output, held));
            }
            _ => {
                let Some(transaction) = session.transaction.as_mut() else { return };
                if call.command.flags.contains(Flags::NO_MULTI) {
                    transaction.broken = true;
                    let error = Error::fixed("ERR Command not allowed inside a transaction");
                    return self.refuse(session, Some(call.command), &error, output);
                }
                let flags = commands::call_flags(self.services, call.command, call.args);
                transaction.queue(call.command, call.args, flags);
                session.client.figures.queued.set(transaction.queued.len() as u64 + 1);
                Writer::new(output, session.protocol).simple("QUEUED");
            }
        }
    }

    /// Does something under locks; none when a script keeps everybody waiting for so long that it is not done.
    #[inline(always)]
    pub fn with_held<T>(
        &mut self,
        scope: Scope,
        work: impl FnOnce(&mut Self, Held<'_>) -> T,
    ) -> Option<T> {
        match scope {
            // Nearly every command.
            Scope::Key(hash) if self.gate.is_inside() => {
                let held = Held::one(&self.services.keyspace, hash);
                Some(work(self, held))
            }
            scope => self.with_any_held(scope, work),
        }
    }

    #[inline(never)]
    fn with_any_held<T>(
        &mut self,
        scope: Scope,
        work: impl FnOnce(&mut Self, Held<'_>) -> T,
    ) -> Option<T> {
        let services = self.services;
        let keyspace = &services.keyspace;
        let is_busy = || services.scripts.is_busy();
        if !self.gate.is_inside() && !matches!(scope, Scope::Nothing) {
            // Given up before; perhaps it is open again.
            if !self.gate.enter_unless(is_busy) {
                return None;
            }
        }
        Some(match scope {
            Scope::Key(hash) => work(self, Held::one(keyspace, hash)),
            Scope::Nothing => work(self, Held::nothing(keyspace)),
            Scope::Keys(hashes) => work(self, Held::many(keyspace, hashes.into_iter())),
            Scope::All => {
                self.log.publish();
                self.gate.leave();
                let closed = keyspace.gate().close_unless(is_busy)?;
                let result = work(self, Held::all(keyspace, &closed));
                drop(closed);
                // May take long, and nobody else has to wait for it.
                self.aftermath.garbage.clear();
                self.gate.enter_unless(is_busy);
                result
            }
        })
    }

    /// Runs a command, lets it wait if it wants to, and serves those that waited for what it changed.
    pub fn run(
        &mut self,
        session: &mut Session,
        call: &Call<'_>,
        output: &mut Vec<u8>,
        mut held: Held<'_>,
    ) -> Option<Arc<Parked>> {
        let wait = self.run_and_account(session, call, output, &mut held);
        self.record(call.now_us);
        let leaves = wait.as_ref().is_some_and(|wait| wait.is_for_help());
        let parked = wait.map(|wait| self.park(session, call, *wait, &mut held));
        if self.aftermath.ready.is_empty() {
            drop(held);
        } else {
            let ready = std::mem::take(&mut self.aftermath.ready);
            self.serve_all(ready, held);
        }
        if leaves && let Some(parked) = &parked {
            self.give_away(parked);
        }
        parked
    }

    /// Records what has been done as one group: the locks of all of it are still held.
    pub fn record(&mut self, now_us: i64) {
        if !self.effects.is_empty() {
            self.log.record(&mut self.effects, now_us / 1000);
        }
    }

    /// Runs a command, writes its error if it fails, and counts it. Gives back what the command waits for, when it
    /// found nothing.
    #[inline(always)]
    pub fn run_and_account(
        &mut self,
        session: &mut Session,
        call: &Call<'_>,
        output: &mut Vec<u8>,
        held: &mut Held<'_>,
    ) -> Option<Box<Wait>> {
        let start = output.len();
        let wait = self.run_and_answer(session, call, output, held);
        if wait.as_ref().is_some_and(|wait| wait.is_for_help()) {
            // It has not run yet.
            return wait;
        }
        if Conditions::may_be_changed_by(call.command) {
            self.conditions = Conditions::of(self.services, self.config, call.now_us / 1000);
        }
        self.tell_readers();
        let took_ns = self.count(call);
        // What waits is the client's next command, and logged, when it is served.
        if wait.is_none() {
            session.client.figures.commands.add(1);
            self.log(session, call, took_ns, output.len() - start);
        }
        wait
    }

    /// What a database needs to know of the command that it serves.
    #[inline(always)]
    pub fn setting<'l>(
        &mut self,
        session: &Session,
        call: &Call<'_>,
        held: &'l mut Held<'_>,
    ) -> Setting<'l>
    where
        Self: 'l,
    {
        Setting {
            held: held.lend(),
            number: session.database,
            now_ms: call.now_us / 1000,
            expires: !session.obeys,
            frozen: self.services.pause.is_active(call.now_us / 1000),
            access: self.access_clock(session),
            counters: self.counters,
            notify: self.conditions.notify,
            log: ExpiryLog::new(self.log, self.config),
            tracking: self.recorder(session),
        }
    }

    /// What a command stamps on the keys that it uses.
    #[inline(always)]
    fn access_clock(&mut self, session: &Session) -> AccessClock {
        let mut clock = self.conditions.access;
        if clock.keeps_history() {
            clock = clock.with_noise(self.random.next_u64());
        }
        if session.no_touch { clock.without_touching() } else { clock }
    }

    /// Runs a command, and writes its error if it fails. Gives back what the command waits for, when it found
    /// nothing.
    #[inline(always)]
    pub fn run_and_answer(
        &mut self,
        session: &mut Session,
        call: &Call<'_>,
        output: &mut Vec<u8>,
        held: &mut Held<'_>,
    ) -> Option<Box<Wait>> {
        let start = output.len();
        let setting = self.setting(session, call, held);
        let is_logged = setting.log.is_some();
        let database = session.database;
        // What a connection has set up for its commands is not known to the helpers.
        let may_leave = call.may_wait
            && self.helpers.is_some()
            && !session.no_touch
            && setting.tracking.is_none();
        let mut ctx = Ctx {
            db: Database::new(setting, &mut self.aftermath),
            effects: Effects::new(database, is_logged),
            reply: Writer::new(output, session.protocol),
            session,
            services: self.services,
            config: self.config,
            random: self.random,
            now_us: call.now_us,
            may_wait: call.may_wait,
            may_leave,
            waited: call.waited,
            waits_for: None,
            idle: self.idle,
        };
        let outcome = (call.command.run)(&mut ctx, call.args);
        let changes = ctx.db.changes();
        if is_logged {
            let (effects, expired, changed) = (&mut ctx.effects, ctx.db.expired(), changes > 0);
            let now_ms = call.now_us / 1000;
            if !(call.alone && effects.record_itself(expired, changed, call.args, self.log, now_ms))
            {
                effects.collect(expired, changed, call.args, &mut self.effects);
            }
        }
        let wait = ctx.waits_for.take();
        if changes > 0 {
            self.counters.changes.add(changes);
        }
        self.publish_events();
        self.remember_keys(session, call.command, &call.args);
        match outcome {
            Ok(()) => wait,
            Err(error) => {
                output.truncate(start);
                self.answer_error(session, call, &error, output)
            }
        }
    }

    /// Writes the error of a command, unless that is that it leaves its worker: then it waits for help.
    #[cold]
    fn answer_error(
        &mut self,
        session: &Session,
        call: &Call<'_>,
        error: &Error,
        output: &mut Vec<u8>,
    ) -> Option<Box<Wait>> {
        if error.leaves() {
            return Some(Box::new(Wait::for_help()));
        }
        Writer::new(output, session.protocol).error(error.line());
        self.counters.errors.add(1);
        self.counters.command(call.command.id()).failed.add(1);
        self.services.statistics.count_error(error.prefix());
        None
    }

    /// Publishes what has happened to keys. Their locks are still held.
    #[inline]
    pub fn publish_events(&mut self) {
        if !self.aftermath.events.is_empty() {
            notify::publish(self.services, self.config, self.aftermath.events.drain(..));
        }
    }

    /// Statistics and logs of a command that has run.
    pub fn account(&mut self, session: &Session, call: &Call<'_>, reply: usize) {
        let took_ns = self.count(call);
        session.client.figures.commands.add(1);
        self.log(session, call, took_ns, reply);
    }

    /// Nanoseconds since the end of the last command.
    #[inline]
    pub fn lap_ns(&mut self) -> u64 {
        let end = self.services.clock.monotonic_ns();
        let took_ns = end.saturating_sub(self.clock_ns);
        self.clock_ns = end;
        took_ns
    }

    /// Statistics of a command that has run; gives back how long it took.
    fn count(&mut self, call: &Call<'_>) -> u64 {
        let took_ns = self.lap_ns();
        self.counters.commands.add(1);
        let counters = self.counters.command(call.command.id());
        counters.record(took_ns, self.config.latency_tracking);
        took_ns
    }

    /// Enters what a command took to the account of its keys.
    #[cold]
    fn note_hot_keys(&mut self, call: &Call<'_>, took_ns: u64, reply: usize) {
        let keys = keys_of(call.command, call.args);
        let words = keys.iter().map(|(word, _)| call.args.at(*word));
        // As RESP frames them: a sign, the length, and the ends of two lines.
        let framed = |length: usize| length.checked_ilog10().unwrap_or(0) as usize + 4;
        let request: usize = call.args.iter().map(|word| framed(word.len()) + word.len() + 2).sum();
        let bytes = (framed(call.args.len()) + request + reply) as u64;
        let chance = self.random.next_u64();
        self.services.hot_keys.note(words, took_ns, bytes, chance, call.now_us / 1000);
    }

    /// Enters a command that has run into the logs of what is slow or large.
    #[inline]
    pub fn log(&mut self, session: &Session, call: &Call<'_>, took_ns: u64, reply: usize) {
        if self.conditions.counts_keys {
            self.note_hot_keys(call, took_ns, reply);
        }
        // A command that changes the limits is judged by the new ones.
        if self.conditions.logged.are_reached(call.args, took_ns, reply) {
            let Call { command, args, now_us, .. } = *call;
            let finished = Finished { command, args, now_us, took_ns, reply };
            logs::enter(self.services, self.config, session, finished);
        }
    }
}

/// Takes back what a command has answered, as far as CLIENT REPLY asks for that.
#[cold]
fn silence(session: &mut Session, done: &Done, output: &mut Vec<u8>, start: usize) {
    match session.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off => output.truncate(start),
        ReplyMode::SkipNext => session.reply_mode = ReplyMode::Skip,
        // Its reply is still to come.
        ReplyMode::Skip if matches!(done, Done::Parked(_)) => {}
        ReplyMode::Skip => {
            output.truncate(start);
            session.reply_mode = ReplyMode::On;
        }
    }
}

/// The locks that a command needs.
#[inline(always)]
pub fn scope_of(command: Command, args: Args<'_>) -> Scope {
    if command.is_exclusive(args) {
        return Scope::All;
    }
    match command.only_key() {
        Some(word) if word < args.len() => Scope::Key(args.key(word).hash()),
        _ => scope_of_many(command, args),
    }
}

fn scope_of_many(command: Command, args: Args<'_>) -> Scope {
    match keys_of(command, args).as_slice() {
        [] => Scope::Nothing,
        [(word, _)] => Scope::Key(args.key(*word).hash()),
        many => Scope::Keys(many.iter().map(|(word, _)| KeyHash::of(args.at(*word))).collect()),
    }
}

/// Whether a command may run a script, and so keep its worker busy for long.
pub fn may_run_script(session: &Session, command: Command) -> bool {
    const RUNS: Flags = Flags::NO_MANDATORY_KEYS.union(Flags::EXCLUSIVE);
    let runs = |command: Command| {
        command.flags.contains(RUNS) && command.group == command::Group::Scripting
    };
    match &session.transaction {
        Some(transaction) if command.name == "exec" => {
            transaction.queued.iter().any(|(queued, _)| runs(*queued))
        }
        Some(_) => false,
        None => runs(command),
    }
}

/// The keys that a command names. What they are when its arguments are wrong is the command's own
/// business: it says what is wrong before it touches any.
pub fn keys_of(command: Command, args: Args<'_>) -> KeyList {
    if command.keys.is_empty() && command.find_keys.is_none() {
        return KeyList::new();
    }
    command.keys_of(args).unwrap_or_default()
}

/// Ends a connection whose stream cannot be read any further.
pub fn protocol_error(session: &mut Session, error: &str, output: &mut Vec<u8>) {
    Writer::new(output, session.protocol).error(&format!("ERR {error}"));
    session.close = Close::AfterReply;
}
