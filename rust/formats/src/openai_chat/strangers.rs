//! What of a message, a part or a call nobody but OpenAI, or its host, knows.

use crate::chat::Extra;
use crate::strangers::{At, note, note_in};
use crate::value::Value;

/// Members of a message that have a place.
const PLAIN: [&str; 4] = ["role", "content", "name", "cache_control"];
/// The same of a tool's.
const TOOL: [&str; 5] = ["role", "content", "name", "cache_control", "tool_call_id"];
/// The same of an assistant's.
const ASSISTANT: [&str; 14] = [
    "role",
    "content",
    "name",
    "cache_control",
    "refusal",
    "tool_calls",
    "function_call",
    "reasoning_content",
    "reasoning",
    "thinking_blocks",
    "annotations",
    "images",
    "extra_content",            // a proof of Gemini's
    "provider_specific_fields", // LiteLLM's copy of what stands elsewhere
];
/// The same of a call.
const CALL: [&str; 7] = [
    "id",
    "type",
    "index",
    "function",
    "extra_content",
    "cache_control",
    "provider_specific_fields",
];

/// Notes the unknown members of a message.
pub(super) fn message<'a>(message: &Value<'a>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let known: &[&str] = match message.get("role").and_then(Value::as_str) {
        Some("assistant") => &ASSISTANT,
        Some("tool") => &TOOL,
        _ => &PLAIN,
    };
    note(message, known, at, out);
    note_in(message, "function_call", &["name", "arguments"], at, out);
    let parts = message.get("content").map(Value::items).unwrap_or_default();
    for (index, one) in parts.iter().enumerate() {
        part(one, &|| format!("{}.content[{index}]", at()), out);
    }
    let calls = message.get("tool_calls").map(Value::items).unwrap_or_default();
    for (index, one) in calls.iter().enumerate().filter(|(_, one)| one.get("custom").is_none()) {
        let at = || format!("{}.tool_calls[{index}]", at());
        note(one, &CALL, &at, out);
        note_in(one, "function", &["name", "arguments"], &at, out);
    }
}

/// Parts of other kinds are dropped, and named, as a whole.
fn part<'a>(part: &Value<'a>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let (name, inner): (&str, &[&str]) = match part.get("type").and_then(Value::as_str) {
        Some("text" | "input_text" | "output_text") => ("text", &[]),
        Some("refusal") => ("refusal", &[]),
        Some("image_url") => ("image_url", &["url", "detail"]),
        Some("video_url") => ("video_url", &["url"]),
        Some("input_audio") => ("input_audio", &["data", "format"]),
        Some("file") => ("file", &["file_data", "file_id", "filename"]),
        _ => return,
    };
    let known = ["type", "cache_control", "prompt_cache_breakpoint", "annotations", name];
    note(part, &known, at, out);
    note_in(part, name, inner, at, out);
    note_in(part, "cache_control", &["type", "ttl"], at, out);
    note_in(part, "prompt_cache_breakpoint", &["mode", "ttl"], at, out);
}
