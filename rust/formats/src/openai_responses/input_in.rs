//! The `input` of a request: a string, or the items of the conversation.

use super::conversation::Conversation;
use super::freetext;
use super::items::{role_in, role_of_item};
use super::reply_in::whole;
use super::tools_in::{LOCAL_SHELL, TOOL_SEARCH, Tools, called_name};
use super::{parts_in, strangers};
use crate::chat::{Block, Extra, Role, Signature, Text, Thinking, ToolCall};
use crate::format::{Fault, Kind};
use crate::signature;
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

/// What is written in a sealed proof's id to say that its thought is never shown.
pub(super) const REDACTED: &str = "redacted";

/// What an input holds.
#[derive(Default)]
pub(super) struct Input<'a> {
    pub(super) conversation: Conversation<'a>,
    /// What has no place in the conversation, by its path.
    pub(super) extra: Vec<Extra<'a>>,
    /// Tools that stand in the conversation itself.
    pub(super) found: Tools<'a>,
}

/// Reads `input`.
pub(super) fn read<'a>(value: &Value<'a>) -> Result<Input<'a>, Fault> {
    let mut input = Input::default();
    match value.kind() {
        Json::String(text) => {
            input.conversation.message(Role::User, vec![Block::text(text.clone())]);
        }
        Json::Array(items) => {
            for (index, one) in items.iter().enumerate() {
                item(one, index, &mut input)?;
                strangers::item(one, &|| format!("input[{index}]"), &mut input.extra);
            }
        }
        _ => return Err(Fault::of("input", "It must be a string or a list of items.")),
    }
    Ok(input)
}

fn item<'a>(item: &Value<'a>, index: usize, input: &mut Input<'a>) -> Result<(), Fault> {
    let Input { conversation, extra, found } = input;
    let at = |what: &str| format!("input[{index}]{what}");
    let need = |name: &str| {
        let found = item.get(name).and_then(Value::text);
        found.ok_or_else(|| Fault::of(at(&format!(".{name}")), "It must be a string."))
    };
    let has = |name: &str| item.get(name).is_some();
    let name = || called_name(item).ok_or_else(|| Fault::of(at(".name"), "It must be a string."));
    let kind = match item.get("type").and_then(Value::text) {
        Some(kind) => kind,
        None if has("role") => "message".into(),
        None if has("id") => "item_reference".into(),
        None => return Err(Fault::of(at(""), "An item must have a `type` or a `role`.")),
    };
    match &*kind {
        "message" => message(item, index, conversation, extra)?,
        "reasoning" => conversation.of_model(Block::Thinking(reasoning(item))),
        "function_call" => {
            let arguments = need("arguments")?;
            let arguments = if arguments.trim().is_empty() { "{}".into() } else { arguments };
            conversation.of_model(call(need("call_id")?, name()?, arguments));
        }
        "custom_tool_call" => {
            let arguments = freetext::wrap(&need("input")?).into();
            conversation.of_model(call(need("call_id")?, name()?, arguments));
        }
        "tool_search_call" if has("call_id") => {
            let arguments = item.get("arguments").map_or("{}", Value::raw).into();
            conversation.of_model(call(need("call_id")?, TOOL_SEARCH.into(), arguments));
        }
        "tool_search_output" if has("call_id") => {
            let tools =
                item.get("tools").ok_or_else(|| Fault::of(at(".tools"), "It is missing."))?;
            found.add_all(tools, &at(".tools"))?;
            let blocks = vec![Block::text(tools.raw())];
            conversation.result(result_of(need("call_id")?, blocks, false));
        }
        // Nobody but OpenAI's models reads of tools in the conversation.
        "additional_tools" => {
            let tools =
                item.get("tools").ok_or_else(|| Fault::of(at(".tools"), "It is missing."))?;
            found.add_all(tools, &at(".tools"))?;
        }
        "local_shell_call" => {
            let action = item.get("action").filter(|action| action.is_object());
            let action = action.ok_or_else(|| Fault::of(at(".action"), "It is missing."))?;
            let id = need("call_id").or_else(|fault| need("id").map_err(|_| fault))?;
            conversation.of_model(call(id, LOCAL_SHELL.into(), Cow::Borrowed(action.raw())));
        }
        "function_call_output" | "custom_tool_call_output" => {
            conversation.result(result(item, index, need("call_id")?, extra)?);
        }
        // Here `id` is the call's.
        "local_shell_call_output" => {
            let id = need("call_id").or_else(|fault| need("id").map_err(|_| fault))?;
            conversation.result(result(item, index, id, extra)?);
        }
        "item_reference" => {
            let words = "The item is not stored here: send the item itself.";
            return Err(Fault::unsupported(at(""), words));
        }
        _ => {
            conversation.opaque(role_of_item(&kind), whole(&kind, item));
        }
    }
    Ok(())
}

