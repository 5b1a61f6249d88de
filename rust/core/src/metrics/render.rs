//! The text exposition format (version 0.0.4): rows added up by the labels that each metric shows.

use super::counters::FAMILIES;
use super::histogram::Measure;
use super::labels::{OwnedLabels, read};
use super::workers::in_hand;
use crate::reply::push_dollars;
use crate::shm::bounds::BOUNDS;
use crate::shm::{Row, Shared, Word};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

const TOKEN_TYPES: [&str; 4] = ["input", "output", "cache_read", "reasoning"];

/// Everything a scrape asks for.
pub(super) fn render(shared: &Shared) -> String {
    let rows = labelled_rows(shared);
    let mut text = Text(String::with_capacity(16 << 10));
    requests(&mut text, &rows);
    tokens(&mut text, &rows);
    costs(&mut text, &rows);
    for measure in Measure::ALL {
        histogram(&mut text, &rows, measure);
    }
    counters(&mut text, shared);
    gauges(&mut text, shared);
    text.0
}

/// The rows in use, with their labels rendered as far as all metrics share them.
fn labelled_rows(shared: &Shared) -> Vec<(OwnedLabels, &Row)> {
    let mut rows: Vec<_> =
        shared.rows.iter().filter_map(|row| Some((escaped(read(row)?), row))).collect();
    if shared.other.requests.load(Relaxed) > 0 {
        let other = OwnedLabels { values: std::array::from_fn(|_| "other".to_owned()), status: 0 };
        rows.push((other, &shared.other));
    }
    rows
}

fn escaped(mut labels: OwnedLabels) -> OwnedLabels {
    for value in &mut labels.values {
        if value.contains(['\\', '"', '\n']) {
            *value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        }
    }
    labels
}

fn requests(text: &mut Text, rows: &[(OwnedLabels, &Row)]) {
    let mut sums = BTreeMap::new();
    for (OwnedLabels { values: [endpoint, model, provider, _, key], status }, row) in rows {
        let labels = (endpoint, model, provider, status, key);
        *sums.entry(labels).or_insert(0) += row.requests.load(Relaxed);
    }
    text.head("llmgw_requests_total", "counter", "Requests finished.");
    for ((endpoint, model, provider, status, key), count) in sums {
        text.line(format_args!(
            "llmgw_requests_total{{endpoint=\"{endpoint}\",model=\"{model}\",\
             provider=\"{provider}\",status_code=\"{status}\",key_alias=\"{key}\"}} {count}"
        ));
    }
}

fn tokens(text: &mut Text, rows: &[(OwnedLabels, &Row)]) {
    let mut sums = BTreeMap::<_, [u64; 4]>::new();
    for (OwnedLabels { values: [endpoint, model, provider, _, key], .. }, row) in rows {
        let sum = sums.entry((endpoint, model, provider, key)).or_default();
        for (sum, count) in sum.iter_mut().zip(&row.tokens) {
            *sum += count.load(Relaxed);
        }
    }
    text.head("llmgw_tokens_total", "counter", "Tokens, by the provider's own count.");
    for ((endpoint, model, provider, key), counts) in sums {
        for (kind, count) in TOKEN_TYPES.iter().zip(counts).filter(|(_, count)| *count > 0) {
            text.line(format_args!(
                "llmgw_tokens_total{{endpoint=\"{endpoint}\",model=\"{model}\",\
                 provider=\"{provider}\",key_alias=\"{key}\",type=\"{kind}\"}} {count}"
            ));
        }
    }
}

fn costs(text: &mut Text, rows: &[(OwnedLabels, &Row)]) {
    let mut sums = BTreeMap::<_, u64>::new();
    for (OwnedLabels { values: [endpoint, model, provider, _, key], .. }, row) in rows {
        let sum = sums.entry((endpoint, model, provider, key)).or_default();
        *sum = sum.saturating_add(row.cost.load(Relaxed));
    }
    text.head("llmgw_cost_usd_total", "counter", "What replies cost, as far as it is known.");
    for ((endpoint, model, provider, key), nano_dollars) in sums {
        if nano_dollars > 0 {
            let mut dollars = Vec::new();
            push_dollars(&mut dollars, nano_dollars);
            let dollars = String::from_utf8_lossy(&dollars);
            text.line(format_args!(
                "llmgw_cost_usd_total{{endpoint=\"{endpoint}\",model=\"{model}\",\
                 provider=\"{provider}\",key_alias=\"{key}\"}} {dollars}"
            ));
        }
    }
}

