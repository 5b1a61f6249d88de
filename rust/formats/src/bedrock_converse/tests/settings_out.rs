//! The settings and tools that are sent to Bedrock.

use super::requests_out::{call, result, thought, tool};
use super::*;
use crate::Kind;
use crate::chat::{Effort, Extra, Output, OutputSchema, Reasoning, Tool, ToolChoice};
use serde_json::json;

fn thinking(effort: Option<Effort>, budget: Option<u64>) -> Request<'static> {
    let reasoning = Some(Reasoning { effort, budget, ..Reasoning::default() });
    Request { reasoning, ..hello() }
}

#[test]
fn each_family_is_asked_to_think_in_its_own_words() {
    let request = thinking(Some(Effort::Medium), None);
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 10000}});
    let (body, _) = sent(&request, CLAUDE);
    assert_eq!(body["additionalModelRequestFields"], budget);
    let (body, _) = sent(&request, NEWER_CLAUDE);
    assert_eq!(body["additionalModelRequestFields"], json!({"thinking": {"type": "adaptive"}}));
    assert_eq!(body["outputConfig"], json!({"effort": "medium"}));
    let (body, _) = sent(&request, "us.amazon.nova-2-lite-v1:0");
    let nova = json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}});
    assert_eq!(body["additionalModelRequestFields"], nova);
    let (body, _) = sent(&request, "openai.gpt-oss-20b-1:0");
    assert_eq!(body["additionalModelRequestFields"], json!({"reasoning_effort": "medium"}));
    let (body, _) = sent(&request, "us.openai.gpt-5.2");
    assert_eq!(body["additionalModelRequestFields"], json!({"reasoning": {"effort": "medium"}}));
    let (body, dropped) = sent(&request, "qwen.qwen3-32b-v1:0");
    assert!(body.get("additionalModelRequestFields").is_none());
    assert_eq!(dropped, ["reasoning"]);
}

#[test]
fn a_budget_stays_below_the_tokens_of_the_reply() {
    let mut request = thinking(None, Some(20_000));
    request.max_output_tokens = Some(4096);
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 4095);
    assert_eq!(dropped, ["reasoning (clamped)"]);
    request.max_output_tokens = Some(500);
    assert_eq!(sent(&request, CLAUDE).1, ["reasoning"]);
    let mut request = thinking(Some(Effort::High), None);
    request.max_output_tokens = Some(8000);
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 4000);
    assert!(dropped.is_empty());
}

#[test]
fn a_claude_that_thinks_is_not_told_how_to_sample() {
    let mut request = thinking(Some(Effort::Low), None);
    (request.temperature, request.top_k, request.top_p) = (Some(0.2), Some(5), Some(0.5));
    let (body, dropped) = sent(&request, CLAUDE);
    assert!(body.get("inferenceConfig").is_none());
    assert_eq!(dropped, ["temperature", "top_p", "top_k"]);
}

#[test]
fn claude_does_not_think_where_it_must_call_or_has_called_without_thought() {
    let mut request = thinking(Some(Effort::Low), None);
    request.tools = vec![tool("f")];
    request.tool_choice = Some(ToolChoice::Function("f".into()));
    assert_eq!(sent(&request, CLAUDE).1, ["reasoning"]);
    request.tool_choice = None;
    request.messages.push(said(Role::Assistant, vec![call("c1", "f", "{}")]));
    request.messages.push(said(Role::User, vec![result("c1", vec![Block::text("1")])]));
    assert_eq!(sent(&request, CLAUDE).1, ["reasoning"]);
    assert!(sent(&request, NEWER_CLAUDE).1.is_empty());
    request.messages[1].blocks.insert(0, thought(Kind::BedrockConverse));
    assert!(sent(&request, CLAUDE).1.is_empty());
}

