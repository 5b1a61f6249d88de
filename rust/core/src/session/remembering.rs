//! Which replies are kept to be given again.

use super::Session;
use crate::cache::{CachedHead, Entry};
use crate::call::Call;
use crate::dispatch::Trail;
use crate::headers::Headers;
use crate::json;
use crate::snapshot::Operation;
use crate::sse;
use bytes::Bytes;

impl<S> Session<S> {
    /// Keeps a good reply, if its request may be answered from the cache; `dropped` names what of the
    /// request could not be carried, `saved` is what the reply cost.
    pub(super) fn remember(
        &self,
        call: &Call,
        trail: &Trail,
        headers: &Headers,
        body: &Bytes,
        dropped: &str,
        saved: u64,
    ) {
        let (Some(key), Some(deployment)) = (call.cache_key, trail.deployment) else { return };
        let content_type = headers.get("content-type").unwrap_or(b"application/json");
        if headers.get("content-encoding").is_some() {
            return;
        }
        let head = CachedHead {
            status: 200,
            content_type: Bytes::copy_from_slice(content_type),
            dropped: dropped.into(),
        };
        let entry = Entry { head, body: Bytes::copy_from_slice(body), deployment, saved };
        self.edge.desk.borrow_mut().answers.put(&call.plan, key, entry);
    }
}

/// Whether a whole reply is an answer that may be given again.
pub(super) fn is_final(operation: Operation, body: &[u8]) -> bool {
    let says = |name: &str, word: &[u8]| {
        json::find_member(body, name).is_some_and(|field| &body[field.value] == word)
    };
    match operation {
        Operation::Responses => says("status", b"\"completed\""),
        Operation::Messages => {
            !says("stop_reason", b"\"refusal\"") && !says("stop_reason", b"\"pause_turn\"")
        }
        Operation::GenerateContent => {
            let mut ends = sse::words_of(body, b"\"finishReason\"").peekable();
            ends.peek().is_some()
                && ends.all(|word| word == b"STOP" || word == b"MAX_TOKENS")
                && sse::words_of(body, b"\"blockReason\"").next().is_none()
        }
        _ => {
            let failed = |word: &[u8]| word == b"content_filter" || word == b"error";
            !sse::words_of(body, b"\"finish_reason\"").any(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn final_of(operation: Operation, bodies: &[(&str, bool)]) {
        for (body, is) in bodies {
            assert_eq!(is_final(operation, body.as_bytes()), *is, "{body}");
        }
    }

    #[test]
    fn a_chat_that_was_filtered_or_failed_is_not_given_again() {
        let filtered =
            r#"{"choices":[{"finish_reason":"stop"},{"finish_reason": "content_filter"}]}"#;
        let quoted = r#"{"choices":[{"message":{"content":"\"finish_reason\":\"error\""}}]}"#;
        final_of(
            Operation::ChatCompletions,
            &[
                (r#"{"choices":[{"finish_reason":"stop"}]}"#, true),
                (filtered, false),
                (r#"{"choices":[{"finish_reason":"error"}]}"#, false),
                (quoted, true),
            ],
        );
    }

    #[test]
    fn what_gemini_blocked_is_not_given_again() {
        final_of(
            Operation::GenerateContent,
            &[
                (r#"{"candidates":[{"finishReason": "STOP"}]}"#, true),
                (r#"{"candidates":[{"finishReason":"STOP"},{"finishReason":"SAFETY"}]}"#, false),
                (r#"{"promptFeedback":{"blockReason":"OTHER"}}"#, false),
                (r#"{"candidates":[]}"#, false),
            ],
        );
    }
}
