//! What of an item or a part nobody but OpenAI knows.

use crate::chat::Extra;
use crate::strangers::{At, note, note_in};
use crate::value::Value;

/// Notes the unknown members of an item; what an item of a reply tells of itself comes back with it. Items
/// of other kinds are dropped, and named, as a whole.
pub(super) fn item<'a>(item: &Value<'a>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let kind = item.get("type").and_then(Value::as_str);
    let known: &[&str] = match kind {
        Some("message") | None => &["role", "content", "phase"],
        Some("reasoning") => &["summary", "content", "encrypted_content"],
        Some("function_call") => &["call_id", "name", "arguments", "namespace"],
        Some("custom_tool_call") => &["call_id", "name", "input", "namespace"],
        Some("local_shell_call") => &["call_id", "action"],
        Some("tool_search_call") => &["call_id", "arguments", "execution"],
        Some("tool_search_output") => &["call_id", "tools", "execution"],
        Some("function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            &["call_id", "name", "output"]
        }
        _ => return,
    };
    note(item, &[known, &["type", "id", "status", "created_by"]].concat(), at, out);
    for name in ["content", "output", "summary"] {
        let parts = item.get(name).map(Value::items).unwrap_or_default();
        for (index, one) in parts.iter().enumerate() {
            part(one, &|| format!("{}.{name}[{index}]", at()), out);
        }
    }
}

fn part<'a>(part: &Value<'a>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let known: &[&str] = match part.get("type").and_then(Value::as_str) {
        Some("input_text" | "output_text" | "text") => &["text", "annotations", "logprobs"],
        Some("summary_text" | "reasoning_text") => &["text"],
        Some("refusal") => &["refusal"],
        Some("input_image") => &["image_url", "file_id", "detail"],
        // How a file is looked at has been noted with the file.
        Some("input_file") => &["file_data", "file_url", "file_id", "filename", "detail"],
        Some("input_audio") => &["input_audio"],
        _ => return,
    };
    note(part, &[known, &["type", "prompt_cache_breakpoint"]].concat(), at, out);
    note_in(part, "prompt_cache_breakpoint", &["mode", "ttl"], at, out);
}
