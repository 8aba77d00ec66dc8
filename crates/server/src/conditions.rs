//! What is the same for nearly all commands, looked up once for many of them.

use command::{Command, DiskError, Services};
use commands::logs::Bounds;
use config::{Config, KeyspaceEvents};

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
}

impl Conditions {
    /// Those of now.
    pub fn of(services: &Services, config: &Config) -> Self {
        Self {
            is_calm: config.maxmemory == 0
                && !services.persistence.has_obstacles()
                && !services.pause.is_on()
                && !services.scripts.is_busy()
                && DiskError::of(services, config).is_none(),
            notify: notify::wanted(services, config),
            logged: Bounds::of(services, config),
            counts_keys: services.hot_keys.is_active(),
        }
    }

    /// Whether they may be others behind this command. Those that only work on keys change none.
    #[inline]
    pub fn may_be_changed_by(command: Command) -> bool {
        command.keys.is_empty()
    }
}
