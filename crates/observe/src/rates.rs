use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::statistics::Totals;

/// Samples that a rate is taken over: at ten a second, the last 1.6 seconds.
const SAMPLES: usize = 17;

/// What happens per second now, from samples taken at a steady pace.
#[derive(Default)]
pub struct Rates {
    samples: Mutex<VecDeque<Sample>>,
}

#[derive(Clone, Copy)]
struct Sample {
    at_ns: u64,
    commands: u64,
    received_bytes: u64,
    sent_bytes: u64,
    turns: u64,
    busy_ns: u64,
}

/// Rates of the last moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateFigures {
    /// Commands per second.
    pub commands: f64,
    /// Bytes received per second.
    pub received_bytes: f64,
    /// Bytes sent per second.
    pub sent_bytes: f64,
    /// Turns of all workers per second.
    pub turns: f64,
    /// Nanoseconds per second that all workers were busy.
    pub busy_ns: f64,
}

impl Rates {
    /// Takes a sample of totals that only grow, at `at_ns` of a stop watch.
    pub(crate) fn sample(&self, at_ns: u64, totals: &Totals) {
        let mut samples = self.samples.lock();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(Sample {
            at_ns,
            commands: totals.commands,
            received_bytes: totals.received_bytes,
            sent_bytes: totals.sent_bytes,
            turns: totals.turns,
            busy_ns: totals.busy_ns,
        });
    }

    /// The rates between the oldest and the newest sample.
    pub fn figures(&self) -> RateFigures {
        let samples = self.samples.lock();
        let (Some(first), Some(last)) = (samples.front(), samples.back()) else {
            return RateFigures::default();
        };
        let seconds = last.at_ns.saturating_sub(first.at_ns) as f64 / 1e9;
        if seconds <= 0.0 {
            return RateFigures::default();
        }
        let per_second = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        RateFigures {
            commands: per_second(first.commands, last.commands),
            received_bytes: per_second(first.received_bytes, last.received_bytes),
            sent_bytes: per_second(first.sent_bytes, last.sent_bytes),
            turns: per_second(first.turns, last.turns),
            busy_ns: per_second(first.busy_ns, last.busy_ns),
        }
    }

    /// Forgets the samples.
    pub(crate) fn reset(&self) {
        self.samples.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_growth_over_the_samples_that_are_kept() {
        let rates = Rates::default();
        assert_eq!(rates.figures(), RateFigures::default());
        for step in 0..40u64 {
            // A burst at the beginning, long forgotten at the end.
            let commands = if step == 0 { 0 } else { 1_000_000 + step * 5 };
            let totals = Totals { commands, sent_bytes: step * 100, ..Totals::default() };
            rates.sample(step * 100_000_000, &totals);
        }
        let figures = rates.figures();
        assert!((figures.commands - 50.0).abs() < 1e-6, "{figures:?}");
        assert!((figures.sent_bytes - 1000.0).abs() < 1e-6, "{figures:?}");
    }
}
