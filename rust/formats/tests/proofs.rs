//! Gemini's proofs of texts and pictures come back on what they were given for, whichever dialect kept them.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::relay;
use common::{as_json, of, original};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::{Dropped, PathFacts};
use serde_json::{Value, json};

/// What a Gemini says: a text with its proof, a call without one, a picture with its proof.
const STREAM: &str = concat!(
    r#"data: {"candidates":[{"content":{"parts":[{"text":"Look"}],"role":"model"},"index":0}],"responseId":"r"}"#,
    "\n\n",
    r#"data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"VEVYVA=="}],"role":"model"},"index":0}]}"#,
    "\n\n",
    r#"data: {"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"},"thoughtSignature":"UElD"}],"role":"model"},"finishReason":"STOP","index":0}]}"#,
    "\n\n",
);

/// The events of a stream.
fn events(written: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(written.to_vec()).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// What is said to a Gemini in the client's next request.
fn replayed(client: Kind, body: &Value) -> Value {
    let body = body.to_string();
    let request = of(client).decode_request(&body, PathFacts::default()).unwrap();
    let gemini = of(Kind::GeminiGenerate);
    let sent = gemini.encode_request(&request, &original(), &mut Dropped::default()).unwrap();
    as_json(&sent.body)["contents"][1]["parts"].clone()
}

fn heard(client: Kind) -> Vec<Value> {
    let request = Request { model: "m".into(), stream: true, ..Request::default() };
    events(&relay(Kind::GeminiGenerate, client, &request, &[STREAM.as_bytes()]))
}

#[test]
fn openai_chat_keeps_them_on_the_message_and_on_the_picture() {
    let mut message = json!({"role": "assistant"});
    for event in heard(Kind::OpenaiChat) {
        let delta = event["choices"][0]["delta"].as_object().unwrap().clone();
        // The first chunk has an empty text.
        message.as_object_mut().unwrap().extend(delta.into_iter().filter(|(_, one)| *one != ""));
    }
    let user = json!({"role": "user", "content": "Hi"});
    let parts = replayed(Kind::OpenaiChat, &json!({"model": "m", "messages": [user, message]}));
    assert_eq!(parts, with_a_picture());
}

#[test]
fn responses_keep_them_in_items_of_thought() {
    let last = heard(Kind::OpenaiResponses).pop().unwrap();
    let mut input = vec![json!({"role": "user", "content": "Hi"})];
    input.extend(last["response"]["output"].as_array().unwrap().clone());
    let parts = replayed(Kind::OpenaiResponses, &json!({"model": "m", "input": input}));
    assert_eq!(parts, with_a_picture());
}

fn with_a_picture() -> Value {
    json!([
        {"text": "Look", "thoughtSignature": "VEVYVA=="},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "UElD"},
    ])
}

/// A proof that comes after its text is not taken for one of the call that follows.
#[test]
fn messages_keep_the_proof_of_a_text_in_a_thought_after_it() {
    let events = heard(Kind::AnthropicMessages);
    let proof = events.iter().find_map(|event| event["delta"]["signature"].as_str()).unwrap();
    let said = json!({"role": "assistant", "content": [
        {"type": "text", "text": "Look"},
        {"type": "thinking", "thinking": "", "signature": proof},
        {"type": "tool_use", "id": "c", "name": "f", "input": {}},
    ]});
    let user = json!({"role": "user", "content": "Hi"});
    let body = json!({"model": "m", "max_tokens": 9, "messages": [user, said]});
    let parts = replayed(Kind::AnthropicMessages, &body);
    assert_eq!(parts[0], json!({"text": "Look", "thoughtSignature": "VEVYVA=="}));
    assert_eq!(parts[1]["functionCall"]["name"], "f");
}
