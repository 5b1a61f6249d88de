//! What upstreams are sent of blocks and tools.

use super::*;
use crate::chat::{
    Cache, Citation, Function, Output, Signature, Source, TextBlock, Thinking, Tool, ToolChoice,
};
use crate::format::Kind;
use serde_json::json;

/// The last message's content as it is sent, and what was dropped.
fn written(role: Role, blocks: Vec<Block<'static>>) -> (Value, Vec<String>) {
    let (body, dropped) = sent(&asking(vec![user("Hi"), said(role, blocks)]), ANY);
    let messages = body["messages"].as_array().unwrap();
    (messages.last().unwrap()["content"].clone(), dropped)
}

/// A block of the user's, after a text.
fn of_user(block: Block<'static>) -> (Value, Vec<String>) {
    let (content, dropped) = written(Role::User, vec![block]);
    (content[1].clone(), dropped)
}

fn image(source: Source<'static>) -> Block<'static> {
    Block::image(source)
}

fn base64(media_type: &'static str, data: &'static str) -> Source<'static> {
    Source::Base64 { media_type: media_type.into(), data: data.into() }
}

fn proof(origin: Kind) -> Option<Signature<'static>> {
    Some(Signature { origin, id: None, value: "EqQB".into() })
}

fn thought(signature: Option<Signature<'static>>) -> Block<'static> {
    Block::Thinking(Thinking { text: "Hm".into(), signature, redacted: false })
}

fn function(name: &'static str) -> Tool<'static> {
    Tool::Function(Function { name: name.into(), ..Function::default() })
}

fn hosted(kind: &'static str, value: &'static str) -> Tool<'static> {
    Tool::Hosted { kind: kind.into(), value: value.into() }
}

#[test]
fn marks_keep_their_time() {
    let cache = Some(Cache { ttl: Some("1h".into()) });
    let text = TextBlock { text: "Hi".into(), cache, ..TextBlock::default() };
    let (body, _) = sent(&asking(vec![said(Role::User, vec![Block::Text(text)])]), ANY);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let expected = json!([{"type": "text", "text": "Hi", "cache_control": mark}]);
    assert_eq!(body["messages"][0]["content"], expected);
}

#[test]
fn pictures_are_sent_from_wherever_they_are() {
    let here = json!({"type": "base64", "media_type": "image/png", "data": "AAAA"});
    let url = Source::Url { url: "https://x/y".into(), media_type: None };
    let file = Source::File { id: "file_1".into() };
    for (source, expected) in [
        (base64("image/png", "AAAA"), here),
        (url, json!({"type": "url", "url": "https://x/y"})),
        (file, json!({"type": "file", "file_id": "file_1"})),
    ] {
        let expected = json!({"type": "image", "source": expected});
        assert_eq!(of_user(image(source)), (expected, vec![]));
    }
}

#[test]
fn another_providers_file_is_not_sent() {
    let (_, dropped) = of_user(image(Source::File { id: "file-abc".into() }));
    assert_eq!(dropped, ["messages[1].content[0]"]);
}

#[test]
fn a_document_keeps_its_title_its_context_and_that_it_may_be_cited() {
    let (block, _) = of_user(Block::Document {
        source: base64("application/pdf", "JVBE"),
        title: Some("T".into()),
        context: Some("C".into()),
        citations: true,
        cache: Some(Cache::default()),
    });
    let expected = json!({
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
        "title": "T", "context": "C", "citations": {"enabled": true},
        "cache_control": {"type": "ephemeral"},
    });
    assert_eq!(block, expected);
}

#[test]
fn a_text_in_base64_is_sent_as_the_text_that_it_is() {
    let source = base64("text/csv", "YSxi");
    let (title, context, citations, cache) = (None, None, false, None);
    let found = of_user(Block::Document { source, title, context, citations, cache });
    let source = json!({"type": "text", "media_type": "text/plain", "data": "a,b"});
    assert_eq!(found, (json!({"type": "document", "source": source}), vec![]));
}

#[test]
fn a_turn_of_the_users_of_which_nothing_is_left_is_refused() {
    let sound = Block::audio(base64("audio/wav", "AAAA"));
    let fault = sent_to(&asking(vec![said(Role::User, vec![sound])]), &target(ANY)).unwrap_err();
    assert_eq!((fault.param.as_deref(), fault.unsupported), (Some("messages[0].content"), true));
}

#[test]
fn arguments_are_the_object_that_they_have_to_be() {
    for (given, expected) in
        [(r#"{"a": 1}"#, json!({"a": 1})), ("", json!({})), ("[1", json!({"arguments": "[1"}))]
    {
        let one = ToolCall { arguments: given.into(), ..tool_call("toolu_1") };
        let (content, _) = written(Role::Assistant, vec![Block::ToolCall(one)]);
        assert_eq!(content[0]["input"], expected);
    }
}

#[test]
fn an_id_of_another_alphabet_is_changed_alike_in_call_and_result() {
    let messages = vec![
        user("Hi"),
        said(Role::Assistant, vec![call("a.b:1"), call("a.b.1")]),
        said(Role::User, vec![result("a.b:1", vec![]), result("a.b.1", vec![])]),
    ];
    let (body, _) = sent(&asking(messages), ANY);
    let id = |message: usize, block: usize, name: &str| {
        body["messages"][message]["content"][block][name].as_str().unwrap().to_owned()
    };
    assert!(id(1, 0, "id").bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    assert_eq!(id(1, 0, "id"), id(2, 0, "tool_use_id"));
    assert_ne!(id(1, 0, "id"), id(1, 1, "id"));
}

#[test]
fn a_result_keeps_its_picture_and_that_it_is_an_error() {
    let block = Block::ToolResult {
        call_id: "a".into(),
        name: Some("look".into()),
        blocks: vec![Block::text("No"), image(base64("image/png", "AAAA"))],
        is_error: true,
        cache: None,
    };
    let (content, _) = written(Role::User, vec![block]);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "AAAA"});
    let inside = json!([{"type": "text", "text": "No"}, {"type": "image", "source": source}]);
    let expected =
        json!({"type": "tool_result", "tool_use_id": "a", "content": inside, "is_error": true});
    assert_eq!(content[0], expected);
}

#[test]
fn own_thoughts_are_sent_back_to_the_byte() {
    let signature = proof(Kind::AnthropicMessages);
    let hidden = Thinking { signature: signature.clone(), redacted: true, ..Thinking::default() };
    let expected = json!([
        {"type": "thinking", "thinking": "Hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "EqQB"},
    ]);
    let blocks = vec![thought(signature), Block::Thinking(hidden)];
    assert_eq!(written(Role::Assistant, blocks), (expected, vec![]));
}

#[test]
fn thoughts_of_others_are_never_sent() {
    let blocks = vec![thought(proof(Kind::OpenaiResponses)), thought(None), Block::text("So")];
    let (content, dropped) = written(Role::Assistant, blocks);
    assert_eq!(content, "So");
    assert_eq!(dropped, ["messages[1].content[0]", "messages[1].content[1]"]);
}

#[test]
fn the_proof_of_another_provider_on_a_call_is_missed() {
    let one = ToolCall { signature: proof(Kind::GeminiGenerate), ..tool_call("a") };
    let (_, dropped) = written(Role::Assistant, vec![Block::ToolCall(one)]);
    assert_eq!(dropped, ["messages[1].content[0].signature"]);
}

#[test]
fn own_citations_are_sent_back_and_others_are_missed() {
    let cited = |raw: &'static str| Citation { raw: Some(raw.into()), ..Citation::default() };
    let own = r#"{"type":"char_location","document_index":0}"#;
    let citations = vec![cited(own), cited(r#"{"type":"url_citation"}"#)];
    let text = TextBlock { text: "So".into(), citations, ..TextBlock::default() };
    let (content, dropped) = written(Role::Assistant, vec![Block::Text(text)]);
    let citation = json!({"type": "char_location", "document_index": 0});
    assert_eq!(content, json!([{"type": "text", "text": "So", "citations": [citation]}]));
    assert_eq!(dropped, ["messages[1].content[0].citations"]);
}

#[test]
fn words_of_refusal_are_a_text() {
    let (content, _) = written(Role::Assistant, vec![Block::Refusal("No.".into())]);
    assert_eq!(content, json!([{"type": "text", "text": "No."}]));
}

#[test]
fn own_blocks_are_sent_as_they_came_and_others_are_missed() {
    let opaque = |kind: &'static str, value: &'static str| {
        let (kind, value) = (kind.into(), value.into());
        Block::Opaque { kind, value }
    };
    let search = r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{}}"#;
    let blocks = vec![opaque("server_tool_use", search), opaque("web_search_call", "{}")];
    let (content, dropped) = written(Role::Assistant, blocks);
    let expected: Value = serde_json::from_str(search).unwrap();
    assert_eq!((content, dropped), (json!([expected]), vec!["messages[1].content[1]".to_owned()]));
}

#[test]
fn own_tools_are_sent_as_they_came_and_others_are_missed() {
    let bash = r#"{"type":"bash_20250124","name":"bash"}"#;
    let tools = vec![hosted("bash_20250124", bash), hosted("web_search", "{}")];
    let request = Request { tools, tool_choice: Some(ToolChoice::Required), ..hello() };
    let (body, dropped) = sent(&request, ANY);
    assert_eq!(body["tools"], json!([{"type": "bash_20250124", "name": "bash"}]));
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
    assert_eq!(dropped, ["tools[1] (web_search)"]);
}

#[test]
fn a_choice_among_no_tools_is_missed() {
    let tools = vec![hosted("web_search", "{}")];
    let request = Request { tools, tool_choice: Some(ToolChoice::Required), ..hello() };
    let (body, dropped) = sent(&request, ANY);
    assert_eq!(body.get("tool_choice"), None);
    assert_eq!(dropped, ["tools[0] (web_search)", "tool_choice"]);
}

#[test]
fn a_function_without_parameters_takes_any_object() {
    let request = Request { tools: vec![function("f")], ..hello() };
    let expected = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    assert_eq!(sent(&request, ANY).0["tools"], expected);
}

#[test]
fn choices_of_tools_are_written() {
    let named = Some(ToolChoice::Function("f".into()));
    let one_by_one = |kind: &str| json!({"type": kind, "disable_parallel_tool_use": true});
    for (tool_choice, parallel_tool_calls, expected) in [
        (Some(ToolChoice::Auto), None, json!({"type": "auto"})),
        (Some(ToolChoice::None), Some(false), json!({"type": "none"})),
        (Some(ToolChoice::Required), Some(false), one_by_one("any")),
        (named, None, json!({"type": "tool", "name": "f"})),
        (None, Some(false), one_by_one("auto")),
        (None, None, Value::Null),
    ] {
        let tools = vec![function("f")];
        let request = Request { tools, tool_choice, parallel_tool_calls, ..hello() };
        assert_eq!(sent(&request, ANY).0["tool_choice"], expected);
    }
}

#[test]
fn json_without_a_schema_is_asked_for_by_a_tool() {
    let request = Request { output: Output::Json, ..hello() };
    let mut dropped = Dropped::default();
    let written = AnthropicMessages.encode_request(&request, &target(ANY), &mut dropped).unwrap();
    assert_eq!(written.output_tool, Some("json_output"));
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "json_output"}));
    assert_eq!(body["tools"][0]["input_schema"], json!({"type": "object"}));
}

#[test]
fn beside_the_clients_tools_any_may_be_called_for_the_answer() {
    let request = Request { output: Output::Json, tools: vec![function("f")], ..hello() };
    let (body, _) = sent(&request, ANY);
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
    assert_eq!(body["tools"].as_array().unwrap().len(), 2);
}
