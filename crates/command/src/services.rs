use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering};

use env::Clock;
use keyspace::{Keyspace, Lent};
use observe::{CommandLogs, HotKeys, LatencyMonitor, Statistics};
use pubsub::PubSub;
use tracking::Tracking;

use crate::backup::Backups;
use crate::blocked::Lot;
use crate::budget::Budget;
use crate::clients::Registry;
use crate::error::Error;
use crate::persistence::Persistence;
use crate::scripts::Scripts;
use crate::table::Table;

/// The version of Redis whose commands and replies these are: what HELLO and INFO tell clients, which
/// decide by it what they may use.
pub const REDIS_VERSION: &str = "8.0.0";

/// The version of this server.
pub const RUBRICA_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts of the server that commands may ask, beside their keys.
pub struct Services {
    /// Every command.
    pub table: Table,
    /// Every database.
    pub keyspace: Keyspace,
    /// The log of effects.
    pub log: Arc<effects::Log>,
    /// The append-only files.
    pub aof: aof::Status,
    /// What data files are encrypted with.
    pub encryption: encryption::Keys,
    /// The configuration.
    pub config: Arc<config::Store>,
    /// Users and what they may do.
    pub acl: acl::Acl,
    /// Who is connected.
    pub clients: Registry,
    /// Who is subscribed to what.
    pub pubsub: PubSub,
    /// Who caches what.
    pub tracking: Tracking,
    /// Counters and histograms of all workers.
    pub statistics: Statistics,
    /// SLOWLOG and COMMANDLOG.
    pub logs: CommandLogs,
    /// LATENCY's events.
    pub latency: LatencyMonitor,
    /// HOTKEYS.
    pub hot_keys: HotKeys,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// Clients that wait in blocking commands.
    pub parked: Lot,
    /// Connections that MIGRATE keeps for a while.
    pub migration_links: AtomicUsize,
    /// Memory in use, against `maxmemory`.
    pub budget: Budget,
    /// Scripts and functions.
    pub scripts: Scripts,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: AtomicBool,
    /// DEBUG PAUSE-CRON: what is done from time to time rests, ends that signals ask for included.
    pub cron_paused: AtomicBool,
    /// Snapshots: how loading and saving go.
    pub persistence: Persistence,
    /// The backup, if there is one.
    pub backups: Backups,
    /// Wall clock and stop watch.
    pub clock: Arc<dyn Clock>,
    /// What only the process as a whole can do.
    pub host: Arc<dyn Host>,
}

impl Services {
    /// What rules of users depend on.
    pub fn acl_defaults(&self) -> acl::Defaults {
        acl_defaults(&self.config.load())
    }

    /// Whether there is no room for a command that may need memory, as far as is known.
    pub fn lacks_memory(&self, config: &config::Config) -> bool {
        config.maxmemory > 0 && self.budget.is_exhausted()
    }
}

/// What rules of users depend on in a configuration.
pub fn acl_defaults(config: &config::Config) -> acl::Defaults {
    acl::Defaults {
        all_channels: config.acl_pubsub_default == config::AclPubsubDefault::Allchannels,
        databases: config.databases,
    }
}

/// What only the process as a whole can do or knows.
pub trait Host: Send + Sync {
    /// Asks for the end of the process.
    ///
    /// # Errors
    /// When it cannot end in this way now.
    fn shutdown(&self, how: Shutdown) -> Result<(), Error>;

    /// Takes an end back that has been asked for and has not begun; false when there is none.
    fn abort_shutdown(&self) -> bool {
        false
    }