fn message<'a>(
    item: &Value<'a>,
    index: usize,
    conversation: &mut Conversation<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<(), Fault> {
    let role = item.get("role").and_then(Value::as_str).and_then(role_in);
    let role = role.ok_or_else(|| {
        let words = "It must be user, assistant, system or developer.";
        Fault::of(format!("input[{index}].role"), words)
    })?;
    let at = || format!("input[{index}].content");
    let mut blocks = parts_in::content(item.get("content"), &at, extra)?;
    if let Some(phase) = item.get("phase").and_then(Value::text) {
        blocks.iter_mut().for_each(|block| set_phase(block, &phase));
    }
    conversation.message(role, blocks);
    Ok(())
}

/// Says of a text in which phase the model says it.
pub(super) fn set_phase<'a>(block: &mut Block<'a>, phase: &Text<'a>) {
    if let Block::Text(text) = block {
        text.phase = Some(phase.clone());
    }
}

fn call<'a>(id: Text<'a>, name: Text<'a>, arguments: Text<'a>) -> Block<'a> {
    Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })
}

fn result<'a>(
    item: &Value<'a>,
    index: usize,
    call_id: Text<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Block<'a>, Fault> {
    let output = item.get("output");
    // Older versions of Codex wrap the text, and say whether it is one of success.
    let wrapped = output.filter(|output| output.is_object());
    let failed = wrapped.and_then(|output| output.get("success")).and_then(Value::as_bool);
    let content = wrapped.map_or(output, |output| output.get("content"));
    let blocks = parts_in::content(content, &|| format!("input[{index}].output"), extra)?;
    let is_error = failed == Some(false);
    Ok(result_of(call_id, blocks, is_error))
}

fn result_of<'a>(call_id: Text<'a>, blocks: Vec<Block<'a>>, is_error: bool) -> Block<'a> {
    Block::ToolResult { call_id, name: None, blocks, is_error, cache: None }
}

/// A reasoning item, of a request or a reply.
pub(super) fn reasoning<'a>(item: &Value<'a>) -> Thinking<'a> {
    let text = texts(item.get("content"));
    let text = if text.is_empty() { texts(item.get("summary")) } else { text };
    let sealed = item.get("encrypted_content").and_then(Value::text);
    let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else {
        return Thinking { text, signature: None, redacted: false };
    };
    proven(text, sealed, item.get("id").and_then(Value::text))
}

/// A thought with its proof; `id` is the item's.
pub(super) fn proven<'a>(text: Text<'a>, sealed: Text<'a>, id: Option<Text<'a>>) -> Thinking<'a> {
    let is_plain = signature::open(&sealed).is_none();
    let mut signature = signature::read(Kind::OpenaiResponses, sealed);
    if is_plain {
        signature.id = id;
    }
    let Signature { origin, id, .. } = &mut signature;
    let redacted = match origin {
        Kind::OpenaiResponses => text.is_empty(),
        _ => id.take_if(|id| id == REDACTED).is_some(),
    };
    Thinking { text, signature: Some(signature), redacted }
}

/// The texts of `summary` or `content`.
fn texts<'a>(parts: Option<&Value<'a>>) -> Text<'a> {
    let parts = parts.map(Value::items).unwrap_or_default();
    let mut texts = parts.iter().filter_map(|part| part.get("text")?.text());
    let Some(first) = texts.next() else { return Text::default() };
    texts.fold(first, |mut all, next| {
        let text = all.to_mut();
        text.push_str("\n\n");
        text.push_str(&next);
        all
    })
}
