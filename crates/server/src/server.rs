use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ::tls::ServerConfig;
use acl::Acl;
use command::{Host, Services, Shutdown, Table, acl_defaults};
use config::{Config, Store};
use env::{Clock, SystemClock};
use keyspace::Keyspace;
use observe::{CommandLogs, LatencyMonitor, Statistics};
use parking_lot::Mutex;

use crate::accept::{Admission, Caller};
use crate::append_only::AppendOnly;
use crate::descriptors;
use crate::helper::Helpers;
use crate::host::{Process, ProcessMemory, Request};
use crate::listen::{Listener, listen};
use crate::mailbox::Inbox;
use crate::oom::OomScore;
use crate::persistence;
use crate::source::{Epoll, Source};
use crate::stream::Stream;
use crate::tls::{self, Handshakes};
use crate::worker::Worker;

/// Threads for commands that take long.
const HELPERS: usize = 2;

/// A running server.
pub struct Server {
    services: Arc<Services>,
    process: Arc<Process>,
    control: Arc<Control>,
    files: Arc<AppendOnly>,
    threads: Vec<JoinHandle<()>>,
    /// The thread that accepts connections.
    door: Option<JoinHandle<()>>,
    /// Those that write what the others have done.
    writers: Vec<JoinHandle<()>>,
}

/// Why a server did not start.
#[derive(Debug)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// What reaches all threads.
struct Control {
    inboxes: Vec<Arc<Inbox<Stream>>>,
    accepting: Arc<mio::Waker>,
    /// None once nobody will look at them any more.
    requests: Mutex<Option<Vec<Request>>>,
    /// No more connections are accepted.
    closed: AtomicBool,
    stopped: AtomicBool,
}

