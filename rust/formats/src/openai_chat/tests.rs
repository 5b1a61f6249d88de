#![allow(clippy::unwrap_used)]
mod functions;

use super::*;
use crate::chat::{Block, Delta, Event, Finish, Role};
use crate::format::Frame;

fn decode(body: &str) -> Request<'_> {
    OpenaiChat.decode_request(body, PathFacts::default()).unwrap()
}

fn target() -> Target<'static> {
    Target { model: "m", original: true, native_schema: true, ..Target::default() }
}

fn encode(request: &Request<'_>, target: &Target<'_>) -> (String, Vec<String>) {
    let mut dropped = Dropped::default();
    let sent = OpenaiChat.encode_request(request, target, &mut dropped).unwrap();
    let names = dropped.names().iter().map(ToString::to_string).collect();
    (String::from_utf8(sent.body).unwrap(), names)
}

fn events(frames: &[&str], sent: &Sent) -> (Vec<String>, bool) {
    let mut decoder = OpenaiChat.stream_decoder(sent);
    let mut seen = Vec::new();
    for data in frames {
        decoder
            .frame(Frame { event: None, data }, &mut |event| seen.push(format!("{event:?}")))
            .unwrap();
    }
    let complete = decoder.close(&mut |event| seen.push(format!("{event:?}")));
    (seen, complete)
}

#[test]
fn tool_messages_become_results_of_one_user_turn() {
    let request = decode(
        r#"{"model":"m","messages":[
            {"role":"tool","tool_call_id":"a","content":"1"},
            {"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"}]},
            {"role":"user","content":"go on"}]}"#,
    );
    assert_eq!(request.messages.len(), 2);
    assert_eq!(request.messages[0].role, Role::User);
    assert!(
        matches!(&request.messages[0].blocks[1], Block::ToolResult { call_id, .. } if call_id == "b")
    );
}

