//! What of a client's blocks and tools nobody but Anthropic knows.

use crate::chat::Extra;
use crate::strangers::{At, note_in, note_where};
use crate::value::{Kind, Value};

/// Where it goes; nowhere in a reply, which is told to nobody who could send it on.
pub(super) type Extras<'e, 'a> = Option<&'e mut Vec<Extra<'a>>>;

/// Members of a source that have a place.
const SOURCE: [&str; 6] = ["type", "media_type", "data", "url", "file_id", "content"];
/// Members of a tool that have a place.
const TOOL: [&str; 6] = ["type", "name", "description", "input_schema", "strict", "cache_control"];

/// The members of a block that have a place; `None` for one that is kept, or dropped and named, whole.
fn known(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "text" => &["type", "text", "citations", "cache_control"],
        "image" => &["type", "source", "cache_control"],
        "document" => &["type", "source", "title", "context", "citations", "cache_control"],
        "tool_use" => &["type", "id", "name", "input", "cache_control"],
        "tool_result" => &["type", "tool_use_id", "content", "is_error", "cache_control"],
        "thinking" => &["type", "thinking", "signature"],
        "redacted_thinking" => &["type", "data"],
        _ => return None,
    })
}

/// Notes what of a block is not read; the blocks of a result are looked at when they are read.
pub(super) fn of_block<'a>(block: &Value<'a>, kind: &str, at: At<'_>, extras: &mut Extras<'_, 'a>) {
    if let (Some(extras), Some(known)) = (extras, known(kind)) {
        rest(block, known, at, extras);
        note_in(block, "source", &SOURCE, at, extras);
    }
}

/// Notes what of a tool is not read.
pub(super) fn of_tool<'a>(tool: &Value<'a>, at: At<'_>, extras: &mut Vec<Extra<'a>>) {
    rest(tool, &TOOL, at, extras);
}

fn rest<'a>(value: &Value<'a>, known: &[&str], at: At<'_>, extras: &mut Vec<Extra<'a>>) {
    let is_strange =
        |name: &str, member: &Value<'a>| !known.contains(&name) && !says_nothing(name, member);
    note_where(value, is_strange, at, extras);
    note_in(value, "cache_control", &["type", "ttl"], at, extras);
}

/// Whether the member is what it would be if it were not there. Calls that the model makes itself say so
/// (others are made by code that Anthropic runs).
fn says_nothing(name: &str, value: &Value<'_>) -> bool {
    match value.kind() {
        Kind::Bool(value) => !value && name == "defer_loading",
        Kind::Object(_) => {
            name == "caller" && value.get("type").and_then(Value::as_str) == Some("direct")
        }
        _ => false,
    }
}
