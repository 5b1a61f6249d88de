//! What only this format knows, and what is written back to it as it came.

use crate::value::Value;

/// Hosted tools whose type has no date.
const TOOLS: [&str; 3] = ["mcp_toolset", "tool_search_tool_bm25", "tool_search_tool_regex"];

/// Blocks that have no place in the canonical chat, apart from the results of hosted tools.
const BLOCKS: [&str; 7] = [
    "server_tool_use",
    "mcp_tool_use",
    "search_result",
    "container_upload",
    "tool_reference",
    "browser_state",
    "compaction",
];

/// The results of hosted tools end so (`web_search_tool_result`).
const RESULT: &str = "_tool_result";

/// Whether Anthropic runs the tool, or has defined it: its type ends in a date (`bash_20250124`).
pub(super) fn is_own_tool(kind: &str) -> bool {
    let date = kind.rsplit_once('_').map_or("", |(_, date)| date);
    TOOLS.contains(&kind) || (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the block is one of this format's.
pub(super) fn is_own_block(kind: &str, value: &str) -> bool {
    // Converse has documents, too.
    let document = || kind == "document" && type_of(value, |found| found == "document");
    BLOCKS.contains(&kind) || kind.ends_with(RESULT) || document()
}

/// Whether the citation is one of this format's.
pub(super) fn is_own_citation(value: &str) -> bool {
    type_of(value, |found| found.ends_with("_location"))
}

fn type_of(value: &str, is_right: impl FnOnce(&str) -> bool) -> bool {
    Value::parse(value)
        .is_ok_and(|value| value.get("type").and_then(Value::as_str).is_some_and(is_right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_their_date() {
        for kind in ["web_search_20250305", "tool_search_tool_regex_20251119", "mcp_toolset"] {
            assert!(is_own_tool(kind), "{kind}");
        }
        for kind in ["web_search", "web_search_preview_2025_03_11", "googleSearch", "mcp"] {
            assert!(!is_own_tool(kind), "{kind}");
        }
    }

    #[test]
    fn blocks_are_known_by_their_type() {
        assert!(is_own_block("web_search_tool_result", "{}"));
        assert!(is_own_block("document", r#"{"type":"document","source":{}}"#));
        assert!(!is_own_block("document", r#"{"document":{"name":"x"}}"#));
        assert!(!is_own_block("web_search_call", "{}"));
    }

    #[test]
    fn citations_are_known_by_their_type() {
        assert!(is_own_citation(r#"{"type":"char_location"}"#));
        assert!(!is_own_citation(r#"{"type":"url_citation"}"#));
        assert!(!is_own_citation("["));
    }
}
