//! What a load run saw.

use std::collections::BTreeMap;

use super::histogram::Histogram;

/// The figures of a run's measured time.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The length of the measured time.
    pub seconds: f64,
    /// Replies read to their end.
    pub requests: u64,
    /// The same by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without a whole reply, by what went wrong: `connect`, `closed`, `malformed`, `timeout`, `broken`.
    pub errors: BTreeMap<&'static str, u64>,
    /// Bytes received, heads included.
    pub bytes: u64,
    /// Server-sent events received.
    pub events: u64,
    /// From when a request was due (open loop) or sent (closed loop) to the end of its reply.
    pub latency: Histogram,
    /// From the same moment to the first byte of the reply's body.
    pub first_byte: Histogram,
    /// Between two reads of the same event stream.
    pub gap: Histogram,
    /// How much the meter grew.
    pub metered: f64,
}
