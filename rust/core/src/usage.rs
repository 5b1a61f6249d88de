//! Token usage, read off a provider's reply as it passes.

use crate::json;
use llmgw_formats::Kind;
use serde::Deserialize;

pub use llmgw_formats::chat::Usage;

/// No request uses more tokens than this: larger numbers are not believed.
const MOST: u64 = 1 << 40;

/// The spellings of OpenAI: chat (`prompt_tokens`), Responses and realtime (`input_tokens`, whose details
/// differ by an `s`).
#[derive(Deserialize)]
struct Wire {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
    /// All that some rerankers give.
    total_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details", alias = "input_token_details")]
    prompt_tokens_details: Option<InputDetails>,
    #[serde(alias = "output_tokens_details", alias = "output_token_details")]
    completion_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

/// Reads a `usage` object; `None` if it is not one, or holds negative or absurd numbers.
#[must_use]
pub fn parse(value: &[u8]) -> Option<Usage> {
    let wire: Wire = serde_json::from_slice(value).ok()?;
    let usage = Usage {
        input: wire.prompt_tokens.or(wire.total_tokens)?,
        output: wire.completion_tokens.unwrap_or(0),
        cache_read: wire.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or(0),
        reasoning: wire.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
        ..Usage::default()
    };
    believable(usage)
}

/// Anthropic's `usage`, whose input leaves out what went through the prompt cache. In a stream the first
/// one has the input and the last one the output.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Messages {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

/// Reads Anthropic's `usage`; what it does not say is taken from the one `before` it.
#[must_use]
pub fn parse_messages(value: &[u8], before: Option<Usage>) -> Option<Usage> {
    let wire: Messages = serde_json::from_slice(value).ok()?;
    let before = before.unwrap_or_default();
    let plain = before.input.saturating_sub(before.cache_read).saturating_sub(before.cache_write);
    let cache_read = wire.cache_read_input_tokens.unwrap_or(before.cache_read);
    let cache_write = wire.cache_creation_input_tokens.unwrap_or(before.cache_write);
    let input = wire.input_tokens.unwrap_or(plain);
    believable(Usage {
        input: input.saturating_add(cache_read).saturating_add(cache_write),
        output: wire.output_tokens.unwrap_or(before.output),
        cache_read,
        cache_write,
        ..Usage::default()
    })
}

/// Gemini's `usageMetadata`, which tells thoughts apart from the answer.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    prompt_token_count: u64,
    tool_use_prompt_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
    cached_content_token_count: u64,
}

/// Reads Gemini's `usageMetadata`.
#[must_use]
pub fn parse_content(value: &[u8]) -> Option<Usage> {
    let wire: Content = serde_json::from_slice(value).ok()?;
    believable(Usage {
        input: wire.prompt_token_count.saturating_add(wire.tool_use_prompt_token_count),
        output: wire.candidates_token_count.saturating_add(wire.thoughts_token_count),
        cache_read: wire.cached_content_token_count,
        reasoning: wire.thoughts_token_count,
        ..Usage::default()
    })
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
    json::find_member(body, name).and_then(|field| read(&body[field.value]))
}

/// The usage of a large JSON reply of which only the end is at hand.
#[must_use]
pub fn at_end(format: Option<Kind>, tail: &[u8]) -> Option<Usage> {
    let key = [b"\"", told(format).0.as_bytes(), b"\""].concat();
    let at = memchr::memmem::rfind(tail, &key)?;
    let object = [b"{", &tail[at..]].concat();
    of_reply(format, &object)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        let chat = br#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,
            "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}"#;
        let responses = br#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},
            "output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":14}"#;
        let expected =
            Usage { input: 9, output: 5, cache_read: 4, reasoning: 2, ..Usage::default() };
        assert_eq!(parse(chat), Some(expected));
        assert_eq!(parse(responses), Some(expected));
    }

    #[test]
    fn numbers_that_cannot_be_are_not_believed() {
        for text in [
            "{}",
            "null",
            r#"{"prompt_tokens":-1}"#,
            r#"{"prompt_tokens":1e99}"#,
            r#"{"prompt_tokens":99999999999999999}"#,
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_a_large_reply_is_enough() {
        let tail =
            br#"0.25],"index":9}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#;
        assert_eq!(at_end(None, tail).map(|usage| usage.input), Some(3));
        assert_eq!(at_end(None, b"0.25]}]}"), None);
    }

    #[test]
    fn a_reranking_may_give_nothing_but_a_total() {
        let body = br#"{"results":[],"usage":{"total_tokens":15}}"#;
        assert_eq!(of_reply(None, body).unwrap(), Usage { input: 15, ..Usage::default() });
    }

    #[test]
    fn an_embedding_has_no_output() {
        let body = br#"{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
        assert_eq!(of_reply(None, body).unwrap(), Usage { input: 3, ..Usage::default() });
    }

    #[test]
    fn what_anthropic_cached_counts_as_input() {
        let first = br#"{"input_tokens":3,"cache_read_input_tokens":10,"cache_creation_input_tokens":5,"output_tokens":1}"#;
        let start = parse_messages(first, None);
        assert_eq!(start.unwrap().input, 18);
        let last = parse_messages(br#"{"output_tokens":7}"#, start).unwrap();
        assert_eq!((last.input, last.output, last.cache_read, last.cache_write), (18, 7, 10, 5));
    }

    #[test]
    fn what_gemini_thought_counts_as_output() {
        let body = br#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":3,"totalTokenCount":16}}"#;
        let usage = of_reply(Some(Kind::GeminiGenerate), body).unwrap();
        assert_eq!((usage.input, usage.output, usage.reasoning), (9, 7, 3));
    }
}
