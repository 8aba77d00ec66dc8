//! Who is connected: what CLIENT LIST shows and CLIENT KILL finds, across workers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use observe::Gauge;
use parking_lot::Mutex;
use tracking::Tracker;

use crate::mailbox::{Letter, Mailbox};
use crate::table::{Command, Table};

/// One connected client, as others may see it. The worker that owns the connection keeps it current.
pub struct Client {
    /// Never used twice in a process.
    pub id: u64,
    /// Peer address as CLIENT LIST shows it: `127.0.0.1:52556`, or the socket's path with `:0`.
    pub addr: String,
    /// Local address in the same form.
    pub laddr: String,
    /// File descriptor.
    pub fd: i32,
    /// Whether the connection came through a Unix socket.
    pub unix: bool,
    /// When it connected, milliseconds since the epoch.
    pub created_ms: i64,
    /// Number of the worker that owns it.
    pub worker: usize,
    /// Figures that change with every command.
    pub figures: Figures,
    /// Names that the client gave itself.
    pub names: Mutex<Names>,
    /// How it tracks keys for its cache; set when it or one that redirects to it first does.
    tracker: OnceLock<Arc<Tracker>>,
    mailbox: Arc<dyn Mailbox>,
    /// Number of the last command plus 1; 0 before the first.
    last_command: AtomicU64,
    killed: AtomicU8,
}

/// How a client is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// It is not.
    No,
    /// With what it was already sent; a client that kills itself gets its reply.
    AfterReply,
    /// At once.
    Now,
}

/// Figures of one client; each is written by the client's worker alone.
#[derive(Default)]
pub struct Figures {
    /// Milliseconds since the epoch of the last bytes received.
    pub active_ms: AtomicI64,
    /// Selected database.
    pub database: Gauge,
    /// 2 or 3.
    pub protocol: Gauge,
    /// Bytes in the query buffer: received and not yet executed, or executed in the current turn.
    pub query_bytes: Gauge,
    /// Capacity of the query buffer that is free.
    pub query_free: Gauge,
    /// Bytes of replies that wait to be sent.
    pub output_bytes: Gauge,
    /// Capacity of the output buffer.
    pub output_capacity: Gauge,
    /// The most bytes that the output buffer has held lately.
    pub output_peak: Gauge,
    /// All memory that the connection takes.
    pub memory_bytes: Gauge,
    /// Bytes received since the connection was made.
    pub received_bytes: Gauge,
    /// Bytes sent since the connection was made.
    pub sent_bytes: Gauge,
    /// Commands executed.
    pub commands: Gauge,
    /// Commands queued in a transaction, plus 1; 0 outside of one.
    pub queued: Gauge,
    /// Bytes of their arguments.
    pub queued_bytes: Gauge,
    /// Keys watched.
    pub watched: Gauge,
    /// Channel subscriptions.
    pub channels: Gauge,
    /// Pattern subscriptions.
    pub patterns: Gauge,
    /// Sharded channel subscriptions.
    pub shard_channels: Gauge,
    /// The client reads MONITOR's stream.
    pub monitor: AtomicBool,
    /// The client waits in a blocking command.
    pub blocked: AtomicBool,
    /// Its next command is held back (CLIENT PAUSE).
    pub held: AtomicBool,
    /// CLIENT NO-EVICT.
    pub no_evict: AtomicBool,
    /// CLIENT NO-TOUCH.
    pub no_touch: AtomicBool,
    /// CLIENT CAPA REDIRECT: the client follows redirections outside of a cluster.
    pub follows_redirects: AtomicBool,
}

/// The classes of clients, which have limits of their own and by which CLIENT LIST and KILL select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Those that send commands; those that read MONITOR's stream, too.
    Normal,
    /// Links to replicas.
    Replica,
    /// Subscribers.
    Subscriber,
    /// The link to the primary.
    Primary,
}

