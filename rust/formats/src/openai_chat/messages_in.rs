//! The messages of a client's request.

use super::functions;
use super::made::images_in;
use super::parts::{cache_in, content_in, sign_text, signature_in, thinking_in};
use super::strangers;
use crate::chat::{Block, Extra, Message, Role, Thinking, ToolCall};
use crate::format::Fault;
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

/// Reads `messages`.
pub(super) fn messages<'a>(
    value: &Value<'a>,
    extra: &mut Vec<Extra<'a>>,
) -> Result<Vec<Message<'a>>, Fault> {
    if !value.is_array() {
        return Err(Fault::of("messages", "The field `messages` must be a list."));
    }
    let mut messages: Vec<Message<'a>> = Vec::with_capacity(value.items().len());
    // Whether the last message holds tool results alone, so that the next one joins it.
    let mut results = false;
    for (index, one) in value.items().iter().enumerate() {
        strangers::message(one, &|| format!("messages[{index}]"), extra);
        let role = one.get("role").and_then(Value::as_str);
        if let Some("tool" | "function") = role {
            let block = match role {
                Some("function") => functions::result(one, index, &messages)?,
                _ => tool_result(one, index)?,
            };
            match messages.last_mut().filter(|_| results) {
                Some(last) => last.blocks.push(block),
                None => {
                    messages.push(Message { role: Role::User, name: None, blocks: vec![block] })
                }
            }
            results = true;
            continue;
        }
        results = false;
        messages.push(message(one, role, index)?);
    }
    Ok(messages)
}

fn message<'a>(value: &Value<'a>, role: Option<&str>, index: usize) -> Result<Message<'a>, Fault> {
    let role = match role {
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => {
            let known = "system, developer, user, assistant or tool";
            return Err(Fault::of(
                format!("messages[{index}].role"),
                format!("The role must be {known}."),
            ));
        }
    };
    let mut blocks = Vec::new();
    let at = || format!("messages[{index}].content");
    if role == Role::Assistant {
        assistant(value, index, &mut blocks)?;
    } else {
        content_in(value.get("content"), &at(), &mut blocks)?;
    }
    mark_last(&mut blocks, value);
    Ok(Message { role, name: value.get("name").and_then(Value::text), blocks })
}

/// A cache mark on a message as a whole is one on its last block.
fn mark_last<'a>(blocks: &mut [Block<'a>], message: &Value<'a>) {
    if let (Some(mark), Some(Block::Text(last))) = (cache_in(message), blocks.last_mut()) {
        last.cache.get_or_insert(mark);
    }
}

fn assistant<'a>(
    value: &Value<'a>,
    index: usize,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Fault> {
    thoughts(value, blocks);
    let first_text = blocks.len();
    content_in(value.get("content"), &format!("messages[{index}].content"), blocks)?;
    sign_text(value, first_text, blocks);
    blocks.extend(images_in(value));
    if let Some(refusal) = value.get("refusal").and_then(Value::text) {
        blocks.push(Block::Refusal(refusal));
    }
    let calls = value.get("tool_calls").map(Value::items).unwrap_or_default();
    for (number, call) in calls.iter().enumerate() {
        let at = || format!("messages[{index}].tool_calls[{number}]");
        blocks.push(tool_call(call).ok_or_else(|| {
            Fault::of(
                at(),
                "A tool call needs an `id` and a `function` with `name` and `arguments`.",
            )
        })?);
    }
    blocks.extend(functions::call(value, index)?);
    Ok(())
}

/// The thoughts of a message; where they are told twice, with signatures counts.
pub(super) fn thoughts<'a>(message: &Value<'a>, blocks: &mut Vec<Block<'a>>) {
    let signed = message.get("thinking_blocks").map(Value::items).unwrap_or_default();
    if !signed.is_empty() {
        blocks.extend(signed.iter().map(|one| Block::Thinking(thinking_in(one))));
        return;
    }
    let plain = message.get("reasoning_content").or_else(|| message.get("reasoning"));
    if let Some(text) = plain.and_then(Value::text).filter(|text| !text.is_empty()) {
        blocks.push(Block::Thinking(Thinking { text, ..Thinking::default() }));
    }
}

/// An entry of `tool_calls`.
pub(super) fn tool_call<'a>(call: &Value<'a>) -> Option<Block<'a>> {
    if let Some(custom) = call.get("custom") {
        let kind = custom.get("name").and_then(Value::text).unwrap_or("custom".into());
        return Some(Block::Opaque { kind, value: Cow::Borrowed(call.raw()) });
    }
    let function = call.get("function")?;
    let arguments = match function.get("arguments") {
        None => Cow::Borrowed("{}"),
        Some(given) => match given.kind() {
            Json::String(text) if text.trim().is_empty() => Cow::Borrowed("{}"),
            Json::String(text) => text.clone(),
            // Some hosts give the object itself.
            _ => Cow::Borrowed(given.raw()),
        },
    };
    Some(Block::ToolCall(ToolCall {
        id: call.get("id")?.text()?,
        name: function.get("name")?.text()?,
        arguments,
        signature: signature_in(call),
        cache: cache_in(call),
    }))
}

fn tool_result<'a>(value: &Value<'a>, index: usize) -> Result<Block<'a>, Fault> {
    let at = || format!("messages[{index}].tool_call_id");
    let call_id = value.get("tool_call_id").and_then(Value::text);
    let mut blocks = Vec::new();
    content_in(value.get("content"), &format!("messages[{index}].content"), &mut blocks)?;
    Ok(Block::ToolResult {
        call_id: call_id
            .ok_or_else(|| Fault::of(at(), "A tool's message needs a `tool_call_id`."))?,
        name: value.get("name").and_then(Value::text),
        blocks,
        is_error: false,
        cache: cache_in(value),
    })
}
