//! Requests, in both directions.

use super::*;
use crate::Kind;
use crate::chat::{
    Effort, Extra, Function, Output, OutputSchema, Reasoning, Signature, Source, Thinking, Tool,
    ToolCall, ToolChoice,
};
use serde_json::json;

/// Everything in it that Cohere can say.
const BROAD: &str = r#"{
  "model": "command-a",
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [
      {"type": "text", "text": "Look."},
      {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
      {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    ]},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}], "tool_plan": "I look.",
     "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
    {"role": "assistant", "content": "It is so.", "citations": [
      {"start": 0, "end": 2, "text": "It", "sources": [{"type": "tool", "id": "c1:0", "tool_output": {}}], "type": "TEXT_CONTENT"}
    ]},
    {"role": "user", "content": "Go on."}
  ],
  "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
  "strict_tools": true,
  "tool_choice": "REQUIRED",
  "max_tokens": 2000,
  "stop_sequences": ["END"],
  "temperature": 0.5,
  "seed": 7,
  "frequency_penalty": 0.25,
  "presence_penalty": 0.5,
  "k": 40,
  "p": 0.75,
  "logprobs": true,
  "thinking": {"type": "enabled", "token_budget": 500},
  "documents": [{"id": "d", "data": {"text": "x"}}],
  "citation_options": {"mode": "FAST"},
  "safety_mode": "STRICT",
  "priority": 3,
  "stream": true
}"#;

