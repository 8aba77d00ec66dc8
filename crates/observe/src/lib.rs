//! What the server measures of itself: counters, histograms, slow log, latency events.
#![forbid(unsafe_code)]

mod commandlog;
mod counters;
mod histogram;
mod hotkeys;
mod latency;
mod rates;
mod statistics;

pub use commandlog::{CommandLog, CommandLogs, LogEntry};
pub use counters::{CommandCounters, Counters, Gauge};
pub use histogram::{Histogram, Snapshot};
pub use hotkeys::{HeavyKeys, HotKeys, HotKeysPlan, HotKeysReport};
pub use latency::{LatencyMonitor, Sample, Series};
pub use rates::{RateFigures, Rates};
pub use statistics::{CommandTotals, Statistics, Totals};
