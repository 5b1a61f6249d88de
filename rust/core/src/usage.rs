//! Token usage, read off a provider's reply as it passes.

use crate::json;
use serde::Deserialize;

/// Tokens that a provider says it charged for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, cached ones included.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens served from the provider's prompt cache.
    pub cache_read: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

/// Both spellings of OpenAI: chat (`prompt_tokens`) and Responses (`input_tokens`).
#[derive(Deserialize)]
struct Wire {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Option<u64>,
    #[serde(alias = "output_tokens")]
    completion_tokens: Option<u64>,
    /// All that some rerankers give.
    total_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Option<InputDetails>,
    #[serde(alias = "output_tokens_details")]
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
    const MOST: u64 = 1 << 40;
    let wire: Wire = serde_json::from_slice(value).ok()?;
    let usage = Usage {
        input: wire.prompt_tokens.or(wire.total_tokens)?,
        output: wire.completion_tokens.unwrap_or(0),
        cache_read: wire.prompt_tokens_details.and_then(|d| d.cached_tokens).unwrap_or(0),
        reasoning: wire.completion_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
    };
    (usage.input < MOST && usage.output < MOST).then_some(usage)
}

/// The usage of a whole JSON reply: its `usage` member.
#[must_use]
pub fn of_reply(body: &[u8]) -> Option<Usage> {
    json::find_member(body, "usage").and_then(|field| parse(&body[field.value]))
}

/// The usage of a large JSON reply of which only the end is at hand.
#[must_use]
pub fn at_end(tail: &[u8]) -> Option<Usage> {
    const KEY: &[u8] = b"\"usage\"";
    let at = memchr::memmem::rfind(tail, KEY)?;
    let object = [b"{", &tail[at..]].concat();
    of_reply(&object)
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
        let expected = Usage { input: 9, output: 5, cache_read: 4, reasoning: 2 };
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
        assert_eq!(at_end(tail).map(|usage| usage.input), Some(3));
        assert_eq!(at_end(b"0.25]}]}"), None);
    }

    #[test]
    fn a_reranking_may_give_nothing_but_a_total() {
        let body = br#"{"results":[],"usage":{"total_tokens":15}}"#;
        assert_eq!(of_reply(body).unwrap(), Usage { input: 15, ..Usage::default() });
    }

    #[test]
    fn an_embedding_has_no_output() {
        let body = br#"{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
        assert_eq!(of_reply(body).unwrap(), Usage { input: 3, ..Usage::default() });
    }
}
