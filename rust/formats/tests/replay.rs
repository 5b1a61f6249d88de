//! A response that was stored, as the stream that would have brought it.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::Sum;
use common::{CONTEXT, files, fixtures, golden, in_words, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::Sent;
use llmgw_formats::openai_responses::replay;
use serde_json::{Value, json};
use std::fs;

const OWN: Kind = Kind::OpenaiResponses;

/// Every recorded reply as a response: OpenAI's as they are, the others' as clients get them.
fn responses() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        for (name, path) in files(&fixtures().join("replies").join(kind.name()), "json") {
            let body = fs::read_to_string(path).unwrap();
            let response = if kind == OWN {
                body
            } else {
                let reply = of(kind).decode_reply(&body, &Sent::default()).unwrap();
                let written = of(OWN).encode_reply(&reply, &Request::default(), &CONTEXT);
                String::from_utf8(written).unwrap()
            };
            all.push((format!("{} {name}", kind.name()), response));
        }
    }
    all
}

fn replayed(response: &str, after: Option<u64>) -> String {
    String::from_utf8(replay(response, after).unwrap()).unwrap()
}

fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn a_replay_says_what_the_response_says() {
    for (name, response) in responses() {
        let (sum, heard) = Sum::of(OWN, &[replayed(&response, None).as_bytes()]);
        let reply = of(OWN).decode_reply(&response, &Sent::default()).unwrap();
        assert_eq!(in_words(&sum.reply), in_words(&reply), "{name}");
        assert!(heard.complete && sum.wrong.is_empty(), "{name}: {:?}", sum.wrong);
    }
}

#[test]
fn events_are_numbered_and_the_last_one_has_all_of_the_response() {
    for (name, response) in responses() {
        let events = events(&replayed(&response, None));
        let numbers: Vec<_> = events.iter().map(|one| one["sequence_number"].as_u64()).collect();
        assert!(numbers.iter().copied().eq((0..events.len() as u64).map(Some)), "{name}");
        let whole: Value = serde_json::from_str(&response).unwrap();
        assert_eq!(events.last().unwrap()["response"], whole, "{name}");
    }
}

#[test]
fn a_replay_goes_on_after_any_of_its_events() {
    for (name, response) in responses() {
        let whole = replayed(&response, None);
        let events: Vec<_> = whole.split_inclusive("\n\n").collect();
        for number in 0..events.len() {
            let rest = replayed(&response, Some(number as u64));
            assert_eq!(rest, events[number + 1..].concat(), "{name} after {number}");
        }
    }
}

#[test]
fn nothing_is_left_after_the_last_event() {
    assert_eq!(replayed(r#"{"status":"completed"}"#, Some(2)), "");
    assert_eq!(replayed(r#"{"status":"completed"}"#, Some(u64::MAX)), "");
}

#[test]
fn a_replay_reads_as_its_golden_file() {
    let mut failures = Vec::new();
    for name in ["citations", "max_tokens", "reasoning_tools", "refusal"] {
        let path = fixtures().join("replies").join(OWN.name()).join(format!("{name}.json"));
        let found = replayed(&fs::read_to_string(path).unwrap(), None);
        golden(&format!("replays/{name}.sse"), &found, &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn thoughts_in_full_and_free_text_have_events_of_their_own() {
    let response = json!({"output": [
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "a", "name": "patch", "input": "x"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    ]});
    let events = events(&replayed(&response.to_string(), None));
    let names: Vec<_> = events.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(
        names[2..names.len() - 1],
        [
            "response.output_item.added",
            "response.content_part.added",
            "response.reasoning_text.delta",
            "response.reasoning_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.custom_tool_call_input.delta",
            "response.custom_tool_call_input.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.output_item.done",
        ]
    );
}

#[test]
fn what_hosts_put_into_a_response_harms_nothing() {
    for odd in [r#"{"output":7}"#, r#"{"output":[1,null,{}],"status":3}"#, "{}"] {
        let numbers = events(&replayed(odd, None)).len();
        assert!(numbers >= 3, "{odd}");
    }
    for none in ["", "[]", "7"] {
        assert!(replay(none, None).is_err(), "{none}");
    }
}
