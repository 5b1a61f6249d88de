//! What clients of Converse send, and that it comes out the same again.

use super::*;
use crate::chat::{Cache, Citation, Effort, Output, Reasoning, Source, Tool, ToolChoice};

/// Everything in it that Converse can say.
const BROAD: &str = r#"{
  "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
  "messages": [
    {"role": "user", "content": [
      {"text": "Look."},
      {"image": {"format": "png", "source": {"bytes": "aGk="}}},
      {"cachePoint": {"type": "default", "ttl": "1h"}},
      {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://b/c.jpg", "bucketOwner": "123456789012"}}}},
      {"document": {"name": "Notes", "format": "pdf", "source": {"bytes": "aGk="}, "context": "Old", "citations": {"enabled": true}}},
      {"document": {"name": "Plain", "format": "txt", "source": {"text": "Hi"}, "citations": {"enabled": true}}},
      {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/c.mp4"}}}},
      {"audio": {"format": "mp3", "source": {"bytes": "aGk="}}},
      {"guardContent": {"text": {"text": "guard me", "qualifiers": ["query"]}}},
      {"searchResult": {"source": "https://example.com", "title": "T", "content": [{"text": "x"}]}}
    ]},
    {"role": "assistant", "content": [
      {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
      {"reasoningContent": {"redactedContent": "aGlkZGVu"}},
      {"citationsContent": {"content": [{"text": "It is so."}], "citations": [{"title": "Notes", "sourceContent": [{"text": "so"}], "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}]}},
      {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": [1, 2.50]}}}
    ]},
    {"role": "user", "content": [
      {"toolResult": {"toolUseId": "t1", "content": [{"text": "one"}, {"image": {"format": "gif", "source": {"bytes": "aGk="}}}], "status": "error"}},
      {"text": "Go on."}
    ]}
  ],
  "inferenceConfig": {"maxTokens": 2000, "topP": 0.9, "stopSequences": ["END"]},
  "toolConfig": {
    "tools": [
      {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}, "strict": true}},
      {"cachePoint": {"type": "default"}},
      {"systemTool": {"name": "nova_grounding"}}
    ],
    "toolChoice": {"tool": {"name": "f"}}
  },
  "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{\"type\":\"object\"}", "name": "n", "description": "d"}}}},
  "additionalModelRequestFields": {"top_k": 40, "anthropic_beta": ["x"]},
  "requestMetadata": {"a": "b"},
  "serviceTier": {"type": "priority"},
  "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
  "performanceConfig": {"latency": "optimized"},
  "additionalModelResponseFieldPaths": ["/stop_sequence"]
}"#;

#[test]
fn a_broad_request_comes_out_the_same_again() {
    let (body, dropped) = sent(&decoded(BROAD), CLAUDE);
    let expected: Value = serde_json::from_str(BROAD).unwrap();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    assert_eq!(body.as_object().unwrap().len(), expected.as_object().unwrap().len());
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn what_is_read_is_read_again_from_what_is_written() {
    let request = decoded(BROAD);
    let mut dropped = Dropped::default();
    let sent = BedrockConverse.encode_request(&request, &target(CLAUDE), &mut dropped).unwrap();
    let again = String::from_utf8(sent.body).unwrap();
    assert_eq!(decoded(&again), request);
}

#[test]
fn blocks_have_their_canonical_meaning() {
    let request = decoded(BROAD);
    let blocks = &request.messages[1].blocks;
    let hour = Some(Cache { ttl: Some("1h".into()) });
    assert!(matches!(&blocks[1], Block::Image { cache, .. } if *cache == hour));
    assert!(matches!(&blocks[2], Block::Opaque { kind, .. } if kind == "image"), "it has an owner");
    let Block::Document { source: Source::Base64 { media_type, .. }, citations: true, .. } =
        &blocks[3]
    else {
        panic!("{:?}", blocks[3]);
    };
    assert_eq!(media_type, "application/pdf");
    assert!(matches!(&blocks[7], Block::Opaque { kind, .. } if kind == "guardContent"));
    let Block::Text(cited) = &request.messages[2].blocks[2] else { panic!() };
    assert_eq!(cited.text, "It is so.");
    let [Citation { title, quoted, document, .. }] = &cited.citations[..] else { panic!() };
    assert_eq!((title.as_deref(), quoted.as_deref()), (Some("Notes"), Some("so")));
    assert_eq!(*document, Some(0));
    assert!(matches!(&request.tools[1], Tool::Hosted { kind, .. } if kind == "systemTool"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Function("f".into())));
    assert_eq!(request.service_tier.as_deref(), Some("priority"));
    assert!(matches!(&request.output, Output::Schema(one) if one.schema == r#"{"type":"object"}"#));
}

fn reasoning(fields: &str) -> Option<Reasoning<'_>> {
    let body =
        [r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"#, fields, "}"].concat();
    let body: &'static str = body.leak();
    decoded(body).reasoning
}

#[test]
fn every_familys_words_for_thinking_are_understood() {
    let effort = |effort| Some(Reasoning { effort: Some(effort), ..Reasoning::default() });
    let budget = Some(Reasoning { budget: Some(3000), ..Reasoning::default() });
    for (fields, expected) in [
        (
            r#""additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":3000}}"#,
            budget.clone(),
        ),
        (
            r#""additionalModelRequestFields":{"reasoning_config":{"type":"enabled","budget_tokens":3000}}"#,
            budget,
        ),
        (
            r#""additionalModelRequestFields":{"thinking":{"type":"disabled"}}"#,
            effort(Effort::None),
        ),
        (
            r#""additionalModelRequestFields":{"thinking":{"type":"adaptive"}}"#,
            effort(Effort::High),
        ),
        (
            r#""additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}}"#,
            effort(Effort::Low),
        ),
        (
            r#""outputConfig":{"effort":"max"},"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}"#,
            effort(Effort::XHigh),
        ),
        (
            r#""additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}"#,
            effort(Effort::Low),
        ),
        (r#""additionalModelRequestFields":{"reasoning_effort":"medium"}"#, effort(Effort::Medium)),
        (
            r#""additionalModelRequestFields":{"reasoning":{"effort":"xhigh"}}"#,
            effort(Effort::XHigh),
        ),
    ] {
        assert_eq!(reasoning(fields), expected, "{fields}");
    }
}

#[test]
fn what_is_not_known_is_kept_under_its_name() {
    let request = decoded(
        r#"{"messages":[{"role":"user","content":[{"text":"Hi"},{"hologram":{"x":1}}]}],
            "inferenceConfig":{"warmth":2},"outputConfig":{"tone":"kind"},"newField":[1],
            "additionalModelRequestFields":{"inferenceConfig":{"topK":3,"x":1}},"serviceTier":{"type":"own"}}"#,
    );
    let names: Vec<_> = request.extra.iter().map(|one| &*one.name).collect();
    assert_eq!(
        names,
        [
            "inferenceConfig.warmth",
            "outputConfig.tone",
            "newField",
            "additionalModelRequestFields.inferenceConfig",
            "serviceTier"
        ]
    );
    let block = &request.messages[0].blocks[1];
    assert!(
        matches!(block, Block::Opaque { kind, value } if kind == "hologram" && value == r#"{"hologram":{"x":1}}"#)
    );
}

#[test]
fn model_and_stream_come_from_the_path() {
    let path = PathFacts { model: Some("amazon.nova-lite-v1:0"), stream: true };
    let request = BedrockConverse.decode_request(r#"{"messages":[]}"#, path).unwrap();
    assert_eq!(request.model, "amazon.nova-lite-v1:0");
    assert!(request.stream && request.stream_usage);
}

#[test]
fn wrong_input_is_refused_with_its_place() {
    let path = PathFacts::default();
    for (body, param) in [
        (r#"{"messages":{}}"#, Some("messages")),
        (r#"{"messages":[{"role":"tool","content":[]}]}"#, Some("messages[0].role")),
        (r#"{"messages":[{"role":"user","content":"hi"}]}"#, Some("messages[0].content")),
        (r#"{"messages":[{"role":"user","content":["hi"]}]}"#, Some("messages[0].content[0]")),
        (
            r#"{"messages":[{"role":"user","content":[{"text":1}]}]}"#,
            Some("messages[0].content[0].text"),
        ),
        (
            r#"{"messages":[{"role":"assistant","content":[{"toolUse":{"name":"f"}}]}]}"#,
            Some("messages[0].content[0].toolUse"),
        ),
        (r#"{"inferenceConfig":{"maxTokens":"x"}}"#, Some("inferenceConfig.maxTokens")),
        (
            r#"{"toolConfig":{"tools":[{"toolSpec":{}}]}}"#,
            Some("toolConfig.tools[0].toolSpec.name"),
        ),
        ("[]", None),
        ("{", None),
    ] {
        let fault = BedrockConverse.decode_request(body, path).unwrap_err();
        assert_eq!(fault.param.as_deref(), param, "{body}");
    }
}
