//! Streams for clients.

use super::*;
use crate::chat::{BlockStart, Citation, Delta, Failure, FailureKind, Finish, Signature, Usage};
use crate::format::Kind;
use serde_json::json;

/// The events as a client reads them.
fn told(events: &[Event<'_>]) -> Vec<Value> {
    let mut encoder = AnthropicMessages.stream_encoder(&hello(), &CONTEXT);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    let mut found = Vec::new();
    let mut take = |frame: crate::format::Frame<'_>| {
        let data: Value = serde_json::from_str(frame.data).unwrap();
        assert_eq!(data["type"].as_str(), frame.event, "an event is named by its type");
        found.push(data);
        Ok(())
    };
    Frames::default().push(&out, &mut take).unwrap();
    found
}

fn start() -> Event<'static> {
    Event::Start { id: "msg_1".into(), model: "c".into(), created: None }
}

fn begin(block: u64, start: BlockStart<'static>) -> Event<'static> {
    Event::BlockStart { choice: 0, block, start }
}

fn delta(block: u64, delta: Delta<'static>) -> Event<'static> {
    Event::Delta { choice: 0, block, delta }
}

fn stop(block: u64) -> Event<'static> {
    Event::BlockStop { choice: 0, block }
}

fn finish(finish: Finish) -> Event<'static> {
    Event::Finish { choice: 0, finish, stop_sequence: None }
}

fn call(signature: Option<Signature<'static>>) -> BlockStart<'static> {
    BlockStart::ToolCall { id: "t".into(), name: "f".into(), signature }
}

fn proof(origin: Kind) -> Signature<'static> {
    Signature { origin, id: None, value: "EqQB".into() }
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn a_stream_is_what_claudes_are() {
    let usage = Usage { input: 10, output: 5, cache_read: 4, cache_write: 1, ..Usage::default() };
    let events = told(&[
        start(),
        begin(0, BlockStart::Text),
        delta(0, Delta::Text("Hi".into())),
        stop(0),
        Event::Ping,
        begin(1, call(None)),
        delta(1, Delta::Arguments("{}".into())),
        stop(1),
        finish(Finish::ToolCalls),
        Event::Usage(usage),
        Event::End,
    ]);
    let unknown = json!({"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": 0});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": unknown});
    let block = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let piece = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let expected = json!([
        {"type": "message_start", "message": message},
        block(0, json!({"type": "text", "text": ""})),
        piece(0, json!({"type": "text_delta", "text": "Hi"})),
        {"type": "content_block_stop", "index": 0},
        {"type": "ping"},
        block(1, json!({"type": "tool_use", "id": "t", "name": "f", "input": {}})),
        piece(1, json!({"type": "input_json_delta", "partial_json": "{}"})),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
         "usage": {"input_tokens": 5, "cache_creation_input_tokens": 1, "cache_read_input_tokens": 4,
                   "output_tokens": 5}},
        {"type": "message_stop"},
    ]);
    assert_eq!(json!(events), expected);
}

#[test]
fn nothing_that_is_said_waits() {
    let mut encoder = AnthropicMessages.stream_encoder(&hello(), &CONTEXT);
    for event in [start(), begin(0, BlockStart::Text), delta(0, Delta::Text("Hi".into())), stop(0)]
    {
        let mut out = Vec::new();
        encoder.event(&event, &mut out);
        assert!(!out.is_empty(), "{event:?}");
    }
}

#[test]
fn a_thought_has_its_proof_at_its_end() {
    for (given, expected) in [
        (Some(proof(Kind::AnthropicMessages)), "EqQB"),
        (Some(proof(Kind::OpenaiResponses)), "llmgw1.openai_responses..EqQB"),
        (None, "llmgw1.openai_chat.."),
    ] {
        let mut events =
            vec![start(), begin(0, BlockStart::Thinking), delta(0, Delta::Text("Hm".into()))];
        events.extend(given.map(|proof| delta(0, Delta::Signature(proof))));
        events.push(stop(0));
        let found = told(&events);
        assert_eq!(
            found[1]["content_block"],
            json!({"type": "thinking", "thinking": "", "signature": ""})
        );
        let signed = &found[found.len() - 2]["delta"];
        assert_eq!(signed, &json!({"type": "signature_delta", "signature": expected}));
    }
}

