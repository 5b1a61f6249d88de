//! Streams of upstreams.

use super::*;
use crate::format::OUTPUT_TOOL;
use serde_json::json;

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"c","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn stream(events: &[&str]) -> String {
    events.iter().map(|event| format!("event: x\ndata: {event}\n\n")).collect()
}

fn begin(index: u64, block: &str) -> String {
    format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#)
}

fn delta(index: u64, kind: &str, name: &str, value: &str) -> String {
    let delta = json!({"type": kind, name: value});
    json!({"type": "content_block_delta", "index": index, "delta": delta}).to_string()
}

fn stop(index: u64) -> String {
    json!({"type": "content_block_stop", "index": index}).to_string()
}

fn ended(reason: &str) -> String {
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}).to_string()
}

/// What is heard of these events; whether the stream was whole.
fn of_asked(events: &[&str], sent: &Sent) -> (Vec<String>, bool) {
    heard(&[stream(events).as_bytes()], sent)
}

fn of(events: &[&str]) -> (Vec<String>, bool) {
    of_asked(events, &Sent::default())
}

/// The events without usage, each by the words that begin it.
fn shapes(events: &[String]) -> Vec<&str> {
    let shapes = events.iter().map(|event| event.split([' ', '(']).next().unwrap());
    shapes.filter(|shape| *shape != "Usage").collect()
}

const WHOLE: [&str; 6] = ["Start", "BlockStart", "Delta", "BlockStop", "Finish", "End"];

