//! Clients who know OpenAI's first words for tools alone.

use super::*;
use crate::chat::{Choice, Tool, ToolCall, ToolChoice};
use crate::format::Context;

const CONTEXT: Context<'static> = Context { request_id: "req_1", now: 7 };
const ASKED: &str = r#"{"model":"m","functions":[{"name":"f","parameters":{"type":"object"}}],
    "function_call":{"name":"f"},"messages":[{"role":"user","content":"Hi"},
    {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{\"a\":1}"}},
    {"role":"function","name":"f","content":"done"}]}"#;

fn call(id: &'static str, name: &'static str) -> Block<'static> {
    let (id, name, arguments) = (id.into(), name.into(), "{}".into());
    Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })
}

#[test]
fn functions_are_tools() {
    let request = decode(ASKED);
    assert!(matches!(&request.tools[..], [Tool::Function(one)] if one.name == "f"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Function("f".into())));
    assert_eq!(request.extra, []);
}

#[test]
fn a_result_answers_the_last_call_of_its_function() {
    let request = decode(ASKED);
    let Block::ToolCall(call) = &request.messages[1].blocks[0] else { panic!("no call") };
    let Block::ToolResult { call_id, blocks, .. } = &request.messages[2].blocks[0] else {
        panic!("no result")
    };
    assert_eq!((&call.arguments[..], call_id), ("{\"a\":1}", &call.id));
    assert_eq!(blocks, &[Block::text("done")]);
}

#[test]
fn a_reply_tells_its_call_in_their_words() {
    let blocks = vec![call("c1", "f")];
    let choice =
        Choice { blocks, finish: Finish::ToolCalls, stop_sequence: None, logprobs: Vec::new() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let written = OpenaiChat.encode_reply(&reply, &decode(ASKED), &CONTEXT);
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains(r#""function_call":{"name":"f","arguments":"{}"}"#), "{written}");
    assert!(written.contains(r#""finish_reason":"function_call""#), "{written}");
    assert!(!written.contains("tool_calls") && !written.contains("llmgw_dropped"), "{written}");
}

#[test]
fn a_second_call_is_named_as_dropped() {
    let blocks = vec![call("c1", "f"), call("c2", "f")];
    let choice =
        Choice { blocks, finish: Finish::ToolCalls, stop_sequence: None, logprobs: Vec::new() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let written = OpenaiChat.encode_reply(&reply, &decode(ASKED), &CONTEXT);
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains(r#""llmgw_dropped":["function_call"]"#), "{written}");
}

#[test]
fn a_stream_tells_the_call_in_pieces() {
    let mut encoder = OpenaiChat.stream_encoder(&decode(ASKED), &CONTEXT);
    let mut out = Vec::new();
    let (id, name) = ("c1".into(), "f".into());
    let start = crate::chat::BlockStart::ToolCall { id, name, signature: None };
    for event in [
        Event::Start { id: "x".into(), model: "m".into(), created: None },
        Event::BlockStart { choice: 0, block: 0, start },
        Event::Delta { choice: 0, block: 0, delta: Delta::Arguments("{}".into()) },
        Event::BlockStop { choice: 0, block: 0 },
        Event::Finish { choice: 0, finish: Finish::ToolCalls, stop_sequence: None },
        Event::End,
    ] {
        encoder.event(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let deltas: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once("\"delta\":")?.1.split_once(",\"logprobs\"")?.0))
        .collect();
    assert_eq!(
        deltas[1..],
        [
            r#"{"function_call":{"name":"f","arguments":""}}"#,
            r#"{"function_call":{"arguments":"{}"}}"#,
            "{}",
        ]
    );
    assert!(text.contains(r#""finish_reason":"function_call""#), "{text}");
}
