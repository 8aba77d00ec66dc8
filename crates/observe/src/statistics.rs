use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::counters::{Counters, Gauge};
use crate::histogram::Snapshot;
use crate::rates::Rates;

/// The number of error kinds that are counted apart.
const ERROR_KINDS_MAX: usize = 128;

/// What further kinds are counted as. Scripts make errors of any kind.
const ERRORS_BEYOND: &str = "ERRORSTATS_OVERFLOW";
/// Kinds that are counted however many others there are.
const OWN_ERRORS: [&str; 12] = [
    "ERR",
    "WRONGTYPE",
    "NOPERM",
    "NOAUTH",
    "WRONGPASS",
    "OOM",
    "EXECABORT",
    "BUSY",
    "MISCONF",
    "LOADING",
    "NOSCRIPT",
    "UNBLOCKED",
];

/// The counters of all workers, and what they stood at when they were last reset.
///
/// Counters are never set back, since only their own worker may write them; a reset remembers the
/// totals of its moment, and reports subtract them.
pub struct Statistics {
    workers: Mutex<Vec<Arc<Counters>>>,
    commands: usize,
    baseline: Mutex<Baseline>,
    errors: Mutex<BTreeMap<String, u64>>,
    rates: Rates,
}

#[derive(Default)]
struct Baseline {
    totals: Totals,
    commands: Vec<CommandTotals>,
}

/// Sums over all workers; see [`Counters`] for each.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Totals {
    pub commands: u64,
    pub connections: u64,
    pub rejected_connections: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub keyspace_hits: u64,
    pub keyspace_misses: u64,
    pub expired_keys: u64,
    pub evicted_keys: u64,
    pub evicted_clients: u64,
    pub expired_fields: u64,
    pub errors: u64,
    pub turns: u64,
    pub busy_ns: u64,
    pub cron_ns: u64,
    pub reads: u64,
    pub writes: u64,
    pub query_buffer_kills: u64,
    pub output_buffer_kills: u64,
    pub expire_ns: u64,
    pub expire_slices: u64,
}

/// Sums of one command over all workers; see [`crate::CommandCounters`].
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct CommandTotals {
    pub calls: u64,
    pub time_ns: u64,
    pub rejected: u64,
    pub failed: u64,
    pub histogram: Snapshot,
}

impl Totals {
    fn fields(&mut self) -> [&mut u64; 21] {
        [
            &mut self.commands,
            &mut self.connections,
            &mut self.rejected_connections,
            &mut self.received_bytes,
            &mut self.sent_bytes,
            &mut self.keyspace_hits,
            &mut self.keyspace_misses,
            &mut self.expired_keys,
            &mut self.evicted_keys,
            &mut self.evicted_clients,
            &mut self.expired_fields,
            &mut self.errors,
            &mut self.turns,
            &mut self.busy_ns,
            &mut self.cron_ns,
            &mut self.reads,
            &mut self.writes,
            &mut self.query_buffer_kills,
            &mut self.output_buffer_kills,
            &mut self.expire_ns,
            &mut self.expire_slices,
        ]
    }

    fn add(&mut self, one: &Counters) {
        let gauges = [
            &one.commands,
            &one.connections,
            &one.rejected_connections,
            &one.received_bytes,
            &one.sent_bytes,
            &one.keyspace_hits,
            &one.keyspace_misses,
            &one.expired_keys,
            &one.evicted_keys,
            &one.evicted_clients,
            &one.expired_fields,
            &one.errors,
            &one.turns,
            &one.busy_ns,
            &one.cron_ns,
            &one.reads,
            &one.writes,
            &one.query_buffer_kills,
            &one.output_buffer_kills,
            &one.expire_ns,
            &one.expire_slices,
        ];
        for (sum, gauge) in self.fields().into_iter().zip(gauges) {
            *sum += gauge.get();
        }
    }

    fn since(mut self, mut earlier: Self) -> Self {
        for (now, then) in self.fields().into_iter().zip(earlier.fields()) {
            *now = now.saturating_sub(*then);
        }
        self
    }
}

impl Statistics {
    /// Statistics for a table of `commands` commands.
    pub fn new(commands: usize) -> Self {
        Self {
            workers: Mutex::default(),
            commands,
            baseline: Mutex::default(),
            errors: Mutex::default(),
            rates: Rates::default(),
        }
    }

    /// Makes the counters of one more worker.
    pub fn register(&self) -> Arc<Counters> {
        let counters = Arc::new(Counters::new(self.commands));
        self.workers.lock().push(Arc::clone(&counters));
        counters
    }

    fn raw_totals(&self) -> Totals {
        let mut sum = Totals::default();
        self.workers.lock().iter().for_each(|one| sum.add(one));
        sum
    }

    fn raw_command(&self, id: usize) -> CommandTotals {
        let mut sum = CommandTotals::default();
        for worker in self.workers.lock().iter() {
            let one = worker.command(id);
            sum.calls += one.calls.get();
            sum.time_ns += one.time_ns.get();
            sum.rejected += one.rejected.get();
            sum.failed += one.failed.get();
            if let Some(histogram) = one.histogram() {
                histogram.add_to(&mut sum.histogram);
            }
        }
        sum
    }

