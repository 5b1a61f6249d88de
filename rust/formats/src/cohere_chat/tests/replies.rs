//! Whole replies and errors, in both directions.

use super::*;
use crate::chat::{Failure, FailureKind, Finish, Reply, Usage};
use crate::format::OUTPUT_TOOL;

fn read<'a>(body: &'a str, sent: &Sent) -> Reply<'a> {
    CohereChat.decode_reply(body, sent).unwrap()
}

const BROAD: &str = r#"{"id":"r1","finish_reason":"TOOL_CALL","message":{"role":"assistant",
    "content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"It is so."}],
    "tool_plan":"I look.",
    "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}],
    "citations":[{"start":0,"end":2,"text":"It","sources":[{"type":"document","id":"doc:1","document":{"id":"doc:1","title":"T","snippet":"so"}}],"content_index":1,"type":"TEXT_CONTENT"},
                 {"start":0,"end":2,"text":"Hm","sources":[],"content_index":0,"type":"THINKING_CONTENT"}]},
    "usage":{"billed_units":{"input_tokens":45.0,"output_tokens":20},"tokens":{"input_tokens":100,"output_tokens":21},"cached_tokens":30},
    "logprobs":[{"text":"It","token_ids":[1,2],"logprobs":[-0.5,-0.25]}]}"#;

#[test]
fn a_broad_reply_has_its_canonical_meaning() {
    let reply = read(BROAD, &Sent::default());
    let choice = &reply.choices[0];
    assert_eq!((&*reply.id, choice.finish), ("r1", Finish::ToolCalls));
    let usage = Usage { input: 45, output: 20, cache_read: 30, ..Usage::default() };
    assert_eq!(reply.usage, Some(usage));
    let [Block::Thinking(_), Block::Text(text), Block::Text(plan), Block::ToolCall(call)] =
        &choice.blocks[..]
    else {
        panic!("{:?}", choice.blocks);
    };
    assert_eq!((&*plan.text, &*call.arguments), ("I look.", r#"{"a":1}"#));
    assert_eq!(text.citations.len(), 1);
    let citation = &text.citations[0];
    assert_eq!((citation.start, citation.end, citation.document), (Some(0), Some(2), Some(1)));
    assert_eq!((citation.title.as_deref(), citation.quoted.as_deref()), (Some("T"), Some("so")));
    assert!((choice.logprobs[0].logprob + 0.75).abs() < 1e-9);
}

#[test]
fn what_is_written_reads_the_same() {
    let reply = read(BROAD, &Sent::default());
    let written = CohereChat.encode_reply(&reply, &hello(), &CONTEXT);
    let written = String::from_utf8(written).unwrap();
    assert_eq!(read(&written, &Sent::default()), reply);
}

#[test]
fn the_answer_that_came_as_a_call_is_text() {
    let body = r#"{"finish_reason":"TOOL_CALL","message":{"tool_calls":[
        {"id":"c","type":"function","function":{"name":"json_output","arguments":"{\"a\":1}"}}]}}"#;
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let reply = read(body, &sent);
    assert_eq!(reply.choices[0].blocks, [Block::text(r#"{"a":1}"#)]);
    assert_eq!(reply.choices[0].finish, Finish::Stop);
}

#[test]
fn what_is_no_reply_is_refused() {
    for body in ["", "{}", "[]", r#"{"message":"It broke."}"#, r#"{"message":{"content":5}}"#] {
        assert!(CohereChat.decode_reply(body, &Sent::default()).is_err(), "{body}");
    }
}

#[test]
fn errors_have_their_kind() {
    use FailureKind as Kind;
    for (status, message, kind) in [
        (400, "invalid request: all elements must have a message.", Kind::InvalidRequest),
        (
            400,
            "too many tokens: total number of tokens in the prompt cannot exceed 4081",
            Kind::ContextLength,
        ),
        (
            400,
            "too many tokens: max tokens must be less than or equal to 4096",
            Kind::InvalidRequest,
        ),
        (401, "invalid api token", Kind::Authentication),
        (402, "billing", Kind::Quota),
        (403, "no access", Kind::Permission),
        (404, "model 'x' not found", Kind::NotFound),
        (422, "invalid type", Kind::InvalidRequest),
        (429, "limited to 20 API calls / minute", Kind::RateLimit),
        (429, "limited to 1000 API calls / month", Kind::Quota),
        (498, "blocked token", Kind::Authentication),
        (500, "internal server error", Kind::Server),
        (503, "unavailable", Kind::Overloaded),
    ] {
        let body = serde_json::json!({"id": "x", "message": message}).to_string();
        let failure = CohereChat.decode_error(status, &body);
        assert_eq!((failure.kind, &*failure.message), (kind, message));
    }
    let told = |body: &'static str| CohereChat.decode_error(502, body).message;
    assert_eq!(told("It broke."), "It broke.");
    assert_eq!(told("<html>"), "The provider answered with status 502 and gave no reason.");
    assert_eq!(told(""), "The provider answered with status 502 and gave no reason.");
}

#[test]
fn clients_get_the_message_and_the_requests_id() {
    let failure = Failure {
        status: 400,
        kind: FailureKind::InvalidRequest,
        message: "No.".into(),
        code: None,
        param: None,
    };
    let body = CohereChat.encode_error(&failure, &CONTEXT);
    assert_eq!(body, br#"{"id":"req_1","message":"No."}"#);
}
