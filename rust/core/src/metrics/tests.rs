#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const LABELS: Labels<'_> = Labels {
    endpoint: "/v1/chat/completions",
    model: "gpt-4o",
    provider: "openai",
    deployment: "gpt-4o-eu",
    key: "team-a",
    status: 200,
};

fn metrics() -> Metrics {
    Metrics::new(Shared::anonymous().unwrap(), 0)
}

fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(name)).collect()
}

#[test]
fn a_request_shows_under_its_labels() {
    let metrics = metrics();
    metrics.record(&LABELS, &Sample::default());
    metrics.record(&LABELS, &Sample::default());
    assert_eq!(
        lines(&metrics.render(), "llmgw_requests_total"),
        ["llmgw_requests_total{endpoint=\"/v1/chat/completions\",model=\"gpt-4o\",\
          provider=\"openai\",status_code=\"200\",key_alias=\"team-a\"} 2"]
    );
}

#[test]
fn tokens_show_by_type_and_only_where_there_are_any() {
    let metrics = metrics();
    let sample =
        Sample { input_tokens: 10, output_tokens: 3, reasoning_tokens: 2, ..Sample::default() };
    metrics.record(&LABELS, &sample);
    let text = metrics.render();
    let ends: Vec<_> =
        lines(&text, "llmgw_tokens_total").iter().filter_map(|l| l.split_once("type=")).collect();
    assert_eq!(
        ends.iter().map(|end| end.1).collect::<Vec<_>>(),
        ["\"input\"} 10", "\"output\"} 3", "\"reasoning\"} 2"]
    );
}

#[test]
fn a_histogram_is_cumulative_and_a_bound_includes_itself() {
    let metrics = metrics();
    for total_ns in [50_000, 50_001, 99_000_000, 10_000_000_000] {
        metrics.record(&LABELS, &Sample { total_ns, ..Sample::default() });
    }
    let text = metrics.render();
    let counts: Vec<_> = lines(&text, "llmgw_overhead_seconds_bucket")
        .iter()
        .map(|line| line.rsplit_once("le=").unwrap().1)
        .filter(|end| {
            ["\"0.00005\"", "\"0.000075\"", "\"0.1\"", "\"5\"", "\"+Inf\""]
                .iter()
                .any(|le| end.starts_with(le))
        })
        .collect();
    assert_eq!(
        counts,
        ["\"0.00005\"} 1", "\"0.000075\"} 2", "\"0.1\"} 3", "\"5\"} 3", "\"+Inf\"} 4"]
    );
    assert!(lines(&text, "llmgw_overhead_seconds_sum")[0].ends_with("} 10.099100001"));
    assert!(lines(&text, "llmgw_overhead_seconds_count")[0].ends_with("} 4"));
}

#[test]
fn overhead_is_what_the_upstream_did_not_take() {
    let metrics = metrics();
    metrics.record(&LABELS, &Sample { total_ns: 5_000, upstream_ns: 4_000, ..Sample::default() });
    let text = metrics.render();
    assert!(lines(&text, "llmgw_overhead_seconds_sum")[0].ends_with("} 0.000001"));
    assert!(lines(&text, "llmgw_upstream_duration_seconds_sum")[0].ends_with("} 0.000004"));
}

#[test]
fn what_was_not_measured_does_not_show() {
    let metrics = metrics();
    metrics.record(&LABELS, &Sample { total_ns: 5_000, ..Sample::default() });
    let text = metrics.render();
    assert!(lines(&text, "llmgw_upstream_duration_seconds").is_empty());
    assert!(lines(&text, "llmgw_time_to_first_token_seconds").is_empty());
}

