//! Tests of event streams, cut anywhere.

#![allow(clippy::unwrap_used)]
use super::*;

const CHAT: &str = concat!(
    "data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"role\":\"assistant\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    ": ping\r\n\r\n",
    "data: {\"id\":\"1\",\"usage\" : null,\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":null, \\\"finish_reason\\\":\\\"x\\\"\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"1\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);

fn relay(text: &[u8], cuts: &[usize], hide: bool) -> (Vec<u8>, Relay) {
    let mut relay = Relay::new(Grammar::Chat, hide);
    let mut out = Vec::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&text.len()]) {
        out.extend_from_slice(&relay.push(Bytes::copy_from_slice(&text[from..cut])));
        from = cut;
    }
    out.extend_from_slice(&relay.finish());
    (out, relay)
}

#[test]
fn every_split_passes_the_same_bytes_and_sees_the_same_usage() {
    let text = CHAT.as_bytes();
    for first in 0..text.len() {
        for second in [first, (first + 7).min(text.len()), text.len() - 1] {
            let second = second.max(first);
            let (out, relay) = relay(text, &[first, second], false);
            assert_eq!(out, text, "{first} {second}");
            assert_eq!(relay.usage(), Some(Usage { input: 7, output: 3, ..Usage::default() }));
            assert!(relay.is_finished());
        }
    }
}

#[test]
fn hidden_usage_leaves_the_stream_as_if_it_had_not_been_asked_for() {
    let plain = CHAT
        .replace(",\"usage\":null}\n", "}\n")
        .replace("\"usage\" : null,\"choices\"", "\"choices\"")
        .replace("data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n", "");
    for cut in 0..CHAT.len() {
        let (out, relay) = relay(CHAT.as_bytes(), &[cut], true);
        assert_eq!(String::from_utf8(out).unwrap(), plain, "{cut}");
        assert_eq!(relay.usage().unwrap().input, 7);
    }
}

#[test]
fn only_whole_events_are_passed_on() {
    let mut relay = Relay::new(Grammar::Chat, false);
    assert_eq!(relay.push(Bytes::from_static(b"data: 1\n\ndata: 2")), "data: 1\n\n");
    assert!(!relay.is_done());
    assert_eq!(relay.push(Bytes::from_static(b"\n")), "");
    assert_eq!(relay.push(Bytes::from_static(b"\nda")), "data: 2\n\n");
    assert_eq!(relay.finish(), "da");
}

#[test]
fn an_event_too_large_to_hold_passes_in_pieces() {
    let mut text = b"data: ".to_vec();
    text.extend(std::iter::repeat_n(b'x', 5 * MAX_HELD));
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(CHAT.as_bytes());
    for size in [1000, 4096, 65_537] {
        let cuts: Vec<usize> = (1..=text.len() / size).map(|n| n * size).collect();
        let (out, relay) = relay(&text, &cuts, false);
        assert_eq!(out, text);
        assert!(relay.is_finished() && relay.usage().is_some());
        assert!(relay.held.capacity() < 3 * MAX_HELD);
    }
}

#[test]
fn a_stream_that_stops_early_is_not_finished() {
    let cut = CHAT.find("data: {\"id\":\"1\",\"choices\":[{\"delta\":{},").unwrap();
    let (_, relay) = relay(&CHAT.as_bytes()[..cut], &[], false);
    assert!(!relay.is_finished());
}

#[test]
fn a_response_may_end_with_an_event_too_large_to_hold() {
    let output = "x".repeat(3 * MAX_HELD);
    let text = format!(
        "event: response.completed\ndata: {{\"response\":{{\"output\":\"{output}\",\"usage\":{{\"input_tokens\":4,\"output_tokens\":2}}}}}}\n\n"
    );
    for size in [1000, 16_384, MAX_HELD + 1] {
        let mut relay = Relay::new(Grammar::Responses, false);
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            out.extend_from_slice(&relay.push(Bytes::copy_from_slice(piece)));
        }
        assert_eq!(out, text.as_bytes());
        assert!(relay.is_finished() && relay.is_done() && !relay.has_failed());
        assert_eq!(relay.usage(), Some(Usage { input: 4, output: 2, ..Usage::default() }));
    }
}

#[test]
fn a_failed_or_filtered_answer_is_known_as_such() {
    for (grammar, text) in [
        (Grammar::Chat, "data: {\"error\":{}}\n\n"),
        (Grammar::Chat, "data: {\"choices\":[{\"finish_reason\": \"content_filter\"}]}\n\n"),
        (Grammar::Responses, "event: response.failed\ndata: {}\n\n"),
        (Grammar::Responses, "event: response.incomplete\ndata: {}\n\n"),
    ] {
        let mut relay = Relay::new(grammar, false);
        relay.push(Bytes::from_static(text.as_bytes()));
        assert!(relay.has_failed(), "{text}");
    }
}

#[test]
fn an_empty_finish_reason_is_none() {
    let mut relay = Relay::new(Grammar::Chat, false);
    relay.push(Bytes::from_static(b"data: {\"choices\":[{\"finish_reason\":\"\"}]}\n\n"));
    assert!(!relay.is_finished());
}

#[test]
fn a_response_ends_with_its_completed_event() {
    let mut relay = Relay::new(Grammar::Responses, false);
    relay.push(Bytes::from_static(
        b"event: response.created\ndata: {\"response\":{\"usage\":null}}\n\n",
    ));
    assert!(!relay.is_finished());
    relay.push(Bytes::from_static(
        b"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":4,\"output_tokens\":2}}}\n\n",
    ));
    assert!(relay.is_finished());
    assert_eq!(relay.usage(), Some(Usage { input: 4, output: 2, ..Usage::default() }));
}
