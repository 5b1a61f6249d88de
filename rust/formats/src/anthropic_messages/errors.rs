//! Error bodies: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use crate::chat::{Failure, FailureKind};
use crate::format::Context;
use crate::openai_errors;
use crate::value::Value;
use crate::writer::Writer;

pub(super) fn decode(status: u16, body: &str) -> Failure<'_> {
    match Value::parse(body) {
        Ok(value) if value.get("error").is_some_and(Value::is_object) => {
            decode_value(status, &value)
        }
        // A proxy on the way, or a host that only follows the format: told as OpenAI's are.
        _ => openai_errors::decode(status, body),
    }
}

/// Reads an error that has been parsed. A `status` of 0 is an error in a stream, which gets the one that
/// it would have had.
pub(super) fn decode_value<'a>(status: u16, body: &Value<'a>) -> Failure<'a> {
    let error = body.get("error").unwrap_or(body);
    let message = error.get("message").and_then(Value::text).unwrap_or_default();
    let code = error.get("type").and_then(Value::text);
    let kind = kind_of(status, code.as_deref().unwrap_or_default(), &message);
    let status = if status == 0 { status_of(kind) } else { status };
    let message = Some(message).filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| openai_errors::of_status(status).message);
    Failure { status, kind, message, code, param: None }
}

/// How the API, and so Claude Code, begins to say that a prompt is longer than the model reads.
const TOO_LONG: &str = "prompt is too long";

/// Words by which the API tells what its types do not.
const SIGNS: [(&str, FailureKind); 6] = [
    (TOO_LONG, FailureKind::ContextLength),
    ("exceed context limit", FailureKind::ContextLength),
    ("context window", FailureKind::ContextLength),
    ("credit balance is too low", FailureKind::Quota),
    ("specified API usage limits", FailureKind::Quota),
    ("blocked by content filtering policy", FailureKind::ContentFilter),
];

fn kind_of(status: u16, word: &str, message: &str) -> FailureKind {
    match word {
        "invalid_request_error" => SIGNS
            .iter()
            .find(|(sign, _)| message.contains(sign))
            .map_or(FailureKind::InvalidRequest, |(_, kind)| *kind),
        "conflict_error" => FailureKind::InvalidRequest,
        "authentication_error" => FailureKind::Authentication,
        "permission_error" => FailureKind::Permission,
        "not_found_error" => FailureKind::NotFound,
        "request_too_large" => FailureKind::TooLarge,
        "rate_limit_error" => FailureKind::RateLimit,
        "billing_error" => FailureKind::Quota,
        "overloaded_error" => FailureKind::Overloaded,
        "timeout_error" => FailureKind::Timeout,
        "api_error" => FailureKind::Server,
        _ if status == 0 => FailureKind::Server,
        // A type of tomorrow: the status tells.
        _ => openai_errors::of_status(status).kind,
    }
}

fn word_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidRequest | FailureKind::ContextLength | FailureKind::ContentFilter => {
            "invalid_request_error"
        }
        FailureKind::Authentication => "authentication_error",
        FailureKind::Permission => "permission_error",
        FailureKind::NotFound => "not_found_error",
        FailureKind::TooLarge => "request_too_large",
        FailureKind::RateLimit => "rate_limit_error",
        FailureKind::Quota => "billing_error",
        FailureKind::Overloaded => "overloaded_error",
        FailureKind::Timeout => "timeout_error",
        FailureKind::Server => "api_error",
    }
}

fn status_of(kind: FailureKind) -> u16 {
    match kind {
        FailureKind::InvalidRequest | FailureKind::ContextLength | FailureKind::ContentFilter => {
            400
        }
        FailureKind::Authentication => 401,
        FailureKind::Quota => 402,
        FailureKind::Permission => 403,
        FailureKind::NotFound => 404,
        FailureKind::TooLarge => 413,
        FailureKind::RateLimit => 429,
        FailureKind::Server => 500,
        FailureKind::Timeout => 504,
        FailureKind::Overloaded => 529,
    }
}

pub(super) fn encode(failure: &Failure<'_>, context: &Context<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("type", "error").key("error").object(|w| {
            w.text("type", word_of(failure.kind)).text("message", &message(failure));
        });
        w.text("request_id", context.request_id);
    });
    w.finish()
}

/// The message; a prompt that is too long is told in the words that Claude Code looks for.
fn message(failure: &Failure<'_>) -> String {
    let said = &failure.message;
    if failure.kind == FailureKind::ContextLength && !said.contains(TOO_LONG) {
        return format!("{TOO_LONG}: {said}");
    }
    match &failure.param {
        Some(param) if !said.contains(&**param) => format!("{param}: {said}"),
        _ => said.clone().into_owned(),
    }
}