    /// Saves the data set where that has to be done before the end, and ends what is under way in the
    /// background. Everything is held.
    ///
    /// # Errors
    /// When it cannot be saved; then the end has to wait.
    fn prepare_shutdown(
        &self,
        _services: &Arc<Services>,
        _held: &mut Lent<'_>,
        _how: Shutdown,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Saves the data set in a file, everything being held.
    ///
    /// # Errors
    /// When that fails; the log says why. The file is then as it was.
    fn save(&self, _services: &Arc<Services>, _held: &mut Lent<'_>) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Begins to save the data set as it is now, everything being held at this moment.
    ///
    /// # Errors
    /// When it cannot begin.
    fn save_in_background(
        &self,
        _services: &Arc<Services>,
        _held: &mut Lent<'_>,
    ) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Loads the snapshot's file, everything being held; `replaces` is whether keys that are there already
    /// are replaced.
    ///
    /// # Errors
    /// When it cannot be loaded; keys before the damage have been.
    fn load(
        &self,
        _services: &Arc<Services>,
        _held: &mut Lent<'_>,
        _replaces: bool,
    ) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Begins a backup of the data set as it is now, everything being held at this moment.
    ///
    /// # Errors
    /// When it cannot begin.
    fn start_backup(&self, _services: &Arc<Services>, _held: &mut Lent<'_>) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Completes the backup, whose snapshot is whole.
    ///
    /// # Errors
    /// When its manifest cannot be written.
    fn seal_backup(&self, _services: &Arc<Services>) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Removes the backup's files; `why` it has failed, if that is to be remembered.
    ///
    /// # Errors
    /// When they cannot be removed.
    fn end_backup(&self, _services: &Arc<Services>, _why: Option<&str>) -> Result<(), Error> {
        Err(Error::BARE)
    }

    /// Memory as the allocator and the operating system see it.
    fn memory(&self) -> MemoryFigures;

    /// Bytes that the calling thread has allocated, less those that it has freed; `None` where the allocator
    /// does not tell.
    fn thread_memory(&self) -> Option<i64>;

    /// Ends the process by SIGSEGV, as a wrong access to memory would.
    fn segfault(&self) {}

    /// Acts on options that have just changed (listening addresses, log level, ...).
    ///
    /// # Errors
    /// Says which cannot be acted on; the caller then puts the old configuration back.
    fn reconfigure(&self, changed: &[&'static str]) -> Result<(), String>;

    /// Path of the executable.
    fn executable(&self) -> String;

    /// Path of the configuration file, when there is one.
    fn config_file(&self) -> Option<String>;

    /// 40 hexadecimal digits that differ at each start.
    fn run_id(&self) -> &str;

    /// When the process started, milliseconds since the epoch.
    fn started_ms(&self) -> i64;

    /// Number of workers.
    fn workers(&self) -> usize;

    /// What the machine is.
    fn system(&self) -> SystemFigures;

    /// Processor time used so far.
    fn processor_time(&self) -> ProcessorTime;

    /// The supervisor that was told of the start: `systemd`, `upstart` or `no`.
    fn supervisor(&self) -> &'static str;

    /// The allocator's name.
    fn allocator(&self) -> &'static str;

    /// Returns unused memory to the operating system.
    fn purge_memory(&self);

    /// The allocator's own report.
    fn allocator_report(&self) -> String;
}

/// How SHUTDOWN was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shutdown {
    /// SAVE or NOSAVE; neither follows the configuration.
    pub save: Option<bool>,
    /// Does not wait for replicas.
    pub now: bool,
    /// Goes on even if the data set cannot be saved.
    pub force: bool,
}

/// Memory figures, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFigures {
    /// What the program has allocated.
    pub allocated: u64,
    /// Pages that the allocator has in use.
    pub active: u64,
    /// What the allocator has mapped.
    pub resident: u64,
    /// Resident set of the process.
    pub rss: u64,
    /// Highest `allocated` seen.
    pub peak: u64,
    /// What the program had allocated when it had started up.
    pub startup: u64,
}

/// What the machine is.
#[derive(Clone, Debug, Default)]
pub struct SystemFigures {
    /// Name, release and machine, as `uname` prints them.
    pub os: String,
    /// Bytes of memory that the machine has.
    pub memory_bytes: u64,
    /// Number of the process.
    pub process_id: u32,
}

/// Processor time, microseconds; as fine as the system counts it (usually 10 ms).
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessorTime {
    /// Of the process, in the kernel.
    pub system_us: u64,
    /// Of the process itself.
    pub user_us: u64,
    /// Of its children, in the kernel.
    pub children_system_us: u64,
    /// Of its children.
    pub children_user_us: u64,
    /// Of the calling thread, in the kernel.
    pub thread_system_us: u64,
    /// Of the calling thread.
    pub thread_user_us: u64,
}

/// CLIENT PAUSE: commands are held back until a moment.
#[derive(Default)]
pub struct Pause {
    until_ms: AtomicI64,
    /// 0 nobody, 1 commands that may write, 2 all commands.
    scope: AtomicU8,
}

impl Pause {
    /// Holds commands back until `until_ms`: all of them, or those that may write. A pause that is already
    /// wider or longer stays so.
    pub fn start(&self, until_ms: i64, all: bool, now_ms: i64) {
        let active = now_ms < self.until_ms.load(Ordering::Relaxed);
        let scope = if all { 2 } else { 1 };
        if active {
            self.until_ms.fetch_max(until_ms, Ordering::Relaxed);
            self.scope.fetch_max(scope, Ordering::Relaxed);
        } else {
            self.until_ms.store(until_ms, Ordering::Relaxed);
            self.scope.store(scope, Ordering::Relaxed);
        }
    }

    /// Ends the pause.
    pub fn stop(&self) {
        self.until_ms.store(0, Ordering::Relaxed);
        self.scope.store(0, Ordering::Relaxed);
    }

    /// Whether there is a pause, though its end may have come.
    pub fn is_on(&self) -> bool {
        self.scope.load(Ordering::Relaxed) != 0
    }

    /// Whether commands of some kind are held back.
    pub fn is_active(&self, now_ms: i64) -> bool {
        self.holds(true, now_ms).is_some()
    }

    /// Until when a command is held back, if it is.
    pub fn holds(&self, writes: bool, now_ms: i64) -> Option<i64> {
        let scope = self.scope.load(Ordering::Relaxed);
        if scope == 0 || (scope == 1 && !writes) {
            return None;
        }
        let until = self.until_ms.load(Ordering::Relaxed);
        (now_ms < until).then_some(until)
    }
}
