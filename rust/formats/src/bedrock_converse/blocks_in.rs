//! Content blocks: an object with one member, whose name tells what it is.

use super::{citations, media};
use crate::base64;
use crate::chat::{Block, Cache, Signature, TextBlock, Thinking, ToolCall};
use crate::format::{Fault, Kind};
use crate::signature;
use crate::value::Value;
use std::borrow::Cow;

/// The content of a message or of a tool's result. `at` is its path, for faults.
pub(super) fn content<'a>(content: Option<&Value<'a>>, at: &str) -> Result<Vec<Block<'a>>, Fault> {
    let Some(content) = content else { return Ok(Vec::new()) };
    if !content.is_array() {
        return Err(Fault::of(at, "Content must be a list of content blocks."));
    }
    let mut blocks = Vec::with_capacity(content.items().len());
    for (index, value) in content.items().iter().enumerate() {
        let place = || format!("{at}[{index}]");
        let Some((name, inner)) = value.members().iter().find(|(_, inner)| !inner.is_null()) else {
            return Err(Fault::of(place(), "A content block must be an object with one member."));
        };
        if name == "cachePoint" && mark(&mut blocks, &cache(inner)) {
            continue;
        }
        let missing = |what: &str| {
            Fault::of(format!("{}.{name}", place()), format!("The block lacks `{what}`."))
        };
        blocks.push(block(value, name, inner, &missing)?);
    }
    attach_signatures(&mut blocks);
    Ok(blocks)
}

fn block<'a>(
    value: &Value<'a>,
    name: &str,
    inner: &Value<'a>,
    missing: &dyn Fn(&str) -> Fault,
) -> Result<Block<'a>, Fault> {
    let opaque =
        || Block::Opaque { kind: name.to_owned().into(), value: Cow::Borrowed(value.raw()) };
    if let Some(media) = media::Media::named(name) {
        return Ok(media::block_in(media, inner).unwrap_or_else(opaque));
    }
    // Calls and results of tools that Bedrock runs itself have a type.
    let hosted = inner.get("type").is_some();
    Ok(match name {
        "text" => Block::text(inner.text().ok_or_else(|| missing("text"))?),
        "json" => Block::text(inner.raw()),
        "toolUse" if !hosted => Block::ToolCall(ToolCall {
            id: inner.get("toolUseId").and_then(Value::text).ok_or_else(|| missing("toolUseId"))?,
            name: inner.get("name").and_then(Value::text).ok_or_else(|| missing("name"))?,
            arguments: inner.get("input").map_or("{}", Value::raw).into(),
            signature: None,
            cache: None,
        }),
        "toolResult" if !hosted => Block::ToolResult {
            call_id: inner
                .get("toolUseId")
                .and_then(Value::text)
                .ok_or_else(|| missing("toolUseId"))?,
            name: None,
            blocks: content(inner.get("content"), "content")?,
            is_error: inner.get("status").and_then(Value::as_str) == Some("error"),
            cache: None,
        },
        "reasoningContent" => thinking(inner).map_or_else(opaque, Block::Thinking),
        "citationsContent" => Block::Text(citations::text_in(inner)),
        _ => opaque(),
    })
}

fn thinking<'a>(value: &Value<'a>) -> Option<Thinking<'a>> {
    if let Some(data) = value.get("redactedContent").and_then(Value::text) {
        let signature = Some(redacted(data));
        return Some(Thinking { signature, redacted: true, ..Thinking::default() });
    }
    let told = value.get("reasoningText")?;
    let proof = told.get("signature").and_then(Value::text).filter(|proof| !proof.is_empty());
    Some(Thinking {
        text: told.get("text").and_then(Value::text).unwrap_or_default(),
        signature: proof.map(|proof| signature::read(Kind::BedrockConverse, proof)),
        redacted: false,
    })
}

/// A hidden thought: bytes, which are Bedrock's own or hold a sealed signature.
pub(super) fn redacted(data: Cow<'_, str>) -> Signature<'_> {
    if let Some(text) = base64::decode(&data).and_then(|bytes| String::from_utf8(bytes).ok())
        && signature::open(&text).is_some()
    {
        return signature::read(Kind::BedrockConverse, Cow::Owned(text));
    }
    Signature { origin: Kind::BedrockConverse, id: None, value: data }
}

pub(super) fn cache<'a>(value: &Value<'a>) -> Cache<'a> {
    Cache { ttl: value.get("ttl").and_then(Value::text) }
}

/// Marks the last block; whether there is one that can be marked.
fn mark<'a>(blocks: &mut [Block<'a>], cache: &Cache<'a>) -> bool {
    let place = match blocks.last_mut() {
        Some(Block::Text(text)) => &mut text.cache,
        Some(Block::ToolCall(call)) => &mut call.cache,
        Some(
            Block::Image { cache, .. }
            | Block::Document { cache, .. }
            | Block::ToolResult { cache, .. },
        ) => cache,
        _ => return false,
    };
    if place.is_some() {
        return false;
    }
    *place = Some(cache.clone());
    true
}

/// Gives Gemini's proofs, which stand in empty thoughts, to the calls and texts they belong to: the block
/// after, or a text before.
fn attach_signatures(blocks: &mut Vec<Block<'_>>) {
    if !blocks.iter().any(holds_a_proof) {
        return;
    }
    let mut waiting = None;
    for mut block in std::mem::take(blocks) {
        match &mut block {
            Block::ToolCall(ToolCall { signature: place @ None, .. })
            | Block::Text(TextBlock { signature: place @ None, .. }) => *place = waiting.take(),
            _ => settle(blocks, waiting.take()),
        }
        match block {
            Block::Thinking(thinking) if holds_proof(&thinking) => waiting = thinking.signature,
            other => blocks.push(other),
        }
    }
    settle(blocks, waiting);
}

/// Finds a place for a proof that no block after it takes.
fn settle<'a>(blocks: &mut Vec<Block<'a>>, signature: Option<Signature<'a>>) {
    match blocks.last_mut() {
        _ if signature.is_none() => {}
        Some(Block::Text(TextBlock { signature: place @ None, .. })) => *place = signature,
        _ => blocks.push(Block::Thinking(Thinking { signature, ..Thinking::default() })),
    }
}

fn holds_a_proof(block: &Block<'_>) -> bool {
    matches!(block, Block::Thinking(thinking) if holds_proof(thinking))
}

fn holds_proof(thinking: &Thinking<'_>) -> bool {
    thinking.text.is_empty()
        && !thinking.redacted
        && thinking.signature.as_ref().is_some_and(|one| one.origin == Kind::GeminiGenerate)
}
