//! Whether a command may run, and what is answered when it may not.

use command::{Args, Command, DiskError, Error, Flags, Session, permission};
use resp::{Protocol, Writer};

use crate::execute::{Bench, Call, Scope, scope_of};

impl Bench<'_> {
    /// Whether a command may run without a closer look: nothing is special about its client, its form or the
    /// server.
    #[inline]
    pub fn passes(&self, session: &Session, command: Command, args: Args<'_>) -> bool {
        let is_subscriber = || session.client.figures.is_subscriber();
        self.conditions.is_calm
            && session.authenticated
            && session.transaction.is_none()
            && session.user.is_unrestricted()
            && !(session.protocol == Protocol::Resp2 && is_subscriber())
            && command.subcommands.is_empty()
            && command.accepts(args.len())
    }

    /// Whether a command may run.
    pub fn admit(
        &mut self,
        session: &Session,
        command: Option<Command>,
        args: Args<'_>,
        now_ms: i64,
    ) -> Result<Admitted, Error> {
        let Some(command) = command else { return Err(unknown(args)) };
        let is_container = !command.subcommands.is_empty() && args.len() > 1;
        if !command.accepts(args.len()) && !is_container {
            return Err(Error::arity(&command.full_name()));
        }
        if !session.authenticated
            && !command.flags.contains(Flags::NO_AUTH)
            && !self.services.acl.default_needs_no_password()
        {
            return Err(Error::NO_AUTH);
        }
        if !session.user.is_unrestricted() {
            let call = Call {
                command,
                args,
                now_us: now_ms * 1000,
                may_wait: false,
                waited: false,
                alone: true,
            };
            let never_queued =
                session.transaction.is_some() && command.flags.contains(Flags::NO_MULTI);
            // An unknown subcommand is nobody's to allow.
            if !is_container && !never_queued {
                self.permit(session, &call)?;
            }
        }
        let flags = commands::call_flags(self.services, command, args);
        self.check_memory(session, command, flags)?;
        const WRITES: Flags = Flags::WRITE.union(Flags::MAY_REPLICATE);
        let hindered = self.services.persistence.has_obstacles();
        let queued = session.transaction.as_ref().filter(|_| command.name == "exec");
        let has_flag = |wanted: Flags| {
            flags.intersects(wanted)
                || queued.is_some_and(|transaction| transaction.flags.intersects(wanted))
        };
        if has_flag(Flags::WRITE) || command.name == "ping" {
            // Nothing is to be written that cannot be saved.
            if let Some(why) = DiskError::of(self.services, self.config) {
                return Err(why.refusal());
            }
        }
        // What comes to a subscriber in RESP2 is taken for a message.
        if session.protocol == Protocol::Resp2
            && session.client.figures.is_subscriber()
            && !is_for_subscribers(command)
            && !is_container
        {
            return Err(Error::new(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                 allowed in this context",
                command.full_name()
            )));
        }
        let needs_data = !command.flags.contains(Flags::LOADING);
        if hindered && needs_data && self.services.persistence.is_loading() && !is_container {
            return Err(Error::LOADING);
        }
        if self.services.scripts.is_busy() && self.is_kept_off(session, command, args) {
            return Err(self.busy());
        }
        // Otherwise nobody could end the pause.
        let exempt = command.container == Some("client") && command.name == "unpause";
        let held = if exempt { None } else { self.services.pause.holds(has_flag(WRITES), now_ms) };
        Ok(held.map_or(Admitted::Run(command), Admitted::HeldUntil))
    }

    /// Whether the client's user may run a command. What is denied is noted in ACL LOG.
    #[cold]
    pub fn permit(&self, session: &Session, call: &Call<'_>) -> Result<(), Error> {
        let Call { command, args, .. } = *call;
        session.check(command, args).map_err(|denied| {
            let context = match session.transaction {
                Some(_) => acl::Context::Multi,
                None => acl::Context::TopLevel,
            };
            permission::note(self.services, session, context, denied, command, args);
            permission::error(command, denied)
        })
    }

    /// Answers a command that was allowed when it was sent, and is not when it runs.
    pub fn answer_denied(&mut self, session: &Session, error: &Error, output: &mut Vec<u8>) {
        Writer::new(output, session.protocol).error(error.line());
        self.counters.errors.add(1);
        self.services.statistics.count_error(error.prefix());
    }

    /// Answers a command that does not run. Inside a transaction that makes EXEC fail.
    pub fn refuse(
        &mut self,
        session: &mut Session,
        command: Option<Command>,
        error: &Error,
        output: &mut Vec<u8>,
    ) {
        let mut writer = Writer::new(output, session.protocol);
        let is_exec = command.is_some_and(|command| command.name == "exec");
        if is_exec {
            // EXEC in the wrong form ends the transaction, and says so even where there is none.
            let why = error.line().strip_prefix("ERR ").unwrap_or(error.line());
            writer.error(&format!("EXECABORT Transaction discarded because of: {why}"));
            session.transaction = None;
            session.client.figures.queued.set(0);
            // Otherwise the watches stay until the next EXEC.
            if self.gate.is_inside() {
                crate::transaction::forget_watches(
                    self.services,
                    &std::mem::take(&mut session.watched),
                );
            }
        } else {
            writer.error(error.line());
        }
        if let Some(transaction) = &mut session.transaction {
            transaction.broken = true;
        }
        self.counters.errors.add(1);
        self.services.statistics.count_error(error.prefix());
        if let Some(command) = command {
            self.counters.command(command.id()).rejected.add(1);
        }
    }

    /// What clients are told while a script runs for long.
    pub fn busy(&self) -> Error {
        let running = self.services.scripts.running();
        commands::busy_error(running.is_none_or(|running| running.is_script))
    }

    /// Whether a command has to be refused because a script runs for long: nearly all are, and whatever needs
    /// keys.
    fn is_kept_off(&self, session: &Session, command: Command, args: Args<'_>) -> bool {
        let has_queue = session.transaction.as_ref().is_some_and(|one| !one.queued.is_empty());
        let needs_keys = match command.name {
            "exec" => has_queue || !session.watched.is_empty(),
            "discard" | "unwatch" | "reset" => !session.watched.is_empty(),
            _ => false,
        };
        !command.flags.contains(Flags::ALLOW_BUSY)
            || needs_keys
            || !matches!(scope_of(command, args), Scope::Nothing)
            || (command.name == "shutdown" && !args.is(1, "NOSAVE"))
    }
}

