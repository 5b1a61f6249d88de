//! Content blocks of requests and replies.

use super::strangers::{self, Extras};
use crate::chat::{
    Block, Cache, Citation, Made, Signature, Source, Text, TextBlock, Thinking, ToolCall,
};
use crate::format::{Fault, Kind};
use crate::signature;
use crate::value::{Kind as Json, Value};
use std::borrow::Cow;

/// A string or blocks. `at` tells the content's path, for faults and for what is not read.
pub(super) fn content<'a>(
    content: Option<&Value<'a>>,
    at: &dyn Fn() -> String,
    blocks: &mut Vec<Block<'a>>,
    extras: &mut Extras<'_, 'a>,
) -> Result<(), Fault> {
    let Some(content) = content else {
        return Err(Fault::of(at(), "A message needs `content`."));
    };
    match content.kind() {
        Json::String(text) => {
            if !text.is_empty() {
                blocks.push(Block::text(text.clone()));
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let block = block(item, &|| format!("{}[{index}]", at()), extras)?;
                push(blocks, block);
            }
        }
        _ => return Err(Fault::of(at(), "The content must be a string or a list of blocks.")),
    }
    Ok(())
}

/// Adds a block; the proof of a thought that stood before it for want of a better place joins it.
pub(super) fn push<'a>(blocks: &mut Vec<Block<'a>>, mut block: Block<'a>) {
    let place = match &mut block {
        Block::ToolCall(call) => Some(&mut call.signature),
        Block::Text(text) => Some(&mut text.signature),
        Block::Image { made, .. } => Some(&mut made.signature),
        _ => None,
    };
    if let Some(place) = place
        && let Some(Block::Thinking(thinking)) = blocks.last_mut()
        && is_loose(thinking)
    {
        *place = thinking.signature.take();
        blocks.pop();
    }
    match block {
        Block::Thinking(thought) => {
            let rest = signature::give_to_text_before(blocks, thought);
            blocks.extend(rest.map(Block::Thinking));
        }
        other => blocks.push(other),
    }
}

/// Whether the thought is only the proof of what follows it (Gemini signs its calls and texts).
fn is_loose(thinking: &Thinking<'_>) -> bool {
    let gemini = |one: &Signature<'_>| one.origin == Kind::GeminiGenerate;
    thinking.text.is_empty()
        && !thinking.redacted
        && thinking.signature.as_ref().is_some_and(gemini)
}

fn block<'a>(
    value: &Value<'a>,
    at: &dyn Fn() -> String,
    extras: &mut Extras<'_, 'a>,
) -> Result<Block<'a>, Fault> {
    let kind = value.get("type").and_then(Value::text);
    let kind = kind.ok_or_else(|| Fault::of(at(), "A content block must have a `type`."))?;
    let missing =
        |what: &str| Fault::of(format!("{}.{what}", at()), format!("The block lacks `{what}`."));
    strangers::of_block(value, &kind, at, extras);
    let text =
        |name: &'static str| value.get(name).and_then(Value::text).ok_or_else(|| missing(name));
    Ok(match &*kind {
        "text" => Block::Text(TextBlock {
            text: text("text")?,
            citations: value.get("citations").map(citations).unwrap_or_default(),
            cache: cache(value),
            ..TextBlock::default()
        }),
        "image" => Block::Image {
            source: value.get("source").and_then(source).ok_or_else(|| missing("source"))?,
            detail: None,
            cache: cache(value),
            made: Made::default(),
        },
        "document" => document(value, kind)?.ok_or_else(|| missing("source"))?,
        "tool_use" => Block::ToolCall(ToolCall {
            id: text("id")?,
            name: text("name")?,
            arguments: value.get("input").map_or("{}", Value::raw).into(),
            signature: None,
            cache: cache(value),
        }),
        "tool_result" => tool_result(value, text("tool_use_id")?, at, extras)?,
        "thinking" => Block::Thinking(Thinking {
            text: text("thinking")?,
            signature: value
                .get("signature")
                .and_then(Value::text)
                .map(own)
                .filter(|signature| !signature.value.is_empty()),
            redacted: false,
        }),
        "redacted_thinking" => Block::Thinking(Thinking {
            signature: Some(own(text("data")?)),
            redacted: true,
            ..Thinking::default()
        }),
        _ => Block::Opaque { kind, value: Cow::Borrowed(value.raw()) },
    })
}

/// A proof, which may be another format's that was sealed.
pub(super) fn own(text: Text<'_>) -> Signature<'_> {
    signature::read(Kind::AnthropicMessages, text)
}

fn tool_result<'a>(
    value: &Value<'a>,
    call_id: Text<'a>,
    at: &dyn Fn() -> String,
    extras: &mut Extras<'_, 'a>,
) -> Result<Block<'a>, Fault> {
    let mut blocks = Vec::new();
    if let Some(given) = value.get("content") {
        content(Some(given), &|| format!("{}.content", at()), &mut blocks, extras)?;
    }
    Ok(Block::ToolResult {
        call_id,
        name: None,
        blocks,
        is_error: value.get("is_error").and_then(Value::as_bool).unwrap_or(false),
        cache: cache(value),
    })
}

fn source<'a>(value: &Value<'a>) -> Option<Source<'a>> {
    let text = |name: &str| value.get(name).and_then(Value::text);
    Some(match value.get("type")?.as_str()? {
        "base64" => Source::Base64 { media_type: text("media_type")?, data: text("data")? },
        "url" => Source::Url { url: text("url")?, media_type: None },
        "file" => Source::File { id: text("file_id")? },
        "text" => Source::Text(text("data")?),
        _ => return None,
    })
}

/// A document; one made of blocks keeps their texts, as nobody else knows such a thing.
fn document<'a>(value: &Value<'a>, kind: Text<'a>) -> Result<Option<Block<'a>>, Fault> {
    let Some(given) = value.get("source") else { return Ok(None) };
    let source = match given.get("type").and_then(Value::as_str) {
        Some("content") => match given.get("content").map(Value::kind) {
            Some(Json::String(text)) => Some(Source::Text(text.clone())),
            _ => return Ok(Some(Block::Opaque { kind, value: Cow::Borrowed(value.raw()) })),
        },
        _ => source(given),
    };
    let citations = value.get("citations").and_then(|c| c.get("enabled")).and_then(Value::as_bool);
    Ok(source.map(|source| Block::Document {
        source,
        title: value.get("title").and_then(Value::text),
        context: value.get("context").and_then(Value::text),
        citations: citations.unwrap_or(false),
        cache: cache(value),
    }))
}

pub(super) fn cache<'a>(value: &Value<'a>) -> Option<Cache<'a>> {
    let mark = value.get("cache_control")?;
    Some(Cache { ttl: mark.get("ttl").and_then(Value::text) })
}

fn citations<'a>(value: &Value<'a>) -> Vec<Citation<'a>> {
    value.items().iter().map(citation).collect()
}

/// A citation of any of Anthropic's kinds; offsets are the document's, so they are kept in `raw` alone.
pub(super) fn citation<'a>(value: &Value<'a>) -> Citation<'a> {
    let text = |name: &str| value.get(name).and_then(Value::text);
    Citation {
        url: text("url").or_else(|| text("source")),
        title: text("title").or_else(|| text("document_title")),
        quoted: text("cited_text"),
        document: value.get("document_index").and_then(Value::as_u64),
        raw: Some(Cow::Borrowed(value.raw())),
        ..Citation::default()
    }
}
