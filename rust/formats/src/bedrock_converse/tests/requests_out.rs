//! The conversation that is sent to Bedrock.

use super::*;
use crate::Kind;
use crate::chat::{
    Cache, Function, Signature, Source, TextBlock, Thinking, Tool, ToolCall, ToolChoice,
};
use serde_json::json;

pub(super) fn call(
    id: &'static str,
    name: &'static str,
    arguments: &'static str,
) -> Block<'static> {
    let (id, name, arguments) = (id.into(), name.into(), arguments.into());
    Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })
}

pub(super) fn result(id: &'static str, blocks: Vec<Block<'static>>) -> Block<'static> {
    Block::ToolResult { call_id: id.into(), name: None, blocks, is_error: false, cache: None }
}

pub(super) fn tool(name: &'static str) -> Tool<'static> {
    Tool::Function(Function { name: name.into(), ..Function::default() })
}

fn picture(media_type: &'static str) -> Block<'static> {
    let source = Source::Base64 { media_type: media_type.into(), data: "aGk=".into() };
    Block::image(source)
}

fn document(title: Option<&'static str>) -> Block<'static> {
    let source = Source::Base64 { media_type: "application/pdf".into(), data: "aGk=".into() };
    let title = title.map(Into::into);
    Block::Document { source, title, context: None, citations: false, cache: None }
}

pub(super) fn thought(origin: Kind) -> Block<'static> {
    let signature = Some(Signature { origin, id: None, value: "c2ln".into() });
    Block::Thinking(Thinking { text: "Hm.".into(), signature, redacted: false })
}

#[test]
fn a_whole_request() {
    let mut request = hello();
    request.messages.insert(0, said(Role::System, vec![Block::text("Be brief.")]));
    request.max_output_tokens = Some(1024);
    request.temperature = Some(0.5);
    request.stop = vec!["END".into()];
    request.tools = vec![Tool::Function(Function {
        name: "weather".into(),
        description: Some("Tells the weather".into()),
        parameters: Some(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#.into()),
        strict: Some(true),
        cache: Some(Cache::default()),
        ..Function::default()
    })];
    request.tool_choice = Some(ToolChoice::Required);
    request.metadata = Some(r#"{"team":"a"}"#.into());
    request.service_tier = Some("flex".into());
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(
        body,
        json!({
            "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
            "system": [{"text": "Be brief."}],
            "toolConfig": {
                "tools": [
                    {"toolSpec": {
                        "name": "weather", "description": "Tells the weather",
                        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
                        "strict": true
                    }},
                    {"cachePoint": {"type": "default"}}
                ],
                "toolChoice": {"any": {}}
            },
            "inferenceConfig": {"maxTokens": 1024, "temperature": 0.5, "stopSequences": ["END"]},
            "requestMetadata": {"team": "a"},
            "serviceTier": {"type": "flex"},
            "additionalModelResponseFieldPaths": ["/stop_sequence"]
        })
    );
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn neighbours_of_one_role_become_one_turn_with_results_first() {
    let mut request = hello();
    request.tools = vec![tool("f")];
    request.messages.extend([
        said(Role::Assistant, vec![Block::text("I look."), call("c1", "f", "{\"a\":1}")]),
        said(Role::User, vec![Block::text("Well?"), result("c1", vec![Block::text("42")])]),
        user("Go on."),
    ]);
    let (body, _) = sent(&request, CLAUDE);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "Hello"}]},
            {"role": "assistant", "content": [
                {"text": "I look."},
                {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}}
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "c1", "content": [{"text": "42"}]}},
                {"text": "Well?"},
                {"text": "Go on."}
            ]}
        ])
    );
}

#[test]
fn a_conversation_that_the_assistant_opens_gets_a_first_turn() {
    let mut request = hello();
    request.messages.insert(0, said(Role::Assistant, vec![Block::text("Hi!")]));
    let (body, _) = sent(&request, CLAUDE);
    assert_eq!(body["messages"][0], json!({"role": "user", "content": [{"text": "."}]}));
    assert_eq!(body["messages"][1]["role"], "assistant");
}

#[test]
fn blank_texts_are_left_out() {
    let mut request = hello();
    request.messages.push(said(Role::Assistant, vec![Block::text(" \n")]));
    request.messages.push(user("There?"));
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [{"text": "Hello"}, {"text": "There?"}]}])
    );
    assert!(dropped.is_empty());
}

#[test]
fn a_conversation_without_words_is_refused() {
    let mut request = hello();
    request.messages = vec![user("  ")];
    let fault = sent_to(&request, &target(CLAUDE)).unwrap_err();
    assert_eq!(fault.param.as_deref(), Some("messages"));
}

#[test]
fn results_keep_pictures_and_errors_and_say_something() {
    let mut request = hello();
    request.messages.push(said(Role::Assistant, vec![call("a", "f", "{}"), call("b", "f", "")]));
    let failed = Block::ToolResult {
        call_id: "a".into(),
        name: None,
        blocks: vec![Block::text(""), picture("image/png")],
        is_error: true,
        cache: Some(Cache { ttl: Some("1h".into()) }),
    };
    request.messages.push(said(Role::User, vec![failed, result("b", vec![])]));
    let (body, _) = sent(&request, CLAUDE);
    assert_eq!(
        body["messages"][2]["content"],
        json!([
            {"toolResult": {
                "toolUseId": "a",
                "content": [{"image": {"format": "png", "source": {"bytes": "aGk="}}}],
                "status": "error"
            }},
            {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"toolResult": {"toolUseId": "b", "content": [{"text": "(no output)"}]}}
        ])
    );
}

