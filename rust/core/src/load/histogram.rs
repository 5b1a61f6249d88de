//! A histogram of times with buckets that grow with the value: every percentile is right to one part in 128.

use std::time::Duration;

/// Buckets per doubling, as a power of two.
const PRECISION: u32 = 7;
const PER_DOUBLING: usize = 1 << PRECISION;
const BUCKETS: usize = (64 - PRECISION as usize) * PER_DOUBLING + PER_DOUBLING;

/// Times noted so far, in nanoseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Histogram {
    /// Notes a time.
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// How many times were noted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; `None` when nothing was noted, as in all that follow.
    pub fn mean(&self) -> Option<Duration> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        u64::try_from(mean).ok().map(Duration::from_nanos)
    }

    /// The shortest.
    pub fn min(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.min))
    }

    /// The longest.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.max))
    }

    /// The time that `percent` of the noted ones do not exceed.
    pub fn percentile(&self, percent: f64) -> Option<Duration> {
        let share = percent.clamp(0.0, 100.0) / 100.0;
        // Counts stay far below 2^52, so the float is exact.
        let rank = ((share * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let index = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(middle(index).clamp(self.min, self.max)))
    }
}

fn bucket(nanos: u64) -> usize {
    let exponent = 63 - nanos.max(1).leading_zeros();
    let shift = exponent.saturating_sub(PRECISION);
    shift as usize * PER_DOUBLING + (nanos >> shift) as usize
}

/// The middle of a bucket's range.
fn middle(index: usize) -> u64 {
    let shift = (index / PER_DOUBLING).saturating_sub(1);
    let low = ((index - shift * PER_DOUBLING) as u64) << shift;
    low + ((1u64 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap_and_contain_their_middle() {
        for nanos in (0..100_000).chain([u64::MAX / 3, u64::MAX - 1, u64::MAX]) {
            let index = bucket(nanos);
            assert!(
                index == bucket(nanos.saturating_sub(1)) || nanos == 0 || {
                    index == bucket(nanos - 1) + 1
                }
            );
            assert_eq!(bucket(middle(index)), index, "{nanos}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_right_to_a_percent() {
        let mut histogram = Histogram::default();
        for micros in 1..=10_000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (percent, micros) in [(50.0, 5_000.0), (99.0, 9_900.0), (100.0, 10_000.0)] {
            let found = histogram.percentile(percent).unwrap().as_secs_f64() * 1e6;
            assert!((found / micros - 1.0).abs() < 0.01, "{percent}: {found}");
        }
        assert_eq!(histogram.max(), Some(Duration::from_micros(10_000)));
        assert_eq!(histogram.mean(), Some(Duration::from_nanos(5_000_500)));
    }

    #[test]
    fn an_empty_histogram_has_no_percentiles() {
        let histogram = Histogram::default();
        assert_eq!(
            (histogram.percentile(50.0), histogram.mean(), histogram.min()),
            (None, None, None)
        );
    }
}
