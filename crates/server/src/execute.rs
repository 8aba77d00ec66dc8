use std::sync::Arc;

use command::{
    Args, Close, Command, Ctx, Database, Error, Flags, KeyList, ReplyMode, Services, Session,
    Setting,
};
use config::Config;
use env::{Random, RngCore};
use keyspace::access::{AccessClock, LfuScale};
use keyspace::gate::GateSlot;
use keyspace::{Db, Held, KeyHash};
use observe::Counters;
use resp::Writer;

use crate::monitor;

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
    /// The worker's place at the gate; it is inside.
    pub gate: &'a GateSlot,
    /// Microseconds since the epoch when `clock_ns` was read.
    pub epoch_us: i64,
    /// The stop watch at the end of the last command, which is the start of this one.
    pub clock_ns: u64,
    /// The stop watch when `epoch_us` was read.
    pub epoch_ns: u64,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It ran, or was refused; its reply is in the output.
    Yes,
    /// It has to wait until this moment, milliseconds since the epoch (CLIENT PAUSE).
    HeldUntil(i64),
}

impl Bench<'_> {
    /// Executes one command for `session`, and appends its reply to `output`.
    pub fn execute(
        &mut self,
        session: &mut Session,
        command: Option<Command>,
        args: Args<'_>,
        output: &mut Vec<u8>,
    ) -> Done {
        let start = output.len();
        let now_us = self.epoch_us + ((self.clock_ns - self.epoch_ns) / 1000) as i64;
        let refused = match self.admit(session, command, args, now_us / 1000) {
            Ok(None) => None,
            Ok(Some(until)) => return Done::HeldUntil(until),
            Err(error) => Some(error),
        };
        let mut writer = Writer::new(output, session.protocol);
        if let Some(error) = refused {
            writer.error(error.line());
            self.count_refusal(command, &error);
        } else if let Some(command) = command {
            if self.services.clients.monitored() {
                monitor::feed(self.services, session, command, args, now_us);
            }
            self.run(session, command, args, output, now_us);
        }
        match session.reply_mode {
            ReplyMode::On => {}
            ReplyMode::Off => output.truncate(start),
            ReplyMode::SkipNext => session.reply_mode = ReplyMode::Skip,
            ReplyMode::Skip => {
                output.truncate(start);
                session.reply_mode = ReplyMode::On;
            }
        }
        Done::Yes
    }

    /// Whether a command may run: `Some` moment when only later.
    fn admit(
        &self,
        session: &Session,
        command: Option<Command>,
        args: Args<'_>,
        now_ms: i64,
    ) -> Result<Option<i64>, Error> {
        let Some(command) = command else { return Err(unknown(args)) };
        if !command.accepts(args.len()) {
            let is_container = !command.subcommands.is_empty() && args.len() > 1;
            if !is_container {
                return Err(Error::arity(&command.full_name()));
            }
        }
        if !session.authenticated && !command.flags.contains(Flags::NO_AUTH) {
            return Err(Error::NO_AUTH);
        }
        let may_write = command.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE);
        // Otherwise nobody could end the pause.
        let exempt = command.name == "unpause" || command.name == "pause";
        Ok(if exempt { None } else { self.services.pause.holds(may_write, now_ms) })
    }

    fn count_refusal(&self, command: Option<Command>, error: &Error) {
        self.counters.errors.add(1);
        self.services.statistics.count_error(error.prefix());
        if let Some(command) = command {
            self.counters.command(command.id()).rejected.add(1);
        }
    }

    fn run(
        &mut self,
        session: &mut Session,
        command: Command,
        args: Args<'_>,
        output: &mut Vec<u8>,
        now_us: i64,
    ) {
        let start = output.len();
        let outcome = match keys_of(command, args) {
            Err(error) => Err(error),
            Ok(_) if command.flags.contains(Flags::EXCLUSIVE) => {
                self.run_alone(session, command, args, output, now_us)
            }
            Ok(keys) => {
                let held = hold(self.services, &keys, args);
                self.run_held(session, command, args, output, now_us, held).0
            }
        };
        if let Err(error) = outcome {
            output.truncate(start);
            Writer::new(output, session.protocol).error(error.line());
            self.counters.errors.add(1);
            self.counters.command(command.id()).failed.add(1);
            self.services.statistics.count_error(error.prefix());
        }
        self.account(session, command, args, output.len() - start, now_us);
    }

    /// Runs a command while nobody else touches the keyspace.
    fn run_alone(
        &mut self,
        session: &mut Session,
        command: Command,
        args: Args<'_>,
        output: &mut Vec<u8>,
        now_us: i64,
    ) -> command::Outcome {
        let services = Arc::clone(self.services);
        self.gate.leave();
        let closed = services.keyspace.gate().close();
        let held = Held::all(&services.keyspace, &closed);
        let (outcome, garbage) = self.run_held(session, command, args, output, now_us, held);
        drop(closed);
        // May take long, and nobody else has to wait for it.
        drop(garbage);
        self.gate.enter();
        outcome
    }

    fn run_held(
        &mut self,
        session: &mut Session,
        command: Command,
        args: Args<'_>,
        output: &mut Vec<u8>,
        now_us: i64,
        held: Held<'_>,
    ) -> (command::Outcome, Vec<Db>) {
        let setting = Setting {
            held,
            number: session.database,
            now_ms: now_us / 1000,
            access: self.access_clock(session, now_us / 1000),
            counters: self.counters,
            notify: self.config.notify_keyspace_events,
        };
        let mut ctx = Ctx {
            db: Database::new(setting),
            reply: Writer::new(output, session.protocol),
            session,
            services: self.services,
            config: self.config,
            random: self.random,
            now_us,
        };
        let outcome = (command.run)(&mut ctx, args);
        self.counters.changes.add(ctx.db.changes());
        (outcome, ctx.db.take_garbage())
    }

    /// What a command stamps on the keys that it uses.
    fn access_clock(&mut self, session: &Session, now_ms: i64) -> AccessClock {
        use config::MaxmemoryPolicy::{AllkeysLfu, VolatileLfu};
        let clock = if matches!(self.config.maxmemory_policy, AllkeysLfu | VolatileLfu) {
            let scale = LfuScale {
                log_factor: self.config.lfu_log_factor,
                decay_minutes: self.config.lfu_decay_time_min,
            };
            AccessClock::frequency(now_ms, scale, self.random.next_u64())
        } else {
            AccessClock::recency(now_ms)
        };
        if session.no_touch { clock.without_touching() } else { clock }
    }

    /// Statistics and logs of a command that has run.
    fn account(
        &mut self,
        session: &Session,
        command: Command,
        args: Args<'_>,
        reply: usize,
        now_us: i64,
    ) {
        let end = self.services.clock.monotonic_ns();
        let took_ns = end.saturating_sub(self.clock_ns);
        self.clock_ns = end;
        self.counters.commands.add(1);
        self.counters.command(command.id()).record(took_ns, self.config.latency_tracking);
        session.client.figures.commands.add(1);
        session.client.note_command(command);
        if command.flags.contains(Flags::SKIP_SLOWLOG) {
            return;
        }
        let took_us = (took_ns / 1000) as i64;
        let logs = &self.services.logs;
        let request = || args.iter().map(<[u8]>::len).sum::<usize>() as i64;
        let log = |log: &observe::CommandLog, value: i64| {
            let words: Vec<&[u8]> =
                (0..args.len())
                    .map(|word| {
                        if monitor::is_secret(command, args, word) {
                            b"(redacted)"
                        } else {
                            args.at(word)
                        }
                    })
                    .collect();
            let name = session.client.names.lock().name.clone();
            log.add(value, now_us / 1_000_000, words.into_iter(), &session.client.addr, &name);
        };
        if logs.slow.wants(took_us) {
            log(&logs.slow, took_us);
        }
        if logs.large_reply.wants(reply as i64) {
            log(&logs.large_reply, reply as i64);
        }
        if logs.large_request.is_on() && logs.large_request.wants(request()) {
            log(&logs.large_request, request());
        }
        let threshold_ms = self.config.latency_monitor_threshold_ms;
        if threshold_ms > 0 && took_ns / 1_000_000 >= threshold_ms {
            let event =
                if command.flags.contains(Flags::FAST) { "fast-command" } else { "command" };
            self.services.latency.add(event, now_us / 1_000_000, took_ns / 1_000_000);
        }
    }
}

