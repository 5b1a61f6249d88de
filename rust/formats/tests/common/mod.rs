//! The fixtures that Rust and Python share, and golden files beside these tests.
//!
//! A golden file that does not exist, or that differs while `LLMGW_BLESS=1` is set, is written.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)] // each test takes what it needs

use llmgw_formats::format::{Context, Target};
use llmgw_formats::{Kind, chat};

pub use llmgw_formats::format as of;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

pub mod corpus;
pub mod stream;

/// The formats that clients speak.
pub const CLIENTS: [Kind; 4] =
    [Kind::OpenaiChat, Kind::OpenaiResponses, Kind::AnthropicMessages, Kind::GeminiGenerate];

/// What replies are written with.
pub const CONTEXT: Context<'static> =
    Context { request_id: "req_0123456789abcdef", now: 1_700_000_000 };

/// An upstream at the inventor of its format, with a model that can do everything.
pub fn original() -> Target<'static> {
    Target {
        model: "upstream-model",
        base_model: None,
        max_output_tokens: Some(64_000),
        original: true,
        stream_usage: true,
        native_schema: true,
        reasoning: true,
        takes_urls: true,
    }
}

/// A host that is compatible with the format, with a simple model.
pub fn compatible() -> Target<'static> {
    Target {
        max_output_tokens: None,
        original: false,
        native_schema: false,
        reasoning: false,
        ..original()
    }
}

/// `tests/fixtures` of the repository.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

/// The files of a folder with that ending, by name, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    found.sort();
    found
}

pub fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// `tests/fixtures/scenarios.json`.
pub fn scenarios() -> Value {
    read_json(&fixtures().join("scenarios.json"))
}

/// Compares with the golden file, or writes it; what is wrong goes into `failures`.
pub fn golden(path: &str, found: &str, failures: &mut Vec<String>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path);
    let bless = std::env::var_os("LLMGW_BLESS").is_some();
    match fs::read_to_string(&file) {
        Ok(text) if text == found => {}
        Ok(_) if !bless => failures.push(format!("{path} differs (LLMGW_BLESS=1 writes it anew)")),
        _ => {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, found).unwrap();
            if !bless {
                failures.push(format!("{path} did not exist; it has been written"));
            }
        }
    }
}

pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

pub fn as_json(text: &[u8]) -> Value {
    serde_json::from_slice(text)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)))
}

/// What a choice says, in the words of `scenarios.json`.
pub fn in_words(reply: &chat::Reply<'_>) -> Value {
    let choices: Vec<Value> = reply.choices.iter().map(choice_in_words).collect();
    let usage = reply.usage.unwrap_or_default();
    json!({"choices": choices, "usage": usage_in_words(&usage)})
}

fn usage_in_words(usage: &chat::Usage) -> Value {
    json!({
        "input": usage.input, "output": usage.output, "cache_read": usage.cache_read,
        "cache_write": usage.cache_write, "reasoning": usage.reasoning,
    })
}

fn choice_in_words(choice: &chat::Choice<'_>) -> Value {
    let (mut text, mut thinking, mut refusal) = (String::new(), String::new(), String::new());
    let (mut calls, mut signatures, mut redacted) = (Vec::new(), Vec::new(), Vec::new());
    let (mut phases, mut pictures, mut opaque) = (Vec::new(), Vec::new(), Vec::new());
    for block in &choice.blocks {
        match block {
            chat::Block::Text(one) => {
                text.push_str(&one.text);
                phases.extend(one.phase.as_ref().map(|phase| phase.to_string()));
                signatures.extend(one.signature.as_ref().map(|s| s.value.to_string()));
            }
            chat::Block::Image { source, made, .. } => {
                signatures.extend(made.signature.as_ref().map(|s| s.value.to_string()));
                pictures.push(format!("{source:?}"));
            }
            chat::Block::Opaque { kind, value } => {
                opaque.push(json!({ (&**kind): serde_json::from_str::<Value>(value).unwrap() }));
            }
            chat::Block::Refusal(one) => refusal.push_str(one),
            chat::Block::Thinking(one) if one.redacted => {
                redacted.push(one.signature.as_ref().map(|s| s.value.to_string()));
            }
            chat::Block::Thinking(one) => {
                thinking.push_str(&one.text);
                signatures.extend(one.signature.as_ref().map(|s| s.value.to_string()));
            }
            chat::Block::ToolCall(call) => {
                signatures.extend(call.signature.as_ref().map(|s| s.value.to_string()));
                let arguments = serde_json::from_str::<Value>(&call.arguments);
                calls.push(json!({
                    "name": call.name,
                    "arguments": arguments.unwrap_or_else(|_| json!(call.arguments)),
                }));
            }
            _ => {}
        }
    }
    json!({
        "text": text, "thinking": thinking, "refusal": refusal, "calls": calls,
        "signatures": signatures, "redacted": redacted,
        "phases": phases, "pictures": pictures, "opaque": opaque,
        "finish": format!("{:?}", choice.finish), "stop_sequence": choice.stop_sequence,
    })
}
