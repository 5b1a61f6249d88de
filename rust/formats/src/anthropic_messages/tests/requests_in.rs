//! What clients ask for.

use super::*;
use crate::chat::{
    Cache, Citation, Effort, Function, Output, OutputSchema, Signature, Source, TextBlock,
    Thinking, Tool, ToolChoice,
};
use crate::format::Kind;

/// Reads content, and hands its blocks on.
fn reading(content: &str, check: impl FnOnce(&[Block<'_>])) {
    let body = with_content(content);
    check(&decoded(&body).messages[0].blocks);
}

#[test]
fn the_system_prompt_comes_first_with_its_marks() {
    let request = decoded(
        r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],"system":
            [{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral","ttl":"1h"}}]}"#,
    );
    let text = TextBlock {
        text: "Be brief.".into(),
        cache: Some(Cache { ttl: Some("1h".into()) }),
        ..TextBlock::default()
    };
    assert_eq!(request.messages, [said(Role::System, vec![Block::Text(text)]), user("Hi")]);
}

#[test]
fn pictures_are_read_from_wherever_they_are() {
    let image = |source| Block::image(source);
    let content = r#"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
        {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
        {"type":"image","source":{"type":"file","file_id":"file_1"}}]"#;
    reading(content, |blocks| {
        let base64 = Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() };
        let url = Source::Url { url: "https://x/y.png".into(), media_type: None };
        let file = Source::File { id: "file_1".into() };
        assert_eq!(blocks, [image(base64), image(url), image(file)]);
    });
}

#[test]
fn documents_are_read_with_all_that_they_say() {
    let content = r#"[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Words"},
        "title":"T","context":"C","citations":{"enabled":true},"cache_control":{"type":"ephemeral"}},
        {"type":"document","source":{"type":"content","content":"Words"}}]"#;
    reading(content, |blocks| {
        let source = || Source::Text("Words".into());
        let full = Block::Document {
            source: source(),
            title: Some("T".into()),
            context: Some("C".into()),
            citations: true,
            cache: Some(Cache::default()),
        };
        let (title, context, citations, cache) = (None, None, false, None);
        let bare = Block::Document { source: source(), title, context, citations, cache };
        assert_eq!(blocks, [full, bare]);
    });
}

#[test]
fn a_document_of_blocks_is_kept_whole() {
    reading(r#"[{"type":"document","source":{"type":"content","content":[]}}]"#, |blocks| {
        assert!(matches!(&blocks[0], Block::Opaque { kind, .. } if kind == "document"));
    });
}

#[test]
fn a_tool_result_keeps_its_picture_its_error_and_its_mark() {
    let content = r#"[{"type":"tool_result","tool_use_id":"toolu_1","is_error":true,
        "cache_control":{"type":"ephemeral"},"content":[{"type":"text","text":"No"},
        {"type":"image","source":{"type":"url","url":"https://x/y.png"}}]}]"#;
    reading(content, |blocks| {
        let source = Source::Url { url: "https://x/y.png".into(), media_type: None };
        let expected = Block::ToolResult {
            call_id: "toolu_1".into(),
            name: None,
            blocks: vec![Block::text("No"), Block::image(source)],
            is_error: true,
            cache: Some(Cache::default()),
        };
        assert_eq!(blocks, [expected]);
    });
}

#[test]
fn a_result_that_is_a_string_is_a_text_and_none_is_none() {
    let content = r#"[{"type":"tool_result","tool_use_id":"a","content":"Yes"},
        {"type":"tool_result","tool_use_id":"b"}]"#;
    reading(content, |blocks| {
        assert_eq!(blocks, [result("a", vec![Block::text("Yes")]), result("b", vec![])]);
    });
}

#[test]
fn thoughts_keep_their_proof_to_the_byte() {
    let content = r#"[{"type":"thinking","thinking":"Hm","signature":"EqQB+/=="},
        {"type":"redacted_thinking","data":"Xyz="}]"#;
    reading(content, |blocks| {
        let proof = |value: &'static str| {
            let origin = Kind::AnthropicMessages;
            Some(Signature { origin, id: None, value: value.into() })
        };
        let open = Thinking { text: "Hm".into(), signature: proof("EqQB+/=="), redacted: false };
        let hidden = Thinking { signature: proof("Xyz="), redacted: true, ..Thinking::default() };
        assert_eq!(blocks, [Block::Thinking(open), Block::Thinking(hidden)]);
    });
}