#[derive(Default)]
struct Observed {
    buckets: [u64; BOUNDS + 1],
    sum: u64,
}

fn histogram(text: &mut Text, rows: &[(OwnedLabels, &Row)], measure: Measure) {
    let mut observed = BTreeMap::<_, Observed>::new();
    for (OwnedLabels { values: [endpoint, model, provider, deployment, _], .. }, row) in rows {
        let into = observed.entry((endpoint, model, provider, deployment)).or_default();
        let from = &row.measures[measure as usize];
        for (sum, count) in into.buckets.iter_mut().zip(&from.buckets) {
            *sum += count.load(Relaxed);
        }
        into.sum += from.sum.load(Relaxed);
    }
    text.head(measure.name(), "histogram", measure.help());
    for ((endpoint, model, provider, deployment), observed) in observed {
        let labels = format!(
            "endpoint=\"{endpoint}\",model=\"{model}\",provider=\"{provider}\",\
             deployment=\"{deployment}\""
        );
        text.histogram(measure, &labels, &observed);
    }
}

fn counters(text: &mut Text, shared: &Shared) {
    for family in &FAMILIES {
        text.head(family.name, "counter", family.help);
        for (counter, labels) in family.counters {
            let count = shared.counters[*counter as usize].load(Relaxed);
            text.line(format_args!("{}{labels} {count}", family.name));
        }
    }
    for (word, name, help) in [
        (
            Word::BucketOverflow,
            "llmgw_ratelimit_overflows_total",
            "Requests that met a full table of rate-limit buckets.",
        ),
        (
            Word::BudgetOverflow,
            "llmgw_budget_overflows_total",
            "Requests that met a full table of budgets.",
        ),
        (
            Word::PlaceOverflow,
            "llmgw_concurrency_overflows_total",
            "Requests that met a full table of places.",
        ),
    ] {
        text.head(name, "counter", help);
        text.line(format_args!("{name} {}", shared.word(word).load(Relaxed)));
    }
}

fn gauges(text: &mut Text, shared: &Shared) {
    let in_hand = in_hand(shared);
    let reloaded = 1 - shared.word(Word::ConfigReloadFailed).load(Relaxed).min(1);
    text.gauge("llmgw_in_flight_requests", "Requests being served.", in_hand.in_flight);
    text.gauge("llmgw_connections", "Client connections open.", in_hand.connections);
    text.gauge("llmgw_realtime_sessions", "Realtime sessions open.", in_hand.realtime);
    text.gauge(
        "llmgw_ledger_waiting_bytes",
        "Bytes of the ledger that wait for the disk, as of the last look.",
        in_hand.ledger_waiting,
    );
    text.gauge(
        "llmgw_ledger_stuck_workers",
        "Workers whose disk does not take the ledger, as of the last look.",
        in_hand.ledger_trouble,
    );
    text.gauge("llmgw_workers", "Worker processes alive.", in_hand.workers);
    text.gauge(
        "llmgw_stored_responses_bytes",
        "Bytes of the responses stored on the disk, as of the last look.",
        shared.word(Word::StoredBytes).load(Relaxed),
    );
    text.gauge(
        "llmgw_config_last_reload_successful",
        "1 when the configuration in use is the newest one.",
        reloaded,
    );
    text.head("llmgw_build_info", "gauge", "Always 1; the version is in the label.");
    text.line(format_args!("llmgw_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
}

/// The text so far.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.line(format_args!("{name} {value}"));
    }

    /// The lines of one histogram; none when it has seen nothing.
    fn histogram(&mut self, measure: Measure, labels: &str, observed: &Observed) {
        let (name, total) = (measure.name(), observed.buckets.iter().sum::<u64>());
        if total == 0 {
            return;
        }
        let mut count = 0;
        for (bound, hits) in measure.bounds().iter().zip(&observed.buckets) {
            count += hits;
            let le = seconds(*bound);
            self.line(format_args!("{name}_bucket{{{labels},le=\"{le}\"}} {count}"));
        }
        self.line(format_args!("{name}_bucket{{{labels},le=\"+Inf\"}} {total}"));
        self.line(format_args!("{name}_sum{{{labels}}} {}", seconds(observed.sum)));
        self.line(format_args!("{name}_count{{{labels}}} {total}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
