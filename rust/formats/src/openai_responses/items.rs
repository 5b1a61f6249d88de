//! The words of this format: types of items and of tools, roles.

use crate::chat::Role;
use crate::value::Value;

/// Types of items that no other format has; they pass as they are.
const OWN_ITEMS: [&str; 24] = [
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "compaction_trigger",
    "computer_call",
    "computer_call_output",
    "configuration_update",
    "file_search_call",
    "image_generation_call",
    "item_reference",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
];

/// Whether an opaque block is an item of this format.
pub(super) fn is_own_item(kind: &str, value: &str) -> bool {
    // What Anthropic's models make of a long conversation has the same name, and can be read.
    let is_sealed =
        || Value::parse(value).is_ok_and(|item| item.get("encrypted_content").is_some());
    OWN_ITEMS.binary_search(&kind).is_ok() && (kind != "compaction" || is_sealed())
}

/// Types of tools that OpenAI runs, or that only its models know.
const OWN_TOOLS: [&str; 16] = [
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "programmatic_tool_calling",
    "shell",
    "tool_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
];

/// Whether a hosted tool of this kind is one of this format.
pub(super) fn is_own_tool(kind: &str) -> bool {
    OWN_TOOLS.binary_search(&kind).is_ok()
}

/// Who speaks in an item that is passed as it is.
pub(super) fn role_of_item(kind: &str) -> Role {
    match kind {
        "mcp_approval_response" | "compaction_trigger" => Role::User,
        "configuration_update" => Role::Developer,
        output if output.ends_with("_output") => Role::User,
        _ => Role::Assistant,
    }
}

pub(super) fn role_in(word: &str) -> Option<Role> {
    Some(match word {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => return None,
    })
}

pub(super) fn role_out(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
        Role::Developer => "developer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_that_anthropic_made_short_is_none_of_openais() {
        assert!(is_own_item("compaction", r#"{"type":"compaction","encrypted_content":"x"}"#));
        assert!(!is_own_item("compaction", r#"{"type":"compaction","content":"Short."}"#));
        assert!(is_own_item("web_search_call", "{}"));
    }
}
