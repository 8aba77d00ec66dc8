use crate::counters::Gauge;

/// Durations in buckets of about 3 % width, written by one thread.
///
/// A value of nanoseconds falls into the octave of its highest bit, which is cut into 32 equal parts, as
/// in HdrHistogram (<http://hdrhistogram.org>). Durations of 2^36 ns (68 s) and above share the last one.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[Gauge]>,
}

const PARTS_LOG: u32 = 5;
const PARTS: usize = 1 << PARTS_LOG;
const OCTAVES: usize = 32;
/// The limit that the last bucket counts under.
const LIMIT_LAST_NS: u64 = 1032 << 26;

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..PARTS * OCTAVES).map(|_| Gauge::default()).collect() }
    }
}

fn bucket_of(ns: u64) -> usize {
    if ns < PARTS as u64 {
        return ns as usize;
    }
    let octave = ns.ilog2() - PARTS_LOG;
    let part = (ns >> octave) as usize & (PARTS - 1);
    ((octave as usize + 1) * PARTS + part).min(PARTS * OCTAVES - 1)
}

/// The highest value that falls into a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < PARTS {
        return bucket as u64;
    }
    let octave = bucket / PARTS - 1;
    let part = (bucket % PARTS + PARTS) as u64;
    ((part + 1) << octave) - 1
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, ns: u64) {
        self.buckets[bucket_of(ns)].add(1);
    }

    /// Adds the counts to a snapshot.
    pub fn add_to(&self, snapshot: &mut Snapshot) {
        snapshot.counts.resize(PARTS * OCTAVES, 0);
        for (sum, bucket) in snapshot.counts.iter_mut().zip(&self.buckets) {
            *sum += bucket.get();
        }
    }
}

/// The counts of a histogram at one moment, summed over workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    counts: Vec<u64>,
}

impl Snapshot {
    /// The number of durations counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What has been counted since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        Self {
            counts: self
                .counts
                .iter()
                .zip(before)
                .map(|(now, then)| now.saturating_sub(then))
                .collect(),
        }
    }

    /// The duration, in nanoseconds, that `percent` of all are at or below.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((self.total() as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(bucket);
            }
        }
        0
    }

    /// Cumulative counts at about 1, 2, 4, 8, ... microseconds: pairs of (microseconds, durations at or
    /// below), only where the count grows. The limits are those of an HdrHistogram of two digits, which
    /// clients of LATENCY HISTOGRAM know: 1, 2, 4, 8, 16, 33, 66, 132, 264, ...
    pub fn cumulative_by_power_of_two(&self) -> Vec<(u64, u64)> {
        let (total, mut seen, mut bucket, mut pairs) = (self.total(), 0, 0, Vec::new());
        let mut limit_ns: u64 = 1032;
        while seen < total {
            let before = seen;
            while bucket < self.counts.len()
                && (upper_bound(bucket) < limit_ns || limit_ns >= LIMIT_LAST_NS)
            {
                seen += self.counts[bucket];
                bucket += 1;
            }
            if seen > before {
                pairs.push(((limit_ns - 1) / 1000, seen));
            }
            limit_ns *= 2;
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_one_bucket() {
        let histogram = Histogram::default();
        for us in 1..=1000u64 {
            histogram.record(us * 1000);
        }
        let mut snapshot = Snapshot::default();
        histogram.add_to(&mut snapshot);
        for (percent, expected) in [(50.0, 500_000.0), (99.0, 990_000.0), (99.9, 999_000.0)] {
            let found = snapshot.percentile(percent) as f64;
            assert!((found / expected - 1.0).abs() < 0.04, "{percent}: {found}");
        }
        let pairs = snapshot.cumulative_by_power_of_two();
        assert_eq!(pairs.last().map(|pair| pair.1), Some(1000));
        let limits: Vec<u64> = pairs.iter().map(|pair| pair.0).collect();
        assert_eq!(limits, [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056]);
    }

    #[test]
    fn the_longest_duration_is_counted_in_the_last_limit() {
        let histogram = Histogram::default();
        histogram.record(u64::MAX);
        let mut snapshot = Snapshot::default();
        histogram.add_to(&mut snapshot);
        assert_eq!(snapshot.cumulative_by_power_of_two().last().map(|pair| pair.1), Some(1));
    }

    #[test]
    fn every_value_falls_into_a_bucket_that_covers_it() {
        for shift in 0..36 {
            for delta in [0, 1, 3] {
                let ns = (1u64 << shift) + delta;
                assert!(upper_bound(bucket_of(ns)) >= ns, "{ns}");
            }
        }
        assert_eq!(bucket_of(u64::MAX), PARTS * OCTAVES - 1);
    }
}
