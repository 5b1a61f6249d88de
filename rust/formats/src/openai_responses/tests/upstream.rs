//! A request, written for an upstream.

use super::*;
use crate::anthropic_messages::AnthropicMessages;
use crate::chat::{
    Cache, Effort, Extra, Function, Message, Output, OutputSchema, Reasoning, Signature, Source,
    TextBlock, ToolChoice,
};

fn message(role: Role, blocks: Vec<Block<'_>>) -> Message<'_> {
    Message { role, name: None, blocks }
}

fn asks(messages: Vec<Message<'_>>) -> Request<'_> {
    Request { messages, ..Request::default() }
}

fn hello() -> Request<'static> {
    asks(vec![message(Role::User, vec![Block::text("Hi")])])
}

fn thought(origin: Kind) -> Block<'static> {
    let signature = Signature { origin, id: Some("rs_1".into()), value: "gAA".into() };
    Block::Thinking(Thinking { text: "Hm.".into(), signature: Some(signature), redacted: false })
}

/// The `input` of the body.
fn input(request: &Request<'_>, target: &Target<'_>) -> (String, Vec<String>) {
    let (body, dropped) = encode(request, target);
    (only(&body, &["input"]), dropped)
}

#[test]
fn nothing_is_stored_unless_the_client_says_so() {
    let (body, _) = encode(&hello(), &openai());
    assert_eq!(
        body,
        r#"{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"store":false}"#
    );
    let (body, dropped) = encode(&decode(r#"{"model":"m","input":"Hi","store":true}"#), &openai());
    assert_eq!(only(&body, &["store"]), r#"{"store":true}"#);
    assert!(dropped.is_empty());
}

#[test]
fn the_systems_words_are_instructions_unless_there_is_nothing_else() {
    let system = message(Role::System, vec![Block::text("A"), Block::text("B")]);
    let (body, _) = encode(&asks(vec![system.clone(), hello().messages.remove(0)]), &openai());
    assert_eq!(only(&body, &["instructions"]), r#"{"instructions":"A\n\nB"}"#);
    let (body, _) = encode(&asks(vec![system]), &openai());
    assert_eq!(
        only(&body, &["instructions", "input"]),
        r#"{"instructions":absent,"input":[{"type":"message","role":"system","content":[{"type":"input_text","text":"A"},{"type":"input_text","text":"B"}]}]}"#
    );
}

#[test]
fn a_thought_goes_back_before_its_call_and_its_proof_is_asked_for() {
    let call = Block::ToolCall(ToolCall {
        id: "a".into(),
        name: "f".into(),
        arguments: "{}".into(),
        signature: None,
        cache: None,
    });
    let turn = message(Role::Assistant, vec![thought(Kind::OpenaiResponses), call]);
    let (body, dropped) = encode(&asks(vec![turn]), &openai());
    assert_eq!(
        only(&body, &["input", "include"]),
        r#"{"input":[{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAA"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}],"include":["reasoning.encrypted_content"]}"#
    );
    assert!(dropped.is_empty());
}

#[test]
fn a_foreign_thought_is_never_sent() {
    let turn =
        message(Role::Assistant, vec![thought(Kind::AnthropicMessages), Block::text("Yes.")]);
    for target in [openai(), compatible()] {
        let (body, dropped) = input(&asks(vec![turn.clone()]), &target);
        assert!(!body.contains("gAA") && !body.contains("Hm."), "{body}");
        assert_eq!(dropped, ["messages[0].content[0].signature"]);
    }
}

#[test]
fn an_unproven_thought_goes_to_hosts_of_open_models_only() {
    let thought = Thinking { text: "Hm.".into(), ..Thinking::default() };
    let turn = message(Role::Assistant, vec![Block::Thinking(thought), Block::text("Yes.")]);
    let (body, dropped) = input(&asks(vec![turn.clone()]), &openai());
    assert!(!body.contains("Hm."));
    assert_eq!(dropped, ["messages[0].content[0]"]);
    let (body, dropped) = input(&asks(vec![turn]), &compatible());
    assert!(body.contains(
        r#"{"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]}"#
    ));
    assert!(dropped.is_empty());
}

#[test]
fn a_result_with_a_picture_keeps_it_and_loses_the_word_error() {
    let picture =
        Block::image(Source::Base64 { media_type: "image/png".into(), data: "AA==".into() });
    let result = Block::ToolResult {
        call_id: "a".into(),
        name: None,
        blocks: vec![Block::text("see"), picture],
        is_error: true,
        cache: None,
    };
    let (body, dropped) = input(&asks(vec![message(Role::User, vec![result])]), &openai());
    assert_eq!(
        body,
        r#"{"input":[{"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/png;base64,AA=="}]}]}"#
    );
    assert_eq!(dropped, ["messages[0].content[0].is_error"]);
}

#[test]
fn a_question_that_cannot_be_carried_at_all_is_refused() {
    let video = Block::Video { source: Source::File { id: "v".into() } };
    let request = asks(vec![message(Role::User, vec![video])]);
    let fault = OpenaiResponses.encode_request(&request, &openai(), &mut Dropped::default());
    assert!(fault.unwrap_err().unsupported);
}

#[test]
fn what_the_format_lacks_is_named() {
    let request = Request {
        stop: vec!["END".into()],
        seed: Some(1),
        top_k: Some(5),
        n: Some(2),
        frequency_penalty: Some(1.0),
        presence_penalty: Some(1.0),
        max_output_tokens: Some(5),
        temperature: Some(0.5),
        top_p: Some(1.0),
        logprobs: Some(50),
        ..hello()
    };
    let (body, dropped) = encode(&request, &openai());
    assert_eq!(
        dropped,
        [
            "temperature",
            "max_output_tokens (clamped)",
            "logprobs (clamped)",
            "top_k",
            "frequency_penalty",
            "presence_penalty",
            "stop",
            "seed",
            "n"
        ]
    );
    assert_eq!(
        only(&body, &["max_output_tokens", "top_logprobs", "include"]),
        r#"{"max_output_tokens":16,"top_logprobs":20,"include":["message.output_text.logprobs"]}"#
    );
}

#[test]
fn a_model_that_does_not_think_is_not_told_how_much() {
    let reasoning = Reasoning { effort: Some(Effort::High), ..Reasoning::default() };
    let request = Request { reasoning: Some(reasoning), ..hello() };
    let (body, dropped) = encode(&request, &Target { reasoning: false, ..openai() });
    assert_eq!(only(&body, &["reasoning", "include"]), r#"{"reasoning":absent,"include":absent}"#);
    assert_eq!(dropped, ["reasoning"]);
}

#[test]
fn a_budget_of_thought_becomes_an_effort_and_a_wish_to_see_it_a_summary() {
    let reasoning = Reasoning { budget: Some(8192), visible: Some(true), ..Reasoning::default() };
    let request = Request { reasoning: Some(reasoning), ..hello() };
    let (body, _) = encode(&request, &openai());
    assert_eq!(
        only(&body, &["reasoning"]),
        r#"{"reasoning":{"effort":"medium","summary":"auto"}}"#
    );
}

fn schema() -> Output<'static> {
    let schema = OutputSchema { schema: r#"{"type":"object"}"#.into(), ..OutputSchema::default() };
    Output::Schema(schema)
}

#[test]
fn a_schema_is_asked_for_by_a_tool_where_the_model_takes_none() {
    let request = Request { output: schema(), ..hello() };
    let (body, _) = encode(&request, &openai());
    assert_eq!(
        only(&body, &["text"]),
        r#"{"text":{"format":{"type":"json_schema","name":"output","schema":{"type":"object"}}}}"#
    );
    let sent = OpenaiResponses.encode_request(&request, &compatible(), &mut Dropped::default());
    let sent = sent.unwrap();
    assert_eq!(sent.output_tool, Some("json_output"));
    let body = String::from_utf8(sent.body).unwrap();
    assert_eq!(
        only(&body, &["text", "tool_choice"]),
        r#"{"text":absent,"tool_choice":{"type":"function","name":"json_output"}}"#
    );
}

#[test]
fn tools_always_say_whether_they_are_strict() {
    let function = Function { name: "f".into(), ..Function::default() };
    let request = Request {
        tools: vec![Tool::Function(function)],
        tool_choice: Some(ToolChoice::Function("f".into())),
        parallel_tool_calls: Some(false),
        ..hello()
    };
    let (body, _) = encode(&request, &openai());
    assert_eq!(
        only(&body, &["tools", "tool_choice", "parallel_tool_calls"]),
        r#"{"tools":[{"type":"function","name":"f","parameters":null,"strict":false}],"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false}"#
    );
}

#[test]
fn cache_marks_of_other_dialects_are_noted() {
    let marked = |ttl: &'static str| {
        let cache = Some(Cache { ttl: Some(ttl.into()) });
        let text = TextBlock { text: "Hi".into(), cache, ..TextBlock::default() };
        asks(vec![message(Role::User, vec![Block::Text(text)])])
    };
    let (body, dropped) = input(&marked("5m"), &openai());
    assert!(!body.contains("breakpoint"));
    assert_eq!(dropped, ["messages[0].content[0].cache_control"]);
    let (body, dropped) = input(&marked("30m"), &openai());
    assert!(body.contains(r#""prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}"#));
    assert!(dropped.is_empty());
}

#[test]
fn ids_that_are_too_long_are_shortened_alike() {
    let id = "x".repeat(100);
    let call = ToolCall {
        id: id.clone().into(),
        name: "f".into(),
        arguments: "{}".into(),
        signature: None,
        cache: None,
    };
    let result = Block::ToolResult {
        call_id: id.into(),
        name: None,
        blocks: vec![Block::text("1")],
        is_error: false,
        cache: None,
    };
    let request = asks(vec![
        message(Role::Assistant, vec![Block::ToolCall(call)]),
        message(Role::User, vec![result]),
    ]);
    let (body, _) = encode(&request, &openai());
    let value = crate::value::Value::parse(&body).unwrap();
    let ids: Vec<_> = value
        .get("input")
        .unwrap()
        .items()
        .iter()
        .map(|item| item.get("call_id").unwrap().text().unwrap())
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 64);
}

#[test]
fn what_openai_alone_has_comes_through_unchanged() {
    let body = r#"{"model":"m","input":[{"type":"web_search_call","id":"ws_1"}],"tools":[{"type":"web_search"},{"type":"tool_search"},{"type":"function","name":"f","parameters":{},"strict":false,"defer_loading":true}],"tool_choice":{"type":"web_search_preview"},"text":{"verbosity":"low"},"reasoning":{"effort":"max","mode":"pro"},"include":["reasoning.encrypted_content","web_search_call.results"],"store":true,"background":true,"max_tool_calls":3,"truncation":"auto"}"#;
    let (written, dropped) = encode(&decode(body), &openai());
    assert!(dropped.is_empty(), "{dropped:?}");
    let names = ["input", "tools", "tool_choice", "text", "reasoning", "include", "store"];
    assert_eq!(only(&written, &names), only(body, &names));
    let names = ["background", "max_tool_calls", "truncation"];
    assert_eq!(only(&written, &names), only(body, &names));
}

/// A conversation of every sort of block reads the same again.
#[test]
fn a_request_written_for_openai_reads_the_same_again() {
    let body = r#"{"model":"m","instructions":"Be short.","input":[
        {"role":"developer","content":"Now."},
        {"role":"user","content":[{"type":"input_text","text":"é\n"},{"type":"input_image","image_url":"https://x.example/a.png","detail":"high"},
            {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="},{"type":"input_file","file_id":"file-1"}]},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAA"},
        {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gBB"},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Wait."},{"type":"refusal","refusal":"No."}]},
        {"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"Hm"}]},
        {"type":"message","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"So"}]},
        {"type":"tool_search_call","call_id":"d","execution":"client","arguments":{"query":"x"}},
        {"type":"tool_search_output","call_id":"d","execution":"client","tools":[{"type":"namespace","name":"n","description":"N.","tools":[{"type":"function","name":"g","parameters":{},"strict":false}]}]},
        {"type":"function_call","call_id":"e","namespace":"mcp__git__","name":"log","arguments":"{}"},
        {"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"},
        {"type":"custom_tool_call","call_id":"b","name":"p","input":"*** \"x\"\n"},
        {"type":"local_shell_call","call_id":"c","status":"completed","action":{"type":"exec","command":["ls"],"env":{}}},
        {"type":"function_call_output","call_id":"a","output":"1"},
        {"type":"custom_tool_call_output","call_id":"b","output":[{"type":"input_text","text":"2"},{"type":"input_image","file_id":"file-2"}]},
        {"type":"function_call_output","call_id":"c","output":""}],
        "tools":[{"type":"function","name":"f","description":"F.","parameters":{"type":"object","properties":{}},"strict":false},
            {"type":"custom","name":"p","description":"P.","format":{"type":"grammar","syntax":"lark","definition":"start: /x/"}},
            {"type":"local_shell"},{"type":"web_search"},
            {"type":"namespace","name":"mcp__git__","description":"Git.","tools":[{"type":"function","name":"log","parameters":{},"strict":false,"defer_loading":true},
                {"type":"custom","name":"note"}]},
            {"type":"namespace","name":"mcp__db__","description":"DB.","tools":[{"type":"function","name":"log","parameters":{},"strict":true}]},
            {"type":"tool_search","execution":"client","description":"Finds.","parameters":{"type":"object"}}],
        "tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"},{"type":"custom","name":"p"}]},
        "parallel_tool_calls":false,"max_output_tokens":100,"top_logprobs":2,"include":["message.output_text.logprobs"],
        "text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{"type":"object"},"strict":true},"verbosity":"low"},
        "reasoning":{"effort":"low","summary":"concise"},"metadata":{"a":"b"},"service_tier":"flex","safety_identifier":"u","stream":true,"prompt_cache_key":"k"}"#;
    let request = decode(body);
    let (written, dropped) = encode(&request, &openai());
    assert!(dropped.is_empty(), "{dropped:?}");
    assert_eq!(written.matches("\"name\":\"log\"").count(), 3);
    assert_eq!(written.matches("\"name\":\"g\"").count(), 1);
    let mut again = decode(&written);
    again.echo.clone_from(&request.echo);
    assert_eq!(again, request);
}

#[test]
fn how_anthropic_finds_and_calls_tools_is_not_told_to_openai() {
    let body = r#"{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"x"}],"tools":[
        {"name":"a","input_schema":{},"defer_loading":true},
        {"name":"b","input_schema":{},"allowed_callers":["direct","code_execution_20250825"]},
        {"name":"c","input_schema":{},"allowed_callers":["direct"]}]}"#;
    let request = AnthropicMessages.decode_request(body, PathFacts::default()).unwrap();
    let (written, dropped) = encode(&request, &openai());
    assert_eq!(dropped, ["tools[0].defer_loading", "tools[1].allowed_callers"]);
    assert!(!written.contains("defer_loading"));
    assert_eq!(written.matches("allowed_callers").count(), 1);
}

#[test]
fn how_anthropic_manages_a_context_is_not_told_to_openai() {
    let edits = r#"{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}"#;
    let managed = |value: &'static str| Request {
        extra: vec![Extra { name: "context_management".into(), value: value.into() }],
        ..hello()
    };
    let (body, dropped) = encode(&managed(edits), &openai());
    assert!(!body.contains("context_management"), "{body}");
    assert_eq!(dropped, ["context_management"]);
    let (body, _) = encode(&managed(r#"[{"type":"compaction"}]"#), &openai());
    assert_eq!(
        only(&body, &["context_management"]),
        r#"{"context_management":[{"type":"compaction"}]}"#
    );
}
