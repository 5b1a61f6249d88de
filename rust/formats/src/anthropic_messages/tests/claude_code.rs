//! Requests as Claude Code sends them: many tools, a long system prompt with marks, thoughts between calls.

use super::*;
use crate::chat::{Effort, Tool};
use serde_json::json;

const TOOLS: usize = 40;

fn tool(number: usize) -> Value {
    let properties =
        json!({"path": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}});
    let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
        "properties": properties, "required": ["path"], "additionalProperties": false});
    json!({"name": format!("Tool{number}"), "description": "Does it.".repeat(20), "input_schema": schema})
}

/// A turn in which the model thinks, calls, thinks again and calls again.
fn conversation() -> Value {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let thought = |signature: &str| json!({"type": "thinking", "thinking": "Let me see.", "signature": signature});
    let call = |id: &str| json!({"type": "tool_use", "id": id, "name": "Tool1", "input": {"path": "/a"}, "caller": {"type": "direct"}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "ok", "is_error": false});
    let mut last = result("toolu_2");
    last["cache_control"] = mark.clone();
    json!([
        {"role": "user", "content": [
            {"type": "text", "text": "<system-reminder>\nBe careful.\n</system-reminder>\n"},
            {"type": "text", "text": "Fix it.", "cache_control": mark},
        ]},
        {"role": "assistant", "content": [thought("EqQBa"), {"type": "text", "text": "I look.", "citations": null}, call("toolu_1")]},
        {"role": "user", "content": [result("toolu_1")]},
        {"role": "assistant", "content": [thought("EqQBb"), call("toolu_2")]},
        {"role": "user", "content": [last]},
    ])
}

fn body() -> Value {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    json!({
        "model": "claude-opus-5-5", "max_tokens": 32000, "stream": true,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1"},
            {"type": "text", "text": "You are Claude Code.", "cache_control": mark},
            {"type": "text", "text": "Rules. ".repeat(2000), "cache_control": mark},
        ],
        "messages": conversation(),
        "tools": (0..TOOLS).map(tool).collect::<Vec<_>>(),
        "metadata": {"user_id": "user_1"},
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    })
}

#[test]
fn all_of_it_is_read() {
    let text = body().to_string();
    let request = decoded(&text);
    assert_eq!((request.messages.len(), request.tools.len()), (6, TOOLS));
    assert_eq!(request.messages[0].blocks.len(), 3);
    assert_eq!(request.reasoning.as_ref().unwrap().effort, Some(Effort::High));
    assert!(request.tools.iter().all(|tool| matches!(tool, Tool::Function(_))));
    let extras: Vec<_> = extras(&request).into_iter().map(|(name, _)| name).collect();
    assert_eq!(extras, ["context_management"]);
}

#[test]
fn an_upstream_of_anthropics_gets_what_claude_code_said() {
    let text = body().to_string();
    let (sent, dropped) = sent(&decoded(&text), NEWEST);
    let given = body();
    for name in ["system", "tools", "metadata", "thinking", "output_config", "max_tokens", "stream"]
    {
        assert_eq!(sent[name], given[name], "{name}");
    }
    assert_eq!(dropped, ["context_management"]);
}

#[test]
fn thoughts_between_calls_keep_their_places_and_their_proofs() {
    let text = body().to_string();
    let (sent, _) = sent(&decoded(&text), NEWEST);
    let proofs = |number: usize| {
        let blocks = sent["messages"][number]["content"].as_array().unwrap();
        blocks.iter().map(|block| block["signature"].as_str()).collect::<Vec<_>>()
    };
    assert_eq!(proofs(1), [Some("EqQBa"), None, None]);
    assert_eq!(proofs(3), [Some("EqQBb"), None]);
}

#[test]
fn marks_stay_where_they_are() {
    let text = body().to_string();
    let (sent, _) = sent(&decoded(&text), NEWEST);
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    for place in ["/system/2", "/messages/0/content/1", "/messages/4/content/0"] {
        assert_eq!(sent.pointer(place).unwrap()["cache_control"], mark, "{place}");
    }
    assert_eq!(sent.to_string().matches("cache_control").count(), 4);
}

#[test]
fn another_providers_thought_in_the_conversation_is_not_shown() {
    let mut body = body();
    body["messages"][1]["content"][0]["signature"] = json!("llmgw1.openai_responses.rs_1.abc");
    let text = body.to_string();
    let (sent, dropped) = sent(&decoded(&text), NEWEST);
    assert_eq!(dropped, ["messages[2].content[0]", "context_management"]);
    assert!(!sent.to_string().contains("llmgw1"));
}