impl Control {
    fn new(inboxes: Vec<Arc<Inbox<Stream>>>, accepting: Arc<mio::Waker>) -> Self {
        Self {
            inboxes,
            accepting,
            requests: Mutex::new(Some(Vec::new())),
            closed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    fn ask(&self, request: Request) {
        if let Some(requests) = &mut *self.requests.lock() {
            requests.push(request);
        }
        let _ = self.accepting.wake();
    }

    /// Ends the thread that accepts: whoever waits for an answer learns that there is none.
    fn close_requests(&self) {
        *self.requests.lock() = None;
    }

    /// Ends the thread that accepts.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let _ = self.accepting.wake();
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends the workers.
    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.inboxes.iter().for_each(|inbox| inbox.wake());
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Server {
    /// Opens the listening sockets and starts the threads.
    ///
    /// # Errors
    /// When an address cannot be opened or the system is out of threads or file descriptors.
    pub fn start(mut config: Config, memory: Box<dyn ProcessMemory>) -> Result<Self, StartError> {
        descriptors::limit_clients(&mut config);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let workers = match config.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            workers => workers as usize,
        };
        let file = config.file.as_ref().map(|path| path.display().to_string());
        let process = Arc::new(Process::new(memory, workers, clock.unix_ms(), file));
        let tls = tls::accepting(&config)
            .map_err(|error| StartError(format!("Failed to configure TLS: {error}")))?;
        let encryption = crate::keys::at_start(&config).map_err(StartError)?;
        let listeners = listen(&config).map_err(StartError)?;
        let table = table_of(&config)?;
        let services = Arc::new(Services {
            statistics: Statistics::new(table.all().len()),
            acl: Acl::new(table.catalogue(), acl_defaults(&config)),
            table,
            keyspace: Keyspace::new(config.databases as usize, clock.unix_ms()),
            log: Default::default(),
            aof: Default::default(),
            encryption,
            config: Arc::new(Store::new(config)),
            clients: Default::default(),
            pubsub: Default::default(),
            tracking: Default::default(),
            logs: CommandLogs::default(),
            latency: LatencyMonitor::default(),
            hot_keys: Default::default(),
            pause: Default::default(),
            parked: Default::default(),
            migration_links: Default::default(),
            budget: command::Budget::default(),
            scripts: Default::default(),
            active_expire: AtomicBool::new(true),
            cron_paused: AtomicBool::new(false),
            persistence: Default::default(),
            backups: Default::default(),
            clock,
            host: Arc::clone(&process) as Arc<dyn Host>,
        });
        crate::users::load(&services).map_err(StartError)?;
        configure_logs(&services);
        services.persistence.set_loading(true);
        let failed = |error: std::io::Error| StartError(format!("cannot start: {error}"));
        let accepting = Epoll::new().map_err(failed)?;
        let sources =
            (0..workers).map(|_| Epoll::new()).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let inboxes = sources.iter().map(|source| Arc::new(inbox(source))).collect();
        let control = Arc::new(Control::new(inboxes, accepting.waker()));
        let files = AppendOnly::new(&services);
        let writers = files.start().map_err(failed)?;
        let threads = Vec::new();
        let mut server = Self { services, process, control, files, threads, door: None, writers };
        let helpers = Helpers::start(&server.services, HELPERS).map(Arc::new).map_err(failed)?;
        for (number, source) in sources.into_iter().enumerate() {
            server.start_worker(number, source, Arc::clone(&helpers)).map_err(failed)?;
        }
        server.start_accepting(accepting, listeners, tls).map_err(failed)?;
        let control = Arc::clone(&server.control);
        server.process.set_control(Arc::new(move |request| control.ask(request)));
        server.process.note_startup();
        Ok(server)
    }

    fn start_worker(
        &mut self,
        number: usize,
        source: Epoll,
        helpers: Arc<Helpers>,
    ) -> std::io::Result<()> {
        let control = Arc::clone(&self.control);
        let services = Arc::clone(&self.services);
        let inbox = Arc::clone(&control.inboxes[number]);
        let stop = Arc::clone(&self.process);
        let run = move || {
            let _guard = AbortOnPanic;
            // Helpers work for long where others wait for the worker.
            stop.prefer_thread();
            let mut worker = Worker::new(number, source, services, inbox);
            worker.set_helpers(helpers);
            while !control.is_stopped() {
                if let Err(error) = worker.turn() {
                    // Its clients would hang for ever.
                    tracing::error!("worker {number} fails, and the server with it: {error}");
                    let _ =
                        stop.shutdown(Shutdown { now: true, force: true, ..Shutdown::default() });
                    break;
                }
            }
            worker.finish();
        };
        self.threads.push(thread::Builder::new().name(format!("worker-{number}")).spawn(run)?);
        Ok(())
    }

    fn start_accepting(
        &mut self,
        source: Epoll,
        listeners: Vec<Listener>,
        tls: Option<Arc<ServerConfig>>,
    ) -> std::io::Result<()> {
        let admission = Admission::new(Arc::clone(&self.services), self.control.inboxes.clone());
        let mut door = Door {
            source,
            listeners: Vec::new(),
            admission,
            services: Arc::clone(&self.services),
            starved: false,
            complain_s: 0,
            tls,
            handshakes: Handshakes::new(LISTENERS_MAX),
            oom: OomScore::default(),
        };
        // The log says why this may fail; the server is of use nevertheless.
        let _ = door.oom.apply(&self.services.config.load());
        door.open(listeners)?;
        let control = Arc::clone(&self.control);
        let run = move || {
            let _guard = AbortOnPanic;
            door.run(&control);
        };
        self.door = Some(thread::Builder::new().name("accept".into()).spawn(run)?);
        Ok(())
    }

    /// The parts that commands may ask.
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// Notes which supervisor was told of the start, for INFO.
    pub fn set_supervisor(&self, name: &'static str) {
        self.process.set_supervisor(name);
    }

    /// Loads the data set from the files of the configuration, and begins to log what changes. Until this has
    /// returned, commands that need the data set are refused.
    ///
    /// # Errors
    /// When it cannot be loaded: the server must not go on with a part of it. Or when what is on disk cannot be
    /// written to.
    pub fn load(&self) -> Result<(), StartError> {
        let threads = self.services.host.workers();
        let config = self.services.config.load();
        if !config.preload_file.is_empty() {
            self.preload(&config.preload_file, threads)?;
        } else if self.services.config.load().appendonly {
            let loaded = self.files.load().and_then(|()| self.files.begin());
            loaded.map_err(|error| StartError(error.to_string()))?;
        } else {
            persistence::load_at_start(&self.services, threads).map_err(StartError)?;
        }
        // Save points count from here.
        self.services.persistence.saves().last_s = self.services.clock.unix_ms() / 1000;
        self.services.persistence.set_loading(false);
        Ok(())
    }

    /// Loads something else than the own files, and begins new files with it where there are to be any.
    fn preload(&self, what: &str, threads: usize) -> Result<(), StartError> {
        let (kind, path) = what.split_once(':').unwrap_or(("", what));
        let path = Path::new(path);
        if !path.exists() {
            return Err(StartError(format!("preload-file: {} is not there", path.display())));
        }
        if self.services.config.load().appendonly && self.files.has_files() {
            let dir = &self.services.config.load().appenddirname;
            return Err(StartError(format!(
                "preload-file: {dir} holds append-only files already, which loading something else would \
                 make wrong; move them away"
            )));
        }
        if kind == "rdb" {
            persistence::load_file(&self.services, threads, path).map_err(StartError)?;
        } else {
            persistence::backup::check(path).map_err(StartError)?;
            let loaded = AppendOnly::of_manifest(&self.services, path).load();
            loaded.map_err(|error| StartError(error.to_string()))?;
        }
        tracing::info!("Loaded {} in place of the own files", path.display());
        self.files.begin().map_err(|error| StartError(error.to_string()))
    }

    /// Asks for the end, from any thread (signals); false when the data set cannot be saved.
    pub fn stopper(&self) -> impl Fn(Shutdown) -> bool + Send + use<> {
        let process = Arc::clone(&self.process);
        let services = Arc::clone(&self.services);
        move |how| {
            if !process.await_cron(&services) {
                return false;
            }
            let end = |held: &mut keyspace::Lent<'_>| {
                persistence::prepare_shutdown(&services, held, how)?;
                process.shutdown(how)
            };
            persistence::with_all(&services, end).is_ok()
        }
    }

    /// Reads the keys of encrypted files again, from any thread (SIGHUP); nothing happens where there are none.
    pub fn key_reloader(&self) -> impl Fn() + Send + Sync + use<> {
        let services = Arc::clone(&self.services);
        move || {
            if services.encryption.get().is_none() {
                return;
            }
            match crate::keys::reload(&services) {
                Ok(()) => tracing::info!("The encryption keys were read again"),
                Err(error) => {
                    tracing::warn!("The encryption keys stay what they were: {error}");
                }
            }
        }
    }

    /// Waits until somebody asks for the end, then ends all threads.
    pub fn wait(self) -> Shutdown {
        let how = self.process.wait_for_stop();
        // Whoever sees its connection end finds nobody listening any more.
        self.control.close();
        if let Some(thread) = self.door {
            let _ = thread.join();
        }
        self.control.stop();
        // A script that runs for long may never end: its worker goes with the process.
        if !self.services.scripts.is_busy() {
            for thread in self.threads {
                let _ = thread.join();
            }
            persistence::with_all(&self.services, |held| {
                persistence::give_up(&self.services, held)
            });
        }
        self.files.stop();
        for thread in self.writers {
            let _ = thread.join();
        }
        let path = &self.services.config.load().unixsocket;
        if !path.is_empty() {
            let _ = std::fs::remove_file(path);
        }
        how
    }
}

/// The commands, under the names that the configuration gives them.
fn table_of(config: &Config) -> Result<Table, StartError> {
    let mut table = Table::new(commands::FAMILIES);
    for line in &config.renames {
        let [old, new] = line.args.as_slice() else { continue };
        table.rename(old, new).map_err(|why| StartError(line.error(why).to_string()))?;
    }
    Ok(table)
}

/// Ends the process when its thread panics: the thread may hold locks that nobody else could take ever
/// again, and what it was changing is half changed.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("A thread has panicked: the process ends");
            std::process::abort();
        }
    }
}

