//! `redis.call`: a command that runs within another, under its locks, after the checks that a client's command
//! passes.
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acl::{Context, Reason};
use command::scripts::Running;
use command::{Args, Command, Ctx, DiskError, Effects, Error, Flags, Targets, permission};
use keyspace::KeyHash;
use resp::{Protocol, Writer};
use script::{Host, Verdict, Words};

use crate::logs::{self, Finished};
use crate::monitor;

/// Runs the commands of a script.
pub(crate) struct Caller<'c, 'a> {
    ctx: &'c mut Ctx<'a>,
    running: Arc<Running>,
    read_only: bool,
    /// There is no room for commands that may need memory; as it was when the script began.
    lacks_memory: bool,
    /// Who is to have the effects of its commands.
    targets: Targets,
}

impl<'c, 'a> Caller<'c, 'a> {
    pub fn new(ctx: &'c mut Ctx<'a>, running: Arc<Running>, read_only: bool) -> Self {
        Self { ctx, running, read_only, lacks_memory: false, targets: Targets::all() }
    }

    /// Refuses commands that may need memory, until the script has written: then it cannot stop in the middle.
    pub fn spare_memory(&mut self) {
        self.lacks_memory = true;
    }

    /// Whether the script may run a command.
    fn admit(&mut self, command: Option<Command>, args: Args<'_>) -> Result<Command, String> {
        const WRITES: Flags = Flags::WRITE.union(Flags::MAY_REPLICATE);
        let Some(command) = command else {
            return Err("Unknown Redis command called from script".into());
        };
        let is_container = !command.subcommands.is_empty() && args.len() > 1;
        if !command.accepts(args.len()) && !is_container {
            return Err("Wrong number of args calling Redis command from script".into());
        }
        if is_container {
            return Err("Unknown Redis command called from script".into());
        }
        let allow_all = self.ctx.services.scripts.allow_all.load(Ordering::Relaxed);
        if command.flags.contains(Flags::NOSCRIPT) && !allow_all {
            return Err("This Redis command is not allowed from script".into());
        }
        self.permit(command, args)?;
        if self.read_only && command.flags.intersects(WRITES) {
            return Err("Write commands are not allowed from read-only scripts.".into());
        }
        let has_written = self.running.has_written.load(Ordering::Relaxed);
        if self.lacks_memory && !has_written && command.flags.contains(Flags::DENYOOM) {
            return Err(format!("-{}", Error::OUT_OF_MEMORY.line()));
        }
        if command.flags.contains(Flags::WRITE) {
            // Half of what a script does is worse than what cannot be saved.
            if !self.running.has_written.load(Ordering::Relaxed)
                && let Some(why) = DiskError::of(self.ctx.services, self.ctx.config)
            {
                return Err(format!("-{}", why.refusal()));
            }
            self.running.has_written.store(true, Ordering::Relaxed);
        }
        Ok(command)
    }

    /// Whether the client's user may run a command. What is denied is noted in ACL LOG.
    fn permit(&self, command: Command, args: Args<'_>) -> Result<(), String> {
        let (services, session) = (self.ctx.services, &*self.ctx.session);
        session.check(command, args).map_err(|denied| {
            let what = match denied.reason {
                Reason::Key => "access at least one of the keys mentioned in the command arguments",
                Reason::Channel => "publish to the channel mentioned in the command",
                Reason::Database => "access the database of the command",
                Reason::Command | Reason::Auth => "run this command or subcommand",
            };
            permission::note(services, session, Context::Script, denied, command, args);
            format!("The user executing the script can't {what}")
        })
    }

    /// Counts a refusal.
    fn refuse(&self, command: Option<Command>, text: &str) {
        let counters = self.ctx.db.counters();
        counters.errors.add(1);
        let prefix = match text.strip_prefix('-') {
            Some(line) => line.split(' ').next().unwrap_or("ERR"),
            None => "ERR",
        };
        self.ctx.services.statistics.count_error(prefix);
        if let Some(command) = command {
            counters.command(command.id()).rejected.add(1);
        }
    }

