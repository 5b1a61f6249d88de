//! OpenAI's first words for tools: `functions`, `function_call`, and messages of the role `function`.
//!
//! There is one call at a time, and it has no id: the place of its message gives it one.

use super::parts::content_in;
use super::tools_in::function;
use super::words::finish_out;
use crate::chat::{Block, Finish, Message, Request, Text, Tool, ToolCall, ToolChoice};
use crate::format::Fault;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// The word for a call, and for an answer that ends with one.
pub(super) const CALLED: &str = "function_call";

/// Reads `functions`.
pub(super) fn ask<'a>(request: &mut Request<'a>, value: &Value<'a>) -> Result<(), Fault> {
    if !value.is_array() {
        return Err(Fault::of("functions", "The field `functions` must be a list."));
    }
    for (index, one) in value.items().iter().enumerate() {
        let at = format!("functions[{index}]");
        request.tools.push(Tool::Function(function(one, &at, &mut request.extra)?));
    }
    request.legacy_functions = true;
    Ok(())
}

/// Reads `function_call` of a request.
pub(super) fn choice<'a>(value: &Value<'a>) -> Result<ToolChoice<'a>, Fault> {
    match (value.as_str(), value.get("name").and_then(Value::text)) {
        (Some("auto"), _) => Ok(ToolChoice::Auto),
        (Some("none"), _) => Ok(ToolChoice::None),
        (None, Some(name)) => Ok(ToolChoice::Function(name)),
        _ => Err(Fault::of("function_call", "It must be auto, none, or have a function's `name`.")),
    }
}

/// Reads `function_call` of the assistant's message at `index`.
pub(super) fn call<'a>(message: &Value<'a>, index: usize) -> Result<Option<Block<'a>>, Fault> {
    let Some(call) = message.get(CALLED) else { return Ok(None) };
    let name = call.get("name").and_then(Value::text).ok_or_else(|| {
        Fault::of(format!("messages[{index}].function_call.name"), "A call needs a `name`.")
    })?;
    let arguments = call.get("arguments").and_then(Value::text);
    let arguments = arguments.filter(|text| !text.trim().is_empty()).unwrap_or("{}".into());
    let id = id_at(index);
    Ok(Some(Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })))
}

fn id_at(index: usize) -> Text<'static> {
    Cow::Owned(format!("call_{index}"))
}

/// Reads the message of the role `function` at `index`: what the last call of that function brought.
pub(super) fn result<'a>(
    message: &Value<'a>,
    index: usize,
    before: &[Message<'a>],
) -> Result<Block<'a>, Fault> {
    let name = message.get("name").and_then(Value::text).ok_or_else(|| {
        Fault::of(format!("messages[{index}].name"), "A function's message needs a `name`.")
    })?;
    let mut said = before.iter().rev().flat_map(|message| message.blocks.iter().rev());
    let call_id = said.find_map(|block| match block {
        Block::ToolCall(call) if call.name == name => Some(call.id.clone()),
        _ => None,
    });
    let mut blocks = Vec::new();
    content_in(message.get("content"), &format!("messages[{index}].content"), &mut blocks)?;
    Ok(Block::ToolResult {
        call_id: call_id.unwrap_or_else(|| id_at(index)),
        name: Some(name),
        blocks,
        is_error: false,
        cache: None,
    })
}

/// Why an answer ended, in these words if `legacy`.
pub(super) fn finish(finish: Finish, legacy: bool) -> &'static str {
    match finish {
        Finish::ToolCalls if legacy => CALLED,
        other => finish_out(other),
    }
}

/// Writes `function_call` of a message or a delta.
pub(super) fn write(w: &mut Writer, name: Option<&str>, arguments: &str) {
    w.key(CALLED).object(|w| {
        w.text_if("name", name).text("arguments", arguments);
    });
}
