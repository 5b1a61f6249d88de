//! What of a content block nobody but Anthropic knows.

use crate::chat::Extra;
use crate::strangers::{At, note, note_in};
use crate::value::Value;

/// Notes the unknown members of the blocks of a content, a string or a list.
pub(super) fn content<'a>(content: Option<&Value<'a>>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let blocks = content.map(Value::items).unwrap_or_default();
    for (index, one) in blocks.iter().enumerate() {
        block(one, &|| format!("{}[{index}]", at()), out);
    }
}

/// Blocks of other kinds are dropped, and named, as a whole.
fn block<'a>(block: &Value<'a>, at: At<'_>, out: &mut Vec<Extra<'a>>) {
    let known: &[&str] = match block.get("type").and_then(Value::as_str) {
        Some("text") => &["type", "text", "citations", "cache_control"],
        Some("image") => &["type", "source", "cache_control"],
        Some("document") => &["type", "source", "title", "context", "citations", "cache_control"],
        // Who called a tool is told of replies, and comes back with them.
        Some("tool_use") => &["type", "id", "name", "input", "caller", "cache_control"],
        Some("tool_result") => &["type", "tool_use_id", "content", "is_error", "cache_control"],
        Some("thinking") => &["type", "thinking", "signature"],
        Some("redacted_thinking") => &["type", "data"],
        _ => return,
    };
    note(block, known, at, out);
    note_in(block, "cache_control", &["type", "ttl"], at, out);
    let source = ["type", "media_type", "data", "url", "file_id", "content"];
    note_in(block, "source", &source, at, out);
    if known.contains(&"is_error") {
        content(block.get("content"), &|| format!("{}.content", at()), out);
    }
}