impl Class {
    /// The class that a client calls `name`, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        let class = match name.to_ascii_lowercase().as_slice() {
            b"normal" => Self::Normal,
            b"replica" | b"slave" => Self::Replica,
            b"pubsub" => Self::Subscriber,
            b"master" | b"primary" => Self::Primary,
            _ => return None,
        };
        Some(class)
    }
}

impl Figures {
    /// Whether the connection may be closed to save memory.
    pub fn may_be_evicted(&self) -> bool {
        !self.no_evict.load(Ordering::Relaxed)
    }

    /// Subscriptions of all kinds.
    pub fn subscriptions(&self) -> u64 {
        self.channels.get() + self.patterns.get() + self.shard_channels.get()
    }

    /// Whether the client is subscribed to anything.
    pub fn is_subscriber(&self) -> bool {
        self.subscriptions() > 0
    }
}

/// Names that a client gave itself.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// CLIENT SETNAME; empty when it has none.
    pub name: Vec<u8>,
    /// CLIENT SETINFO LIB-NAME.
    pub library: Vec<u8>,
    /// CLIENT SETINFO LIB-VER.
    pub library_version: Vec<u8>,
    /// The ACL user.
    pub user: Vec<u8>,
}

/// Where a new client came from.
pub struct Origin {
    /// Peer address.
    pub addr: String,
    /// Local address.
    pub laddr: String,
    /// File descriptor.
    pub fd: i32,
    /// Whether it came through a Unix socket.
    pub unix: bool,
}

impl Client {
    /// Whether the client runs on this machine: it came through a Unix socket or the loopback.
    pub fn is_local(&self) -> bool {
        self.unix || self.addr.starts_with("127.") || self.addr.starts_with("[::1]:")
    }

    /// Marks the client to be closed, and tells its worker.
    pub fn kill(&self, how: Kill) {
        self.killed.store(how as u8, Ordering::Release);
        self.mailbox.post(Letter::Check { client: self.id });
    }

    /// Whether and how the client is to be closed.
    pub fn killed(&self) -> Kill {
        match self.killed.load(Ordering::Acquire) {
            0 => Kill::No,
            1 => Kill::AfterReply,
            _ => Kill::Now,
        }
    }

    /// The client's class.
    pub fn class(&self) -> Class {
        if self.figures.is_subscriber() { Class::Subscriber } else { Class::Normal }
    }

    /// Sends a line of MONITOR's stream to the client.
    pub fn show(&self, line: Arc<[u8]>) {
        self.mailbox.post(Letter::Monitor { client: self.id, line });
    }

    /// Sends bytes to the client, apart from any reply.
    pub fn push(&self, bytes: Arc<[u8]>) {
        self.mailbox.post(Letter::Push { client: self.id, bytes });
    }

    /// Leaves a letter for the client's worker.
    pub fn post(&self, letter: Letter) {
        self.mailbox.post(letter);
    }

    /// How the client tracks keys for its cache, if it ever did or got invalidations for others.
    pub fn tracker(&self) -> Option<&Arc<Tracker>> {
        self.tracker.get()
    }

    /// The same, made when there is none. Whoever is not the client itself makes sure afterwards that the
    /// client is still connected.
    pub fn tracker_or_new(&self) -> &Arc<Tracker> {
        self.tracker.get_or_init(|| Arc::new(Tracker::new(self.id, self.worker)))
    }

    /// Notes the command that runs.
    pub fn note_command(&self, command: Command) {
        self.last_command.store(command.id() as u64 + 1, Ordering::Relaxed);
    }

    /// The last command that ran.
    pub fn last_command(&self, table: &Table) -> Option<Command> {
        let number = self.last_command.load(Ordering::Relaxed) as usize;
        table.all().get(number.checked_sub(1)?).copied()
    }
}

/// All connected clients.
#[derive(Default)]
pub struct Registry {
    clients: Mutex<BTreeMap<u64, Arc<Client>>>,
    last_id: AtomicU64,
    monitors: Mutex<Vec<Arc<Client>>>,
    /// The number of `monitors`, which every command asks for.
    monitor_count: AtomicU64,
    workers: Mutex<Vec<Arc<dyn Mailbox>>>,
}

