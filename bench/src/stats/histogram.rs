//! Latencies in buckets whose width grows with the value, so that a run of any length fits in a few kilobytes.

use std::time::Duration;

/// A power of two is split into this many buckets, so a latency is known to within 1.6 %.
const SPLIT: u64 = 1 << SPLIT_BITS;
const SPLIT_BITS: u32 = 6;

/// How often each latency occurred, in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Histogram {
    /// Counts a latency.
    pub fn record(&mut self, elapsed: Duration) {
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket_of(us);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest one, exactly.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The latency that so many of a thousand did not exceed; 0 if none was counted.
    pub fn quantile_us(&self, per_mille: u64) -> u64 {
        let rank = self.count.saturating_mul(per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return last_of(bucket).min(self.max_us);
            }
        }
        self.max_us
    }
}

fn bucket_of(us: u64) -> usize {
    let bucket = match us.checked_ilog2() {
        Some(power) if power >= SPLIT_BITS => {
            let shift = power - SPLIT_BITS;
            SPLIT * u64::from(shift) + (us >> shift)
        }
        _ => us,
    };
    usize::try_from(bucket).expect("there are fewer than 4,000 buckets")
}

/// The largest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).expect("there are fewer than 4,000 buckets");
    let shift = (bucket / SPLIT).saturating_sub(1);
    let mantissa = bucket - SPLIT * shift;
    u64::try_from(((u128::from(mantissa) + 1) << shift) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for us in values {
            histogram.record(Duration::from_micros(us));
        }
        histogram
    }

    #[test]
    fn buckets_follow_one_another_without_gaps() {
        let mut before = None;
        for us in (0..5_000).chain([u64::MAX / 2, u64::MAX]) {
            let bucket = bucket_of(us);
            assert!(us <= last_of(bucket), "{us} is within its bucket");
            assert!(bucket == 0 || last_of(bucket - 1) < us, "{us} is above the bucket before");
            assert!(before.is_none_or(|before| before <= bucket), "buckets are in order");
            before = Some(bucket);
        }
    }

    #[test]
    fn small_latencies_are_exact_and_large_ones_nearly() {
        let histogram = of(1..=100);
        assert_eq!((histogram.quantile_us(500), histogram.quantile_us(990)), (50, 99));
        let histogram = of((1..=1_000).map(|ms| ms * 1_000));
        for per_mille in [500, 900, 990] {
            let exact = per_mille * 1_000;
            let found = histogram.quantile_us(per_mille);
            assert!((exact..=exact + exact / SPLIT).contains(&found), "{per_mille}: {found}");
        }
        assert_eq!(histogram.quantile_us(1_000), 1_000_000, "no quantile exceeds the maximum");
    }

    #[test]
    fn merging_is_like_counting_together() {
        let (odd, even) = (of((1..2_000).step_by(2)), of((2..2_000).step_by(2)));
        let mut merged = odd;
        merged.merge(&even);
        let together = of(1..2_000);
        assert_eq!((merged.count(), merged.max_us()), (together.count(), together.max_us()));
        assert_eq!(merged.quantile_us(777), together.quantile_us(777));
    }

    #[test]
    fn nothing_counted_is_zero() {
        assert_eq!(Histogram::default().quantile_us(500), 0);
        assert_eq!(of([7]).quantile_us(1), 7);
    }
}
