//! Contents and parts of requests, in both directions.
use super::*;
use crate::chat::{
    Block, Cache, Made, Message, Role, Signature, Source, TextBlock, Thinking, ToolCall,
};
use crate::format::Kind;

/// What stands in `contents` after a way through the canonical chat.
fn again(contents: &str, model: &str) -> String {
    let request = decode(contents);
    let (body, dropped) = encode(&request, &target(model));
    assert!(dropped.is_empty(), "{dropped:?}");
    body
}

fn say(role: Role, blocks: Vec<Block<'_>>) -> Message<'_> {
    Message { role, name: None, blocks }
}

fn call<'a>(id: &'a str, signature: Option<Signature<'a>>) -> Block<'a> {
    Block::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: "{}".into(),
        signature,
        cache: None,
    })
}

fn result<'a>(id: &'a str, blocks: Vec<Block<'a>>) -> Block<'a> {
    Block::ToolResult { call_id: id.into(), name: None, blocks, is_error: false, cache: None }
}

fn signature(origin: Kind) -> Signature<'static> {
    Signature { origin, id: None, value: "SIG=".into() }
}

fn image() -> Block<'static> {
    let source = Source::Base64 { media_type: "image/png".into(), data: "AAAA".into() };
    Block::image(source)
}

#[test]
fn every_part_comes_back_as_it_was() {
    let body = r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"x"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"inlineData":{"mimeType":"audio/wav","data":"AAAA"}},{"inlineData":{"mimeType":"video/mp4","data":"AAAA"}},{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}},{"fileData":{"mimeType":"image/webp","fileUri":"gs://b/o"}},{"fileData":{"fileUri":"https://youtu.be/1"}},{"fileData":{"fileUri":"files/abc"}}]},{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"A"},{"executableCode":{"language":"PYTHON","code":"1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}},{"functionCall":{"id":"a","name":"f","args":{"b":[1]}},"thoughtSignature":"B"},{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thoughtSignature":"C"},{"text":"done","thoughtSignature":"D"}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"o"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}]}"#;
    assert_eq!(again(body, "gemini-3.1-pro"), body);
}

#[test]
fn results_say_what_they_said() {
    for response in [
        r#"{"output":"text"}"#,
        r#"{"error":"went wrong"}"#,
        r#"{"a":1,"b":[null]}"#,
        r#"{"error":{"code":5}}"#,
        r#"{"output":"{\"output\":1}"}"#,
        r#"{"output":"[1]"}"#,
    ] {
        let body = format!(
            r#"{{"contents":[{{"role":"model","parts":[{{"functionCall":{{"id":"a","name":"f","args":{{}}}}}}]}},{{"role":"user","parts":[{{"functionResponse":{{"id":"a","name":"f","response":{response}}}}}]}}]}}"#
        );
        assert_eq!(again(&body, "m"), body);
    }
}

#[test]
fn calls_without_ids_get_some_and_results_find_them() {
    let request = decode(
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}},
            {"functionCall":{"name":"f","id":"own"}}]},
        {"role":"function","parts":[{"functionResponse":{"name":"g","response":{"output":"1"}}},
            {"functionResponse":{"name":"f","id":"unheard","response":{"output":"2"}}},
            {"functionResponse":{"name":"f","id":"own"}}]}]}"#,
    );
    let ids = |message: &Message<'_>| -> Vec<String> {
        message
            .blocks
            .iter()
            .map(|block| match block {
                Block::ToolCall(call) => call.id.to_string(),
                Block::ToolResult { call_id, .. } => call_id.to_string(),
                _ => unreachable!(),
            })
            .collect()
    };
    assert_eq!(ids(&request.messages[0]), ["call_1", "call_2", "own"]);
    assert_eq!(ids(&request.messages[1]), ["call_2", "call_1", "own"]);
}

#[test]
fn neighbours_of_one_role_are_one_message() {
    let request = decode(
        r#"{"contents":[{"parts":[{"text":"a"}]},{"role":"user","parts":{"text":"b"}},{"role":"","parts":[]},
            {"role":"model","parts":[{"text":"c"}]},{"role":"model","parts":[{"text":"d"}]}]}"#,
    );
    let sizes: Vec<_> = request.messages.iter().map(|one| (one.role, one.blocks.len())).collect();
    assert_eq!(sizes, [(Role::User, 2), (Role::Assistant, 1)]);
}

