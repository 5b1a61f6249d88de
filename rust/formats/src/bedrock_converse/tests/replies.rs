//! Whole replies, in both directions.

use super::*;
use crate::Kind;
use crate::chat::{
    Choice, Finish, Reply, Service, Signature, TextBlock, Thinking, ToolCall, Usage,
};
use crate::format::{Context, OUTPUT_TOOL};

fn read<'a>(body: &'a str, sent: &Sent) -> Reply<'a> {
    BedrockConverse.decode_reply(body, sent).unwrap()
}

fn written(reply: &Reply<'_>) -> String {
    let context = Context { request_id: "req_1", now: 0 };
    String::from_utf8(BedrockConverse.encode_reply(reply, &hello(), &context)).unwrap()
}

const BROAD: &str = r#"{"output":{"message":{"role":"assistant","content":[
    {"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}},
    {"reasoningContent":{"redactedContent":"aGlkZGVu"}},
    {"text":"I look."},
    {"image":{"format":"png","source":{"bytes":"aGk="}}},
    {"toolUse":{"toolUseId":"t0","name":"nova_grounding","input":{},"type":"server_tool_use"}},
    {"citationsContent":{"content":[{"text":"So "},{"text":"it is."}],"citations":[{"source":"https://example.com","sourceContent":[{"text":"so"}]}]}},
    {"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1.50}}}
  ]}},
  "stopReason":"tool_use",
  "usage":{"inputTokens":10,"outputTokens":20,"totalTokens":65,"cacheReadInputTokens":30,"cacheWriteInputTokens":5},
  "metrics":{"latencyMs":551},"serviceTier":{"type":"flex"}}"#;

#[test]
fn cached_tokens_are_counted_into_the_input() {
    let usage = read(BROAD, &plainly()).usage.unwrap();
    assert_eq!(
        usage,
        Usage {
            input: 45,
            output: 20,
            cache_read: 30,
            cache_write: 5,
            service: Service::Flex,
            ..Usage::default()
        }
    );
}

#[test]
fn a_broad_reply_has_its_canonical_meaning() {
    let reply = read(BROAD, &plainly());
    let choice = &reply.choices[0];
    assert_eq!(choice.finish, Finish::ToolCalls);
    assert_eq!(reply.service_tier.as_deref(), Some("flex"));
    let Block::Thinking(thinking) = &choice.blocks[0] else { panic!() };
    assert_eq!(thinking.signature.as_ref().unwrap().origin, Kind::BedrockConverse);
    assert!(matches!(&choice.blocks[1], Block::Thinking(Thinking { redacted: true, .. })));
    assert!(matches!(&choice.blocks[4], Block::Opaque { kind, .. } if kind == "toolUse"));
    let Block::Text(cited) = &choice.blocks[5] else { panic!() };
    assert_eq!(cited.text, "So it is.");
    assert_eq!(cited.citations[0].url.as_deref(), Some("https://example.com"));
    let Block::ToolCall(call) = &choice.blocks[6] else { panic!() };
    assert_eq!(call.arguments, r#"{"a":1.50}"#);
}

#[test]
fn what_is_written_reads_the_same() {
    let reply = read(BROAD, &plainly());
    assert_eq!(read(&written(&reply), &plainly()), reply);
}

#[test]
fn the_answer_that_came_as_a_call_is_text() {
    let body = r#"{"output":{"message":{"role":"assistant","content":[
        {"toolUse":{"toolUseId":"t","name":"json_output","input":{"a":1}}}]}},"stopReason":"tool_use"}"#;
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let reply = read(body, &sent);
    assert_eq!(reply.choices[0].blocks, [Block::text(r#"{"a":1}"#)]);
    assert_eq!(reply.choices[0].finish, Finish::Stop);
}

#[test]
fn stop_reasons_have_their_canonical_meaning() {
    for (word, finish) in [
        ("end_turn", Finish::Stop),
        ("tool_use", Finish::ToolCalls),
        ("max_tokens", Finish::Length),
        ("stop_sequence", Finish::StopSequence),
        ("guardrail_intervened", Finish::ContentFilter),
        ("content_filtered", Finish::ContentFilter),
        ("malformed_model_output", Finish::Error),
        ("malformed_tool_use", Finish::Error),
        ("model_context_window_exceeded", Finish::Length),
        ("something_new", Finish::Stop),
    ] {
        let body = [r#"{"output":{"message":{"content":[]}},"stopReason":""#, word, "\"}"].concat();
        assert_eq!(read(&body, &plainly()).choices[0].finish, finish, "{word}");
    }
}

#[test]
fn the_text_that_ended_the_reply_is_told() {
    let body = r#"{"output":{"message":{"content":[{"text":"1"}]}},"stopReason":"stop_sequence",
        "additionalModelResponseFields":{"stop_sequence":"five"}}"#;
    let reply = read(body, &plainly());
    assert_eq!(reply.choices[0].stop_sequence.as_deref(), Some("five"));
    assert_eq!(read(&written(&reply), &plainly()).choices, reply.choices);
}

fn proof(origin: Kind) -> Option<Signature<'static>> {
    Some(Signature { origin, id: None, value: "abc+/=".into() })
}

#[test]
fn foreign_proofs_come_back_through_a_client() {
    let foreign = proof(Kind::GeminiGenerate);
    let blocks = vec![
        Block::Thinking(Thinking {
            text: "Hm.".into(),
            signature: proof(Kind::AnthropicMessages),
            redacted: false,
        }),
        Block::Thinking(Thinking {
            signature: proof(Kind::OpenaiResponses),
            redacted: true,
            ..Thinking::default()
        }),
        Block::Text(TextBlock {
            text: "Hi".into(),
            signature: foreign.clone(),
            ..TextBlock::default()
        }),
        Block::ToolCall(ToolCall {
            id: "t1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            signature: foreign,
            cache: None,
        }),
    ];
    let choice =
        Choice { blocks, finish: Finish::ToolCalls, stop_sequence: None, logprobs: Vec::new() };
    let reply = Reply { choices: vec![choice], ..Reply::default() };
    let told: Value = serde_json::from_str(&written(&reply)).unwrap();
    let message = &told["output"]["message"];
    let body = serde_json::json!({"messages": [message]}).to_string();
    assert_eq!(decoded(&body).messages[0].blocks, reply.choices[0].blocks);
}

#[test]
fn what_is_no_reply_is_refused() {
    for body in ["", "{}", "[]", r#"{"output":{}}"#, r#"{"output":{"message":{"content":5}}}"#] {
        assert!(BedrockConverse.decode_reply(body, &plainly()).is_err(), "{body}");
    }
}
