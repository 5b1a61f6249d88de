//! What the fuzzer found, each in its smallest form.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::{Sum, listen, relay};
use common::{CLIENTS, as_json, in_words, of, original};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::{Dropped, PathFacts};
use serde_json::json;

/// A stream of events with these data.
fn events(data: &[&str]) -> String {
    data.iter().map(|data| format!("data: {data}\n\n")).collect()
}

/// What a stream says, once it has been found to be in order.
fn said(kind: Kind, stream: &str) -> serde_json::Value {
    let (sum, heard) = Sum::of(kind, &[stream.as_bytes()]);
    assert_eq!(sum.wrong, [""; 0], "{:#?}", heard.events);
    in_words(&sum.reply)["choices"][0].clone()
}

const CALL: &str = r#"{"type":"tool_use","id":"a","name":"f","input":{}}"#;

fn anthropic(data: &[&str]) -> String {
    let start = r#"{"type":"message_start","message":{"id":"m","model":"m"}}"#;
    let all: Vec<&str> = std::iter::once(start).chain(data.iter().copied()).collect();
    events(&all)
}

#[test]
fn a_piece_of_text_within_a_call_is_passed_over() {
    let stream = anthropic(&[
        &format!(r#"{{"type":"content_block_start","index":0,"content_block":{CALL}}}"#),
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
    ]);
    let choice = said(Kind::AnthropicMessages, &stream);
    assert_eq!(choice["calls"], json!([{"name": "f", "arguments": {}}]));
}

#[test]
fn a_block_after_the_reason_to_stop_is_passed_over() {
    let stream = anthropic(&[
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"x"}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    assert_eq!(said(Kind::AnthropicMessages, &stream)["text"], "");
}

/// Two calls of which the pieces come by turns.
fn by_turns() -> String {
    let item = |at: usize, id: &str| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{at},"item":{{"type":"function_call","call_id":"{id}","name":"{id}","arguments":""}}}}"#
        )
    };
    let piece = |at: usize, text: &str| {
        let text = serde_json::to_string(text).unwrap();
        format!(
            r#"{{"type":"response.function_call_arguments.delta","output_index":{at},"delta":{text}}}"#
        )
    };
    let all = [
        item(0, "a"),
        piece(0, "{\"x\":"),
        item(1, "b"),
        piece(1, "{\"y\":"),
        piece(0, "1}"),
        piece(1, "2}"),
        r#"{"type":"response.completed","response":{"status":"completed"}}"#.to_owned(),
    ];
    events(&all.each_ref().map(|one| &**one))
}

#[test]
fn calls_that_come_by_turns_are_said_one_after_the_other() {
    let choice = said(Kind::OpenaiResponses, &by_turns());
    let calls = json!([{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {"y": 2}}]);
    assert_eq!(choice["calls"], calls);
}

#[test]
fn arguments_for_what_is_no_call_are_passed_over() {
    let stream = events(&[
        r#"{"type":"response.output_text.delta","output_index":0,"delta":"Hi"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]}}"#,
        r#"{"type":"response.completed","response":{"status":"completed"}}"#,
    ]);
    let choice = said(Kind::OpenaiResponses, &stream);
    assert_eq!((&choice["text"], &choice["thinking"]), (&json!("Hi"), &json!("")));
}

#[test]
fn a_stream_without_any_answer_ends_for_every_client() {
    let stream = events(&[r#"{"id":"x","choices":[]}"#, "[DONE]"]);
    for client in CLIENTS {
        let written = relay(Kind::OpenaiChat, client, &Request::default(), &[stream.as_bytes()]);
        assert!(listen(client, &[&written], &mut |_| {}).complete, "{}", client.name());
    }
}

#[test]
fn json_in_several_lines_stays_within_its_event() {
    let arguments = r#"{\"a\":\n{}\r\n}"#;
    let stream = events(&[
        &format!(
            r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"f","arguments":"{arguments}"}}}}]}},"finish_reason":"tool_calls"}}]}}"#
        ),
        "[DONE]",
    ]);
    for client in CLIENTS {
        let written = relay(Kind::OpenaiChat, client, &Request::default(), &[stream.as_bytes()]);
        let choice = said(client, &String::from_utf8(written).unwrap());
        assert_eq!(choice["calls"], json!([{"name": "f", "arguments": {"a": {}}}]));
    }
}

#[test]
fn a_request_in_several_lines_is_repeated_within_an_event() {
    let body = "{\"model\":\"m\",\"input\":\"Hi\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\
                \"parameters\":{\n\"type\":\"object\"\r\n}}],\"metadata\":{\n\"a\":\"b\"}}";
    let request = of(Kind::OpenaiResponses).decode_request(body, PathFacts::default()).unwrap();
    let stream = events(&[r#"{"id":"x","choices":[]}"#, "[DONE]"]);
    let written = relay(Kind::OpenaiChat, Kind::OpenaiResponses, &request, &[stream.as_bytes()]);
    assert!(listen(Kind::OpenaiResponses, &[&written], &mut |_| {}).complete);
}

#[test]
fn a_schema_that_refers_to_itself_twice_does_not_fill_the_memory() {
    let node = r##"{"$ref":"#/$defs/node"}"##;
    let text = "x".repeat(10_000);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}],"tools":[{{"type":"function","function":{{"name":"f","parameters":{{"type":"object","properties":{{"a":{node}}},"$defs":{{"node":{{"description":"{text}","type":"object","properties":{{"l":{node},"r":{node}}}}}}}}}}}}}]}}"#
    );
    let request = of(Kind::OpenaiChat).decode_request(&body, PathFacts::default()).unwrap();
    let target = llmgw_formats::format::Target { original: false, ..original() };
    let sent = of(Kind::GeminiGenerate)
        .encode_request(&request, &target, &mut Dropped::default())
        .unwrap();
    assert!(as_json(&sent.body).is_object());
    assert!(sent.body.len() < 20 * body.len(), "{}", sent.body.len());
}