#[test]
fn marks_of_either_kind_are_cache_marks() {
    let request = decode(
        r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"text","text":"a","prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}},
            {"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}]}"#,
    );
    let marks: Vec<_> = request.messages[0]
        .blocks
        .iter()
        .map(|block| match block {
            Block::Text(text) => text.cache.as_ref().map(|cache| cache.ttl.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(marks, [Some(Some("30m")), Some(None)]);
}

#[test]
fn a_picture_in_a_tool_result_follows_in_the_users_words() {
    let request = Request {
        messages: vec![crate::chat::Message {
            role: Role::User,
            name: None,
            blocks: vec![Block::ToolResult {
                call_id: "a".into(),
                name: None,
                blocks: vec![
                    Block::text("see"),
                    Block::Image {
                        source: crate::chat::Source::Base64 {
                            media_type: "image/png".into(),
                            data: "AA==".into(),
                        },
                        detail: None,
                        cache: None,
                        made: crate::chat::Made::default(),
                    },
                ],
                is_error: true,
                cache: None,
            }],
        }],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target());
    assert_eq!(
        body,
        r#"{"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"see"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}"#
    );
    assert_eq!(dropped, ["messages[0].content[0].is_error"]);
}

#[test]
fn wrong_fields_are_named() {
    for (body, param) in [
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"messages":{}}"#, "messages"),
        (r#"{"messages":[{"role":"robot"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
            "messages[0].content[0].image_url",
        ),
        (r#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
        (r#"{"messages":[],"temperature":"hot"}"#, "temperature"),
        (
            r#"{"messages":[],"tools":[{"type":"function","function":{}}]}"#,
            "tools[0].function.name",
        ),
        (r#"{"messages":[],"tool_choice":"perhaps"}"#, "tool_choice"),
        (r#"{"messages":[],"response_format":{"type":"xml"}}"#, "response_format.type"),
        (r#"{"messages":[],"functions":[{}]}"#, "functions[0].name"),
        (r#"{"messages":[],"function_call":"perhaps"}"#, "function_call"),
    ] {
        let fault = OpenaiChat.decode_request(body, PathFacts::default()).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn unknown_members_ride_along_with_their_path() {
    let request =
        decode(r#"{"messages":[{"role":"user","content":"x","weight":1}],"logit_bias":{"5":1}}"#);
    let names: Vec<&str> = request.extra.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["messages[0].weight", "logit_bias"]);
}

#[test]
fn a_foreign_thought_is_never_sent() {
    let request = decode(
        r#"{"messages":[{"role":"assistant","content":"x","thinking_blocks":[
            {"type":"thinking","thinking":"secret","signature":"llmgw1.anthropic_messages..SIG"}]}]}"#,
    );
    let compatible = Target { original: false, ..target() };
    let (body, dropped) = encode(&request, &compatible);
    assert!(!body.contains("secret") && !body.contains("SIG"), "{body}");
    assert_eq!(dropped, ["messages[0].content[0]"]);
}

#[test]
fn thoughts_go_back_to_their_host_only_while_tools_are_called() {
    let with = decode(
        r#"{"messages":[{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]}"#,
    );
    let compatible = Target { original: false, ..target() };
    assert!(encode(&with, &compatible).0.contains(r#""reasoning_content":"hm""#));
    let without =
        decode(r#"{"messages":[{"role":"assistant","content":"x","reasoning_content":"hm"}]}"#);
    assert!(!encode(&without, &compatible).0.contains("hm"));
}

#[test]
fn a_schema_is_asked_for_by_a_tool_where_the_model_takes_none() {
    let request = decode(
        r#"{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"o","schema":{"type":"object"}}}}"#,
    );
    let plain = Target { native_schema: false, ..target() };
    let sent = OpenaiChat.encode_request(&request, &plain, &mut Dropped::default()).unwrap();
    let reply = r#"{"choices":[{"message":{"tool_calls":[{"id":"a","type":"function","function":{"name":"json_output","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}]}"#;
    let reply = OpenaiChat.decode_reply(reply, &sent).unwrap();
    assert_eq!(reply.choices[0].finish, Finish::Stop);
    assert_eq!(reply.choices[0].blocks, [Block::text("{\"a\":1}")]);
    let (seen, _) = events(
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"json_output","arguments":"{\"a\""}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}"#,
            "[DONE]",
        ],
        &sent,
    );
    assert!(seen[1].contains("start: Answer") && seen[3].contains(":1}"), "{seen:?}");
    assert!(seen[5].contains("finish: Stop"), "{seen:?}");
}

#[test]
fn hosts_that_number_every_call_zero_are_understood() {
    let (seen, complete) = events(
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
        ],
        &Sent::default(),
    );
    assert!(complete);
    assert_eq!(seen.iter().filter(|event| event.starts_with("BlockStart")).count(), 2);
    assert!(seen.iter().any(|event| event.contains("finish: ToolCalls")), "{seen:?}");
}

#[test]
fn a_name_that_comes_late_does_not_lose_the_arguments_before_it() {
    let (seen, _) = events(
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\":"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1}"}}]}}]}"#,
        ],
        &Sent::default(),
    );
    assert!(seen[2].contains(r#"Arguments("{\"x\":1}")"#), "{seen:?}");
}

#[test]
fn an_error_in_a_stream_ends_it() {
    let (seen, complete) = events(
        &[
            r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
            r#"{"error":{"message":"no","type":"server_error","code":null}}"#,
            "[DONE]",
        ],
        &Sent::default(),
    );
    assert!(!complete);
    assert!(seen.last().unwrap().starts_with("Error"), "{seen:?}");
}

#[test]
fn a_stream_that_just_stops_is_not_complete() {
    let (seen, complete) =
        events(&[r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#], &Sent::default());
    assert!(!complete && !seen.iter().any(|event| event == "End"));
}

#[test]
fn the_proof_of_a_thought_comes_with_all_of_it() {
    let context = Context { request_id: "r", now: 1 };
    let mut encoder = OpenaiChat.stream_encoder(&Request::default(), &context);
    let mut out = Vec::new();
    let signature =
        crate::chat::Signature { origin: Kind::AnthropicMessages, id: None, value: "SIG".into() };
    let delta = |delta| Event::Delta { choice: 0, block: 0, delta };
    for event in [
        Event::Start { id: "".into(), model: "m".into(), created: None },
        Event::BlockStart { choice: 0, block: 0, start: crate::chat::BlockStart::Thinking },
        delta(Delta::Text("a".into())),
        delta(Delta::Text("b".into())),
        delta(Delta::Signature(signature)),
        Event::BlockStop { choice: 0, block: 0 },
    ] {
        encoder.event(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains(r#""thinking":"ab","signature":"llmgw1.anthropic_messages..SIG""#),
        "{text}"
    );
    assert!(
        text.starts_with(
            r#"data: {"id":"chatcmpl-r","object":"chat.completion.chunk","created":1"#
        ),
        "{text}"
    );
}

#[test]
fn calls_that_are_told_in_turns_are_said_one_after_another() {
    let (seen, complete) = events(
        &[
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\""}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]},"finish_reason":"tool_calls"}]}"#,
        ],
        &Sent::default(),
    );
    assert!(complete);
    let order: Vec<&str> = seen.iter().map(|event| event.split(' ').next().unwrap()).collect();
    assert_eq!(
        order,
        [
            "Start",
            "BlockStart",
            "Delta",
            "Delta",
            "BlockStop",
            "BlockStart",
            "Delta",
            "Delta",
            "BlockStop",
            "Finish",
            "End"
        ]
    );
}

#[test]
fn a_seed_that_is_no_whole_number_is_the_clients_mistake() {
    for (field, value) in [("seed", "1.5"), ("seed", "18446744073709551615"), ("top_k", "-1")] {
        let body = format!(r#"{{"model":"m","messages":[],"{field}":{value}}}"#);
        let fault = OpenaiChat.decode_request(&body, PathFacts::default()).unwrap_err();
        assert_eq!(fault.param.as_deref(), Some(field));
    }
}

#[test]
fn two_calls_in_very_many_pieces_are_read_in_time() {
    let piece = |index: u8, text: &str| {
        let call = format!(
            r#"{{"index":{index},"id":"c{index}","function":{{"name":"f","arguments":"{text}"}}}}"#
        );
        format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{call}]}}}}]}}"#)
    };
    let mut frames = vec![piece(0, r#"{\"a\":\""#), piece(1, "{")];
    frames.extend((0..100_000).map(|_| piece(0, "xxxxxxxxxx")));
    frames.extend([piece(0, r#"\"}"#), piece(1, "}")]);
    let frames: Vec<&str> = frames.iter().map(|frame| &frame[..]).collect();
    let (seen, _) = events(&frames, &Sent::default());
    let starts = seen.iter().filter(|event| event.starts_with("BlockStart"));
    assert_eq!(starts.count(), 2);
}

#[test]
fn a_turn_of_which_nothing_can_be_said_is_no_list_of_no_parts() {
    let opaque = |kind: &'static str| Block::Opaque { kind: kind.into(), value: "{}".into() };
    let turn = |role, block| crate::chat::Message { role, name: None, blocks: vec![block] };
    let request = Request {
        messages: vec![
            turn(Role::Developer, opaque("configuration_update")),
            turn(Role::User, opaque("compaction_trigger")),
        ],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target());
    assert_eq!(body, r#"{"model":"m","messages":[{"role":"user","content":""}]}"#);
    assert_eq!(dropped, ["messages[0].content[0]", "messages[1].content[0]"]);
}
