//! Token usage, read off a provider's reply as it passes.

use crate::{json, sse};
use content::Content;
use llmgw_formats::Kind;
use serde::Deserialize;
use std::borrow::Cow;

pub use llmgw_formats::chat::{Service, Usage};

mod content;

/// No request uses more tokens than this: larger numbers are not believed.
const MOST: u64 = 1 << 32;

/// Bytes of a reply that a token of output is taken for where nothing is said of usage: English and JSON alike.
pub const BYTES_PER_TOKEN: u64 = 4;

/// The spellings of OpenAI: chat (`prompt_tokens`), Responses and realtime (`input_tokens`, whose details
/// differ by an `s`). Some hosts send both.
#[derive(Deserialize)]
struct Wire {
    prompt_tokens: Option<u64>,
    input_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    output_tokens: Option<u64>,
    /// All that some rerankers give.
    total_tokens: Option<u64>,
    /// DeepSeek's, which lacks the details.
    prompt_cache_hit_tokens: Option<u64>,
    /// Moonshot's, which lacks them too.
    cached_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<InputDetails>,
    #[serde(alias = "input_token_details")]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    completion_tokens_details: Option<OutputDetails>,
    #[serde(alias = "output_token_details")]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cached_tokens_details: Option<CachedDetails>,
    cache_write_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CachedDetails {
    audio_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

/// Reads a `usage` object; `None` if it is not one, or holds negative or absurd numbers.
#[must_use]
pub fn parse(value: &[u8]) -> Option<Usage> {
    let wire: Wire = serde_json::from_slice(value).ok()?;
    let input = wire.prompt_tokens_details.or(wire.input_tokens_details).unwrap_or_default();
    let output = wire.completion_tokens_details.or(wire.output_tokens_details).unwrap_or_default();
    let cached_details = input.cached_tokens_details.unwrap_or_default();
    let usage = Usage {
        input: wire.prompt_tokens.or(wire.input_tokens).or(wire.total_tokens)?,
        output: wire.completion_tokens.or(wire.output_tokens).unwrap_or(0),
        cache_read: input
            .cached_tokens
            .or(wire.prompt_cache_hit_tokens)
            .or(wire.cached_tokens)
            .unwrap_or(0),
        cache_write: input.cache_write_tokens.unwrap_or(0),
        reasoning: output.reasoning_tokens.unwrap_or(0),
        audio_input: input.audio_tokens.unwrap_or(0),
        audio_output: output.audio_tokens.unwrap_or(0),
        audio_cached: cached_details.audio_tokens.unwrap_or(0),
        image_input: input.image_tokens.unwrap_or(0),
        image_output: output.image_tokens.unwrap_or(0),
        ..Usage::default()
    };
    believable(usage.adding_up_to(wire.total_tokens))
}

/// The usage of an object that has a member `usage` and says beside it how it was served: OpenAI's.
#[must_use]
pub fn parse_beside(usage: &[u8], body: &[u8]) -> Option<Usage> {
    Some(parse(usage)?.served_by(service_of(body)))
}

/// OpenAI's `service_tier` of a reply, chunk or response.
fn service_of(body: &[u8]) -> Option<&str> {
    const NAME: &str = "service_tier";
    // Most hosts do not say it, which is found out faster than where it stands.
    memchr::memmem::find(body, NAME.as_bytes())?;
    word(&body[json::find_member(body, NAME)?.value])
}

/// A word that is a JSON text without escapes.
fn word(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value.strip_prefix(b"\"")?.strip_suffix(b"\"")?).ok()
}

/// Anthropic's `usage`, whose input leaves out what went through the prompt cache. In a stream the first
/// one has the input and the last one the output.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Messages<'a> {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<Thought>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Lifetimes>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    speed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    inference_geo: Option<Cow<'a, str>>,
    server_tool_use: Option<Searches>,
    #[serde(borrow)]
    iterations: Option<Vec<Iteration<'a>>>,
}

/// What hosted tools did.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Searches {
    web_search_requests: Option<u64>,
}

/// One of several steps that a reply took.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Iteration<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_creation: Option<Lifetimes>,
}

impl Iteration<'_> {
    fn usage(&self) -> Usage {
        let (read, written) = (self.cache_read_input_tokens, self.cache_creation_input_tokens);
        let for_an_hour =
            self.cache_creation.as_ref().and_then(|one| one.ephemeral_1h_input_tokens);
        Usage {
            input: self.input_tokens.saturating_add(read).saturating_add(written),
            output: self.output_tokens,
            cache_read: read,
            cache_write: written,
            cache_write_1h: for_an_hour.unwrap_or(0),
            ..Usage::default()
        }
    }
}

