#![allow(clippy::unwrap_used)]

use super::course::Tail;
use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> Headers {
    let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Headers::from_map(&http::HeaderMap::from_iter(pairs))
}

/// The header lines that a client gets for these of an upstream.
fn shown(pairs: &[(&'static str, &'static str)], own_limits: bool) -> Vec<String> {
    let mut head = HeadWriter::default();
    head.begin(200, "req_1");
    upstream_headers(&mut head, &headers(pairs), own_limits);
    let text = String::from_utf8(head.end(Body::UntilClose, true).to_vec()).unwrap();
    // Before them stand the status, the date and the request's id.
    text.lines().skip(3).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_tail_holds_the_last_bytes_however_they_came() {
    let text: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
    for size in [1, 7, 4095, 4096, 4097, 20_000] {
        let mut tail = Tail::default();
        text.chunks(size).for_each(|piece| tail.add(piece));
        assert!(tail.bytes == text[text.len() - Tail::KEPT..], "{size}");
    }
}

#[test]
fn a_short_body_is_its_own_tail() {
    let mut tail = Tail::default();
    tail.add(b"ab");
    tail.add(b"");
    tail.add(b"c");
    assert_eq!(tail.bytes, b"abc");
}

#[test]
fn a_keeper_gives_back_what_it_was_given_up_to_the_bound() {
    let mut keeper = Keeper::default();
    keeper.add(b"ab", 3);
    keeper.add(b"c", 3);
    assert_eq!(keeper.into_bytes().as_deref(), Some(&b"abc"[..]));
}

#[test]
fn a_keeper_past_its_bound_keeps_nothing_for_good() {
    let mut keeper = Keeper::default();
    keeper.add(b"ab", 3);
    keeper.add(b"cd", 3);
    keeper.add(b"e", u64::MAX);
    assert!(keeper.bytes.is_empty());
    assert_eq!(keeper.into_bytes(), None);
}

#[test]
fn an_event_stream_is_known_by_its_media_type() {
    for (kind, is) in [
        ("text/event-stream", true),
        ("text/event-stream; charset=utf-8", true),
        ("Text/Event-Stream", true),
        ("application/json", false),
    ] {
        assert_eq!(
            headers(&[("content-type", kind)]).is_of_type("text/event-stream"),
            is,
            "{kind}"
        );
    }
    assert!(!Headers::default().is_of_type("text/event-stream"));
}

#[test]
fn a_client_sees_of_the_upstreams_headers_what_it_can_use() {
    let lines = shown(
        &[
            ("content-type", "application/json"),
            ("openai-processing-ms", "5"),
            ("x-ratelimit-remaining-tokens", "9"),
            ("x-request-id", "req_upstream"),
            ("set-cookie", "a=b"),
            ("server", "upstream"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("x-llmgw-attempts", "99"),
        ],
        false,
    );
    assert_eq!(
        lines,
        [
            "content-type: application/json",
            "openai-processing-ms: 5",
            "x-ratelimit-remaining-tokens: 9",
            "llm_provider-x-request-id: req_upstream",
        ]
    );
}

#[test]
fn the_upstreams_rate_limits_are_hidden_behind_the_keys_own() {
    assert!(shown(&[("x-ratelimit-remaining-tokens", "9")], true).is_empty());
}

#[test]
fn a_stream_tells_proxies_not_to_hold_it_back() {
    let lines = shown(&[("content-type", "text/event-stream")], false);
    assert!(lines.contains(&"x-accel-buffering: no".to_owned()), "{lines:?}");
}