fn inbox(source: &Epoll) -> Inbox<Stream> {
    let waker = source.waker();
    Inbox::new(move || {
        // A worker whose waker fails still looks at its inbox every tick of its cron.
        let _ = waker.wake();
    })
}

/// Passes the limits of the logs on.
fn configure_logs(services: &Services) {
    let config = services.config.load();
    let logs = &services.logs;
    for log in [&logs.slow, &logs.large_request, &logs.large_reply] {
        log.shorten_to(config.slowlog_entry_max_argc, config.slowlog_entry_max_string_len);
    }
    logs.slow.configure(config.slowlog_log_slower_than_us, config.slowlog_max_len);
    logs.large_request
        .configure(config.commandlog_request_larger_than, config.commandlog_large_request_max_len);
    logs.large_reply
        .configure(config.commandlog_reply_larger_than, config.commandlog_large_reply_max_len);
}

/// The thread that accepts connections, and acts on options that change.
struct Door {
    source: Epoll,
    listeners: Vec<Listener>,
    admission: Admission,
    services: Arc<Services>,
    /// Connections wait that could not be accepted.
    starved: bool,
    /// When the log may hear of it again, seconds since the epoch.
    complain_s: i64,
    /// What encrypted connections are accepted with.
    tls: Option<Arc<ServerConfig>>,
    handshakes: Handshakes,
    oom: OomScore,
}