#[test]
fn geminis_sealed_proof_gets_back_to_the_call_that_it_is_of() {
    let content = r#"[{"type":"thinking","thinking":"","signature":"llmgw1.gemini_generate..Zm9v"},
        {"type":"tool_use","id":"c","name":"look","input":{}}]"#;
    reading(content, |blocks| {
        let [Block::ToolCall(one)] = blocks else { panic!("{blocks:?}") };
        let proof = one.signature.as_ref().unwrap();
        assert_eq!((proof.origin, &*proof.value), (Kind::GeminiGenerate, "Zm9v"));
    });
}

#[test]
fn blocks_that_only_anthropic_knows_are_kept_whole() {
    let raw = r#"{"type":"web_search_tool_result","tool_use_id":"s","content":[{"n":1.50}]}"#;
    reading(&format!("[{raw}]"), |blocks| {
        let kind = "web_search_tool_result".into();
        assert_eq!(blocks, [Block::Opaque { kind, value: raw.into() }]);
    });
}

#[test]
fn citations_of_a_text_are_read() {
    let raw =
        r#"{"type":"page_location","cited_text":"So","document_index":2,"document_title":"T"}"#;
    reading(&format!(r#"[{{"type":"text","text":"It is","citations":[{raw}]}}]"#), |blocks| {
        let Block::Text(text) = &blocks[0] else { panic!("{blocks:?}") };
        let expected = Citation {
            title: Some("T".into()),
            quoted: Some("So".into()),
            document: Some(2),
            raw: Some(raw.into()),
            ..Citation::default()
        };
        assert_eq!(text.citations, [expected]);
    });
}

