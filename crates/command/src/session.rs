use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acl::{Denied, User};
use resp::Protocol;

use crate::args::{Args, OwnedArgs};
use crate::clients::{Client, Registry};
use crate::migration::Migration;
use crate::permission;
use crate::spec::Flags;
use crate::table::Command;

/// The state of one connection that commands see and change; owned by the connection's worker.
pub struct Session {
    /// What other clients may know of this one.
    pub client: Arc<Client>,
    /// The selected database.
    pub database: usize,
    /// The protocol of replies.
    pub protocol: Protocol,
    /// Who the client is.
    pub user: Arc<User>,
    /// Whether the client may run commands.
    pub authenticated: bool,
    /// The words of the command that runs now if they are so long that nobody should copy them only to have them.
    pub long_words: Option<Arc<OwnedArgs>>,
    /// Whether replies are sent (CLIENT REPLY).
    pub reply_mode: ReplyMode,
    /// Its commands come from the log of effects, and have been admitted before.
    pub obeys: bool,
    /// Leaves access clocks alone (CLIENT NO-TOUCH).
    pub no_touch: bool,
    /// Whether the connection ends.
    pub close: Close,
    /// Commands that wait for EXEC, since MULTI.
    pub transaction: Option<Transaction>,
    /// Keys whose change makes EXEC fail.
    pub watched: Vec<Watched>,
    /// The MIGRATE whose step runs; none where it cannot talk with the other server.
    pub migration: Option<Box<Migration>>,
    /// Lists of fields that HIMPORT PREPARE has given a name.
    pub fieldsets: HashMap<Box<[u8]>, Fieldset>,
    /// Bytes that these take, about.
    pub fieldsets_bytes: u64,
    /// Where the worker keeps the connection.
    pub place: usize,
    /// A subscription has just ended: messages that are under way may be for it.
    pub unsubscribed: bool,
    /// Pushes of the command that runs, while CLIENT REPLY silences replies.
    pub unsilenced: Vec<u8>,
}

/// Names of fields, in the order in which HIMPORT SET gets their values.
pub type Fieldset = Arc<[Box<[u8]>]>;

/// The commands between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    /// In their order.
    pub queued: Vec<(Command, OwnedArgs)>,
    /// The memory that they take, about.
    pub bytes: usize,
    /// All flags that one of them has.
    pub flags: Flags,
    /// One could not be queued, so EXEC will refuse.
    pub broken: bool,
    /// The database that the queued commands select, if any of them selects one.
    pub database: Option<usize>,
}

/// What a queued word takes beside its own bytes.
const WORD_BYTES: usize = size_of::<(usize, usize)>();

impl Transaction {
    /// Queues a command; `flags` are those of the call, which a script may declare.
    pub fn queue(&mut self, command: Command, args: Args<'_>, flags: Flags) {
        self.flags |= flags;
        if command.name == "select" && command.container.is_none() {
            let number = codec::number::parse_i64(args.at(1));
            let number = number.and_then(|number| usize::try_from(number).ok());
            self.database = number.or(self.database);
        }
        self.bytes += args.iter().map(|word| word.len() + WORD_BYTES).sum::<usize>();
        self.queued.push((command, args.to_owned()));
    }
}

/// A key that WATCH named.
pub struct Watched {
    /// The number of its database.
    pub database: usize,
    /// Its name.
    pub key: Box<[u8]>,
    /// The version that it had (`keyspace::Marks`).
    pub version: u64,
}

/// What CLIENT REPLY asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyMode {
    /// Replies are sent.
    On,
    /// No replies until ON.
    Off,
    /// The reply of the next command is not sent.
    SkipNext,
    /// The reply of the command that runs is not sent.
    Skip,
}

/// Whether and when a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// It goes on.
    No,
    /// When what has been written so far has been sent.
    AfterReply,
    /// At once, with nothing more sent.
    Now,
    /// When the process ends, with nothing more executed.
    WithProcess,
}

/// What a watched key, a subscription or a prefix takes: an entry of the client's own, and one of the table in
/// which others find it.
const ENTRY_BYTES: u64 = 128;

