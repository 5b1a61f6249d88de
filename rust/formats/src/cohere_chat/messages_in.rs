//! The messages of a client's request, and the message of a reply.

use super::citations;
use crate::chat::{Block, Made, Message, Role, Source, TextBlock, Thinking, ToolCall};
use crate::format::Fault;
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

pub(super) fn message<'a>(value: &Value<'a>, index: usize) -> Result<Message<'a>, Fault> {
    let at = |what: &str| format!("messages[{index}].{what}");
    let (role, blocks) = match value.get("role").and_then(Value::as_str) {
        Some("system") => (Role::System, content(value, &at("content"))?),
        Some("user") => (Role::User, content(value, &at("content"))?),
        Some("assistant") => (Role::Assistant, assistant(value, &at("content"))?),
        Some("tool") => {
            let call_id = value.get("tool_call_id").and_then(Value::text);
            let missing = || Fault::of(at("tool_call_id"), "A tool's message needs a call's id.");
            let blocks = vec![Block::ToolResult {
                call_id: call_id.ok_or_else(missing)?,
                name: None,
                blocks: content(value, &at("content"))?,
                is_error: false,
                cache: None,
            }];
            (Role::User, blocks)
        }
        _ => {
            let told = "A role must be `system`, `user`, `assistant` or `tool`.";
            return Err(Fault::of(at("role"), told));
        }
    };
    Ok(Message { role, name: None, blocks })
}

/// What the assistant says: its content, then what it plans, then what it calls.
pub(super) fn assistant<'a>(value: &Value<'a>, at: &str) -> Result<Vec<Block<'a>>, Fault> {
    let mut blocks = content(value, at)?;
    citations::attach(&mut blocks, 0, value.get("citations"));
    if let Some(plan) = value.get("tool_plan").and_then(Value::text).filter(|one| !one.is_empty()) {
        blocks.push(Block::text(plan));
    }
    let calls = value.get("tool_calls").map(Value::items).unwrap_or_default();
    blocks.extend(calls.iter().filter_map(call).map(Block::ToolCall));
    Ok(blocks)
}

fn call<'a>(value: &Value<'a>) -> Option<ToolCall<'a>> {
    let function = value.get("function")?;
    let arguments = function.get("arguments").and_then(Value::text).filter(|one| !one.is_empty());
    Some(ToolCall {
        id: value.get("id").and_then(Value::text).unwrap_or_default(),
        name: function.get("name")?.text()?,
        arguments: arguments.unwrap_or("{}".into()),
        signature: None,
        cache: None,
    })
}

fn content<'a>(message: &Value<'a>, at: &str) -> Result<Vec<Block<'a>>, Fault> {
    match message.get("content").map(Value::kind) {
        None => Ok(Vec::new()),
        Some(Json::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Json::String(text)) => Ok(vec![Block::text(text.clone())]),
        Some(Json::Array(parts)) => {
            let part = |(index, value)| {
                part(value).ok_or_else(|| {
                    Fault::of(format!("{at}[{index}]"), "The part lacks what its `type` promises.")
                })
            };
            parts.iter().enumerate().map(part).collect()
        }
        Some(_) => Err(Fault::of(at, "Content must be a string or a list of parts.")),
    }
}

fn part<'a>(value: &Value<'a>) -> Option<Block<'a>> {
    let kind = value.get("type")?.text()?;
    Some(match &*kind {
        "text" => {
            Block::Text(TextBlock { text: value.get("text")?.text()?, ..TextBlock::default() })
        }
        "thinking" => Block::Thinking(Thinking {
            text: value.get("thinking")?.text()?,
            ..Thinking::default()
        }),
        "image_url" => {
            let image = value.get("image_url")?;
            Block::Image {
                source: source(image.get("url")?.text()?),
                detail: image.get("detail").and_then(Value::text),
                cache: None,
                made: Made::default(),
            }
        }
        // In a tool's result: what others call its text.
        "document" => Block::text(value.get("document")?.get("data")?.raw()),
        _ => Block::Opaque { kind, value: Cow::Borrowed(value.raw()) },
    })
}

/// A picture's address; a `data:` URL holds it.
fn source(url: Cow<'_, str>) -> Source<'_> {
    let split = |url: &str| {
        let comma = url.strip_prefix("data:")?.find(";base64,")?;
        Some(("data:".len()..comma + 5, comma + 13))
    };
    match (split(&url), url) {
        (Some((media_type, data)), Cow::Borrowed(url)) => {
            Source::Base64 { media_type: url[media_type].into(), data: url[data..].into() }
        }
        (Some((media_type, data)), Cow::Owned(url)) => Source::Base64 {
            media_type: url[media_type].to_owned().into(),
            data: url[data..].to_owned().into(),
        },
        (None, url) => Source::Url { url, media_type: None },
    }
}