    /// Sums over all workers since the last reset.
    pub fn totals(&self) -> Totals {
        self.raw_totals().since(self.baseline.lock().totals.clone())
    }

    /// Changes to the data set since the process began; not reset.
    pub fn changes(&self) -> u64 {
        self.workers.lock().iter().map(|one| one.changes.get()).sum()
    }

    /// Memory of all connections that may be closed to stay below `maxmemory-clients`.
    pub fn client_bytes(&self) -> u64 {
        self.workers.lock().iter().map(|one| one.client_bytes.get()).sum()
    }

    /// Sums of the command with this number since the last reset.
    pub fn command(&self, id: usize) -> CommandTotals {
        let mut now = self.raw_command(id);
        if let Some(then) = self.baseline.lock().commands.get(id) {
            now.calls = now.calls.saturating_sub(then.calls);
            now.time_ns = now.time_ns.saturating_sub(then.time_ns);
            now.rejected = now.rejected.saturating_sub(then.rejected);
            now.failed = now.failed.saturating_sub(then.failed);
            now.histogram = now.histogram.since(&then.histogram);
        }
        now
    }

    /// Nanoseconds that commands have taken since the last reset, all together.
    pub fn command_ns(&self) -> u64 {
        let taken = |one: &Arc<Counters>| -> u64 {
            (0..self.commands).map(|id| one.command(id).time_ns.get()).sum()
        };
        let now: u64 = self.workers.lock().iter().map(taken).sum();
        let before: u64 = self.baseline.lock().commands.iter().map(|one| one.time_ns).sum();
        now.saturating_sub(before)
    }

    /// The longest that one worker has worked between two waits for events, nanoseconds, and the most commands
    /// that one has executed between two.
    pub fn extremes(&self) -> (u64, u64) {
        let workers = self.workers.lock();
        let most = |of: fn(&Counters) -> &Gauge| workers.iter().map(|one| of(one).get()).max();
        let busy_ns = most(|one| &one.busy_ns_max).unwrap_or(0);
        (busy_ns, most(|one| &one.turn_commands_max).unwrap_or(0))
    }

    /// Starts counting from 0.
    pub fn reset(&self) {
        for worker in self.workers.lock().iter() {
            // Their writer may be about to put back what it has just read. Then they stay as they were.
            worker.busy_ns_max.set(0);
            worker.turn_commands_max.set(0);
        }
        let commands = (0..self.commands).map(|id| self.raw_command(id)).collect();
        *self.baseline.lock() = Baseline { totals: self.raw_totals(), commands };
        self.errors.lock().clear();
        self.rates.reset();
    }

    /// Takes a sample for [`Statistics::rates`], ten times a second; `at_ns` is a stop watch's time.
    pub fn sample(&self, at_ns: u64) {
        self.rates.sample(at_ns, &self.raw_totals());
    }

    /// What happens per second now.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Counts an error reply by its prefix.
    pub fn count_error(&self, prefix: &str) {
        let mut errors = self.errors.lock();
        if let Some(count) = errors.get_mut(prefix) {
            *count += 1;
        } else if errors.len() < ERROR_KINDS_MAX || OWN_ERRORS.contains(&prefix) {
            errors.insert(prefix.to_owned(), 1);
        } else {
            *errors.entry(ERRORS_BEYOND.to_owned()).or_default() += 1;
        }
    }

    /// Error replies by prefix since the last reset.
    pub fn errors(&self) -> Vec<(String, u64)> {
        self.errors.lock().iter().map(|(prefix, count)| (prefix.clone(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_errors_that_scripts_invent_are_counted_apart_up_to_a_limit() {
        let statistics = Statistics::new(0);
        (0..ERROR_KINDS_MAX + 5).for_each(|kind| statistics.count_error(&format!("E{kind}")));
        statistics.count_error("E0");
        statistics.count_error("WRONGTYPE");
        let errors: BTreeMap<_, _> = statistics.errors().into_iter().collect();
        let count = |kind: &str| errors.get(kind).copied();
        assert_eq!(
            [count("E0"), count("WRONGTYPE"), count(ERRORS_BEYOND)],
            [Some(2), Some(1), Some(5)]
        );
        assert_eq!(count(&format!("E{ERROR_KINDS_MAX}")), None);
    }

    #[test]
    fn a_reset_starts_all_figures_at_zero() {
        let statistics = Statistics::new(2);
        let (a, b) = (statistics.register(), statistics.register());
        a.commands.add(3);
        b.commands.add(4);
        a.busy_ns_max.raise(9);
        b.busy_ns_max.raise(7);
        b.turn_commands_max.raise(2);
        assert_eq!(statistics.extremes(), (9, 2));
        a.command(1).record(5000, true);
        assert_eq!(statistics.totals().commands, 7);
        assert_eq!(statistics.command(1).histogram.total(), 1);
        statistics.reset();
        assert_eq!(statistics.totals().commands, 0);
        assert_eq!(statistics.extremes(), (0, 0));
        b.commands.add(2);
        b.command(1).record(7000, true);
        assert_eq!(statistics.totals().commands, 2);
        assert_eq!((statistics.command(1).calls, statistics.command(1).time_ns), (1, 7000));
        assert_eq!(statistics.command(1).histogram.total(), 1);
    }
}