#[test]
fn a_broad_request_comes_out_the_same_again() {
    let (mut body, dropped) = sent(&decoded(BROAD));
    // Converted to the offset that it stands for.
    body["messages"][4]["citations"][0].as_object_mut().unwrap().remove("content_index");
    assert_eq!(body, serde_json::from_str::<Value>(BROAD).unwrap());
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn what_is_read_is_read_again_from_what_is_written() {
    let request = decoded(BROAD);
    let sent = CohereChat.encode_request(&request, &target(), &mut Dropped::default()).unwrap();
    let body = String::from_utf8(sent.body).unwrap();
    let mut again = decoded(&body);
    // Own members come last.
    again.extra.sort_by_key(|one| request.extra.iter().position(|other| other.name == one.name));
    assert_eq!(again, request);
}

#[test]
fn documents_in_a_tools_result_are_its_text() {
    let request = decoded(
        r#"{"messages": [{"role": "tool", "tool_call_id": "c", "content": [
            {"type": "document", "document": {"id": "1", "data": {"a": 1}}}]}]}"#,
    );
    let Block::ToolResult { blocks, .. } = &request.messages[0].blocks[0] else { panic!() };
    assert_eq!(blocks[..], [Block::text(r#"{"a": 1}"#)]);
}

#[test]
fn wrong_input_is_refused_with_its_place() {
    for (body, param) in [
        ("{", None),
        ("{}", Some("messages")),
        (r#"{"messages":{}}"#, Some("messages")),
        (r#"{"messages":[{"role":"bot"}]}"#, Some("messages[0].role")),
        (r#"{"messages":[{"role":"user","content":5}]}"#, Some("messages[0].content")),
        (
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
            Some("messages[0].content[0]"),
        ),
        (r#"{"messages":[{"role":"tool","content":"x"}]}"#, Some("messages[0].tool_call_id")),
        (r#"{"messages":[],"max_tokens":"x"}"#, Some("max_tokens")),
        (r#"{"messages":[],"tool_choice":"auto"}"#, Some("tool_choice")),
    ] {
        let fault = CohereChat.decode_request(body, PathFacts::default()).unwrap_err();
        assert_eq!(fault.param.as_deref(), param, "{body}");
    }
}

fn tool(name: &'static str, strict: bool) -> Tool<'static> {
    let strict = strict.then_some(true);
    Tool::Function(Function { name: name.into(), strict, ..Function::default() })
}

fn call(id: &'static str) -> Block<'static> {
    let (id, name, arguments) = (id.into(), "f".into(), "{}".into());
    Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })
}

#[test]
fn results_are_messages_and_their_pictures_follow() {
    let source = Source::Base64 { media_type: "image/png".into(), data: "aGk=".into() };
    let picture = Block::image(source);
    let result = |id: &'static str, blocks, is_error| Block::ToolResult {
        call_id: id.into(),
        name: None,
        blocks,
        is_error,
        cache: None,
    };
    let mut request = hello();
    request.messages.push(said(Role::Assistant, vec![call("a"), call("b")]));
    request.messages.push(said(
        Role::User,
        vec![
            result("a", vec![Block::text("42"), picture], false),
            result("b", vec![], true),
            Block::text("Well?"),
        ],
    ));
    let (body, dropped) = sent(&request);
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});
    assert_eq!(
        body["messages"].as_array().unwrap()[2..],
        [
            json!({"role": "tool", "tool_call_id": "a", "content": "42"}),
            json!({"role": "tool", "tool_call_id": "b", "content": "(no output)"}),
            json!({"role": "user", "content": [image, {"type": "text", "text": "Well?"}]}),
        ]
    );
    assert_eq!(dropped, ["messages[2].content[1].is_error"]);
}

#[test]
fn documents_of_text_stand_beside_the_messages() {
    let document = |source| Block::Document {
        source,
        title: Some("T".into()),
        context: None,
        citations: true,
        cache: None,
    };
    let encoded = Source::Base64 { media_type: "text/plain".into(), data: "SGkh".into() };
    let pdf = Source::Base64 { media_type: "application/pdf".into(), data: "SGkh".into() };
    let mut request = hello();
    let documents = [Source::Text("x".into()), encoded, pdf.clone()].map(document);
    request.messages[0].blocks.extend(documents);
    let (body, dropped) = sent(&request);
    assert_eq!(
        body["documents"],
        json!([{"data": {"title": "T", "text": "x"}}, {"data": {"title": "T", "text": "Hi!"}}])
    );
    assert_eq!(dropped, ["messages[0].content[3]"]);
    request.messages[0].blocks = vec![document(pdf)];
    let fault = sent_to(&request, &target()).unwrap_err();
    assert!(fault.unsupported);
}

#[test]
fn thoughts_go_back_unsigned_and_to_models_that_think() {
    let signature =
        Some(Signature { origin: Kind::GeminiGenerate, id: None, value: "c2ln".into() });
    let signed = Thinking { text: "a".into(), signature, redacted: false };
    let plain = Thinking { text: "b".into(), ..Thinking::default() };
    let mut request = hello();
    let blocks = vec![Block::Thinking(signed), Block::Thinking(plain), Block::text("Hi")];
    request.messages.push(said(Role::Assistant, blocks));
    let (body, dropped) = sent(&request);
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "thinking", "thinking": "b"}, {"type": "text", "text": "Hi"}])
    );
    assert_eq!(dropped, ["messages[1].content[0].signature"]);
    let (body, dropped) = sent_to(&request, &Target { reasoning: false, ..target() }).unwrap();
    assert_eq!(body["messages"][1]["content"], "Hi");
    assert_eq!(dropped, ["messages[1].content[0].signature", "messages[1].content[1]"]);
}

#[test]
fn a_named_tool_is_the_only_one_declared() {
    let mut request = hello();
    request.tools = vec![tool("a", true), tool("b", false)];
    request.tool_choice = Some(ToolChoice::Function("b".into()));
    let (body, dropped) = sent(&request);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tools"][0]["function"]["name"], "b");
    assert_eq!(body["tool_choice"], "REQUIRED");
    assert!(dropped.is_empty());
}

#[test]
fn all_tools_are_strict_or_none() {
    let mut request = hello();
    request.tools = vec![tool("a", true), tool("b", false)];
    let (body, dropped) = sent(&request);
    assert!(body.get("strict_tools").is_none());
    assert_eq!(dropped, ["tools[0].strict"]);
}

#[test]
fn a_tool_stands_in_for_a_schema_beside_tools() {
    let schema = OutputSchema { schema: r#"{"type":"object"}"#.into(), ..Default::default() };
    let mut request = Request { output: Output::Schema(schema), ..hello() };
    let (body, _) = sent(&request);
    let native = json!({"type": "json_object", "json_schema": {"type": "object"}});
    assert_eq!(body["response_format"], native);
    request.tools = vec![tool("a", false)];
    let (body, _) = sent(&request);
    assert!(body.get("response_format").is_none());
    assert_eq!(body["tools"][1]["function"]["name"], "json_output");
    assert_eq!(body["tool_choice"], "REQUIRED");
    request.output = Output::Json;
    request.tool_choice = Some(ToolChoice::None);
    let (body, _) = sent(&request);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1, "only the answer may be called");
    request.tools.clear();
    request.extra = vec![Extra { name: "documents".into(), value: "[]".into() }];
    let (body, _) = sent(&request);
    assert!(body.get("response_format").is_none(), "nor beside documents");
}

#[test]
fn efforts_become_budgets_within_the_reply() {
    let thinking = |effort, most, target: &Target<'_>| {
        let reasoning = Some(Reasoning { effort: Some(effort), ..Reasoning::default() });
        let request = Request { reasoning, max_output_tokens: most, ..hello() };
        let (body, dropped) = sent_to(&request, target).unwrap();
        (body.get("thinking").cloned(), dropped)
    };
    let budget = |tokens| Some(json!({"type": "enabled", "token_budget": tokens}));
    assert_eq!(thinking(Effort::Low, None, &target()).0, budget(4096));
    assert_eq!(thinking(Effort::Medium, Some(1000), &target()).0, budget(500));
    assert_eq!(thinking(Effort::High, None, &target()).0, Some(json!({"type": "enabled"})));
    assert_eq!(thinking(Effort::None, None, &target()).0, Some(json!({"type": "disabled"})));
    let plain = Target { reasoning: false, ..target() };
    assert_eq!(thinking(Effort::Low, None, &plain), (None, vec!["reasoning".to_owned()]));
    assert_eq!(thinking(Effort::None, None, &plain), (None, vec![]));
}

