//! A client's request, read.

use super::*;
use crate::chat::{Effort, FunctionForm, Output, Source, ToolChoice};

/// The blocks of all messages, by message.
fn blocks(body: &str) -> Vec<(Role, Vec<Block<'_>>)> {
    decode(body).messages.into_iter().map(|message| (message.role, message.blocks)).collect()
}

fn functions<'r>(request: &'r Request<'_>) -> Vec<&'r crate::chat::Function<'r>> {
    let of = |tool: &'r Tool<'_>| match tool {
        Tool::Function(function) => Some(function),
        Tool::Hosted { .. } => None,
    };
    request.tools.iter().filter_map(of).collect()
}

#[test]
fn a_string_is_what_the_user_says_and_instructions_are_the_systems() {
    assert_eq!(
        blocks(r#"{"model":"m","input":"Hi","instructions":"Be short."}"#),
        [(Role::System, vec![Block::text("Be short.")]), (Role::User, vec![Block::text("Hi")]),]
    );
}

#[test]
fn items_of_the_model_are_one_turn_and_so_are_results() {
    let turns = blocks(
        r#"{"model":"m","input":[
            {"role":"user","content":"go"},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Wait.","annotations":[]}]},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"},
            {"type":"function_call","call_id":"b","name":"g","arguments":""},
            {"type":"function_call_output","call_id":"a","output":"1"},
            {"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"2"}]},
            {"role":"user","content":[{"type":"input_text","text":"and?"}]}]}"#,
    );
    let roles: Vec<Role> = turns.iter().map(|turn| turn.0).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::User]);
    assert_eq!(turns[1].1.len(), 3);
    assert!(matches!(&turns[1].1[2], Block::ToolCall(call) if call.arguments == "{}"));
    assert_eq!(turns[2].1.len(), 2);
}

#[test]
fn pictures_and_files_come_from_everywhere() {
    let turns = blocks(
        r#"{"model":"m","input":[{"role":"user","content":[
            {"type":"input_image","image_url":"https://x.example/a.png","detail":"low"},
            {"type":"input_image","image_url":"data:image/png;base64,AA=="},
            {"type":"input_image","file_id":"file-1"},
            {"type":"input_file","filename":"a.txt","file_data":"QQ=="},
            {"type":"input_file","file_url":"https://x.example/a.pdf"},
            {"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}}]}]}"#,
    );
    let sources: Vec<&Source<'_>> = turns[0]
        .1
        .iter()
        .map(|block| match block {
            Block::Image { source, .. }
            | Block::Document { source, .. }
            | Block::Audio { source, .. } => source,
            other => unreachable!("{other:?}"),
        })
        .collect();
    let base64 = |media_type: &'static str, data: &'static str| Source::Base64 {
        media_type: media_type.into(),
        data: data.into(),
    };
    let url = |url: &'static str| Source::Url { url: url.into(), media_type: None };
    assert_eq!(
        sources,
        [
            &url("https://x.example/a.png"),
            &base64("image/png", "AA=="),
            &Source::File { id: "file-1".into() },
            &base64("text/plain", "QQ=="),
            &url("https://x.example/a.pdf"),
            &base64("audio/mpeg", "UklG"),
        ]
    );
}

#[test]
fn a_reasoning_item_is_a_thought_with_its_proof() {
    let turns = blocks(
        r#"{"model":"m","input":[{"type":"reasoning","id":"rs_1","encrypted_content":"gAA",
            "summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}]}]}"#,
    );
    let Block::Thinking(thought) = &turns[0].1[0] else { unreachable!() };
    let proof = thought.signature.as_ref().unwrap();
    assert_eq!(thought.text, "One.\n\nTwo.");
    assert_eq!((proof.id.as_deref(), &*proof.value), (Some("rs_1"), "gAA"));
}

#[test]
fn a_proof_of_geminis_without_words_belongs_to_the_next_call() {
    let turns = blocks(
        r#"{"model":"m","input":[
            {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"llmgw1.gemini_generate..abc"},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{}"}]}"#,
    );
    assert_eq!(turns[0].1.len(), 1);
    let Block::ToolCall(ToolCall { signature: Some(signature), .. }) = &turns[0].1[0] else {
        unreachable!()
    };
    assert_eq!((signature.origin, &*signature.value), (Kind::GeminiGenerate, "abc"));
}

#[test]
fn items_that_only_openai_knows_stay_as_they_are() {
    let turns = blocks(
        r#"{"model":"m","input":[{"role":"user","content":"?"},
            {"type":"web_search_call","id":"ws_1","status":"completed"}]}"#,
    );
    let raw = r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#;
    let expected = Block::Opaque { kind: "web_search_call".into(), value: raw.into() };
    assert_eq!(turns[1], (Role::Assistant, vec![expected]));
}