#[test]
fn tools_of_the_history_are_declared_when_the_client_declares_none() {
    let mut request = hello();
    request.messages.push(said(Role::Assistant, vec![call("c1", "f", "{}")]));
    request.messages.push(said(Role::User, vec![result("c1", vec![Block::text("1")])]));
    let (body, _) = sent(&request, CLAUDE);
    let schema = json!({"json": {"type": "object", "properties": {}}});
    assert_eq!(
        body["toolConfig"],
        json!({"tools": [{"toolSpec": {"name": "f", "inputSchema": schema}}]})
    );
}

#[test]
fn tools_that_may_not_be_called_are_not_declared() {
    let mut request = hello();
    request.tools = vec![tool("f")];
    request.tool_choice = Some(ToolChoice::None);
    let (body, dropped) = sent(&request, CLAUDE);
    assert!(body.get("toolConfig").is_none());
    assert!(dropped.is_empty());
}

#[test]
fn arguments_that_are_no_object_are_noted() {
    let mut request = hello();
    request.messages.push(said(Role::Assistant, vec![call("c1", "f", "{\"a\":")]));
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["messages"][1]["content"][0]["toolUse"]["input"], json!({}));
    assert_eq!(dropped, ["messages[1].content[0].arguments"]);
}

#[test]
fn documents_get_names_that_bedrock_takes() {
    let mut request = hello();
    let titles = [Some("Q3: Überblick  (final).pdf"), None, None, Some("DOCUMENT"), Some("日本")];
    request.messages[0].blocks = titles.into_iter().map(document).collect();
    let (body, _) = sent(&request, CLAUDE);
    let content = body["messages"][0]["content"].as_array().unwrap();
    let names: Vec<_> = content.iter().filter_map(|one| one["document"]["name"].as_str()).collect();
    assert_eq!(
        names,
        ["Q3- -berblick (final)-pdf", "document", "document-2", "DOCUMENT-3", "document-4"]
    );
    assert_eq!(content[5], json!({"text": "."}), "beside documents there is text");
}

#[test]
fn plain_text_is_a_file_unless_it_may_be_cited() {
    let plain = |citations| Block::Document {
        source: Source::Text("Hi!".into()),
        title: Some("Notes".into()),
        context: Some("Old".into()),
        citations,
        cache: None,
    };
    let mut request = hello();
    request.messages[0].blocks.extend([plain(false), plain(true)]);
    let (body, _) = sent(&request, CLAUDE);
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"text": "Hello"},
            {"document": {
                "name": "Notes", "format": "txt", "source": {"bytes": "SGkh"}, "context": "Old"
            }},
            {"document": {
                "name": "Notes-2", "format": "txt", "source": {"text": "Hi!"}, "context": "Old",
                "citations": {"enabled": true}
            }}
        ])
    );
}

#[test]
fn objects_in_s3_are_told_by_their_address() {
    let source = Source::Url { url: "s3://bucket/a.mp4".into(), media_type: None };
    let mut request = hello();
    request.messages[0].blocks.push(Block::Video { source });
    let (body, _) = sent(&request, "amazon.nova-pro-v1:0");
    assert_eq!(
        body["messages"][0]["content"][1],
        json!({"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}})
    );
}

#[test]
fn a_picture_by_url_is_noted_and_refused_if_it_is_all() {
    let source = Source::Url { url: "https://example.com/a.png".into(), media_type: None };
    let picture = Block::image(source);
    let mut request = hello();
    request.messages[0].blocks.push(picture.clone());
    let (body, dropped) = sent(&request, CLAUDE);
    assert_eq!(body["messages"][0]["content"], json!([{"text": "Hello"}]));
    assert_eq!(dropped, ["messages[0].content[1]"]);
    request.messages[0].blocks = vec![picture];
    let fault = sent_to(&request, &target(CLAUDE)).unwrap_err();
    assert!(fault.unsupported);
    assert_eq!(fault.param.as_deref(), Some("messages[0].content"));
}

#[test]
fn thoughts_go_back_to_those_who_signed_them_only() {
    let mut request = hello();
    let hidden = Block::Thinking(Thinking {
        signature: Some(Signature {
            origin: Kind::BedrockConverse,
            id: None,
            value: "aGlkZGVu".into(),
        }),
        redacted: true,
        ..Thinking::default()
    });
    let unsigned = Block::Thinking(Thinking { text: "Hm.".into(), ..Thinking::default() });
    request.messages.push(said(
        Role::Assistant,
        vec![
            thought(Kind::BedrockConverse),
            thought(Kind::AnthropicMessages),
            thought(Kind::GeminiGenerate),
            unsigned,
            hidden,
            Block::text("Hi"),
        ],
    ));
    let (body, dropped) = sent(&request, CLAUDE);
    let signed =
        json!({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}});
    let hidden = json!({"reasoningContent": {"redactedContent": "aGlkZGVu"}});
    assert_eq!(body["messages"][1]["content"], json!([signed, signed, hidden, {"text": "Hi"}]));
    assert_eq!(dropped, ["messages[1].content[2].signature", "messages[1].content[3]"]);
}

#[test]
fn cache_marks_are_noted_where_the_model_has_no_cache() {
    let mut request = hello();
    let cache = Some(Cache { ttl: Some("1h".into()) });
    request.messages[0].blocks =
        vec![Block::Text(TextBlock { text: "Hello".into(), cache, ..TextBlock::default() })];
    let (body, dropped) = sent(&request, "openai.gpt-oss-20b-1:0");
    assert_eq!(body["messages"][0]["content"], json!([{"text": "Hello"}]));
    assert_eq!(dropped, ["messages[0].content[0].cache_control"]);
    let (body, dropped) = sent(&request, "amazon.nova-lite-v1:0");
    assert_eq!(body["messages"][0]["content"][1], json!({"cachePoint": {"type": "default"}}));
    assert_eq!(dropped, ["messages[0].content[0].cache_control.ttl"]);
}