/// How long connections wait for the data set to be loaded before they are told that it is.
const LOADING_PATIENCE: Duration = Duration::from_millis(100);

/// How often the log hears of connections that could not be accepted.
const COMPLAINT_PERIOD_S: i64 = 5;

/// How long connections wait that could not be accepted.
const STARVED_PAUSE: Duration = Duration::from_millis(100);

/// Listeners have the tokens below this.
const LISTENERS_MAX: usize = 1 << 16;

impl Door {
    fn open(&mut self, listeners: Vec<Listener>) -> std::io::Result<()> {
        for mut listener in std::mem::take(&mut self.listeners) {
            self.source.remove_listener(&mut listener);
        }
        self.listeners = listeners;
        for (token, listener) in self.listeners.iter_mut().enumerate() {
            self.source.add_listener(listener, token)?;
        }
        Ok(())
    }

    fn run(&mut self, control: &Control) {
        // A small data set is there before the first client would be told that it is being loaded.
        let start = Instant::now();
        while self.services.persistence.is_loading()
            && !control.is_closed()
            && start.elapsed() < LOADING_PATIENCE
        {
            thread::sleep(Duration::from_millis(1));
        }
        let mut ready = Vec::new();
        while !control.is_closed() {
            ready.clear();
            let now_ms = self.services.clock.unix_ms();
            let pause = self.starved.then_some(STARVED_PAUSE);
            let overdue = self.handshakes.expire(&mut self.source, now_ms);
            let timeout = pause.into_iter().chain(overdue).min();
            if let Err(error) = self.source.wait(timeout, &mut ready) {
                tracing::error!("No more connections are accepted: {error}");
                break;
            }
            let requests = control.requests.lock().as_mut().map(std::mem::take);
            for request in requests.unwrap_or_default() {
                // Whoever asked may have stopped waiting.
                let _ = request.answer.send(self.reconfigure(&request.changed));
            }
            if self.starved {
                ready.clear();
                self.accept_all();
            }
            for one in &ready {
                if one.token < LISTENERS_MAX {
                    self.accept(one.token);
                } else {
                    self.shake_hands(one.token);
                }
            }
        }
        control.close_requests();
    }