#[test]
fn a_function_that_does_not_say_is_strict_if_its_schema_is() {
    let request = decode(
        r#"{"model":"m","input":"x","tools":[
            {"type":"function","name":"a","parameters":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false}},
            {"type":"function","name":"b","parameters":{"type":"object","properties":{"x":{"type":"string"}}}},
            {"type":"function","name":"c","strict":true,"parameters":{"type":"object","properties":{}}},
            {"type":"function","name":"d","parameters":{"type":"object","required":["x"],"additionalProperties":false,
                "properties":{"x":{"type":"array","items":{"type":"object","properties":{"y":{}}}}}}}]}"#,
    );
    let strict: Vec<_> = functions(&request).iter().map(|one| one.strict).collect();
    assert_eq!(strict, [Some(true), Some(false), Some(true), Some(false)]);
}

#[test]
fn a_group_of_tools_becomes_functions_named_after_both() {
    let request = decode(
        r#"{"model":"m","tools":[{"type":"namespace","name":"mcp__git","description":"Git.",
            "tools":[{"type":"function","name":"log","parameters":{"type":"object"}}]}],
            "input":[{"type":"function_call","call_id":"a","name":"log","namespace":"mcp__git","arguments":"{}"}]}"#,
    );
    let function = functions(&request)[0];
    assert_eq!(function.name, "mcp__git__log");
    assert_eq!(function.group.as_ref().unwrap().name, "log");
    let Block::ToolCall(call) = &request.messages[0].blocks[0] else { unreachable!() };
    assert_eq!(call.name, "mcp__git__log");
    assert_eq!(request.extra[0].name, "tools[0].namespace.description");
}

#[test]
fn a_search_for_tools_adds_what_it_found_once() {
    let found = r#"{"type":"tool_search_output","call_id":"s","execution":"client","tools":[{"type":"function","name":"f","parameters":{}}]}"#;
    let body = format!(
        r#"{{"model":"m","tools":[{{"type":"tool_search","execution":"client","parameters":{{}}}}],"input":[
            {{"type":"tool_search_call","call_id":"s","execution":"client","arguments":{{"query":"f"}}}},{found},{found}]}}"#
    );
    let request = decode(&body);
    let names: Vec<&str> = functions(&request).iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["tool_search", "f"]);
    assert_eq!(functions(&request)[0].form, FunctionForm::ToolSearch);
    let Block::ToolCall(call) = &request.messages[0].blocks[0] else { unreachable!() };
    assert_eq!(call.arguments, r#"{"query":"f"}"#);
}