/// The keys that a command names; one that has none and may do without names none.
fn keys_of(command: Command, args: Args<'_>) -> Result<KeyList, Error> {
    if command.keys.is_empty() && command.find_keys.is_none() {
        return Ok(KeyList::new());
    }
    // What the keys are is the command's own business when its arguments are wrong: it says what is.
    Ok(command.keys_of(args).unwrap_or_default())
}

fn hold<'k>(services: &'k Services, keys: &KeyList, args: Args<'_>) -> Held<'k> {
    match keys.as_slice() {
        [] => Held::nothing(&services.keyspace),
        [(word, _)] => Held::one(&services.keyspace, args.key(*word).hash()),
        many => {
            let hashes = many.iter().map(|(word, _)| KeyHash::of(args.at(*word)));
            Held::many(&services.keyspace, hashes)
        }
    }
}

/// What Redis answers to a command that it does not know: the beginning of the arguments included.
fn unknown(args: Args<'_>) -> Error {
    let mut preview = String::new();
    for word in args.iter_from(1) {
        if preview.len() >= 128 {
            break;
        }
        let room = 128 - preview.len();
        let word = &word[..word.len().min(room)];
        preview.push_str(&format!("'{}' ", String::from_utf8_lossy(word)));
    }
    let name = &args.at(0)[..args.at(0).len().min(128)];
    let name = String::from_utf8_lossy(name);
    Error::new(format!("ERR unknown command '{name}', with args beginning with: {preview}"))
}

/// Ends a connection whose stream cannot be read any further.
pub fn protocol_error(session: &mut Session, error: &str, output: &mut Vec<u8>) {
    Writer::new(output, session.protocol).error(&format!("ERR {error}"));
    session.close = Close::AfterReply;
}