/// What was written to the cache, by how long it stays there.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Lifetimes {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Thought {
    thinking_tokens: Option<u64>,
}

/// Reads Anthropic's `usage`; what it does not say is taken from the one `before` it.
#[must_use]
pub fn parse_messages(value: &[u8], before: Option<Usage>) -> Option<Usage> {
    let wire: Messages<'_> = serde_json::from_slice(value).ok()?;
    let before = before.unwrap_or_default();
    let plain = before.input.saturating_sub(before.cache_read).saturating_sub(before.cache_write);
    let cache_read = wire.cache_read_input_tokens.unwrap_or(before.cache_read);
    let cache_write = wire.cache_creation_input_tokens.unwrap_or(before.cache_write);
    let input = wire.input_tokens.unwrap_or(plain);
    let for_an_hour = wire.cache_creation.and_then(|one| one.ephemeral_1h_input_tokens);
    let thought = wire.output_tokens_details.and_then(|one| one.thinking_tokens);
    let usage = Usage {
        input: input.saturating_add(cache_read).saturating_add(cache_write),
        output: wire.output_tokens.unwrap_or(before.output),
        cache_read,
        cache_write,
        cache_write_1h: for_an_hour.unwrap_or(before.cache_write_1h),
        reasoning: thought.unwrap_or(before.reasoning),
        service: before.service,
        ..Usage::default()
    };
    let searches = wire.server_tool_use.and_then(|used| used.web_search_requests);
    let usage = usage.served_by(wire.service_tier.as_deref()).with_surcharges(
        wire.speed.as_deref(),
        wire.inference_geo.as_deref(),
        searches,
    );
    believable(with_compactions(wire.iterations.as_deref(), usage))
}

/// The usage with what compactions took: the sums leave them out, and they are charged.
fn with_compactions(steps: Option<&[Iteration<'_>]>, usage: Usage) -> Usage {
    let steps = steps.unwrap_or_default();
    if !steps.iter().any(|step| step.kind.as_deref() == Some("compaction")) {
        return usage;
    }
    let whole = steps.iter().map(Iteration::usage).fold(Usage::default(), Usage::plus);
    Usage { service: usage.service, reasoning: usage.reasoning, ..whole }
}

/// Reads Gemini's `usageMetadata`.
#[must_use]
pub fn parse_content(value: &[u8]) -> Option<Usage> {
    let wire: Content<'_> = serde_json::from_slice(value).ok()?;
    believable(wire.usage())
}

/// The usage, unless its numbers are absurd.
#[must_use]
pub fn believable(usage: Usage) -> Option<Usage> {
    (usage.input < MOST && usage.output < MOST).then_some(usage)
}

/// How a usage member reads.
type Read = fn(&[u8]) -> Option<Usage>;

/// The member that tells the usage in a format's replies, and how it reads.
fn told(format: Option<Kind>) -> (&'static str, Read) {
    match format {
        Some(Kind::AnthropicMessages) => ("usage", |value| parse_messages(value, None)),
        Some(Kind::GeminiGenerate) => ("usageMetadata", parse_content),
        _ => ("usage", parse),
    }
}

/// The usage of a whole JSON reply.
#[must_use]
pub fn of_reply(format: Option<Kind>, body: &[u8]) -> Option<Usage> {
    let (name, read) = told(format);
    let usage = json::find_member(body, name).and_then(|field| read(&body[field.value]))?;
    Some(if tells_beside(format) { usage.served_by(service_of(body)) } else { usage })
}

/// Whether a format says how a reply was served beside the usage, not in it.
fn tells_beside(format: Option<Kind>) -> bool {
    !matches!(format, Some(Kind::AnthropicMessages | Kind::GeminiGenerate))
}

/// The usage of a large JSON reply of which only the end is at hand.
#[must_use]
pub fn at_end(format: Option<Kind>, tail: &[u8]) -> Option<Usage> {
    let key = [b"\"", told(format).0.as_bytes(), b"\""].concat();
    let at = memchr::memmem::rfind(tail, &key)?;
    let object = [b"{", &tail[at..]].concat();
    let usage = of_reply(format, &object)?;
    if !tells_beside(format) || service_of(&object).is_some() {
        return Some(usage);
    }
    let before = sse::words_of(&tail[..at], b"\"service_tier\"").last();
    Some(usage.served_by(before.and_then(|word| std::str::from_utf8(word).ok())))
}

#[cfg(test)]
mod tests;
