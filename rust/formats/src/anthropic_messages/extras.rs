//! Members of a client's blocks and tools that have no place in the canonical chat: told by their path.

use crate::chat::Extra;
use crate::value::{Kind, Value};
use std::borrow::Cow;

/// The names that are read of each type of block.
fn known(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "text" => &["text", "citations"],
        "image" => &["source"],
        "document" => &["source", "title", "context", "citations"],
        "tool_use" => &["id", "name", "input"],
        "tool_result" => &["tool_use_id", "content", "is_error"],
        "thinking" => &["thinking", "signature"],
        "redacted_thinking" => &["data"],
        // Kept whole.
        _ => return None,
    })
}

/// The names that are read of a tool.
const TOOL: [&str; 4] = ["name", "description", "input_schema", "strict"];
/// The names that all of them have.
const ALL: [&str; 2] = ["type", "cache_control"];

/// Where the rest goes; nowhere in a reply, which is told to nobody who could send it on.
pub(super) type Extras<'e, 'a> = Option<&'e mut Vec<Extra<'a>>>;

/// Notes what of a block is not read.
pub(super) fn of_block<'a>(
    block: &Value<'a>,
    kind: &str,
    at: &dyn Fn() -> String,
    extras: &mut Extras<'_, 'a>,
) {
    if let (Some(extras), Some(known)) = (extras, known(kind)) {
        rest(block, known, at, extras);
    }
}

/// Notes what of a tool is not read.
pub(super) fn of_tool<'a>(tool: &Value<'a>, at: &dyn Fn() -> String, extras: &mut Vec<Extra<'a>>) {
    rest(tool, &TOOL, at, extras);
}

fn rest<'a>(
    value: &Value<'a>,
    known: &[&str],
    at: &dyn Fn() -> String,
    extras: &mut Vec<Extra<'a>>,
) {
    for (name, value) in value.members() {
        let name = &**name;
        if known.contains(&name) || ALL.contains(&name) || says_nothing(name, value) {
            continue;
        }
        let name = Cow::Owned(format!("{}.{name}", at()));
        extras.push(Extra { name, value: Cow::Borrowed(value.raw()) });
    }
}

/// Whether the member is what it would be if it were not there. Calls that the model makes itself say so
/// (others are made by code that Anthropic runs).
fn says_nothing(name: &str, value: &Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Bool(value) => !value && name == "defer_loading",
        Kind::Object(_) => {
            name == "caller" && value.get("type").and_then(Value::as_str) == Some("direct")
        }
        _ => false,
    }
}