#[test]
fn label_values_are_escaped() {
    let metrics = metrics();
    metrics.record(&Labels { model: "a\\b\"c\nd", ..LABELS }, &Sample::default());
    assert!(metrics.render().contains(r#"model="a\\b\"c\nd""#));
}

#[test]
fn long_label_values_are_cut_between_characters() {
    let metrics = metrics();
    let long = "é".repeat(10_000);
    metrics.record(&Labels { model: &long, key: &long, ..LABELS }, &Sample::default());
    assert!(metrics.render().contains(&format!("key_alias=\"{}\"", "é".repeat(48))));
}

#[test]
fn label_sets_beyond_the_table_share_a_row() {
    let metrics = metrics();
    for number in 0..5_000 {
        let model = format!("model-{number}");
        metrics.record(&Labels { model: &model, ..LABELS }, &Sample::default());
    }
    let text = metrics.render();
    let counts = lines(&text, "llmgw_requests_total{");
    let total: u64 =
        counts.iter().map(|l| l.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum();
    assert_eq!(total, 5_000);
    assert!(counts.len() <= metrics.shared.rows.len() + 1);
    assert!(text.contains("endpoint=\"other\",model=\"other\""));
}

#[test]
fn racing_workers_share_the_row_of_a_label_set() {
    let shared = Shared::anonymous().unwrap();
    let record = |worker| {
        let metrics = Metrics::new(Arc::clone(&shared), worker);
        for number in 0..1_000 {
            let model = format!("model-{number}");
            metrics.record(&Labels { model: &model, ..LABELS }, &Sample::default());
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || record(worker));
        }
    });
    let text = render(&shared);
    let counts = lines(&text, "llmgw_requests_total{");
    assert_eq!(counts.len(), 1_000);
    assert!(counts.iter().all(|line| line.ends_with(" 4")));
}

#[test]
fn a_row_left_without_labels_by_a_dead_worker_is_completed_by_the_next() {
    let metrics = metrics();
    metrics.record(&LABELS, &Sample::default());
    let row = labels::row(&metrics.shared, &LABELS);
    row.label_bytes.store(0, Relaxed);
    row.labels.iter().for_each(|word| word.store(0, Relaxed));
    assert!(lines(&metrics.render(), "llmgw_requests_total{").is_empty());
    metrics.record(&LABELS, &Sample::default());
    assert!(
        lines(&metrics.render(), "llmgw_requests_total{")[0].ends_with("key_alias=\"team-a\"} 2")
    );
}

#[test]
fn every_counter_is_shown_exactly_once() {
    let metrics = metrics();
    let counters: Vec<_> = counters::FAMILIES.iter().flat_map(|family| family.counters).collect();
    for (counter, _) in &counters {
        metrics.count_n(*counter, 1_000 + *counter as u64);
    }
    let text = metrics.render();
    for number in 0..=Counter::ClientDisconnect as u64 {
        let end = format!(" {}", 1_000 + number);
        assert_eq!(text.lines().filter(|line| line.ends_with(&end)).count(), 1, "{number}");
    }
}

#[test]
fn gauges_follow_what_is_in_hand() {
    let metrics = metrics();
    metrics.enter();
    metrics.enter();
    metrics.leave();
    metrics.shift(Gauge::Connections, 3);
    let text = metrics.render();
    assert_eq!(lines(&text, "llmgw_in_flight_requests"), ["llmgw_in_flight_requests 1"]);
    assert_eq!(lines(&text, "llmgw_connections"), ["llmgw_connections 3"]);
}

#[test]
fn a_worker_that_starts_again_has_nothing_in_hand() {
    let shared = Shared::anonymous().unwrap();
    Metrics::new(Arc::clone(&shared), 3).enter();
    let metrics = Metrics::new(shared, 3);
    assert!(metrics.render().contains("llmgw_in_flight_requests 0\n"));
}

#[test]
fn a_failed_reload_shows_until_one_succeeds() {
    let metrics = metrics();
    metrics.config_reloaded(false);
    assert!(metrics.render().contains("llmgw_config_last_reload_successful 0\n"));
    metrics.config_reloaded(true);
    assert!(metrics.render().contains("llmgw_config_last_reload_successful 1\n"));
}

#[test]
fn every_family_has_one_head_in_front_of_its_lines() {
    let metrics = metrics();
    metrics.record(
        &LABELS,
        &Sample {
            total_ns: 1,
            upstream_ns: 1,
            first_byte_ns: Some(1),
            input_tokens: 1,
            ..Sample::default()
        },
    );
    let text = metrics.render();
    let mut family = "";
    let mut seen = std::collections::HashSet::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            family = head.split(' ').next().unwrap();
            assert!(seen.insert(family), "{family} twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(family), "{line} under {family}");
        }
    }
}
