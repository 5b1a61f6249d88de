//! The load generator against the mock upstream.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::mock::Background;

fn plan(mock: &Background, body: &str, until: Until) -> Plan {
    let head =
        format!("POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {}\r\n\r\n", body.len());
    Plan {
        address: ([127, 0, 0, 1], mock.port()).into(),
        request: [head, body.to_owned()].concat().into_bytes(),
        stamp: None,
        connections: 4,
        until,
        warm_up: Duration::ZERO,
        rate: None,
        timeout: Duration::from_secs(30),
    }
}

fn drive(plan: Plan) -> Report {
    run(plan, || Ok::<_, io::Error>(0.0)).unwrap()
}

const ASK: &str = r#"{"model":"echo","messages":[{"role":"user","content":"hello"}]}"#;

#[test]
fn a_closed_loop_sends_exactly_the_requests_asked_for() {
    let mock = Background::start(0).unwrap();
    let report = drive(plan(&mock, ASK, Until::Requests(100)));
    assert_eq!((report.requests, mock.seen().requests()), (100, 100));
    assert_eq!(report.statuses.get(&200), Some(&100));
    assert_eq!((report.latency.count(), report.first_byte.count()), (100, 100));
    assert_eq!(mock.seen().connections(), 4);
}

#[test]
fn an_open_loop_counts_latency_from_the_time_a_request_was_due() {
    let mock = Background::start(0).unwrap();
    let slow = ASK.replace("echo", "echo?delay_ms=50");
    let mut plan = plan(&mock, &slow, Until::Requests(5));
    // One connection serves twenty requests a second, but a hundred arrive.
    plan.connections = 1;
    plan.rate = Some(100.0);
    let report = drive(plan);
    assert!(report.latency.max().unwrap() >= Duration::from_millis(5 * 50 - 4 * 10));
}

#[test]
fn events_and_gaps_of_streams_are_counted() {
    let mock = Background::start(0).unwrap();
    let body =
        ASK.replace("echo", "echo?chunks=8&interval_ms=2").replacen('{', r#"{"stream":true,"#, 1);
    let report = drive(plan(&mock, &body, Until::Requests(8)));
    assert_eq!(report.events, 8 * (1 + 8 + 1 + 1));
    assert!(report.gap.count() > 0);
}

#[test]
fn failures_are_counted_by_kind_and_the_connection_reopened() {
    let mock = Background::start(0).unwrap();
    let body = ASK.replace("echo", "echo?truncate_after=1").replacen('{', r#"{"stream":true,"#, 1);
    let report = drive(plan(&mock, &body, Until::Requests(8)));
    assert_eq!(report.errors.get("closed"), Some(&8));
    assert_eq!((report.requests, mock.seen().connections()), (0, 8));
}

#[test]
fn the_meter_is_read_at_both_edges_of_the_measured_time() {
    let mock = Background::start(0).unwrap();
    let mut plan = plan(&mock, ASK, Until::Elapsed(Duration::from_millis(50)));
    plan.warm_up = Duration::from_millis(20);
    let mut readings = [3.0, 10.0].into_iter();
    let report = run(plan, || readings.next().ok_or(io::Error::other("read too often"))).unwrap();
    assert_eq!(report.metered, 7.0);
    assert!(report.requests > 0 && report.requests < mock.seen().requests());
}

#[test]
fn an_impossible_plan_is_refused() {
    let mock = Background::start(0).unwrap();
    let mut plan = plan(&mock, ASK, Until::Requests(1));
    plan.stamp = Some(plan.request.len());
    assert!(plan.check().is_err());
    assert!(run(plan, || Ok::<_, io::Error>(0.0)).is_err());
}
