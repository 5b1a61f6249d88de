//! Our own failures in the words of each dialect.

use crate::error::{Class, Error};
use llmgw_formats::chat::{Failure, FailureKind};
use llmgw_formats::format::Context;
use llmgw_formats::{Kind, anthropic_messages, format, gemini_generate};
use std::borrow::Cow;

/// The body of an error for a client of that dialect.
#[must_use]
pub fn error_body(dialect: Kind, error: &Error, request_id: &str) -> Vec<u8> {
    match dialect {
        Kind::OpenaiChat | Kind::OpenaiResponses => error.to_openai_json(),
        other => format(other).encode_error(&failure(error), &Context { request_id, now: 0 }),
    }
}

/// The event that ends a stream which failed, for a client of that dialect, after so many others: OpenAI
/// numbers a response's from zero.
#[must_use]
pub fn error_event(dialect: Kind, error: &Error, request_id: &str, others: u64) -> Vec<u8> {
    let body = error_body(dialect, error, request_id);
    match dialect {
        Kind::AnthropicMessages => [b"event: error\ndata: ", &body[..], b"\n\n"].concat(),
        Kind::OpenaiResponses => {
            let code = error.class.row().code;
            let body = serde_json::json!({
                "type": "error", "sequence_number": others,
                "code": code, "message": error.message, "param": null,
            });
            format!("event: error\ndata: {body}\n\n").into_bytes()
        }
        _ => [b"data: ", &body[..], b"\n\n"].concat(),
    }
}

/// The answer to a request for a count of tokens.
#[must_use]
pub fn count_body(dialect: Kind, tokens: u64) -> Vec<u8> {
    match dialect {
        Kind::GeminiGenerate => gemini_generate::count_reply(tokens),
        _ => anthropic_messages::count_reply(tokens),
    }
}

/// The failure in canonical words.
#[must_use]
pub fn failure(error: &Error) -> Failure<'_> {
    let row = error.class.row();
    Failure {
        status: row.status,
        kind: kind(error.class),
        message: Cow::Borrowed(&error.message),
        code: Some(Cow::Borrowed(row.code)),
        param: error.param.as_deref().map(Cow::Borrowed),
    }
}

fn kind(class: Class) -> FailureKind {
    match class {
        Class::InvalidRequest
        | Class::HeadersTooLarge
        | Class::UnsupportedMediaType
        | Class::NotSupported
        | Class::Untranslatable
        | Class::NotPriced
        | Class::MethodNotAllowed
        | Class::RequestTimeout
        | Class::PreviousResponseNotFound
        | Class::UpstreamRejected => FailureKind::InvalidRequest,
        Class::RequestTooLarge => FailureKind::TooLarge,
        Class::GuardrailBlocked => FailureKind::ContentFilter,
        Class::Unauthenticated => FailureKind::Authentication,
        Class::PermissionDenied | Class::RegionDenied => FailureKind::Permission,
        Class::NotFound | Class::ModelNotFound => FailureKind::NotFound,
        Class::RateLimited | Class::UpstreamRateLimited => FailureKind::RateLimit,
        Class::BudgetExceeded => FailureKind::Quota,
        Class::ContextWindowExceeded => FailureKind::ContextLength,
        Class::UpstreamTimeout => FailureKind::Timeout,
        Class::UpstreamOverloaded | Class::NoDeployment | Class::LedgerFull | Class::Draining => {
            FailureKind::Overloaded
        }
        Class::UpstreamUnreachable
        | Class::UpstreamAuth
        | Class::UpstreamProtocol
        | Class::InternalError => FailureKind::Server,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_dialect_gets_its_own_words() {
        let error = Error::new(Class::RateLimited, "Slow down.");
        let text = |kind| String::from_utf8(error_body(kind, &error, "req_1")).unwrap();
        assert!(text(Kind::OpenaiChat).contains(r#""code":"rate_limit_exceeded""#));
        assert_eq!(
            text(Kind::AnthropicMessages),
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."},"request_id":"req_1"}"#
        );
        assert!(text(Kind::GeminiGenerate).contains("RESOURCE_EXHAUSTED"));
    }

    #[test]
    fn a_budget_that_is_used_up_has_one_code_however_it_is_written() {
        let error = Error::new(Class::BudgetExceeded, "No more.");
        for kind in [Kind::OpenaiChat, Kind::OpenaiResponses] {
            let context = Context { request_id: "req_1", now: 0 };
            let body = format(kind).encode_error(&failure(&error), &context);
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let whole: serde_json::Value =
                serde_json::from_slice(&error_body(kind, &error, "req_1")).unwrap();
            assert_eq!(body, whole);
            assert_eq!(body["error"]["code"], "budget_exceeded");
        }
    }

    #[test]
    fn a_failed_message_stream_ends_with_an_error_event() {
        let error = Error::new(Class::UpstreamTimeout, "Late.");
        let event = error_event(Kind::AnthropicMessages, &error, "req_1", 2);
        let text = String::from_utf8(event).unwrap();
        assert!(text.starts_with("event: error\ndata: {\"type\":\"error\""), "{text}");
        assert!(text.ends_with("}\n\n"), "{text}");
    }

    #[test]
    fn every_class_has_a_kind_that_fits_its_status() {
        for class in Class::ALL {
            let status = class.row().status;
            let fits = match kind(class) {
                FailureKind::Authentication => status == 401,
                FailureKind::RateLimit | FailureKind::Quota => status == 429,
                FailureKind::Server | FailureKind::Overloaded | FailureKind::Timeout => {
                    status >= 500
                }
                _ => (400..500).contains(&status),
            };
            assert!(fits, "{class:?}");
        }
    }

    #[test]
    fn a_failed_chat_stream_ends_with_an_error_object() {
        let error = Error::new(Class::UpstreamTimeout, "Too \"late\".");
        let event = error_event(Kind::OpenaiChat, &error, "req_1", 2);
        let data =
            event.strip_prefix(b"data: ").and_then(|rest| rest.strip_suffix(b"\n\n")).unwrap();
        let value: serde_json::Value = serde_json::from_slice(data).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"error": {
                "message": "Too \"late\".", "type": "api_error", "param": null, "code": "upstream_timeout",
            }})
        );
    }

    #[test]
    fn a_failed_responses_stream_ends_with_a_numbered_error_event() {
        let error = Error::new(Class::UpstreamProtocol, "Broken.");
        let event = error_event(Kind::OpenaiResponses, &error, "req_1", 2);
        let data = event.strip_prefix(b"event: error\ndata: ").unwrap();
        let value: serde_json::Value = serde_json::from_slice(data).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "type": "error", "sequence_number": 2,
                "code": "upstream_protocol", "message": "Broken.", "param": null,
            })
        );
    }
}
