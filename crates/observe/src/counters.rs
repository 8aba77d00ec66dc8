use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::histogram::Histogram;

/// A number that one thread writes and any thread reads.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Starts at `value`.
    pub const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Replaces the number.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to the number. Only its one writer may call this: it is a load and a store, because a
    /// locked instruction per counter and command would cost more than many a command.
    pub fn add(&self, delta: u64) {
        self.set(self.get().wrapping_add(delta));
    }

    /// Makes the number `value` if that is more, under the same rule.
    pub fn raise(&self, value: u64) {
        if value > self.get() {
            self.set(value);
        }
    }

    /// Subtracts, under the same rule.
    pub fn sub(&self, delta: u64) {
        self.set(self.get().wrapping_sub(delta));
    }
}

/// What one worker counts. They only ever grow; [`crate::Statistics`] knows what to subtract after
/// CONFIG RESETSTAT.
#[derive(Debug, Default)]
pub struct Counters {
    /// Commands executed.
    pub commands: Gauge,
    /// Connections accepted.
    pub connections: Gauge,
    /// Connections refused for `maxclients`.
    pub rejected_connections: Gauge,
    /// Bytes received.
    pub received_bytes: Gauge,
    /// Bytes sent.
    pub sent_bytes: Gauge,
    /// Lookups for reading that found a key.
    pub keyspace_hits: Gauge,
    /// Lookups for reading that found none.
    pub keyspace_misses: Gauge,
    /// Keys removed because their time had come.
    pub expired_keys: Gauge,
    /// Keys removed to stay below `maxmemory`.
    pub evicted_keys: Gauge,
    /// Connections closed to stay below `maxmemory-clients`.
    pub evicted_clients: Gauge,
    /// Memory of connections that may be closed to stay below `maxmemory-clients`; not reset.
    pub client_bytes: Gauge,
    /// Fields of hashes removed because their time had come.
    pub expired_fields: Gauge,
    /// Error replies.
    pub errors: Gauge,
    /// Times that the event source was asked.
    pub turns: Gauge,
    /// Time between two waits for events, nanoseconds.
    pub busy_ns: Gauge,
    /// The most of it at once.
    pub busy_ns_max: Gauge,
    /// Of it, time spent on what is due without any client asking, nanoseconds.
    pub cron_ns: Gauge,
    /// The most commands executed between two waits.
    pub turn_commands_max: Gauge,
    /// Reads from sockets.
    pub reads: Gauge,
    /// Writes to sockets.
    pub writes: Gauge,
    /// Connections closed because their query buffer grew too large.
    pub query_buffer_kills: Gauge,
    /// Connections closed because their output buffer grew too large.
    pub output_buffer_kills: Gauge,
    /// Writes to the keyspace since the process began.
    pub changes: Gauge,
    /// Time spent removing expired keys, nanoseconds.
    pub expire_ns: Gauge,
    /// Times that removing expired keys ran out of its slice.
    pub expire_slices: Gauge,
    commands_by_id: Box<[CommandCounters]>,
}

/// What one worker counts of one command.
#[derive(Debug, Default)]
pub struct CommandCounters {
    /// Executions.
    pub calls: Gauge,
    /// Time spent in them, nanoseconds.
    pub time_ns: Gauge,
    /// Refused before execution.
    pub rejected: Gauge,
    /// Executed with an error reply.
    pub failed: Gauge,
    histogram: OnceLock<Box<Histogram>>,
}

impl CommandCounters {
    /// Durations of the executions, nanoseconds.
    pub fn histogram(&self) -> Option<&Histogram> {
        self.histogram.get().map(Box::as_ref)
    }

    /// Counts an execution.
    pub fn record(&self, duration_ns: u64, with_histogram: bool) {
        self.calls.add(1);
        self.time_ns.add(duration_ns);
        if with_histogram {
            self.histogram.get_or_init(Box::default).record(duration_ns);
        }
    }
}

impl Counters {
    /// Counters for a table of `commands` commands.
    pub fn new(commands: usize) -> Self {
        let commands_by_id = (0..commands).map(|_| CommandCounters::default()).collect();
        Self { commands_by_id, ..Self::default() }
    }

    /// The counters of the command with this number.
    pub fn command(&self, id: usize) -> &CommandCounters {
        &self.commands_by_id[id]
    }
}
