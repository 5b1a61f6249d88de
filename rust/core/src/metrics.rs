//! Prometheus metrics kept in shared memory, so that any worker's `/metrics` shows the machine.
//!
//! A label set gets a row on its first request; from then on a request costs one hash, one
//! comparison and a handful of relaxed additions.

mod counters;
mod histogram;
mod labels;
mod render;
pub(crate) mod workers;

use crate::price::{Cost, Status};
use crate::shm::{Row, Shared, Word, Worker};
use crate::usage::Usage;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

pub use counters::Counter;
pub use labels::Labels;

use histogram::Measure;

/// What one finished request measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// From the request's last byte to the reply's last byte.
    pub total_ns: u64,
    /// The part spent waiting for upstreams; 0 when none was asked. The rest is overhead.
    pub upstream_ns: u64,
    /// From the request's last byte to the reply's first byte, for streams.
    pub first_byte_ns: Option<u64>,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the reply.
    pub output_tokens: u64,
    /// Prompt tokens the provider had in its cache.
    pub cache_read_tokens: u64,
    /// Reply tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// What the reply cost, if it was one that may cost something.
    pub cost: Option<Cost>,
}

/// What a worker has in hand at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Requests (`llmgw_in_flight_requests`).
    InFlight,
    /// Client connections (`llmgw_connections`).
    Connections,
    /// Responses that are about to be on the disk; not shown, but waited for.
    Storing,
    /// Realtime sessions (`llmgw_realtime_sessions`).
    Realtime,
}

/// Holds a gauge up by one until it is dropped.
pub struct GaugeGuard {
    metrics: Metrics,
    gauge: Gauge,
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.metrics.shift(self.gauge, -1);
    }
}

/// One worker's door to the machine's metrics.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
    worker: usize,
}

impl Metrics {
    /// Takes over the row of `worker`, the index of this process among its like, with its gauges
    /// at zero: whatever a dead predecessor had in hand is gone.
    #[must_use]
    pub fn new(shared: Arc<Shared>, worker: usize) -> Self {
        let worker = worker % shared.workers.len();
        workers::enrol(&shared.workers[worker]);
        Metrics { shared, worker }
    }

    /// Notes a finished request.
    pub fn record(&self, labels: &Labels<'_>, sample: &Sample) {
        let row = labels::row(&self.shared, labels);
        row.requests.fetch_add(1, Relaxed);
        Measure::Total.observe(row, sample.total_ns);
        Measure::Overhead.observe(row, sample.total_ns.saturating_sub(sample.upstream_ns));
        if sample.upstream_ns > 0 {
            Measure::Upstream.observe(row, sample.upstream_ns);
        }
        if let Some(first_byte_ns) = sample.first_byte_ns {
            Measure::FirstByte.observe(row, first_byte_ns);
        }
        let tokens = [
            sample.input_tokens,
            sample.output_tokens,
            sample.cache_read_tokens,
            sample.reasoning_tokens,
        ];
        add_tokens(row, tokens);
        self.add_cost(row, sample.cost);
    }

    /// Notes the tokens and the cost of what a request that was noted before goes on to do.
    pub fn charge(&self, labels: &Labels<'_>, usage: &Usage, cost: Cost) {
        let tokens = [usage.input, usage.output, usage.cache_read, usage.reasoning];
        let row = labels::row(&self.shared, labels);
        add_tokens(row, tokens);
        self.add_cost(row, Some(cost));
    }

    fn add_cost(&self, row: &Row, cost: Option<Cost>) {
        let Some(Cost { nano_dollars, status }) = cost else { return };
        self.count(match status {
            Status::Priced => Counter::CostPriced,
            Status::Free => Counter::CostFree,
            Status::Estimated => Counter::CostEstimated,
            Status::Partial => Counter::CostPartial,
            Status::Ceiling => Counter::CostCeiling,
            Status::Unpriced => Counter::CostUnpriced,
        });
        if nano_dollars > 0 {
            row.cost.fetch_add(nano_dollars, Relaxed);
        }
    }

    /// Notes an event.
    pub fn count(&self, counter: Counter) {
        self.count_n(counter, 1);
    }

    /// Notes `n` events at once.
    pub fn count_n(&self, counter: Counter, n: u64) {
        self.shared.counters[counter as usize].fetch_add(n, Relaxed);
    }

    /// Moves a gauge of this worker up or down.
    pub fn shift(&self, gauge: Gauge, by: i64) {
        self.gauge(gauge).fetch_add(by, AcqRel);
    }

    /// Holds a gauge of this worker up by one until the guard is dropped.
    #[must_use]
    pub fn hold(&self, gauge: Gauge) -> GaugeGuard {
        self.shift(gauge, 1);
        GaugeGuard { metrics: self.clone(), gauge }
    }

    /// A request came in; [`Metrics::leave`] must follow.
    pub fn enter(&self) {
        self.shift(Gauge::InFlight, 1);
    }

    /// A request went out.
    pub fn leave(&self) {
        self.shift(Gauge::InFlight, -1);
    }

    /// Says how the last reload of the configuration went (`llmgw_config_last_reload_successful`).
    pub fn config_reloaded(&self, succeeded: bool) {
        self.shared.word(Word::ConfigReloadFailed).store(u64::from(!succeeded), Relaxed);
    }

    /// Whether a worker of the machine is about to put a response on the disk.
    #[must_use]
    pub fn is_anybody_storing(&self) -> bool {
        workers::is_storing(&self.shared)
    }

    /// Adds to the bytes of the responses on the disk, and tells how many there are.
    pub fn add_stored(&self, bytes: u64) -> u64 {
        self.shared.word(Word::StoredBytes).fetch_add(bytes, Relaxed) + bytes
    }

    /// Says how many bytes of responses are on the disk (`llmgw_stored_responses_bytes`).
    pub fn set_stored(&self, bytes: u64) {
        self.shared.word(Word::StoredBytes).store(bytes, Relaxed);
    }

    /// Says how this worker's part of the ledger is (`llmgw_ledger_waiting_bytes`,
    /// `llmgw_ledger_stuck_workers`).
    pub fn set_ledger(&self, waiting: usize, in_trouble: bool) {
        let worker = &self.shared.workers[self.worker];
        worker.ledger_waiting.store(waiting as u64, Relaxed);
        worker.ledger_trouble.store(u64::from(in_trouble), Relaxed);
    }

    /// All metrics of the machine, in the text exposition format (version 0.0.4).
    #[must_use]
    pub fn render(&self) -> String {
        render::render(&self.shared)
    }

    fn gauge(&self, gauge: Gauge) -> &std::sync::atomic::AtomicI64 {
        let Worker { in_flight, connections, storing, realtime, .. } =
            &self.shared.workers[self.worker];
        match gauge {
            Gauge::InFlight => in_flight,
            Gauge::Connections => connections,
            Gauge::Storing => storing,
            Gauge::Realtime => realtime,
        }
    }
}

fn add_tokens(row: &Row, tokens: [u64; 4]) {
    for (sum, count) in row.tokens.iter().zip(tokens) {
        if count > 0 {
            sum.fetch_add(count, Relaxed);
        }
    }
}

/// All metrics of the machine, for one that is not a worker.
#[must_use]
pub fn render(shared: &Shared) -> String {
    render::render(shared)
}

#[cfg(test)]
mod tests;
