//! Whole replies in both directions.

use super::*;
use crate::chat::{Choice, Citation, Finish, Reply, Signature, TextBlock, Thinking, Usage};
use crate::format::{Kind, OUTPUT_TOOL};
use serde_json::json;

fn read<'a>(body: &'a str, sent: &Sent) -> Reply<'a> {
    AnthropicMessages.decode_reply(body, sent).unwrap()
}

fn reply(blocks: Vec<Block<'static>>, finish: Finish) -> Reply<'static> {
    let choice = Choice { blocks, finish, stop_sequence: None, logprobs: Vec::new() };
    Reply { id: "msg_1".into(), model: "c".into(), choices: vec![choice], ..Reply::default() }
}

fn written(reply: &Reply<'_>) -> Value {
    serde_json::from_slice(&AnthropicMessages.encode_reply(reply, &hello(), &CONTEXT)).unwrap()
}

fn content(blocks: Vec<Block<'static>>) -> Value {
    written(&reply(blocks, Finish::Stop))["content"].clone()
}

#[test]
fn a_reply_has_all_the_members_that_sdks_demand() {
    let usage = json!({"input_tokens": 0, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": 0});
    let expected = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "c",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": usage,
    });
    assert_eq!(written(&reply(vec![Block::text("Hi")], Finish::Stop)), expected);
}

#[test]
fn reasons_to_stop_are_read_and_written() {
    for (word, finish, back) in [
        ("end_turn", Finish::Stop, "end_turn"),
        ("max_tokens", Finish::Length, "max_tokens"),
        ("model_context_window_exceeded", Finish::Length, "max_tokens"),
        ("stop_sequence", Finish::StopSequence, "stop_sequence"),
        ("pause_turn", Finish::Pause, "pause_turn"),
        ("refusal", Finish::ContentFilter, "refusal"),
    ] {
        let body = json!({"content": [], "stop_reason": word}).to_string();
        assert_eq!(read(&body, &Sent::default()).choices[0].finish, finish, "{word}");
        assert_eq!(written(&reply(vec![], finish))["stop_reason"], back, "{word}");
    }
    assert_eq!(written(&reply(vec![call("a")], Finish::ToolCalls))["stop_reason"], "tool_use");
    assert_eq!(written(&reply(vec![], Finish::Refusal))["stop_reason"], "refusal");
}

#[test]
fn tokens_of_the_cache_are_part_of_the_input_here_and_apart_from_it_there() {
    let given = json!({
        "input_tokens": 10, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 30,
        "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 4},
        "service_tier": "standard",
    });
    let mut body = json!({"content": [], "usage": given});
    body["usage"]["cache_creation"] = json!({"ephemeral_5m_input_tokens": 20});
    let body = body.to_string();
    let found = read(&body, &Sent::default());
    let (input, output, cache_read, cache_write, reasoning) = (60, 5, 30, 20, 4);
    let expected = Usage { input, output, cache_read, cache_write, reasoning, ..Usage::default() };
    assert_eq!((found.usage, found.service_tier.as_deref()), (Some(expected), Some("default")));
    assert_eq!(written(&found)["usage"], given);
}

#[test]
fn the_answer_in_a_tools_clothes_is_a_text() {
    let call = json!({"type": "tool_use", "id": "t", "name": OUTPUT_TOOL, "input": {"a": 1}});
    let body = json!({"stop_reason": "tool_use", "content": [call]}).to_string();
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let found = read(&body, &sent);
    assert_eq!(found.choices[0].blocks, [Block::text(r#"{"a":1}"#)]);
    assert_eq!(found.choices[0].finish, Finish::Stop);
    assert_eq!(read(&body, &Sent::default()).choices[0].finish, Finish::ToolCalls);
}

#[test]
fn what_is_no_reply_is_a_fault() {
    for body in ["", "[]", r#"{"type":"error","error":{}}"#, r#"{"content":[{"type":"text"}]}"#] {
        assert!(AnthropicMessages.decode_reply(body, &Sent::default()).is_err(), "{body}");
    }
}

#[test]
fn an_id_that_is_not_anthropics_is_made_one() {
    for (given, expected) in
        [("msg_1", "msg_1"), ("chatcmpl-1/2", "msg_chatcmpl-1_2"), ("", "msg_req_1")]
    {
        let reply = Reply { id: given.into(), ..reply(vec![], Finish::Stop) };
        assert_eq!(written(&reply)["id"], expected);
    }
}

#[test]
fn a_model_that_is_not_named_has_the_clients_name_for_it() {
    let reply = Reply { model: "".into(), ..reply(vec![], Finish::Stop) };
    assert_eq!(written(&reply)["model"], "m");
}

#[test]
fn of_several_choices_the_first_is_told() {
    let mut two = reply(vec![Block::text("a")], Finish::Stop);
    two.choices.push(reply(vec![Block::text("b")], Finish::Stop).choices.remove(0));
    assert_eq!(written(&two)["content"], json!([{"type": "text", "text": "a"}]));
}

#[test]
fn another_formats_proof_is_sealed_and_a_missing_one_says_so() {
    let (origin, id) = (Kind::OpenaiResponses, Some("rs_1".into()));
    for (signature, expected) in [
        (Some(Signature { origin, id, value: "abc".into() }), "llmgw1.openai_responses.rs_1.abc"),
        (None, "llmgw1.openai_chat.."),
    ] {
        let thought = Thinking { text: "Hm".into(), signature, redacted: false };
        let expected = json!([{"type": "thinking", "thinking": "Hm", "signature": expected}]);
        assert_eq!(content(vec![Block::Thinking(thought)]), expected);
    }
}

#[test]
fn a_proof_on_a_call_stands_in_a_thought_before_it_and_finds_its_way_back() {
    let value = "Zm9v".into();
    let signature = Some(Signature { origin: Kind::GeminiGenerate, id: None, value });
    let one = Block::ToolCall(ToolCall { signature, ..tool_call("a") });
    let found = written(&reply(vec![one.clone()], Finish::ToolCalls));
    assert_eq!(found["content"][0]["signature"], "llmgw1.gemini_generate..Zm9v");
    assert_eq!(found["content"][1]["type"], "tool_use");
    let text = found.to_string();
    assert_eq!(read(&text, &Sent::default()).choices[0].blocks, [one]);
}

#[test]
fn words_of_refusal_are_told_by_the_reason() {
    let found = written(&reply(vec![Block::Refusal("No.".into())], Finish::Stop));
    assert_eq!(found["content"], json!([{"type": "text", "text": "No."}]));
    assert_eq!(found["stop_reason"], "refusal");
}

#[test]
fn citations_are_anthropics_own_or_made_like_them() {
    let of = |raw: &'static str| Citation { raw: Some(raw.into()), ..Citation::default() };
    let (url, title) = (Some("https://x".into()), Some("X".into()));
    let web = Citation { url, title, ..of(r#"{"type":"url_citation"}"#) };
    let made = json!([{"type": "web_search_result_location", "cited_text": "",
        "url": "https://x", "title": "X", "encrypted_index": ""}]);
    for (citation, expected) in [
        (
            of(r#"{"type":"page_location","document_index":0}"#),
            json!([{"type": "page_location", "document_index": 0}]),
        ),
        (web, made),
        // It does not say what it cites.
        (of(r#"{"type":"file_citation"}"#), Value::Null),
    ] {
        let citations = vec![citation];
        let text = TextBlock { text: "So".into(), citations, ..TextBlock::default() };
        assert_eq!(content(vec![Block::Text(text)])[0]["citations"], expected);
    }
}

#[test]
fn own_blocks_pass_as_they_came() {
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}});
    let body = json!({"content": [search], "stop_reason": "pause_turn"}).to_string();
    assert_eq!(written(&read(&body, &Sent::default()))["content"], json!([search]));
}

#[test]
fn a_count_is_told() {
    assert_eq!(super::super::count_reply(2095), br#"{"input_tokens":2095}"#);
}
