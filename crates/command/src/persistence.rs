//! How saving and loading go: what INFO tells, and what keeps commands from running.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use config::Config;
use parking_lot::{Mutex, MutexGuard};

use crate::error::Error;
use crate::services::Services;

/// The data set is being loaded.
const LOADING: u8 = 1;
/// The last snapshot failed, and writes are refused until one succeeds.
const UNSAVED: u8 = 2;

/// What the parts of the server know of persistence.
#[derive(Default)]
pub struct Persistence {
    /// Payloads of RESTORE need no right checksum (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
    pub skip_checksums: AtomicBool,
    /// Payloads of RESTORE that were checked entry by entry.
    pub sanitized: AtomicU64,
    /// What every command asks: [`LOADING`], [`UNSAVED`].
    obstacles: AtomicU8,
    saves: Mutex<Saves>,
    base: Mutex<Option<Box<dyn SaveHandle>>>,
    loading: Mutex<Loading>,
}

/// How saving goes.
pub struct Saves {
    /// When the data set was last as it is in the file, seconds since the epoch.
    pub last_s: i64,
    /// When the last attempt in the background began, seconds since the epoch.
    pub tried_s: i64,
    /// Whether the last one in the background came to its end.
    pub ok: bool,
    /// How long it took, in seconds; -1 before the first.
    pub took_s: i64,
    /// The one under way in the background.
    pub current: Option<CurrentSave>,
    /// One is to begin as soon as possible.
    pub scheduled: bool,
    /// How many have been made.
    pub count: u64,
    /// All changes that were made until the last one's cut.
    pub changes: u64,
    /// Bytes of memory that the last one in the background took.
    pub waiting_bytes: u64,
}

/// A snapshot under way in the background.
pub struct CurrentSave {
    /// When it began, seconds since the epoch.
    pub started_s: i64,
    /// All changes that were made until its cut.
    pub changes: u64,
    /// Keys that it will have.
    pub keys_total: u64,
    /// How many it has by now, and how to end it.
    pub handle: Box<dyn SaveHandle>,
}

/// A snapshot under way, seen from outside.
pub trait SaveHandle: Send {
    /// Keys encoded so far.
    fn keys(&self) -> u64;
    /// Ends it; the caller holds the gate closed.
    fn give_up(&self);
    /// Asks whoever writes it to end it.
    fn stop(&self);
}

impl Default for Saves {
    fn default() -> Self {
        Self {
            last_s: 0,
            tried_s: 0,
            ok: true,
            took_s: -1,
            current: None,
            scheduled: false,
            count: 0,
            changes: 0,
            waiting_bytes: 0,
        }
    }
}

/// How loading goes, or went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loading {
    /// When it began, seconds since the epoch.
    pub started_s: i64,
    /// Bytes to load.
    pub total_bytes: u64,
    /// Bytes loaded.
    pub loaded_bytes: u64,
    /// Memory that the data set took when it was saved, as far as the file says.
    pub used_memory: u64,
    /// Keys stored by the last load.
    pub keys: u64,
    /// Keys that it left out since their time had come.
    pub expired: u64,
}

impl Persistence {
    /// How saving goes.
    pub fn saves(&self) -> MutexGuard<'_, Saves> {
        self.saves.lock()
    }

    /// The base of the append-only files that is under way. It changes only behind the closed gate, except that
    /// whoever writes it takes it away at the end.
    pub fn base(&self) -> MutexGuard<'_, Option<Box<dyn SaveHandle>>> {
        self.base.lock()
    }

    /// How loading goes.
    pub fn loading(&self) -> MutexGuard<'_, Loading> {
        self.loading.lock()
    }

    /// Whether the data set is being loaded.
    pub fn is_loading(&self) -> bool {
        self.obstacles.load(Ordering::Relaxed) & LOADING != 0
    }

    /// Notes that loading begins or has ended.
    pub fn set_loading(&self, on: bool) {
        self.set(LOADING, on);
    }

    /// Notes whether the last snapshot in the background failed.
    pub fn set_unsaved(&self, on: bool) {
        self.set(UNSAVED, on);
    }

    fn set(&self, obstacle: u8, on: bool) {
        if on {
            self.obstacles.fetch_or(obstacle, Ordering::Relaxed);
        } else {
            self.obstacles.fetch_and(!obstacle, Ordering::Relaxed);
        }
    }

    /// Whether there is anything that may keep a command from running.
    #[inline]
    pub fn has_obstacles(&self) -> bool {
        self.obstacles.load(Ordering::Relaxed) != 0
    }

    /// Whether the last snapshot in the background failed.
    pub fn is_unsaved(&self) -> bool {
        self.obstacles.load(Ordering::Relaxed) & UNSAVED != 0
    }
}

/// Why writes are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// The last snapshot failed.
    Snapshot,
    /// The append-only file cannot be written, or not be made durable: the system's words for it.
    Log(String),
}

impl DiskError {
    /// Whether writes are to be refused, and why.
    #[inline]
    pub fn of(services: &Services, config: &Config) -> Option<Self> {
        if services.persistence.has_obstacles()
            && services.persistence.is_unsaved()
            && config.stop_writes_on_bgsave_error
            && !config.save.is_empty()
        {
            return Some(Self::Snapshot);
        }
        services.aof.failure().map(Self::Log)
    }

    /// What a command that writes is answered.
    pub fn refusal(&self) -> Error {
        match self {
            Self::Snapshot => Error::UNSAVED,
            Self::Log(why) => Error::new(format!("MISCONF Errors writing to the AOF file: {why}")),
        }
    }

    /// What a script is answered that says that it may write.
    pub fn script_refusal(&self) -> Error {
        const ENDING: &str = "but it's currently unable to persist to disk. Writable scripts are blocked. Use \
                              'no-writes' flag for read only scripts.";
        Error::new(match self {
            Self::Snapshot => {
                format!("MISCONF Redis is configured to save RDB snapshots, {ENDING}")
            }
            Self::Log(why) => format!(
                "MISCONF Redis is configured to persist data to AOF, {ENDING} AOF error: {why}"
            ),
        })
    }
}

impl Error {
    /// The data set is being loaded.
    pub const LOADING: Self = Self::fixed("LOADING Redis is loading the dataset in memory");
    /// The last snapshot failed, and so writes are refused.
    pub const UNSAVED: Self = Self::fixed(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to \
         disk. Commands that may modify the data set are disabled, because this instance is \
         configured to report errors during writes if RDB snapshotting fails \
         (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
         error.",
    );
    /// An error that says nothing, as Redis has it where the log says more.
    pub const BARE: Self = Self::fixed("ERR");
}