#[test]
fn sampling_is_fitted_to_the_model() {
    let mut request = hello();
    (request.temperature, request.top_p, request.top_k) = (Some(1.5), Some(0.9), Some(200));
    let (body, dropped) = sent(&request, "amazon.nova-pro-v1:0");
    assert_eq!(body["inferenceConfig"], json!({"temperature": 1, "topP": 0.9}));
    assert_eq!(body["additionalModelRequestFields"], json!({"inferenceConfig": {"topK": 128}}));
    assert_eq!(dropped, ["temperature (clamped)", "top_k (clamped)"]);
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["inferenceConfig"], json!({"temperature": 1}));
    assert_eq!(body["additionalModelRequestFields"], json!({"top_k": 200}));
    assert_eq!(dropped, ["temperature (clamped)", "top_p"]);
    request.temperature = Some(1.0);
    let (body, dropped) = sent(&request, NEWER_CLAUDE);
    assert!(body.get("inferenceConfig").is_none());
    assert_eq!(dropped, ["top_p", "top_k"]);
}

#[test]
fn what_converse_has_no_place_for_is_noted() {
    let request = Request {
        seed: Some(1),
        n: Some(2),
        logprobs: Some(0),
        frequency_penalty: Some(0.5),
        presence_penalty: Some(0.5),
        end_user: Some("u".into()),
        parallel_tool_calls: Some(false),
        tools: vec![tool("f"), Tool::Hosted { kind: "web_search".into(), value: "{}".into() }],
        service_tier: Some("scale".into()),
        metadata: Some(r#"{"a":"é"}"#.into()),
        extra: vec![
            Extra { name: "logit_bias".into(), value: "{}".into() },
            Extra { name: "guardrailConfig".into(), value: r#"{"trace":"enabled"}"#.into() },
        ],
        ..hello()
    };
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["guardrailConfig"], json!({"trace": "enabled"}));
    assert_eq!(
        dropped,
        [
            "tools[1] (web_search)",
            "parallel_tool_calls",
            "frequency_penalty",
            "presence_penalty",
            "seed",
            "n",
            "logprobs",
            "end_user",
            "metadata",
            "service_tier",
            "logit_bias"
        ]
    );
}

fn with_schema() -> Request<'static> {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#.into();
    let output = Output::Schema(OutputSchema { name: "out".into(), schema, ..Default::default() });
    Request { output, ..hello() }
}

#[test]
fn a_schema_is_told_as_a_string_to_models_that_know_it() {
    let (body, _) = sent(&with_schema(), CLAUDE);
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
    assert_eq!(
        body["outputConfig"],
        json!({"textFormat": {
            "type": "json_schema", "structure": {"jsonSchema": {"schema": schema, "name": "out"}}
        }})
    );
}

#[test]
fn a_tool_stands_in_for_a_schema_elsewhere() {
    let target = Target { model: CLAUDE, ..Target::default() };
    let mut request = with_schema();
    let (body, _) = sent_to(&request, &target).unwrap();
    let spec = &body["toolConfig"]["tools"][0]["toolSpec"];
    assert_eq!(spec["name"], "json_output");
    assert_eq!(spec["inputSchema"]["json"]["properties"], json!({"a": {"type": "string"}}));
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"tool": {"name": "json_output"}}));
    request.tools = vec![tool("f")];
    let (body, _) = sent_to(&request, &target).unwrap();
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"any": {}}));
    let llama = Target { model: "us.meta.llama4-scout-17b-instruct-v1:0", ..target };
    let (body, dropped) = sent_to(&request, &llama).unwrap();
    assert!(body["toolConfig"].get("toolChoice").is_none());
    assert_eq!(dropped, ["response_format"]);
}

#[test]
fn a_choice_among_some_tools_declares_these_alone() {
    let mut request = hello();
    request.tools = vec![tool("a"), tool("b"), tool("c")];
    request.tool_choice =
        Some(ToolChoice::Allowed { names: vec!["a".into(), "c".into()], required: true });
    let (body, _) = sent(&request, CLAUDE);
    let tools = body["toolConfig"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|one| one["toolSpec"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(body["toolConfig"]["toolChoice"], json!({"any": {}}));
}

#[test]
fn most_models_are_told_to_call_the_only_tool_without_its_name() {
    let mut request = hello();
    request.tools = vec![tool("a")];
    request.tool_choice = Some(ToolChoice::Function("a".into()));
    let choice = |model| sent(&request, model).0["toolConfig"]["toolChoice"].clone();
    assert_eq!(choice("mistral.mistral-large-2407-v1:0"), json!({"any": {}}));
    assert_eq!(choice("amazon.nova-pro-v1:0"), json!({"tool": {"name": "a"}}));
}
