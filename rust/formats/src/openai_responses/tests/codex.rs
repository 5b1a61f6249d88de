//! What Codex says and wants to hear: free-text tools, its shell, groups of tools.

use super::*;
use crate::chat::{BlockStart, Delta, Finish};

const TOOLS: &str = r#""tools":[
    {"type":"custom","name":"apply_patch","description":"Edits files.","format":{"type":"grammar","syntax":"lark","definition":"start: \"*\""}},
    {"type":"local_shell"},
    {"type":"namespace","name":"mcp__git__","description":"Git.","tools":[{"type":"function","name":"log","strict":false,"parameters":{"type":"object","properties":{}}}]},
    {"type":"tool_search","execution":"client","description":"Finds tools.","parameters":{"type":"object"}}]"#;

fn body(input: &str) -> String {
    format!(
        r#"{{"model":"m","instructions":"Code.","input":{input},{TOOLS},"tool_choice":"auto","parallel_tool_calls":false,"reasoning":{{"effort":"medium","summary":"auto"}},"store":false,"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k"}}"#
    )
}

fn call(name: &'static str, arguments: &'static str) -> Block<'static> {
    Block::ToolCall(ToolCall {
        id: "a".into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    })
}

#[test]
fn a_free_text_tool_is_a_function_of_one_text_that_tells_its_grammar() {
    let body = body("\"go\"");
    let request = decode(&body);
    let Tool::Function(function) = &request.tools[0] else { unreachable!() };
    assert_eq!(
        function.parameters.as_deref(),
        Some(
            r#"{"type":"object","properties":{"input":{"type":"string","description":"A text that fits this lark grammar:\nstart: \"*\""}},"required":["input"],"additionalProperties":false}"#
        )
    );
}

#[test]
fn a_call_of_a_free_text_tool_and_its_result_are_ordinary_ones() {
    let body = body(
        r#"[{"type":"custom_tool_call","call_id":"a","name":"apply_patch","input":"*** \"x\""},
            {"type":"custom_tool_call_output","call_id":"a","output":"Done"}]"#,
    );
    let request = decode(&body);
    let Block::ToolCall(call) = &request.messages[1].blocks[0] else { unreachable!() };
    assert_eq!(call.arguments, r#"{"input":"*** \"x\""}"#);
    assert!(
        matches!(&request.messages[2].blocks[0], Block::ToolResult { call_id, .. } if call_id == "a")
    );
}