/// Bytes that a list of fields takes under its name, about.
fn fieldset_bytes(name: &[u8], fields: &Fieldset) -> u64 {
    let words = fields.iter().map(|field| field.len() + size_of::<Box<[u8]>>());
    (name.len() + words.sum::<usize>()) as u64 + ENTRY_BYTES
}

impl Session {
    /// The state of a new connection.
    pub fn new(client: Arc<Client>, user: Arc<User>, authenticated: bool) -> Self {
        Self {
            client,
            user,
            database: 0,
            protocol: Protocol::Resp2,
            authenticated,
            long_words: None,
            reply_mode: ReplyMode::On,
            obeys: false,
            no_touch: false,
            close: Close::No,
            transaction: None,
            watched: Vec::new(),
            migration: None,
            fieldsets: HashMap::new(),
            fieldsets_bytes: 0,
            place: usize::MAX,
            unsubscribed: false,
            unsilenced: Vec::new(),
        }
    }

    /// The words of the command that runs now, to be kept.
    pub fn keep_words(&self, args: Args<'_>) -> Arc<OwnedArgs> {
        match &self.long_words {
            Some(words) => Arc::clone(words),
            None => Arc::new(args.to_owned()),
        }
    }

    /// The memory that the client takes beside its buffers, about.
    pub fn memory_bytes(&self) -> u64 {
        let figures = &self.client.figures;
        let prefixes = self.client.tracker().map_or(0, |tracker| tracker.prefixes_len() as u64);
        let entries = figures.watched.get() + figures.subscriptions() + prefixes;
        figures.queued_bytes.get() + entries * ENTRY_BYTES + self.fieldsets_bytes
    }

    /// Keeps a list of fields under a name.
    pub fn keep_fieldset(&mut self, name: &[u8], fields: Fieldset) {
        self.fieldsets_bytes += fieldset_bytes(name, &fields);
        self.forget_fieldset(name);
        self.fieldsets.insert(name.into(), fields);
    }

    /// Forgets a list of fields; false when there is none of that name.
    pub fn forget_fieldset(&mut self, name: &[u8]) -> bool {
        let Some(fields) = self.fieldsets.remove(name) else { return false };
        self.fieldsets_bytes -= fieldset_bytes(name, &fields);
        true
    }

    /// Puts everything back to where a new connection starts, as RESET does; what the client said of
    /// its library stays. `user` is who clients begin as, `authenticated` whether that needs no password.
    pub fn reset(&mut self, registry: &Registry, user: Arc<User>, authenticated: bool) {
        registry.set_monitor(&self.client, false);
        self.select(0);
        self.speak(Protocol::Resp2);
        self.become_user(user);
        self.authenticated = authenticated;
        self.reply_mode = ReplyMode::On;
        self.no_touch = false;
        self.fieldsets.clear();
        self.fieldsets_bytes = 0;
        self.client.figures.no_touch.store(false, Ordering::Relaxed);
        self.client.figures.no_evict.store(false, Ordering::Relaxed);
        self.client.names.lock().name.clear();
    }

    /// Makes the client another user, and lets others know.
    pub fn become_user(&mut self, user: Arc<User>) {
        self.client.names.lock().user = user.name().to_vec();
        self.user = user;
    }

    /// Whether the client's user may run a command: what a script has to ask for every command that it calls,
    /// and EXEC for what was queued. [`permission`] has the errors, and notes them.
    ///
    /// # Errors
    /// Says what is missing.
    #[inline]
    pub fn check(&self, command: Command, args: Args<'_>) -> Result<(), Denied> {
        if self.user.is_unrestricted() {
            return Ok(());
        }
        permission::check(&self.user, command, args, self.database_then())
    }

    /// The database that will be selected when the next command runs: inside of a transaction those before it
    /// have run by then.
    fn database_then(&self) -> usize {
        let chosen = self.transaction.as_ref().and_then(|transaction| transaction.database);
        chosen.unwrap_or(self.database)
    }

    /// Selects a database and lets others know.
    pub fn select(&mut self, database: usize) {
        self.database = database;
        self.client.figures.database.set(database as u64);
    }

    /// Switches the protocol and lets others know.
    pub fn speak(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        let version = if protocol == Protocol::Resp3 { 3 } else { 2 };
        self.client.figures.protocol.set(version);
    }
}