#[test]
fn results_stand_in_a_content_of_their_own() {
    let request = Request {
        messages: vec![
            say(Role::Assistant, vec![call("a", None), call("b", None)]),
            say(Role::User, vec![result("a", vec![Block::text("1")]), Block::text("and")]),
            say(Role::User, vec![result("b", vec![image(), Block::text("2")])]),
        ],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target("gemini-2.5-flash"));
    assert_eq!(
        body,
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}}},{"functionCall":{"id":"b","name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"f","response":{"output":"2"}}}]},{"role":"user","parts":[{"text":"and"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}]}"#
    );
    assert!(dropped.is_empty());
}

#[test]
fn a_foreign_thought_is_never_sent() {
    let thought = |origin| {
        let signature = Some(signature(origin));
        Block::Thinking(Thinking { text: "hm".into(), signature, redacted: false })
    };
    let request = Request {
        messages: vec![say(
            Role::Assistant,
            vec![
                thought(Kind::AnthropicMessages),
                thought(Kind::GeminiGenerate),
                call("a", Some(signature(Kind::OpenaiResponses))),
            ],
        )],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target("gemini-2.5-pro"));
    assert_eq!(
        body,
        r#"{"contents":[{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"SIG="},{"functionCall":{"id":"a","name":"f","args":{}}}]}]}"#
    );
    assert_eq!(dropped, ["messages[0].content[0].signature", "messages[0].content[2].signature"]);
}

#[test]
fn the_first_call_of_a_turn_gets_a_stand_in_for_a_proof_where_the_model_wants_one() {
    let request = Request {
        messages: vec![
            say(Role::Assistant, vec![call("a", None), call("b", None)]),
            say(Role::User, vec![result("a", vec![]), result("b", vec![])]),
            say(Role::Assistant, vec![call("c", Some(signature(Kind::GeminiGenerate)))]),
        ],
        ..Request::default()
    };
    let (body, _) = encode(&request, &target("gemini-3.8-flash"));
    assert_eq!(body.matches("thoughtSignature").count(), 2, "{body}");
    assert!(body.contains(
        r#""name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"b""#
    ));
    assert!(body.contains(r#""thoughtSignature":"SIG=""#));
    assert!(!encode(&request, &target("gemini-2.5-pro")).0.contains("skip_thought"));
}

#[test]
fn a_proof_that_came_alone_goes_to_the_call_after_it() {
    let alone = Block::Thinking(Thinking {
        signature: Some(signature(Kind::GeminiGenerate)),
        ..Thinking::default()
    });
    let request = Request {
        messages: vec![say(Role::Assistant, vec![alone, call("a", None)])],
        ..Request::default()
    };
    let (body, _) = encode(&request, &target("m"));
    assert_eq!(
        body,
        r#"{"contents":[{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"SIG="}]}]}"#
    );
}

#[test]
fn system_prompts_come_first_and_alone_they_are_the_users() {
    let system = |text: &'static str| say(Role::System, vec![Block::text(text)]);
    let request = Request {
        messages: vec![
            system("a"),
            say(Role::User, vec![Block::text("x")]),
            say(Role::Developer, vec![Block::text("b")]),
        ],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target("m"));
    assert_eq!(
        body,
        r#"{"systemInstruction":{"parts":[{"text":"a"},{"text":"b"}]},"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#
    );
    assert_eq!(dropped, ["messages[2].role"]);
    let request = Request { messages: vec![system("a")], ..Request::default() };
    let (body, _) = encode(&request, &target("m"));
    assert_eq!(body, r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}]}"#);
}

#[test]
fn nothing_to_say_is_refused() {
    for messages in [vec![], vec![say(Role::User, vec![Block::text("")])]] {
        let request = Request { messages, ..Request::default() };
        let mut dropped = Dropped::default();
        let fault =
            GeminiGenerate.encode_request(&request, &target("m"), &mut dropped).unwrap_err();
        assert!(fault.unsupported);
    }
}