#[test]
fn calls_come_back_in_the_form_that_codex_gave_its_tools() {
    let body = body("\"go\"");
    let request = decode(&body);
    let reply = says(vec![
        call("apply_patch", r#"{"input":"*** \"x\"\n"}"#),
        call("local_shell", r#"{"command":["ls"],"timeout_ms":100}"#),
        call("mcp__git__log", "{}"),
        call("tool_search", r#"{"query":"x"}"#),
        call("update_plan", "{}"),
    ]);
    let written = write_reply(&reply, &request);
    assert_eq!(
        only(&written, &["output"]),
        concat!(
            r#"{"output":[{"id":"ctc_7f_0","type":"custom_tool_call","status":"completed","call_id":"a","name":"apply_patch","input":"*** \"x\"\n"},"#,
            r#"{"id":"lsh_7f_1","type":"local_shell_call","status":"completed","call_id":"a","action":{"type":"exec","command":["ls"],"timeout_ms":100,"env":{}}},"#,
            r#"{"id":"fc_7f_2","type":"function_call","status":"completed","arguments":"{}","call_id":"a","name":"log","namespace":"mcp__git__"},"#,
            r#"{"id":"tsc_7f_3","type":"tool_search_call","status":"completed","call_id":"a","execution":"client","arguments":{"query":"x"}},"#,
            r#"{"id":"fc_7f_4","type":"function_call","status":"completed","arguments":"{}","call_id":"a","name":"update_plan"}]}"#
        )
    );
}

#[test]
fn calls_of_an_upstreams_groups_and_searches_are_mapped_there_and_back() {
    let body = body("\"go\"");
    let output = concat!(
        r#"[{"id":"fc_7f_0","type":"function_call","status":"completed","arguments":"{}","call_id":"a","name":"log","namespace":"mcp__git__"},"#,
        r#"{"id":"tsc_7f_1","type":"tool_search_call","status":"completed","call_id":"b","execution":"client","arguments":{"query":"x"}}]"#
    );
    let answered = format!(r#"{{"id":"resp_1","output":{output}}}"#);
    let written = write_reply(&reply(&answered), &decode(&body));
    assert_eq!(only(&written, &["output"]), format!("{{\"output\":{output}}}"));
}

#[test]
fn a_model_that_writes_a_patch_without_json_is_understood() {
    let body = body("\"go\"");
    let reply = says(vec![call("apply_patch", "*** Begin Patch")]);
    let written = write_reply(&reply, &decode(&body));
    assert!(written.contains(r#""input":"*** Begin Patch""#), "{written}");
}

/// The events of a call whose arguments come in these pieces: names and deltas.
fn stream(name: &'static str, pieces: &[&str]) -> Vec<(String, String)> {
    let body = body("\"go\"");
    let start = BlockStart::ToolCall { id: "a".into(), name: name.into(), signature: None };
    let mut events = vec![Event::BlockStart { choice: 0, block: 0, start }];
    events.extend(pieces.iter().map(|piece| Event::Delta {
        choice: 0,
        block: 0,
        delta: Delta::Arguments((*piece).into()),
    }));
    events.push(Event::BlockStop { choice: 0, block: 0 });
    events.push(Event::Finish { choice: 0, finish: Finish::ToolCalls, stop_sequence: None });
    let written = write_stream(&decode(&body), &events);
    let value = |data: &str, name: &str| {
        let value = crate::value::Value::parse(data).unwrap();
        value.get(name).and_then(crate::value::Value::text).unwrap_or_default().into_owned()
    };
    written
        .split_terminator("\n\n")
        .skip(2)
        .map(|event| {
            let (name, data) = event.split_once("\ndata: ").unwrap();
            let text = ["delta", "input", "arguments"].map(|name| value(data, name)).concat();
            (name.trim_start_matches("event: response.").to_owned(), text)
        })
        .collect()
}

#[test]
fn the_text_of_a_free_text_tool_streams_as_it_comes() {
    let pieces =
        [r#"{"in"#, r#"put": "*** \"#, r#""x\u00"#, r#"e9\ud83d"#, r#"\ude00\n"#, r#"end"}"#];
    let text = |text: &str| text.to_owned();
    assert_eq!(
        stream("apply_patch", &pieces),
        [
            (text("output_item.added"), text("")),
            (text("custom_tool_call_input.delta"), text("*** ")),
            (text("custom_tool_call_input.delta"), text("\"x")),
            (text("custom_tool_call_input.delta"), text("é")),
            (text("custom_tool_call_input.delta"), text("😀\n")),
            (text("custom_tool_call_input.delta"), text("end")),
            (text("custom_tool_call_input.done"), text("*** \"xé😀\nend")),
            (text("output_item.done"), text("")),
        ]
    );
}

#[test]
fn the_deltas_of_a_free_text_tool_add_up_however_its_arguments_are_cut() {
    let arguments = r#"{"input":"a\\b\"c\u00e9\ud83d\ude00\ud83dx\n*** End"}"#;
    let whole = stream("apply_patch", &[arguments]);
    let done = &whole[whole.len() - 2];
    for at in (0..arguments.len()).filter(|at| arguments.is_char_boundary(*at)) {
        let cut = stream("apply_patch", &[&arguments[..at], &arguments[at..]]);
        let deltas: String =
            cut.iter().filter(|one| one.0.ends_with("delta")).map(|one| &*one.1).collect();
        assert_eq!(deltas, done.1, "cut at {at}");
        assert_eq!(&cut[cut.len() - 2], done);
    }
}

#[test]
fn arguments_of_another_shape_come_whole_at_the_end() {
    for (pieces, expected) in [
        (["{\"patch\":\"y\",", "\"input\":\"x\"}"], "x"),
        (["*** Begin", " Patch"], "*** Begin Patch"),
        (["", ""], ""),
    ] {
        let events = stream("apply_patch", &pieces);
        let done = events.iter().find(|one| one.0 == "custom_tool_call_input.done").unwrap();
        assert_eq!(done.1, expected);
    }
}

#[test]
fn a_shell_call_comes_whole() {
    let names: Vec<String> =
        stream("local_shell", &["{\"command\":[\"ls\"]}"]).into_iter().map(|one| one.0).collect();
    assert_eq!(names, ["output_item.added", "output_item.done"]);
}

#[test]
fn a_call_of_an_upstreams_free_text_tool_is_wrapped_piece_by_piece() {
    let frames = [
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"ctc_1","type":"custom_tool_call","call_id":"a","name":"p","input":""}}"#,
        r#"{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"a\"b"}"#,
        r#"{"type":"response.custom_tool_call_input.done","output_index":0,"input":"a\"bc"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"ctc_1","type":"custom_tool_call","call_id":"a","name":"p","input":"a\"bc"}}"#,
        r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#,
    ];
    let (events, complete) = hear(&frames, &Sent::default());
    assert!(complete);
    let deltas: Vec<&String> = events.iter().filter(|event| event.contains("Arguments(")).collect();
    let arguments: Vec<String> = [r#"{"input":""#, r#"a\"b"#, "c", r#""}"#]
        .iter()
        .map(|piece| format!("Delta {{ choice: 0, block: 0, delta: Arguments({piece:?}) }}"))
        .collect();
    assert_eq!(deltas, arguments.iter().collect::<Vec<_>>());
}

#[test]
fn tools_that_stand_in_the_conversation_are_tools() {
    let request = decode(
        r#"{"model":"m","input":[
            {"type":"additional_tools","id":"at_1","role":"developer","tools":[
                {"type":"namespace","name":"functions","description":"","tools":[{"type":"custom","name":"exec"}]},
                {"type":"web_search"}]},
            {"role":"user","content":"go"},
            {"type":"custom_tool_call","call_id":"a","name":"exec","namespace":"functions","input":"1"}]}"#,
    );
    let Tool::Function(exec) = &request.tools[0] else { unreachable!() };
    assert_eq!(exec.name, "functions__exec");
    assert!(matches!(&request.tools[1], Tool::Hosted { kind, .. } if kind == "web_search"));
    assert_eq!(request.messages[0].role, Role::User);
    let Block::ToolCall(call) = &request.messages[1].blocks[0] else { unreachable!() };
    assert_eq!(call.name, exec.name);
}
