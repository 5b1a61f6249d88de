//! Errors in both directions.

use super::*;
use crate::chat::{Failure, FailureKind};
use serde_json::json;

fn kind(status: u16, word: &str, message: &str) -> FailureKind {
    let error = json!({"type": word, "message": message});
    let body = json!({"type": "error", "error": error, "request_id": "req_9"}).to_string();
    AnthropicMessages.decode_error(status, &body).kind
}

fn failure(kind: FailureKind, message: &'static str) -> Failure<'static> {
    Failure { status: 400, kind, message: message.into(), code: None, param: None }
}

fn written(failure: &Failure<'_>) -> Value {
    serde_json::from_slice(&AnthropicMessages.encode_error(failure, &CONTEXT)).unwrap()
}

#[test]
fn every_type_is_read_and_written() {
    for (word, expected) in [
        ("invalid_request_error", FailureKind::InvalidRequest),
        ("authentication_error", FailureKind::Authentication),
        ("billing_error", FailureKind::Quota),
        ("permission_error", FailureKind::Permission),
        ("not_found_error", FailureKind::NotFound),
        ("request_too_large", FailureKind::TooLarge),
        ("rate_limit_error", FailureKind::RateLimit),
        ("timeout_error", FailureKind::Timeout),
        ("api_error", FailureKind::Server),
        ("overloaded_error", FailureKind::Overloaded),
    ] {
        assert_eq!(kind(418, word, "So"), expected, "{word}");
        let error = json!({"type": word, "message": "So"});
        let body = json!({"type": "error", "error": error, "request_id": "req_1"});
        assert_eq!(written(&failure(expected, "So")), body);
    }
}

#[test]
fn words_tell_what_the_type_does_not() {
    for (message, expected) in [
        ("prompt is too long: 208310 tokens > 200000 maximum", FailureKind::ContextLength),
        ("input length and `max_tokens` exceed context limit: 1 + 2", FailureKind::ContextLength),
        ("Your credit balance is too low to access the Anthropic API.", FailureKind::Quota),
        ("You have reached your specified API usage limits.", FailureKind::Quota),
        ("Output blocked by content filtering policy", FailureKind::ContentFilter),
        ("max_tokens: Field required", FailureKind::InvalidRequest),
    ] {
        assert_eq!(kind(400, "invalid_request_error", message), expected, "{message}");
    }
}

#[test]
fn a_type_of_tomorrow_is_told_by_its_status() {
    assert_eq!(kind(429, "odd_error", "x"), FailureKind::RateLimit);
    assert_eq!(kind(404, "odd_error", "x"), FailureKind::NotFound);
}

#[test]
fn an_error_in_a_stream_has_the_status_it_would_have_had() {
    let error = json!({"type": "overloaded_error", "message": "Overloaded"});
    let frame = format!("event: error\ndata: {}\n\n", json!({"type": "error", "error": error}));
    let (events, complete) = heard(&[frame.as_bytes()], &Sent::default());
    assert!(events[0].starts_with("Error(Failure { status: 529, kind: Overloaded"), "{events:?}");
    assert_eq!((events.len(), complete), (1, false));
}

#[test]
fn what_is_no_error_of_anthropics_is_read_all_the_same() {
    for (status, body, message) in [
        (529, "", "The provider answered with status 529 and gave no reason."),
        (502, "<html>Bad</html>", "The provider answered with status 502 and gave no reason."),
        (403, r#"{"message":"Not yours"}"#, "Not yours"),
        (
            500,
            r#"{"error":{"type":"api_error"}}"#,
            "The provider answered with status 500 and gave no reason.",
        ),
    ] {
        assert_eq!(AnthropicMessages.decode_error(status, body).message, message);
    }
}

#[test]
fn a_prompt_that_is_too_long_is_told_in_the_words_that_claude_code_looks_for() {
    let body = written(&failure(FailureKind::ContextLength, "At most 8192 tokens."));
    assert_eq!(body["error"]["message"], "prompt is too long: At most 8192 tokens.");
}

#[test]
fn the_field_at_fault_is_named() {
    let param = Some("top_k".into());
    let wrong = Failure { param, ..failure(FailureKind::InvalidRequest, "must be positive") };
    assert_eq!(written(&wrong)["error"]["message"], "top_k: must be positive");
}
