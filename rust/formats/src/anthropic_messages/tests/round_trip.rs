//! What this format carries comes back as it was.

use super::*;
use crate::chat::{
    Cache, Citation, Effort, Function, Made, Output, OutputSchema, Reasoning, Signature, Source,
    TextBlock, Thinking, Tool, ToolChoice,
};
use crate::format::Kind;

/// The request, written for a model and read again.
fn again(request: &Request<'_>, model: &str) -> String {
    let mut dropped = Dropped::default();
    let sent = AnthropicMessages.encode_request(request, &target(model), &mut dropped).unwrap();
    assert_eq!(dropped.names(), [] as [&str; 0]);
    String::from_utf8(sent.body).unwrap()
}

/// Asserts that a request comes back whole.
fn returns(request: Request<'static>, model: &'static str) {
    let request = Request {
        model: model.into(),
        max_output_tokens: request.max_output_tokens.or(Some(30_000)),
        stream_usage: true,
        ..request
    };
    let body = again(&request, model);
    assert_eq!(decoded(&body), request, "{body}");
}

fn own(value: &'static str) -> Option<Signature<'static>> {
    Some(Signature { origin: Kind::AnthropicMessages, id: None, value: value.into() })
}

fn cached() -> Option<Cache<'static>> {
    Some(Cache { ttl: Some("5m".into()) })
}

#[test]
fn blocks_of_a_user_come_back() {
    let url = || Source::Url { url: "https://x/y".into(), media_type: None };
    let here = Source::Base64 { media_type: "application/pdf".into(), data: "JVBE".into() };
    let title = Some("T".into());
    let text = TextBlock { text: "a\u{0}\"é\\".into(), cache: cached(), ..TextBlock::default() };
    let inside = vec![
        Block::text("1"),
        Block::image(url()),
        Block::Opaque {
            kind: "tool_reference".into(),
            value: r#"{"type":"tool_reference","tool_name":"f"}"#.into(),
        },
    ];
    let blocks = vec![
        Block::ToolResult {
            call_id: "toolu_1".into(),
            name: None,
            blocks: inside,
            is_error: true,
            cache: cached(),
        },
        Block::Text(text),
        Block::Image { source: url(), detail: None, cache: cached(), made: Made::default() },
        Block::Document { source: here, title, context: None, citations: true, cache: None },
        Block::Opaque {
            kind: "search_result".into(),
            value: r#"{"type":"search_result","n":1.0}"#.into(),
        },
    ];
    let first = said(Role::Assistant, vec![call("toolu_1")]);
    returns(asking(vec![system("S"), user("Hi"), first, said(Role::User, blocks)]), ANY);
}

#[test]
fn blocks_of_the_model_come_back() {
    let raw =
        r#"{"type":"char_location","cited_text":"x","document_index":0,"document_title":"T"}"#;
    let citation = Citation {
        title: Some("T".into()),
        quoted: Some("x".into()),
        document: Some(0),
        raw: Some(raw.into()),
        ..Citation::default()
    };
    let text = TextBlock { text: "So".into(), citations: vec![citation], ..TextBlock::default() };
    let search = r#"{"type":"server_tool_use","id":"s","name":"web_search","input":{"q":"x"}}"#;
    let hidden = Thinking { signature: own("Xyz="), redacted: true, ..Thinking::default() };
    let blocks = vec![
        Block::Thinking(Thinking { text: "Hm".into(), signature: own("EqQB"), redacted: false }),
        Block::Thinking(hidden),
        Block::Opaque { kind: "server_tool_use".into(), value: search.into() },
        Block::Text(text),
        call("toolu_1"),
    ];
    let answer = said(Role::User, vec![result("toolu_1", vec![])]);
    returns(asking(vec![user("Hi"), said(Role::Assistant, blocks), answer]), NEWEST);
}

#[test]
fn the_systems_words_inside_come_back() {
    returns(asking(vec![user("a"), system("s"), assistant("b"), user("c")]), "claude-opus-5");
}

#[test]
fn tools_come_back() {
    let function = Function {
        name: "f".into(),
        description: Some("D".into()),
        parameters: Some(r#"{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}"#.into()),
        strict: Some(true),
        cache: cached(),
        ..Function::default()
    };
    let bash = r#"{"type":"bash_20250124","name":"bash"}"#.into();
    let tools =
        vec![Tool::Function(function), Tool::Hosted { kind: "bash_20250124".into(), value: bash }];
    for choice in [ToolChoice::Auto, ToolChoice::Required, ToolChoice::Function("f".into())] {
        let (tool_choice, parallel_tool_calls) = (Some(choice), Some(false));
        returns(Request { tools: tools.clone(), tool_choice, parallel_tool_calls, ..hello() }, ANY);
    }
    returns(Request { tools, tool_choice: Some(ToolChoice::None), ..hello() }, ANY);
}

#[test]
fn settings_come_back() {
    returns(
        Request {
            max_output_tokens: Some(7),
            temperature: Some(0.5),
            top_p: Some(0.25),
            top_k: Some(3),
            stop: vec!["x".into()],
            stream: true,
            end_user: Some("u".into()),
            service_tier: Some("default".into()),
            ..hello()
        },
        ANY,
    );
}

#[test]
fn thinking_comes_back() {
    let reasoning = |effort, budget, visible| {
        Some(Reasoning { effort, budget, visible, ..Reasoning::default() })
    };
    for effort in
        [None, Some(Effort::Low), Some(Effort::Medium), Some(Effort::High), Some(Effort::XHigh)]
    {
        returns(Request { reasoning: reasoning(effort, None, Some(true)), ..hello() }, NEWEST);
    }
    returns(Request { reasoning: reasoning(None, Some(2000), Some(false)), ..hello() }, BUDGET);
    for model in ["claude-opus-5", "claude-sonnet-5-5"] {
        returns(Request { reasoning: reasoning(Some(Effort::None), None, None), ..hello() }, model);
    }
}

#[test]
fn a_schema_comes_back() {
    let schema =
        r#"{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":false}"#;
    let one =
        OutputSchema { name: "output".into(), schema: schema.into(), ..OutputSchema::default() };
    returns(Request { output: Output::Schema(one), ..hello() }, NEWEST);
}