#[test]
fn choices_of_tools_are_read_unless_only_openai_has_the_tool() {
    let choice = |json: &str| {
        let body = format!(r#"{{"model":"m","input":"x","tool_choice":{json}}}"#);
        let request = decode(&body);
        let choice = request.tool_choice.map(|choice| format!("{choice:?}"));
        (choice, request.extra.len())
    };
    let read = |choice: ToolChoice<'_>| (Some(format!("{choice:?}")), 0);
    assert_eq!(choice("\"required\""), read(ToolChoice::Required));
    assert_eq!(choice(r#"{"type":"custom","name":"p"}"#), read(ToolChoice::Function("p".into())));
    assert_eq!(
        choice(
            r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}"#
        ),
        read(ToolChoice::Allowed { names: vec!["f".into()], required: true })
    );
    assert_eq!(choice(r#"{"type":"web_search_preview"}"#), (None, 1));
}

#[test]
fn what_has_no_place_rides_along_under_its_name() {
    let request = decode(
        r#"{"model":"m","input":"x","text":{"verbosity":"low","format":{"type":"json_object"}},
            "reasoning":{"effort":"max","summary":"auto","context":"all_turns"},"include":["web_search_call.results"],
            "truncation":"auto","store":true,"background":false,"prompt_cache_key":"k","new_thing":[1]}"#,
    );
    let names: Vec<&str> = request.extra.iter().map(|one| &*one.name).collect();
    assert_eq!(
        names,
        [
            "include",
            "new_thing",
            "prompt_cache_key",
            "reasoning.context",
            "reasoning.effort",
            "store",
            "text.verbosity",
            "truncation"
        ]
    );
    assert_eq!(request.output, Output::Json);
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort, reasoning.visible), (Some(Effort::XHigh), Some(true)));
}

#[test]
fn log_probabilities_are_asked_for_in_either_way() {
    let logprobs = |rest: &str| decode(&format!(r#"{{"model":"m","input":"x"{rest}}}"#)).logprobs;
    assert_eq!(logprobs(""), None);
    assert_eq!(logprobs(r#","top_logprobs":0"#), None);
    assert_eq!(logprobs(r#","top_logprobs":3"#), Some(3));
    assert_eq!(logprobs(r#","include":["message.output_text.logprobs"]"#), Some(0));
}

#[test]
fn the_newer_word_for_the_end_user_goes_first() {
    let request = decode(r#"{"model":"m","input":"x","user":"old","safety_identifier":"new"}"#);
    assert_eq!(request.end_user.as_deref(), Some("new"));
    assert_eq!(request.extra[0].name, "user");
    assert_eq!(
        decode(r#"{"model":"m","input":"x","user":"old"}"#).end_user.as_deref(),
        Some("old")
    );
}

#[test]
fn wrong_fields_are_named() {
    for (body, param) in [
        (r#"{"input":"x"}"#, "model"),
        (r#"{"model":"m"}"#, "input"),
        (r#"{"model":"m","input":1}"#, "input"),
        (r#"{"model":"m","input":[{"role":"tool","content":"x"}]}"#, "input[0].role"),
        (r#"{"model":"m","input":[{"role":"user"}]}"#, "input[0].content"),
        (
            r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text"}]}]}"#,
            "input[0].content[0].text",
        ),
        (
            r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}"#,
            "input[0].content[0]",
        ),
        (
            r#"{"model":"m","input":[{"type":"function_call","call_id":"a","arguments":"{}"}]}"#,
            "input[0].name",
        ),
        (r#"{"model":"m","input":[7]}"#, "input[0]"),
        (r#"{"model":"m","input":"x","temperature":"hot"}"#, "temperature"),
        (r#"{"model":"m","input":"x","tools":[{}]}"#, "tools[0].type"),
        (r#"{"model":"m","input":"x","tools":[{"type":"function"}]}"#, "tools[0].name"),
        (r#"{"model":"m","input":"x","tool_choice":"maybe"}"#, "tool_choice"),
        (r#"{"model":"m","input":"x","text":{"format":{"type":"xml"}}}"#, "text.format.type"),
        (r#"{"model":"m","input":"x","include":"all"}"#, "include"),
    ] {
        assert_eq!(fault(body).param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn an_item_that_is_only_referred_to_is_not_here() {
    let fault = fault(r#"{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}"#);
    assert!(fault.unsupported);
    assert_eq!(fault.param.as_deref(), Some("input[0]"));
}

#[test]
fn nonsense_is_refused_without_a_panic() {
    let body = r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"\u00e9"}]},{"type":"reasoning","summary":[{"text":"x"}]},{"type":"custom_tool_call","call_id":"a","name":"p","input":"x"}],"tools":[{"type":"custom","name":"p"}]}"#;
    for end in 0..body.len() {
        let _ = OpenaiResponses.decode_request(&body[..end], PathFacts::default());
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2000 {
        let mut bytes = body.as_bytes().to_vec();
        let at = random.usize(..bytes.len());
        bytes[at] = b"{}[]\",:0ntf"[random.usize(..11)];
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(request) = OpenaiResponses.decode_request(text, PathFacts::default())
        {
            let mut dropped = Dropped::default();
            let _ = OpenaiResponses.encode_request(&request, &openai(), &mut dropped);
        }
    }
}