/// A stream with a thought, a text with a citation and a call, as Claude's are.
fn full() -> String {
    let cited = json!({"type": "content_block_delta", "index": 1, "delta":
        {"type": "citations_delta", "citation": {"type": "char_location", "document_index": 0, "cited_text": "é"}}});
    stream(&[
        START,
        r#"{"type":"ping"}"#,
        &begin(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
        &delta(0, "thinking_delta", "thinking", "Hm, 😀"),
        &delta(0, "signature_delta", "signature", "EqQB=="),
        &stop(0),
        &begin(1, r#"{"type":"text","text":""}"#),
        &delta(1, "text_delta", "text", "So"),
        &cited.to_string(),
        &stop(1),
        &begin(2, r#"{"type":"redacted_thinking","data":"Xyz="}"#),
        &stop(2),
        &begin(3, r#"{"type":"tool_use","id":"toolu_1","name":"look","input":{}}"#),
        &delta(3, "input_json_delta", "partial_json", ""),
        &delta(3, "input_json_delta", "partial_json", "{\"a\":"),
        &delta(3, "input_json_delta", "partial_json", "1}"),
        &stop(3),
        &ended("tool_use"),
        STOP,
    ])
}

#[test]
fn a_stream_is_heard_in_its_order() {
    let (events, complete) = heard(&[full().as_bytes()], &Sent::default());
    let expected = [
        "Start",
        "Ping",
        "BlockStart",
        "Delta",
        "Delta",
        "BlockStop",
        "BlockStart",
        "Delta",
        "Delta",
        "BlockStop",
        "BlockStart",
        "BlockStop",
        "BlockStart",
        "Delta",
        "Delta",
        "BlockStop",
        "Finish",
        "End",
    ];
    assert_eq!(shapes(&events), expected);
    assert!(complete);
}

#[test]
fn every_split_gives_the_same_events() {
    let text = full();
    let whole = heard(&[text.as_bytes()], &Sent::default());
    for at in 0..=text.len() {
        let (before, after) = text.as_bytes().split_at(at);
        assert_eq!(heard(&[before, after], &Sent::default()), whole, "split at {at}");
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(heard(&bytes, &Sent::default()), whole);
}

#[test]
fn a_stream_cut_anywhere_before_its_end_is_not_whole() {
    let text = full();
    let events: Vec<&str> = text.split_inclusive("\n\n").collect();
    for count in 0..events.len() {
        let (_, complete) = heard(&[events[..count].concat().as_bytes()], &Sent::default());
        assert!(!complete, "after {count} events");
    }
}

#[test]
fn counts_of_later_events_replace_earlier_ones_and_the_rest_stays() {
    let (events, _) = of(&[START, &ended("end_turn"), STOP]);
    let usage: Vec<_> = events.iter().filter(|event| event.starts_with("Usage")).collect();
    assert!(usage[0].contains("input: 7, output: 1, cache_read: 4"), "{usage:?}");
    assert!(usage[1].contains("input: 7, output: 9, cache_read: 4"), "{usage:?}");
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let call = begin(0, r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#);
    let (events, _) = of(&[START, &call, &stop(0), &ended("tool_use"), STOP]);
    assert!(events.iter().any(|event| event.contains(r#"Arguments("{}")"#)), "{events:?}");
}

#[test]
fn the_answer_in_a_tools_clothes_is_a_text() {
    let call = begin(
        0,
        &json!({"type": "tool_use", "id": "t", "name": OUTPUT_TOOL, "input": {}}).to_string(),
    );
    let piece = delta(0, "input_json_delta", "partial_json", "{}");
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let (events, _) = of_asked(&[START, &call, &piece, &stop(0), &ended("tool_use"), STOP], &sent);
    assert_eq!(shapes(&events), WHOLE);
    assert!(events.iter().any(|event| event.contains(r#"Text("{}")"#)), "{events:?}");
    assert!(events.iter().any(|event| event.contains("finish: Stop,")), "{events:?}");
}

#[test]
fn what_is_said_at_once_is_heard() {
    for block in [
        r#"{"type":"text","text":"Hi"}"#,
        r#"{"type":"tool_use","id":"t","name":"f","input":{"a":1}}"#,
        r#"{"type":"thinking","thinking":"","signature":"EqQB"}"#,
    ] {
        let (events, _) = of(&[START, &begin(0, block), &stop(0), &ended("end_turn"), STOP]);
        assert_eq!(shapes(&events), WHOLE, "{block}");
    }
}

#[test]
fn what_is_not_said_to_begin_begins_all_the_same() {
    let piece = delta(0, "text_delta", "text", "Hi");
    assert_eq!(shapes(&of(&[START, &piece, &ended("end_turn"), STOP]).0), WHOLE);
    let (events, complete) = of(&[&piece, &ended("end_turn"), STOP]);
    assert_eq!((shapes(&events), complete), (WHOLE.to_vec(), true));
    assert_eq!(of(&[STOP]), (vec![], false), "nothing was said");
}

#[test]
fn a_block_that_does_not_stop_is_stopped() {
    let text = begin(0, r#"{"type":"text","text":""}"#);
    let piece = delta(0, "text_delta", "text", "Hi");
    for rest in [vec![STOP], vec![&ended("end_turn"), STOP]] {
        let events = [&[START, &text, &piece][..], &rest].concat();
        assert_eq!(shapes(&of(&events).0), WHOLE);
    }
}

#[test]
fn pieces_in_the_wrong_place_are_passed_over() {
    let text = begin(0, r#"{"type":"text","text":""}"#);
    let (events, complete) = of(&[
        START,
        &text,
        &delta(0, "thinking_delta", "thinking", "secret"),
        &delta(0, "signature_delta", "signature", "x"),
        &delta(0, "input_json_delta", "partial_json", "{}"),
        &delta(0, "odd_delta", "odd", "x"),
        &delta(0, "text_delta", "text", "Hi"),
        START,
        &stop(0),
        &stop(0),
        r#"{"type":"content_block_odd"}"#,
        r#"{"type":"tomorrow"}"#,
        r#"{}"#,
        &ended("end_turn"),
        &delta(0, "text_delta", "text", "late"),
        &ended("max_tokens"),
        STOP,
        STOP,
        &text,
    ]);
    assert_eq!((shapes(&events), complete), (WHOLE.to_vec(), true));
    assert!(events.iter().any(|event| event.contains("finish: Stop,")), "{events:?}");
}

#[test]
fn blocks_that_only_anthropic_knows_come_whole() {
    let search = begin(0, r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#);
    let piece = delta(0, "input_json_delta", "partial_json", r#"{"query":1}"#);
    let found = begin(1, r#"{"type":"web_search_tool_result","tool_use_id":"s","content":[]}"#);
    let text = begin(2, r#"{"type":"text","text":"Hi"}"#);
    let end = ended("end_turn");
    let (events, _) =
        of(&[START, &search, &piece, &stop(0), &found, &stop(1), &text, &stop(2), &end, STOP]);
    let mut expected = WHOLE.to_vec();
    expected.splice(1..1, ["BlockStart", "BlockStop", "BlockStart", "BlockStop"]);
    assert_eq!(shapes(&events), expected);
    assert!(events.iter().any(|event| event.contains("query")), "{events:?}");
}

#[test]
fn an_error_is_the_last_that_is_heard() {
    let error = r#"{"type":"error","error":{"type":"api_error","message":"Oh"}}"#;
    let (events, complete) = of(&[START, error, STOP]);
    assert_eq!((shapes(&events), complete), (vec!["Start", "Error"], false));
}

#[test]
fn an_event_that_is_no_json_breaks_the_stream() {
    let mut decoder = AnthropicMessages.stream_decoder(&Sent::default());
    let frame = crate::format::Frame { event: None, data: "{" };
    assert!(decoder.frame(frame, &mut |_| {}).is_err());
}

#[test]
fn any_order_of_events_keeps_to_the_order_of_the_chat() {
    let all: Vec<String> = full().split_inclusive("\n\n").map(ToOwned::to_owned).collect();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2000 {
        let count = random.usize(..30);
        let text: String = (0..count).map(|_| all[random.usize(..all.len())].as_str()).collect();
        let (events, complete) = heard(&[text.as_bytes()], &Sent::default());
        let shapes = shapes(&events);
        let mut open = false;
        for (at, shape) in shapes.iter().enumerate() {
            match *shape {
                "Start" => assert_eq!(shapes.iter().position(|one| *one == "Start"), Some(at)),
                "BlockStart" => assert!(!std::mem::replace(&mut open, true), "{text}"),
                "Delta" => assert!(open, "{text}"),
                "BlockStop" => assert!(std::mem::take(&mut open), "{text}"),
                "Finish" => assert!(!open && !shapes[..at].contains(&"Finish"), "{text}"),
                "End" => assert_eq!(at + 1, shapes.len(), "{text}"),
                _ => {}
            }
        }
        assert_eq!(complete, shapes.last() == Some(&"End"), "{text}");
    }
}