    /// Tries again what could not be accepted.
    fn accept_all(&mut self) {
        let was_starved = std::mem::take(&mut self.starved);
        (0..self.listeners.len()).for_each(|token| self.accept(token));
        if was_starved && !self.starved {
            tracing::info!("Connections are accepted again");
        }
    }

    fn accept(&mut self, token: usize) {
        let keepalive_s = self.services.config.load().tcp_keepalive_s;
        loop {
            let Some(listener) = self.listeners.get(token) else { return };
            match listener.accept(keepalive_s, self.tls.as_ref()) {
                Ok(caller) if matches!(caller.stream, Stream::Tls(_)) => self.greet(caller),
                Ok(caller) => self.admission.admit(caller),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => return self.starve(&error),
                },
            }
        }
    }

    /// Begins a handshake, unless so many are under way or over already that there will be no room.
    fn greet(&mut self, caller: Caller) {
        let taken = self.services.clients.len() + self.handshakes.len();
        if taken >= self.services.config.load().maxclients as usize {
            return self.admission.reject();
        }
        let now_ms = self.services.clock.unix_ms();
        self.handshakes.begin(caller, &mut self.source, now_ms);
    }

    fn shake_hands(&mut self, token: usize) {
        let config = self.services.config.load();
        if let Some(caller) = self.handshakes.go_on(token, &mut self.source, &config) {
            self.admission.admit(caller);
        }
    }

    /// Out of descriptors, most likely: the connection keeps waiting, and is tried again.
    fn starve(&mut self, error: &std::io::Error) {
        self.starved = true;
        let now_s = self.services.clock.unix_ms() / 1000;
        if now_s >= self.complain_s {
            self.complain_s = now_s + COMPLAINT_PERIOD_S;
            tracing::warn!("Accepting client connection: {error}");
        }
    }

    fn reconfigure(&mut self, changed: &[&'static str]) -> Result<(), String> {
        configure_logs(&self.services);
        if changed.contains(&"appendonly") {
            let on = self.services.config.load().appendonly;
            self.services.aof.ask_switch(on);
            if let Some(base) = self.services.persistence.base().as_deref().filter(|_| !on) {
                base.stop();
            }
        }
        if changed.iter().any(|name| name.starts_with("oom-score-adj")) {
            self.oom.apply(&self.services.config.load())?;
        }
        if changed.contains(&"maxclients") {
            let wanted = self.services.config.load().maxclients;
            let possible = descriptors::provide_for(wanted);
            if possible < wanted {
                return Err(format!(
                    "The operating system is not able to handle the specified number of clients, \
                     try with {possible}"
                ));
            }
        }
        if changed.iter().any(|name| name.starts_with("tls-")) {
            // Connections that are there keep what they were accepted with.
            self.tls = tls::accepting(&self.services.config.load()).map_err(|error| {
                tracing::warn!("{error}");
                format!("Unable to update TLS configuration: {error}")
            })?;
        }
        if changed.contains(&"encryption-key-file") {
            crate::keys::reload(&self.services).inspect_err(|error| tracing::warn!("{error}"))?;
        }
        let reopens = |name: &&&str| {
            matches!(
                **name,
                "port" | "tls-port" | "bind" | "unixsocket" | "unixsocketperm" | "tcp-backlog"
            )
        };
        if changed.iter().find(reopens).is_some() {
            // An address cannot be opened twice, so what was open is closed first; whoever puts the
            // old configuration back asks again.
            self.open(Vec::new()).map_err(|error| error.to_string())?;
            let listeners = listen(&self.services.config.load()).map_err(|error| {
                tracing::warn!("{error}");
                // The words that Redis answers.
                match changed.contains(&"bind") {
                    true => "Failed to bind to specified addresses.",
                    false => "Unable to listen on this port. Check server logs.",
                }
            })?;
            return self.open(listeners).map_err(|error| error.to_string());
        }
        Ok(())
    }
}