    fn run(&mut self, command: Command, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) {
        let ctx = &mut *self.ctx;
        let start = reply.len();
        let start_ns = ctx.services.clock.monotonic_ns();
        let database = ctx.session.database;
        let mut nested = Ctx {
            effects: Effects::new(database, ctx.effects.wanted()),
            db: ctx.db.nested(database),
            reply: Writer::new(reply, protocol),
            session: &mut *ctx.session,
            services: ctx.services,
            config: ctx.config,
            random: &mut *ctx.random,
            now_us: ctx.now_us,
            may_wait: false,
            may_leave: false,
            waited: false,
            waits_for: None,
            idle: None,
        };
        let outcome = (command.run)(&mut nested, args);
        let Ctx { mut db, effects, .. } = nested;
        ctx.effects.absorb(effects, &mut db, args, self.targets);
        let changes = db.changes();
        ctx.db.add_changes(changes);
        monitor::feed(
            ctx.services,
            ctx.session,
            (command, &args),
            ctx.now_us,
            monitor::Sender::Script,
        );
        let counters = ctx.db.counters();
        if let Err(error) = &outcome {
            reply.truncate(start);
            Writer::new(reply, protocol).error(error.line());
            counters.errors.add(1);
            counters.command(command.id()).failed.add(1);
            ctx.services.statistics.count_error(error.prefix());
        }
        ctx.session.client.figures.commands.add(1);
        let took_ns = ctx.services.clock.monotonic_ns().saturating_sub(start_ns);
        counters.command(command.id()).record(took_ns, ctx.config.latency_tracking);
        let reply = reply.len() - start;
        let finished = Finished { command, args, now_us: ctx.now_us, took_ns, reply };
        logs::enter(ctx.services, ctx.config, ctx.session, finished);
    }
}

/// Whether all keys of a command are under the locks that are held.
fn is_covered(ctx: &mut Ctx<'_>, command: Command, args: Args<'_>) -> bool {
    let held = ctx.db.held();
    if held.is_all() {
        return true;
    }
    if command.flags.intersects(Flags::EXCLUSIVE | Flags::WALK) {
        return false;
    }
    let keys = command.keys_of(args).unwrap_or_default();
    keys.iter().all(|(word, _)| held.covers(KeyHash::of(args.at(*word))))
}

impl Host for Caller<'_, '_> {
    fn call(
        &mut self,
        words: &Words,
        protocol: Protocol,
        reply: &mut Vec<u8>,
    ) -> Result<(), String> {
        let args = Args::new(&words.buffer, &words.spans);
        let found = self.ctx.services.table.resolve(args);
        match self.admit(found, args) {
            Ok(command) if is_covered(self.ctx, command, args) => {
                self.run(command, args, protocol, reply);
                Ok(())
            }
            Ok(_) => {
                let text = "Script attempted to access a key that it has not declared";
                self.refuse(found, text);
                Err(text.into())
            }
            Err(text) => {
                self.refuse(found, &text);
                Err(text)
            }
        }
    }

    fn interrupt(&mut self) -> Verdict {
        if self.running.killed.load(Ordering::Relaxed) {
            return Verdict::Kill(match self.running.is_script {
                true => "Script killed by user with SCRIPT KILL...",
                false => "Script killed by user with FUNCTION KILL...",
            });
        }
        let services = self.ctx.services;
        let took_ns = services.clock.monotonic_ns().saturating_sub(self.running.start_ns);
        let threshold_ms = self.ctx.config.busy_reply_threshold_ms;
        if threshold_ms > 0 && took_ns / 1_000_000 >= threshold_ms {
            if !services.scripts.is_busy() {
                tracing::warn!(
                    "Slow script detected: still in execution after {} milliseconds. You can try \
                     killing the script using the {} command. Script name is: {}.",
                    took_ns / 1_000_000,
                    if self.running.is_script { "SCRIPT KILL" } else { "FUNCTION KILL" },
                    String::from_utf8_lossy(&self.running.name)
                );
                services.scripts.set_busy();
                services.keyspace.gate().nudge();
            }
            if let Some(idle) = self.ctx.idle {
                idle.serve();
            }
        }
        match self.running.killed.load(Ordering::Relaxed) {
            true => self.interrupt(),
            false => Verdict::Continue,
        }
    }

    fn may_run(&mut self, words: &Words) -> Option<bool> {
        let args = Args::new(&words.buffer, &words.spans);
        let command = self.ctx.services.table.resolve(args)?;
        Some(self.ctx.session.check(command, args).is_ok())
    }

    fn set_targets(&mut self, targets: u8) {
        self.targets = Targets::from_bits_truncate(targets);
    }

    fn log(&mut self, level: i64, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        match level {
            0 => tracing::debug!("{text}"),
            1 => tracing::debug!("{text}"),
            2 => tracing::info!("{text}"),
            _ => tracing::warn!("{text}"),
        }
    }
}

/// What others are told while a script or function runs for long.
pub fn busy_error(is_script: bool) -> Error {
    Error::fixed(match is_script {
        true => {
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
        }
        false => {
            "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
        }
    })
}