/// What becomes of a command that may run.
pub enum Admitted {
    Run(Command),
    HeldUntil(i64),
}

/// Whether a command may be sent on a RESP2 connection that has subscriptions.
fn is_for_subscribers(command: Command) -> bool {
    let ends_or_begins = command.flags.contains(Flags::PUBSUB | Flags::NOSCRIPT);
    let other = command.container.is_none() && matches!(command.name, "ping" | "quit" | "reset");
    ends_or_begins || other
}

/// Whether a web browser was led here to send commands: the body behind these words must not be executed.
pub fn is_http(args: Args<'_>) -> bool {
    args.is(0, "POST") || args.is(0, "Host:")
}

/// What Redis answers to a command that it does not know: the beginning of the arguments included.
fn unknown(args: Args<'_>) -> Error {
    let mut preview = String::new();
    for word in args.iter_from(1) {
        if preview.len() >= 128 {
            break;
        }
        let room = 128 - preview.len();
        let word = text_of(&word[..word.len().min(room)]);
        preview.push_str(&format!("'{word}' "));
    }
    let name = text_of(&args.at(0)[..args.at(0).len().min(128)]);
    Error::new(format!("ERR unknown command '{name}', with args beginning with: {preview}"))
}

/// A client's word in an error: up to the first zero byte, as C prints it.
fn text_of(word: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
    String::from_utf8_lossy(&word[..end])
}
