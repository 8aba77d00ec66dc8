//! Durations counted in logarithmic buckets of 32 steps per doubling: 3 % wide, fixed size.

use std::time::Duration;

const STEP_BITS: u32 = 5;
const STEPS: usize = 1 << STEP_BITS;

pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; STEPS * (64 - STEP_BITS as usize + 1)],
            total: 0,
            max: Duration::ZERO,
        }
    }

    pub(crate) fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanoseconds)] += 1;
        self.total += 1;
        self.max = self.max.max(duration);
    }

    pub(crate) fn max_ms(&self) -> f64 {
        self.max.as_secs_f64() * 1e3
    }

    /// Microseconds that a share of all durations does not exceed, to the bucket's upper edge.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return (upper_edge(bucket) as f64 / 1e3).min(self.max.as_secs_f64() * 1e6);
            }
        }
        0.0
    }

    pub(crate) fn report(&self) -> serde_json::Value {
        serde_json::json!({
            "p50_us": self.quantile_us(0.5),
            "p99_us": self.quantile_us(0.99),
            "p999_us": self.quantile_us(0.999),
            "max_ms": self.max_ms(),
        })
    }
}

/// Values below `STEPS` have a bucket each; above, the leading bits after the first choose it.
fn bucket(value: u64) -> usize {
    let Some(shift) = (63 - value.max(1).leading_zeros()).checked_sub(STEP_BITS) else {
        return value as usize;
    };
    (shift as usize + 1) * STEPS + ((value >> shift) as usize & (STEPS - 1))
}

fn upper_edge(bucket: usize) -> u64 {
    match (bucket / STEPS).checked_sub(1) {
        None => bucket as u64,
        Some(shift) => {
            let lower = ((STEPS + bucket % STEPS) as u64) << shift;
            lower + ((1_u64 << shift) - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_at_most_one_step_below_its_buckets_upper_edge() {
        for value in (0..2000).chain([u64::MAX / 3, 1 << 40, (1 << 40) - 1, u64::MAX]) {
            let edge = upper_edge(bucket(value));
            assert!(edge >= value && edge - value <= value >> STEP_BITS, "{value} {edge}");
        }
    }

    #[test]
    fn quantiles_of_a_ramp() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|us| histogram.record(Duration::from_micros(us)));
        assert!((histogram.quantile_us(0.5) - 500.0).abs() < 17.0);
        assert!((histogram.quantile_us(0.99) - 990.0).abs() < 32.0);
        assert_eq!(histogram.max_ms(), 1.0);
    }
}
