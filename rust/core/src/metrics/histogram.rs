//! The time histograms: their names, their bounds, and where an observation is counted.

use crate::shm::bounds::{BOUNDS, MEASURES};
use crate::shm::{MeasureRow, Row};
use std::sync::atomic::Ordering::Relaxed;

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// A time that is measured of each request. The discriminant is its place in a [`Row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Total,
    Upstream,
    Overhead,
    FirstByte,
}

impl Measure {
    pub(super) const ALL: [Measure; MEASURES] =
        [Measure::Total, Measure::Upstream, Measure::Overhead, Measure::FirstByte];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Measure::Total => "llmgw_request_duration_seconds",
            Measure::Upstream => "llmgw_upstream_duration_seconds",
            Measure::Overhead => "llmgw_overhead_seconds",
            Measure::FirstByte => "llmgw_time_to_first_token_seconds",
        }
    }

    pub(super) const fn help(self) -> &'static str {
        match self {
            Measure::Total => "From the request's last byte to the reply's last byte.",
            Measure::Upstream => "Time spent waiting for upstreams.",
            Measure::Overhead => {
                "Time the gateway itself took: the request's duration without the \
                                  upstream's."
            }
            Measure::FirstByte => "From the request's last byte to the stream's first byte.",
        }
    }

    /// Upper bounds of the buckets in ns, ascending.
    pub(super) const fn bounds(self) -> &'static [u64; BOUNDS] {
        match self {
            Measure::Overhead => &FINE,
            _ => &COARSE,
        }
    }

    /// Counts an observation.
    pub(super) fn observe(self, row: &Row, ns: u64) {
        let MeasureRow { buckets, sum } = &row.measures[self as usize];
        let at = self.bounds().partition_point(|bound| *bound < ns);
        buckets[at].fetch_add(1, Relaxed);
        sum.fetch_add(ns, Relaxed);
    }
}

/// For what the gateway itself takes.
const FINE: [u64; BOUNDS] = [
    50 * US,
    75 * US,
    100 * US,
    150 * US,
    250 * US,
    500 * US,
    MS,
    2_500 * US,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    S,
    5 * S,
];

/// For what models take.
const COARSE: [u64; BOUNDS] = [
    MS,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    100 * MS,
    250 * MS,
    500 * MS,
    S,
    2_500 * MS,
    5 * S,
    10 * S,
    30 * S,
    60 * S,
    120 * S,
    300 * S,
];