impl Registry {
    /// Enters a worker's mailbox.
    pub fn join(&self, worker: Arc<dyn Mailbox>) {
        self.workers.lock().push(worker);
    }

    /// Lets commands go on, on all workers, that CLIENT PAUSE held back.
    pub fn resume(&self) {
        self.workers.lock().iter().for_each(|worker| worker.post(Letter::Resume));
    }

    /// Enters a new client that `worker` owns.
    pub fn connect(
        &self,
        origin: Origin,
        worker: usize,
        mailbox: Arc<dyn Mailbox>,
        now_ms: i64,
    ) -> Arc<Client> {
        let client = Arc::new(Client {
            id: self.last_id.fetch_add(1, Ordering::Relaxed) + 1,
            addr: origin.addr,
            laddr: origin.laddr,
            fd: origin.fd,
            unix: origin.unix,
            created_ms: now_ms,
            worker,
            figures: Figures {
                active_ms: AtomicI64::new(now_ms),
                protocol: Gauge::new(2),
                ..Figures::default()
            },
            names: Mutex::new(Names { user: b"default".to_vec(), ..Names::default() }),
            tracker: OnceLock::new(),
            mailbox,
            last_command: AtomicU64::new(0),
            killed: AtomicU8::new(0),
        });
        self.clients.lock().insert(client.id, Arc::clone(&client));
        client
    }

    /// Strikes a client whose connection has ended.
    pub fn disconnect(&self, client: &Client) {
        self.set_monitor(client, false);
        self.clients.lock().remove(&client.id);
        // Somebody may have begun to redirect to it at the last moment.
        if let Some(tracker) = client.tracker() {
            tracker.mark_gone();
        }
    }

    /// Everybody, in the order in which they connected.
    pub fn all(&self) -> Vec<Arc<Client>> {
        self.clients.lock().values().cloned().collect()
    }

    /// A client by id.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.clients.lock().get(&id).cloned()
    }

    /// The number of clients.
    pub fn len(&self) -> usize {
        self.clients.lock().len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The highest id given so far.
    pub fn last_id(&self) -> u64 {
        self.last_id.load(Ordering::Relaxed)
    }

    /// Ends a client's connection and strikes the client at once: whoever asks next finds it gone. False
    /// when it was gone already.
    pub fn kill(&self, client: &Client) -> bool {
        let found = self.clients.lock().remove(&client.id).is_some();
        self.set_monitor(client, false);
        client.kill(Kill::Now);
        found
    }

    /// Ends the connections that take the most memory, until no more than `limit` bytes are taken by those that
    /// may be ended for that; gives back how many have been.
    pub fn evict(&self, limit: u64) -> u64 {
        let mut clients = self.all();
        clients.retain(|one| one.figures.may_be_evicted() && one.killed() == Kill::No);
        clients.sort_by_key(|one| one.figures.memory_bytes.get());
        let mut sum: u64 = clients.iter().map(|one| one.figures.memory_bytes.get()).sum();
        let mut evicted = 0;
        while let Some(largest) = clients.pop().filter(|_| sum > limit) {
            sum = sum.saturating_sub(largest.figures.memory_bytes.get());
            evicted += u64::from(self.kill(&largest));
        }
        evicted
    }

    /// Starts or ends a client's MONITOR stream.
    pub fn set_monitor(&self, client: &Client, on: bool) {
        if client.figures.monitor.swap(on, Ordering::Relaxed) == on {
            return;
        }
        let mut monitors = self.monitors.lock();
        monitors.retain(|one| one.id != client.id);
        if on {
            monitors.extend(self.get(client.id));
        }
        self.monitor_count.store(monitors.len() as u64, Ordering::Relaxed);
    }

    /// Whether anybody reads MONITOR's stream.
    pub fn monitored(&self) -> bool {
        self.monitor_count.load(Ordering::Relaxed) > 0
    }

    /// Those who read MONITOR's stream.
    pub fn monitors(&self) -> Vec<Arc<Client>> {
        self.monitors.lock().clone()
    }
}