#[test]
fn values_beyond_the_range_are_clamped_and_others_noted() {
    let request = Request {
        temperature: Some(1.5),
        top_p: Some(1.0),
        top_k: Some(1000),
        frequency_penalty: Some(-1.0),
        presence_penalty: Some(2.0),
        seed: Some(-1),
        logprobs: Some(5),
        n: Some(2),
        stop: ["a", "b", "c", "d", "e", "f"].map(Into::into).to_vec(),
        end_user: Some("u".into()),
        service_tier: Some("flex".into()),
        metadata: Some("{}".into()),
        extra: vec![
            Extra { name: "safety_mode".into(), value: "\"OFF\"".into() },
            Extra { name: "logit_bias".into(), value: "{}".into() },
        ],
        ..hello()
    };
    let (body, dropped) = sent(&request);
    assert_eq!(
        [&body["p"], &body["k"], &body["frequency_penalty"], &body["presence_penalty"]],
        [&json!(0.99), &json!(500), &json!(0), &json!(1)]
    );
    assert_eq!(body["stop_sequences"].as_array().unwrap().len(), 5);
    assert_eq!(body["safety_mode"], "OFF");
    assert_eq!(
        dropped,
        [
            "temperature (clamped)",
            "top_p (clamped)",
            "top_k (clamped)",
            "frequency_penalty (clamped)",
            "presence_penalty (clamped)",
            "seed",
            "logprobs (clamped)",
            "n",
            "stop (clamped)",
            "end_user",
            "service_tier",
            "metadata",
            "logit_bias"
        ]
    );
}
