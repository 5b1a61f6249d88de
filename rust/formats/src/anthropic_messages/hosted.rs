//! Blocks of hosted tools in streams: they begin without what comes later.

use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// A block as it begins in a stream, and the input that follows it.
pub(super) fn apart<'v>(block: &'v str) -> (Cow<'v, str>, Option<&'v str>) {
    let Ok(value) = Value::parse(block) else { return (block.into(), None) };
    match value.get("input").filter(|input| !input.members().is_empty()) {
        Some(input) => (with(&value, "input", "{}").into(), Some(input.raw())),
        None => (block.into(), None),
    }
}

/// A block as it began, and what has come of it since: all of it.
pub(super) fn together(begun: &str, later: &Later) -> String {
    let Ok(value) = Value::parse(begun) else { return begun.to_owned() };
    let whole = Value::parse(&later.input).is_ok();
    let block = if whole { with(&value, "input", &later.input) } else { begun.to_owned() };
    if later.content.is_empty() {
        return block;
    }
    let Ok(value) = Value::parse(&block) else { return block };
    with(&value, "content", &crate::writer::quote(&later.content))
}

/// What comes of a block after it has begun.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// JSON text.
    pub(super) input: String,
    /// A compaction's text.
    pub(super) content: String,
}

/// The object with another value of that member.
fn with(object: &Value<'_>, name: &str, json: &str) -> String {
    let mut w = Writer::new();
    w.object(|w| {
        for (key, member) in object.members() {
            if key != name {
                w.member(key, member.raw());
            }
        }
        w.member(name, json);
    });
    String::from_utf8(w.finish()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_apart_can_be_put_together() {
        let whole = r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"a"}}"#;
        let (begun, input) = apart(whole);
        assert_eq!(
            begun,
            r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}"#
        );
        let later = Later { input: input.unwrap_or_default().to_owned(), ..Later::default() };
        assert_eq!(together(&begun, &later), whole);
    }

    #[test]
    fn a_block_without_input_stays_as_it_is() {
        let result = r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}"#;
        assert_eq!(apart(result), (result.into(), None));
        assert_eq!(together(result, &Later::default()), result);
    }

    #[test]
    fn a_compaction_has_its_text() {
        let later = Later { content: "So \"far\"".to_owned(), ..Later::default() };
        let begun = r#"{"type":"compaction","content":null}"#;
        assert_eq!(together(begun, &later), r#"{"type":"compaction","content":"So \"far\""}"#);
    }
}