#[test]
fn functions_and_hosted_tools_are_told_apart() {
    let hosted = r#"{"type":"web_search_20250305","name":"web_search","max_uses":5}"#;
    let custom = r#"{"type":"custom","name":"f","description":"D","input_schema":{"type":"object"},
        "strict":true,"cache_control":{"type":"ephemeral"}}"#;
    let body = format!(r#"{{"model":"m","messages":[],"tools":[{hosted},{custom}]}}"#);
    let function = Function {
        name: "f".into(),
        description: Some("D".into()),
        parameters: Some(r#"{"type":"object"}"#.into()),
        strict: Some(true),
        cache: Some(Cache::default()),
        ..Function::default()
    };
    let hosted = Tool::Hosted { kind: "web_search_20250305".into(), value: hosted.into() };
    assert_eq!(decoded(&body).tools, [hosted, Tool::Function(function)]);
}

#[test]
fn choices_of_tools_are_read() {
    for (given, choice, parallel) in [
        (r#"{"type":"auto","disable_parallel_tool_use":true}"#, ToolChoice::Auto, Some(false)),
        (r#"{"type":"any"}"#, ToolChoice::Required, None),
        (r#"{"type":"none"}"#, ToolChoice::None, None),
        (r#"{"type":"tool","name":"f"}"#, ToolChoice::Function("f".into()), None),
    ] {
        let body = format!(r#"{{"model":"m","messages":[],"tool_choice":{given}}}"#);
        let request = decoded(&body);
        assert_eq!((request.tool_choice, request.parallel_tool_calls), (Some(choice), parallel));
    }
}

#[test]
fn thinking_and_effort_say_together_how_much() {
    for (given, expected) in [
        ("", None),
        (r#""thinking":{"type":"enabled","budget_tokens":2048},"#, Some((None, Some(2048), None))),
        (r#""thinking":{"type":"disabled"},"#, Some((Some(Effort::None), None, None))),
        (r#""thinking":{"type":"between_tools"},"#, Some((Some(Effort::None), None, None))),
        (r#""output_config":{"effort":"max"},"#, Some((Some(Effort::XHigh), None, None))),
        (
            r#""thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"low"},"#,
            Some((Some(Effort::Low), None, Some(false))),
        ),
    ] {
        let body = format!(r#"{{"model":"m",{given}"messages":[]}}"#);
        let reasoning = decoded(&body).reasoning;
        assert_eq!(reasoning.map(|one| (one.effort, one.budget, one.visible)), expected, "{given}");
    }
}

#[test]
fn a_schema_is_read_from_its_newer_place_and_its_older_one() {
    for given in [
        r#""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}"#,
        r#""output_format":{"type":"json_schema","schema":{"type":"object"}}"#,
    ] {
        let body = format!(r#"{{"model":"m","messages":[],{given}}}"#);
        let (name, schema) = ("output".into(), r#"{"type":"object"}"#.into());
        let schema = OutputSchema { name, schema, ..OutputSchema::default() };
        assert_eq!(decoded(&body).output, Output::Schema(schema), "{given}");
    }
}

#[test]
fn settings_are_read() {
    let request = decoded(
        r#"{"model":"m","messages":[],"max_tokens":7,"stop_sequences":["x"],"temperature":0.5,
            "top_p":0.9,"top_k":3,"metadata":{"user_id":"u"},"service_tier":"standard_only",
            "stream":true}"#,
    );
    let expected = Request {
        model: "m".into(),
        max_output_tokens: Some(7),
        stop: vec!["x".into()],
        temperature: Some(0.5),
        top_p: Some(0.9),
        top_k: Some(3),
        end_user: Some("u".into()),
        service_tier: Some("default".into()),
        stream: true,
        stream_usage: true,
        ..Request::default()
    };
    assert_eq!(request, expected);
}

#[test]
fn what_is_not_read_is_told_by_its_path() {
    let request = decoded(
        r#"{"model":"m","container":"c","context_management":{"edits":[]},"mcp_servers":[],
            "speed":"fast","metadata":{"team":1},
            "output_config":{"task_budget":{"total":1},"effort":"ultra"},
            "system":[{"type":"text","text":"S","odd":1}],
            "tools":[{"name":"f","input_schema":{},"defer_loading":true,"input_examples":[]}],
            "messages":[{"role":"user","id":"x","content":[{"type":"tool_result","tool_use_id":"t",
              "toolset_name":"b","content":[{"type":"text","text":"a","new":2}]}]}]}"#,
    );
    let mut found: Vec<_> = extras(&request).into_iter().map(|(name, _)| name).collect();
    found.sort_unstable();
    let expected = [
        "container",
        "context_management",
        "mcp_servers",
        "messages[0].content[0].content[0].new",
        "messages[0].content[0].toolset_name",
        "messages[0].id",
        "metadata.team",
        "output_config.effort",
        "output_config.task_budget",
        "speed",
        "system[0].odd",
        "tools[0].defer_loading",
        "tools[0].input_examples",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_replies_always_have_is_not_told_when_it_comes_back() {
    let body = with_content(
        r#"[{"type":"text","text":"a","citations":null},
            {"type":"tool_use","id":"t","name":"f","input":{},"caller":{"type":"direct"}}]"#,
    );
    assert_eq!(extras(&decoded(&body)), []);
}

#[test]
fn a_call_by_code_that_anthropic_runs_is_told() {
    let caller = r#"{"type":"code_execution_20250825"}"#;
    let call = r#"{"type":"tool_use","id":"t","name":"f","input":{},"caller":"#;
    let body = with_content(&format!("[{call}{caller}}}]"));
    assert_eq!(extras(&decoded(&body)), [("messages[0].content[0].caller", caller)]);
}

#[test]
fn faults_of_content_name_the_place() {
    for (content, param) in [
        ("1", "messages[0].content"),
        ("[{}]", "messages[0].content[0]"),
        (r#"[{"type":"text"}]"#, "messages[0].content[0].text"),
        (
            r#"[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image"}]}]"#,
            "messages[0].content[0].content[0].source",
        ),
    ] {
        let fault = decode(&with_content(content)).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some(param), "{content}");
    }
}

#[test]
fn faults_of_settings_name_the_field() {
    for (body, param) in [
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"messages":[],"max_tokens":-1}"#, "max_tokens"),
        (r#"{"messages":[],"tools":[{}]}"#, "tools[0].name"),
        (r#"{"messages":[],"tool_choice":{"type":"tool"}}"#, "tool_choice.name"),
        (r#"{"messages":[],"stop_sequences":[1]}"#, "stop_sequences"),
    ] {
        assert_eq!(decode(body).unwrap_err().param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn any_cut_of_a_request_is_a_fault() {
    let body = with_content(r#"[{"type":"thinking","thinking":"é","signature":"\ud83d\ude00"}]"#);
    for at in (0..body.len()).filter(|&at| body.is_char_boundary(at)) {
        assert!(decode(&body[..at]).is_err(), "cut at {at}");
    }
}