#[test]
fn a_hidden_thought_is_whole_as_it_begins() {
    let hidden = BlockStart::Redacted(proof(Kind::AnthropicMessages));
    let found = told(&[start(), begin(0, hidden), stop(0)]);
    assert_eq!(found[1]["content_block"], json!({"type": "redacted_thinking", "data": "EqQB"}));
    assert_eq!(found.len(), 3);
}

#[test]
fn a_proof_on_a_call_stands_in_a_thought_before_it() {
    let found = told(&[
        start(),
        begin(0, call(Some(proof(Kind::GeminiGenerate)))),
        delta(0, Delta::Arguments("{}".into())),
        stop(0),
    ]);
    assert_eq!(found[1]["content_block"]["type"], "thinking");
    assert_eq!(found[2]["delta"]["signature"], "llmgw1.gemini_generate..EqQB");
    assert_eq!((&found[4]["index"], &found[5]["index"]), (&json!(1), &json!(1)));
}

#[test]
fn a_citation_is_told() {
    let own = r#"{"type":"page_location","document_index":0}"#;
    let cited = Citation { raw: Some(own.into()), ..Citation::default() };
    let found = told(&[
        start(),
        begin(0, BlockStart::Text),
        delta(0, Delta::Citation(cited)),
        delta(0, Delta::Citation(Citation::default())),
        stop(0),
    ]);
    let citation = json!({"type": "page_location", "document_index": 0});
    assert_eq!(found[2]["delta"], json!({"type": "citations_delta", "citation": citation}));
    assert_eq!(found.len(), 4, "one that cites nothing is not told");
}

#[test]
fn words_of_refusal_are_told_by_the_reason() {
    let found = told(&[
        start(),
        begin(0, BlockStart::Refusal),
        delta(0, Delta::Text("No.".into())),
        stop(0),
        finish(Finish::Stop),
        Event::End,
    ]);
    assert_eq!(found[1]["content_block"]["type"], "text");
    assert_eq!(found[4]["delta"]["stop_reason"], "refusal");
}

#[test]
fn the_text_that_ended_it_is_told() {
    let stop_sequence = Some("END".into());
    let found = told(&[
        start(),
        Event::Finish { choice: 0, finish: Finish::StopSequence, stop_sequence },
        Event::End,
    ]);
    assert_eq!(found[1]["delta"], json!({"stop_reason": "stop_sequence", "stop_sequence": "END"}));
}

#[test]
fn only_the_first_choice_is_told() {
    let other = |event: Event<'static>| match event {
        Event::BlockStart { block, start, .. } => Event::BlockStart { choice: 1, block, start },
        Event::Delta { block, delta, .. } => Event::Delta { choice: 1, block, delta },
        Event::BlockStop { block, .. } => Event::BlockStop { choice: 1, block },
        other => other,
    };
    let found = told(&[
        start(),
        other(begin(0, BlockStart::Text)),
        other(delta(0, Delta::Text("x".into()))),
        other(stop(0)),
        Event::Finish { choice: 1, finish: Finish::Length, stop_sequence: None },
        finish(Finish::Stop),
        Event::End,
    ]);
    assert_eq!(types(&found), ["message_start", "message_delta", "message_stop"]);
    assert_eq!(found[1]["delta"]["stop_reason"], "end_turn");
}

#[test]
fn an_error_ends_the_stream_in_anthropics_shape() {
    let failure = Failure {
        status: 529,
        kind: FailureKind::Overloaded,
        message: "Busy".into(),
        code: None,
        param: None,
    };
    let found = told(&[start(), Event::Error(failure)]);
    let error = json!({"type": "overloaded_error", "message": "Busy"});
    assert_eq!(found[1], json!({"type": "error", "error": error, "request_id": "req_1"}));
}

#[test]
fn a_model_that_is_not_named_has_the_clients_name_for_it() {
    let found = told(&[Event::Start { id: "".into(), model: "".into(), created: None }]);
    assert_eq!(found[0]["message"]["model"], "m");
    assert_eq!(found[0]["message"]["id"], "msg_req_1");
}

#[test]
fn pieces_that_a_block_cannot_have_are_not_told() {
    let found = told(&[
        start(),
        begin(0, call(None)),
        delta(0, Delta::Text("x".into())),
        delta(0, Delta::Signature(proof(Kind::AnthropicMessages))),
        delta(7, Delta::Text("x".into())),
        delta(0, Delta::Logprobs(Vec::new())),
        stop(0),
        stop(7),
    ]);
    assert_eq!(types(&found), ["message_start", "content_block_start", "content_block_stop"]);
}
