//! What only this format knows, and what is written back to it as it came.

use crate::value::Value;

/// Hosted tools whose type has no date.
const TOOLS: [&str; 3] = ["mcp_toolset", "tool_search_tool_bm25", "tool_search_tool_regex"];

/// Blocks that have no place in the canonical chat, apart from the results of hosted tools; and documents
/// of kinds that have none.
const BLOCKS: [&str; 8] = [
    "document",
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
    // Converse has documents and results of searches, too, and OpenAI conversations that were made short.
    (BLOCKS.contains(&kind) || kind.ends_with(RESULT))
        && Value::parse(value).is_ok_and(|block| {
            block.get("type").and_then(Value::as_str) == Some(kind)
                && match kind {
                    "compaction" => block.get("encrypted_content").is_none(),
                    "document" => is_made_of_blocks(&block),
                    _ => true,
                }
        })
}

/// Whether a document is of the one kind that has no place in the canonical chat.
fn is_made_of_blocks(document: &Value<'_>) -> bool {
    let kind = document.get("source").and_then(|source| source.get("type"));
    kind.and_then(Value::as_str) == Some("content")
}

/// Whether the citation is one of this format's.
pub(super) fn is_own_citation(value: &str) -> bool {
    Value::parse(value).is_ok_and(|citation| {
        let kind = citation.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.ends_with("_location"))
    })
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
        assert!(is_own_block("web_search_tool_result", r#"{"type":"web_search_tool_result"}"#));
        assert!(is_own_block("document", r#"{"type":"document","source":{"type":"content"}}"#));
        assert!(!is_own_block("document", r#"{"type":"document","name":""}"#));
        assert!(!is_own_block("document", r#"{"document":{"name":"x"}}"#));
        assert!(!is_own_block("search_result", r#"{"search_result":{"type":"search_result"}}"#));
        assert!(!is_own_block("web_search_call", r#"{"type":"web_search_call"}"#));
    }

    #[test]
    fn a_conversation_that_openai_made_short_is_none_of_anthropics() {
        assert!(is_own_block("compaction", r#"{"type":"compaction","content":"Short."}"#));
        assert!(!is_own_block("compaction", r#"{"type":"compaction","encrypted_content":"x"}"#));
    }

    #[test]
    fn citations_are_known_by_their_type() {
        assert!(is_own_citation(r#"{"type":"char_location"}"#));
        assert!(!is_own_citation(r#"{"type":"url_citation"}"#));
        assert!(!is_own_citation("["));
    }
}
