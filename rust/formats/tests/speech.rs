//! Speech and pictures are asked for, and come, in OpenAI's chat and in Gemini.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::relay;
use common::{CONTEXT, as_json, compatible, of, original};
use llmgw_formats::Kind;
use llmgw_formats::format::{Dropped, PathFacts, Sent, Target};
use serde_json::{Value, json};

/// Two samples.
const SAMPLES: &str = "AAECAw==";

fn sent(client: Kind, body: &Value, upstream: Kind, target: &Target<'_>) -> (Value, Vec<String>) {
    let body = body.to_string();
    let request = of(client).decode_request(&body, PathFacts::default()).unwrap();
    let mut dropped = Dropped::default();
    let sent = of(upstream).encode_request(&request, target, &mut dropped).unwrap();
    (as_json(&sent.body), dropped.names().iter().map(ToString::to_string).collect())
}

fn chat(audio: &Value) -> Value {
    let messages = json!([{"role": "user", "content": "Say hi"}]);
    json!({"model": "m", "messages": messages, "modalities": ["text", "audio"], "audio": audio})
}

#[test]
fn a_gemini_is_asked_to_speak() {
    let body = chat(&json!({"voice": "Kore", "format": "wav"}));
    let (body, dropped) = sent(Kind::OpenaiChat, &body, Kind::GeminiGenerate, &original());
    let voice = json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}});
    assert_eq!(
        body["generationConfig"],
        json!({"responseModalities": ["AUDIO"], "speechConfig": voice})
    );
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn voices_and_formats_that_google_does_not_have_are_named() {
    let body = chat(&json!({"voice": "alloy", "format": "opus"}));
    let (_, dropped) = sent(Kind::OpenaiChat, &body, Kind::GeminiGenerate, &original());
    assert_eq!(dropped, ["audio.voice", "audio.format"]);
}

#[test]
fn whoever_makes_nothing_but_text_is_named_what_it_cannot_do() {
    let body = chat(&json!({"voice": "alloy", "format": "wav"}));
    let (_, dropped) = sent(Kind::OpenaiChat, &body, Kind::AnthropicMessages, &original());
    assert_eq!(dropped, ["audio", "modalities"]);
}

#[test]
fn a_chat_is_asked_for_what_a_client_of_gemini_wants() {
    let asked = |modality: &str| {
        json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"responseModalities": ["TEXT", modality]}})
    };
    let (body, _) = sent(Kind::GeminiGenerate, &asked("AUDIO"), Kind::OpenaiChat, &original());
    assert_eq!(body["modalities"], json!(["text", "audio"]));
    assert_eq!(body["audio"], json!({"voice": "alloy", "format": "pcm16"}));
    let (body, _) = sent(Kind::GeminiGenerate, &asked("IMAGE"), Kind::OpenaiChat, &compatible());
    assert_eq!(body["modalities"], json!(["text", "image"]));
    let (_, dropped) = sent(Kind::GeminiGenerate, &asked("IMAGE"), Kind::OpenaiChat, &original());
    assert_eq!(dropped, ["generationConfig.responseModalities"]);
}

fn spoken() -> Value {
    let sound = json!({"mimeType": "audio/L16;codec=pcm;rate=24000", "data": SAMPLES});
    let content = json!({"role": "model", "parts": [{"inlineData": sound}]});
    json!({"candidates": [{"content": content, "finishReason": "STOP", "index": 0}]})
}

fn message(format: &str) -> Value {
    let asked = chat(&json!({"voice": "Kore", "format": format})).to_string();
    let request = of(Kind::OpenaiChat).decode_request(&asked, PathFacts::default()).unwrap();
    let body = spoken().to_string();
    let reply = of(Kind::GeminiGenerate).decode_reply(&body, &Sent::default()).unwrap();
    let written = of(Kind::OpenaiChat).encode_reply(&reply, &request, &CONTEXT);
    as_json(&written)["choices"][0]["message"]["audio"].clone()
}

#[test]
fn a_chat_gets_a_geminis_speech_in_the_format_it_asked_for() {
    assert_eq!(message("pcm16")["data"], SAMPLES);
    let file = message("wav")["data"].as_str().unwrap().to_owned();
    assert!(file.starts_with("UklGR") && file.len() == 64, "{file}");
}

#[test]
fn streamed_speech_passes_in_pieces() {
    let chunk = format!("data: {}\n\n", spoken());
    let asked = chat(&json!({"voice": "Kore", "format": "pcm16"})).to_string();
    let request = of(Kind::OpenaiChat).decode_request(&asked, PathFacts::default()).unwrap();
    let written = relay(Kind::GeminiGenerate, Kind::OpenaiChat, &request, &[chunk.as_bytes()]);
    let delta =
        format!(r#""delta":{{"audio":{{"id":"audio_req_0123456789abcdef","data":"{SAMPLES}"}}}}"#);
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains(&delta), "{written}");
}

/// The words come as text where there is no place for the sound.
#[test]
fn a_chats_speech_is_sound_and_words_to_a_client_of_gemini() {
    let audio = json!({"id": "audio_1", "data": SAMPLES, "transcript": "Hi", "expires_at": 9});
    let message = json!({"role": "assistant", "content": null, "audio": audio});
    let body =
        json!({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let body = body.to_string();
    let reply = of(Kind::OpenaiChat).decode_reply(&body, &Sent::default()).unwrap();
    let request = llmgw_formats::chat::Request::default();
    let gemini = as_json(&of(Kind::GeminiGenerate).encode_reply(&reply, &request, &CONTEXT));
    let sound = json!({"mimeType": "audio/L16;codec=pcm;rate=24000", "data": SAMPLES});
    assert_eq!(
        gemini["candidates"][0]["content"]["parts"],
        json!([{"text": "Hi"}, {"inlineData": sound}])
    );
    let messages = as_json(&of(Kind::AnthropicMessages).encode_reply(&reply, &request, &CONTEXT));
    assert_eq!(messages["content"], json!([{"type": "text", "text": "Hi"}]));
    assert_eq!(messages["llmgw_dropped"], json!(["audio"]));
}
