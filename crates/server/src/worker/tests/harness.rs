use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use command::clients::Origin;
use command::{
    Error, Host, MemoryFigures, ProcessorTime, Services, Shutdown, SystemFigures, Table,
};
use config::{Caller, Config, Store};
use env::{Clock, ManualClock};
use keyspace::Keyspace;
use observe::{CommandLogs, LatencyMonitor, Statistics};

use crate::accept::Arrival;
use crate::mailbox::Inbox;
use crate::source::sim::{Sim, SimPeer, SimStream, pair};
use crate::worker::Worker;

/// Commands of every form that requests have, and a malformed one of each kind that is survived.
pub const SPLIT_SCRIPT: &[u8] = b"PING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n\
    ECHO 'a b'\r\n*0\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nnosuch\n*1\r\n$4\r\nPING\r\n";

pub const SPLIT_REPLIES: &str = "+PONG\r\n+OK\r\n$3\r\na b\r\n$4\r\na\r\nb\r\n\
    -ERR unknown command 'nosuch', with args beginning with: \r\n+PONG\r\n";

/// The clock at the beginning.
const START_MS: i64 = 1_700_000_000_000;

/// One worker and the world around it.
pub struct Lab {
    worker: Worker<Sim>,
    inbox: Arc<Inbox<SimStream>>,
    services: Arc<Services>,
    clock: Arc<ManualClock>,
}

impl Lab {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let table = Table::new(commands::FAMILIES);
        let config = Config::default();
        let services = Arc::new(Services {
            statistics: Statistics::new(table.all().len()),
            acl: acl::Acl::new(table.catalogue(), command::acl_defaults(&Default::default())),
            table,
            keyspace: Keyspace::new(config.databases as usize, clock.unix_ms()),
            log: Default::default(),
            aof: Default::default(),
            encryption: Default::default(),
            config: Arc::new(Store::new(config)),
            clients: Default::default(),
            logs: CommandLogs::default(),
            latency: LatencyMonitor::default(),
            hot_keys: Default::default(),
            pause: Default::default(),
            parked: Default::default(),
            migration_links: Default::default(),
            budget: command::Budget::default(),
            pubsub: Default::default(),
            tracking: Default::default(),
            scripts: Default::default(),
            active_expire: AtomicBool::new(true),
            cron_paused: AtomicBool::new(false),
            persistence: Default::default(),
            backups: Default::default(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            host: Arc::new(NoHost),
        });
        let inbox = Arc::new(Inbox::new(|| {}));
        let worker = Worker::new(0, Sim::default(), Arc::clone(&services), Arc::clone(&inbox));
        Self { worker, inbox, services, clock }
    }

    /// A new connection; ids and ports count from 1.
    pub fn connect(&mut self) -> SimPeer {
        let (stream, peer) = pair();
        let number = self.services.clients.last_id() + 1;
        let origin = Origin {
            addr: format!("10.0.0.{number}:1000"),
            laddr: "10.0.0.0:6379".into(),
            fd: 7,
            unix: false,
        };
        let now_ms = self.clock.unix_ms();
        let client = self.services.clients.connect(origin, 0, self.inbox.clone(), now_ms);
        self.inbox.hand_over(Arrival { stream, client, user: None });
        self.turn();
        peer
    }

    pub fn turn(&mut self) {
        self.worker.turn().expect("the simulated source does not fail");
    }

    /// Moves the clock in steps of 50 ms, with a turn after each.
    pub fn pass_ms(&mut self, ms: i64) {
        for _ in 0..ms / 50 {
            self.clock.advance_ms(50);
            self.turn();
        }
    }

    pub fn configure(&mut self, name: &str, value: &str) {
        self.services.config.set(&[(name, value)], Caller::default()).expect("a valid option");
        self.turn();
    }

    /// What a new client is answered.
    pub fn ask(&mut self, line: &str) -> String {
        let peer = self.connect();
        peer.send(format!("{line}\r\n"));
        self.turn();
        peer.received()
    }

    pub fn clients(&self) -> usize {
        assert_eq!(self.services.clients.len(), self.inbox.load());
        self.services.clients.len()
    }

    /// Ends the worker; time passes while it waits for those who do not read.
    pub fn finish(mut self) {
        let clock = Arc::clone(&self.clock);
        let running = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&running);
        let ticking = std::thread::spawn(move || {
            while flag.load(std::sync::atomic::Ordering::Relaxed) {
                clock.advance_ms(10);
                std::thread::yield_now();
            }
        });
        self.worker.finish();
        running.store(false, std::sync::atomic::Ordering::Relaxed);
        ticking.join().expect("the clock ticks");
    }
}

struct NoHost;

impl Host for NoHost {
    fn shutdown(&self, _how: Shutdown) -> Result<(), Error> {
        Ok(())
    }
    fn memory(&self) -> MemoryFigures {
        MemoryFigures::default()
    }
    fn thread_memory(&self) -> Option<i64> {
        None
    }
    fn reconfigure(&self, _changed: &[&'static str]) -> Result<(), String> {
        Ok(())
    }
    fn executable(&self) -> String {
        String::new()
    }
    fn config_file(&self) -> Option<String> {
        None
    }
    fn run_id(&self) -> &str {
        ""
    }
    fn started_ms(&self) -> i64 {
        START_MS
    }
    fn workers(&self) -> usize {
        1
    }
    fn system(&self) -> SystemFigures {
        SystemFigures::default()
    }
    fn processor_time(&self) -> ProcessorTime {
        ProcessorTime::default()
    }
    fn supervisor(&self) -> &'static str {
        "no"
    }
    fn allocator(&self) -> &'static str {
        "none"
    }
    fn purge_memory(&self) {}
    fn allocator_report(&self) -> String {
        String::new()
    }
}
