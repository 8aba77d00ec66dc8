use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

/// Samples kept per event.
const SAMPLES_MAX: usize = 160;

/// Events that took longer than `latency-monitor-threshold`, by name.
#[derive(Default)]
pub struct LatencyMonitor {
    series: Mutex<BTreeMap<&'static str, Series>>,
}

/// One slow event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Seconds since the epoch; the worst event of each second is kept.
    pub time_s: i64,
    /// Milliseconds it took.
    pub latency_ms: u64,
}

/// The slow events of one name.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Oldest first.
    pub samples: VecDeque<Sample>,
    /// The worst ever, milliseconds.
    pub max_ms: u64,
}

impl LatencyMonitor {
    /// Adds an event.
    pub fn add(&self, event: &'static str, time_s: i64, latency_ms: u64) {
        let mut all = self.series.lock();
        let series = all.entry(event).or_default();
        series.max_ms = series.max_ms.max(latency_ms);
        match series.samples.back_mut() {
            Some(last) if last.time_s == time_s => {
                last.latency_ms = last.latency_ms.max(latency_ms)
            }
            _ => {
                if series.samples.len() == SAMPLES_MAX {
                    series.samples.pop_front();
                }
                series.samples.push_back(Sample { time_s, latency_ms });
            }
        }
    }

    /// All series by name.
    pub fn all(&self) -> Vec<(&'static str, Series)> {
        self.series.lock().iter().map(|(name, series)| (*name, series.clone())).collect()
    }

    /// The series of one event.
    pub fn get(&self, event: &[u8]) -> Option<Series> {
        self.series
            .lock()
            .iter()
            .find(|(name, _)| name.as_bytes() == event)
            .map(|(_, series)| series.clone())
    }

    /// Drops the series of one event, or of all; returns how many.
    pub fn reset(&self, event: Option<&[u8]>) -> usize {
        let mut all = self.series.lock();
        let before = all.len();
        all.retain(|name, _| event.is_some_and(|event| event != name.as_bytes()));
        before - all.len()
    }
}
