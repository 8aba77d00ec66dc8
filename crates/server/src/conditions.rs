//! What is the same for nearly all commands, looked up once for many of them.

use command::{Command, DiskError, Services};
use commands::logs::Bounds;
use config::{Config, KeyspaceEvents, MaxmemoryPolicy};
use keyspace::access::{AccessClock, LfuScale};

use crate::notify;

/// The state of the server, as far as a command has to heed it before or after it runs.
///
/// It is that of the batch's beginning. What another worker changes meanwhile holds for commands that arrive
/// after the change; what a command of the batch itself may change is looked up anew behind it
/// ([`Conditions::may_be_changed_by`]).
#[derive(Clone, Copy)]
pub struct Conditions {
    /// Nothing keeps a command from running but what its own client may and has begun: there is memory, the
    /// disk works, the data is there, nobody has paused the clients, and no script keeps all waiting.
    pub is_calm: bool,
    /// The classes of events that somebody hears of.
    pub notify: KeyspaceEvents,
    /// From where on commands belong into a log.
    pub logged: Bounds,
    /// Whether every command is accounted for by its keys.
    pub counts_keys: bool,
    /// What to stamp on keys, by the policy of eviction.
    pub access: AccessClock,
}

impl Conditions {
    /// Those of now, `now_ms` milliseconds since the epoch.
    pub fn of(services: &Services, config: &Config, now_ms: i64) -> Self {
        Self {
            is_calm: config.maxmemory == 0
                && !services.persistence.has_obstacles()
                && !services.pause.is_on()
                && !services.scripts.is_busy()
                && DiskError::of(services, config).is_none(),
            notify: notify::wanted(services, config),
            logged: Bounds::of(services, config),
            counts_keys: services.hot_keys.is_active(),
            access: access_clock(config, now_ms),
        }
    }

    /// Whether they may be others behind this command. Those that only work on keys change none.
    #[inline]
    pub fn may_be_changed_by(command: Command) -> bool {
        command.keys.is_empty()
    }
}

/// What keys are stamped with that are used now, milliseconds since the epoch.
pub fn access_clock(config: &Config, now_ms: i64) -> AccessClock {
    match config.maxmemory_policy {
        MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => {
            AccessClock::frequency(now_ms, lfu_scale(config))
        }
        MaxmemoryPolicy::AllkeysLrm | MaxmemoryPolicy::VolatileLrm => {
            AccessClock::modification(now_ms)
        }
        _ => AccessClock::recency(now_ms),
    }
}

/// How counters of accesses grow and decay.
pub fn lfu_scale(config: &Config) -> LfuScale {
    LfuScale { log_factor: config.lfu_log_factor, decay_minutes: config.lfu_decay_time_min }
}