#[test]
fn what_a_block_cannot_keep_is_named() {
    let cache = Some(Cache::default());
    let url = |url: &'static str| Source::Url { url: url.into(), media_type: None };
    let request = Request {
        messages: vec![Message {
            role: Role::User,
            name: Some("ada".into()),
            blocks: vec![
                Block::Text(TextBlock {
                    text: "x".into(),
                    cache: cache.clone(),
                    ..TextBlock::default()
                }),
                Block::Image {
                    source: url("https://a.example/b.webp?c"),
                    detail: Some("high".into()),
                    cache: None,
                    made: Made::default(),
                },
                Block::Image {
                    source: url("https://a.example/b"),
                    detail: Some("auto".into()),
                    cache,
                    made: Made::default(),
                },
                Block::Document {
                    source: Source::Text("plain".into()),
                    title: Some("t".into()),
                    context: Some("c".into()),
                    citations: true,
                    cache: None,
                },
                Block::Opaque { kind: "search_result".into(), value: "{}".into() },
            ],
        }],
        ..Request::default()
    };
    let (body, dropped) = encode(&request, &target("m"));
    assert_eq!(
        body,
        r#"{"contents":[{"role":"user","parts":[{"text":"x"},{"fileData":{"mimeType":"image/webp","fileUri":"https://a.example/b.webp?c"}},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a.example/b"}},{"text":"plain"}]}]}"#
    );
    assert_eq!(
        dropped,
        [
            "messages[0].name",
            "messages[0].content[0].cache_control",
            "messages[0].content[1].detail",
            "messages[0].content[2].cache_control",
            "messages[0].content[3].title",
            "messages[0].content[3].context",
            "messages[0].content[3].citations",
            "messages[0].content[4]",
        ]
    );
}

#[test]
fn arguments_that_are_no_object_do_not_spoil_the_body() {
    for (arguments, written) in [
        ("", "{}"),
        (" ", "{}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":"#, r#"{"arguments":"{\"a\":"}"#),
        ("[1]", r#"{"arguments":"[1]"}"#),
    ] {
        let block = Block::ToolCall(ToolCall {
            id: "a".into(),
            name: "f".into(),
            arguments: arguments.into(),
            signature: None,
            cache: None,
        });
        let request =
            Request { messages: vec![say(Role::Assistant, vec![block])], ..Request::default() };
        let (body, _) = encode(&request, &target("m"));
        assert!(body.contains(&format!(r#""args":{written}}}"#)), "{body}");
    }
}

#[test]
fn data_in_the_other_alphabet_is_read_for_everybody_else() {
    let request = decode(
        r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"-_-_-Q"}}]}]}"#,
    );
    let Block::Image { source: Source::Base64 { data, .. }, .. } = &request.messages[0].blocks[0]
    else {
        panic!("no picture");
    };
    assert_eq!(data, "+/+/+Q==");
}

#[test]
fn a_sealed_proof_is_opened_again() {
    let foreign = signature(Kind::AnthropicMessages);
    let sealed = super::super::proof::write(&foreign, true);
    let body = format!(
        r#"{{"contents":[{{"role":"model","parts":[{{"text":"","thought":true,"thoughtSignature":"{sealed}"}}]}}]}}"#
    );
    let thought =
        Thinking { signature: Some(foreign.clone()), redacted: true, ..Thinking::default() };
    assert_eq!(decode(&body).messages[0].blocks, [Block::Thinking(thought)]);
}

/// As the chats of Google's SDKs keep what they heard: each piece in a content of its own.
#[test]
fn what_the_client_heard_in_pieces_is_put_together() {
    let piece = |part: &str| format!(r#"{{"role":"model","parts":[{part}]}}"#);
    let contents = [
        piece(r#"{"text":"I","thought":true}"#),
        piece(r#"{"text":" see","thought":true}"#),
        piece(r#"{"text":"","thought":true,"thoughtSignature":"A"}"#),
        piece(r#"{"text":"Hel"}"#),
        piece(r#"{"text":"lo"}"#),
        piece(r#"{"text":"","thoughtSignature":"B"}"#),
        piece(r#"{"text":"more"}"#),
        piece(r#"{"functionCall":{"name":"f"}}"#),
        piece(r#"{"text":""}"#),
    ];
    let body = format!(r#"{{"contents":[{}]}}"#, contents.join(","));
    let request = decode(&body);
    let own = |value: &'static str| Signature {
        origin: Kind::GeminiGenerate,
        id: None,
        value: value.into(),
    };
    assert_eq!(
        request.messages[0].blocks[..3],
        [
            Block::Thinking(Thinking {
                text: "I see".into(),
                signature: Some(own("A")),
                redacted: false
            }),
            Block::Text(TextBlock {
                text: "Hello".into(),
                signature: Some(own("B")),
                ..TextBlock::default()
            }),
            Block::text("more"),
        ]
    );
    assert_eq!((request.messages.len(), request.messages[0].blocks.len()), (1, 4));
}
