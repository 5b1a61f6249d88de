//! Google's error bodies.
//!
//! `{"error": {"code", "message", "status", "details"}}`, where `status` is a name of gRPC's
//! (google.rpc.Code) and `details` are messages of google.rpc (`ErrorInfo`, `BadRequest`, `QuotaFailure`,
//! `RetryInfo`); streams that are no events have it in a list. What is no JSON comes from proxies before
//! the API and is read as elsewhere.

use super::names::{get, get_items, get_text};
use crate::chat::{Failure, FailureKind, Text};
use crate::openai_errors;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// Reads an upstream's error body.
pub(super) fn decode(status: u16, body: &str) -> Failure<'_> {
    match Value::parse(body) {
        Ok(value) if body_of(&value).get("error").is_some_and(Value::is_object) => {
            decode_value(status, body_of(&value))
        }
        _ => openai_errors::decode(status, body),
    }
}

/// The body, or the first entry of the list that it is in.
fn body_of<'v, 'a>(value: &'v Value<'a>) -> &'v Value<'a> {
    value.items().first().unwrap_or(value)
}

/// Reads an error that has been parsed. A `status` of 0 is an error in a stream.
pub(super) fn decode_value<'a>(status: u16, body: &Value<'a>) -> Failure<'a> {
    let error = body.get("error").unwrap_or(body);
    let message = get_text(error, "message").filter(|text| !text.is_empty());
    let told = get(error, "code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let told = told.filter(|code| (400..600).contains(code));
    let name = get_text(error, "status");
    let status = if status == 0 { told.unwrap_or(0) } else { status };
    let kind = kind_of(status, name.as_deref(), error, message.as_deref().unwrap_or_default());
    let status = if status == 0 { openai_errors::status_of(kind) } else { status };
    let unsaid =
        || format!("The provider answered with status {status} and gave no reason.").into();
    Failure {
        status,
        kind,
        message: message.unwrap_or_else(unsaid),
        code: name,
        param: field(error),
    }
}

fn detail<'v, 'a>(error: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    let all = get_items(error, "details").iter();
    all.into_iter().find(|one| {
        let kind = one.get("@type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.rsplit('.').next() == Some(name))
    })
}

fn field<'a>(error: &Value<'a>) -> Option<Text<'a>> {
    let first = get_items(detail(error, "BadRequest")?, "fieldViolations").first()?;
    get_text(first, "field").filter(|field| !field.is_empty())
}

fn kind_of(status: u16, name: Option<&str>, error: &Value<'_>, message: &str) -> FailureKind {
    let reason = detail(error, "ErrorInfo").and_then(|info| get_text(info, "reason"));
    if let Some(kind) = reason.as_deref().and_then(by_reason) {
        return kind;
    }
    let message = message.get(..1000).unwrap_or(message).to_ascii_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
    match name.and_then(by_name).unwrap_or_else(|| openai_errors::of_status(status).kind) {
        FailureKind::InvalidRequest if says(&TOO_LONG) => FailureKind::ContextLength,
        FailureKind::InvalidRequest if says(&["api key not valid", "api key expired"]) => {
            FailureKind::Authentication
        }
        FailureKind::Permission if says(&["unregistered callers"]) => FailureKind::Authentication,
        FailureKind::RateLimit if says(&UNPAID) && detail(error, "RetryInfo").is_none() => {
            FailureKind::Quota
        }
        kind => kind,
    }
}

/// How Gemini says that a prompt is too long, in lower case.
const TOO_LONG: [&str; 4] = [
    "exceeds the maximum number of tokens",
    "input token count",
    "input context is too long",
    "request is too long",
];

/// How it says that there is no money left, in lower case. That a quota of a minute or a day is used up
/// sounds much the same, but comes with a time to retry.
const UNPAID: [&str; 4] =
    ["credits are depleted", "spending cap", "billing account", "exceeded your current quota"];

fn by_reason(reason: &str) -> Option<FailureKind> {
    Some(match reason {
        "API_KEY_INVALID"
        | "CREDENTIALS_MISSING"
        | "ACCESS_TOKEN_EXPIRED"
        | "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        | "ACCOUNT_STATE_INVALID" => FailureKind::Authentication,
        "API_KEY_SERVICE_BLOCKED"
        | "API_KEY_HTTP_REFERRER_BLOCKED"
        | "API_KEY_IP_ADDRESS_BLOCKED"
        | "API_KEY_ANDROID_APP_BLOCKED"
        | "API_KEY_IOS_APP_BLOCKED"
        | "SERVICE_DISABLED"
        | "CONSUMER_INVALID"
        | "CONSUMER_SUSPENDED"
        | "IAM_PERMISSION_DENIED" => FailureKind::Permission,
        "BILLING_DISABLED" => FailureKind::Quota,
        "RATE_LIMIT_EXCEEDED" => FailureKind::RateLimit,
        _ => return None,
    })
}

/// The kind that a name of gRPC's stands for.
fn by_name(name: &str) -> Option<FailureKind> {
    Some(match name {
        "INVALID_ARGUMENT" | "OUT_OF_RANGE" | "ALREADY_EXISTS" | "UNIMPLEMENTED" => {
            FailureKind::InvalidRequest
        }
        // The country has no free tier, or the project no right to the model.
        "PERMISSION_DENIED" | "FAILED_PRECONDITION" => FailureKind::Permission,
        "UNAUTHENTICATED" => FailureKind::Authentication,
        "NOT_FOUND" => FailureKind::NotFound,
        "RESOURCE_EXHAUSTED" => FailureKind::RateLimit,
        "UNAVAILABLE" => FailureKind::Overloaded,
        "DEADLINE_EXCEEDED" | "CANCELLED" => FailureKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "ABORTED" => FailureKind::Server,
        _ => return None,
    })
}

/// The name of gRPC's for a kind.
fn name_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidRequest
        | FailureKind::ContextLength
        | FailureKind::ContentFilter
        | FailureKind::TooLarge => "INVALID_ARGUMENT",
        FailureKind::Authentication => "UNAUTHENTICATED",
        FailureKind::Permission => "PERMISSION_DENIED",
        FailureKind::NotFound => "NOT_FOUND",
        FailureKind::RateLimit | FailureKind::Quota => "RESOURCE_EXHAUSTED",
        FailureKind::Overloaded => "UNAVAILABLE",
        FailureKind::Timeout => "DEADLINE_EXCEEDED",
        FailureKind::Server => "INTERNAL",
    }
}

/// Writes an error body for a client.
pub(super) fn encode(failure: &Failure<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    write(&mut w, failure);
    w.finish()
}

pub(super) fn write(w: &mut Writer, failure: &Failure<'_>) {
    w.object(|w| {
        w.key("error").object(|w| {
            w.count("code", failure.status.into()).text("message", &failure.message);
            w.text("status", name_of(failure.kind));
            if let Some(field) = &failure.param {
                w.key("details").array(|w| bad_request(w, field, &failure.message));
            }
        });
    });
}

fn bad_request(w: &mut Writer, field: &str, message: &str) {
    w.object(|w| {
        w.text("@type", "type.googleapis.com/google.rpc.BadRequest");
        w.key("fieldViolations").array(|w| {
            w.object(|w| {
                w.text("field", field).text("description", message);
            });
        });
    });
}

/// How long to wait before the next try, in seconds, if an error body says so. Google has it in the
/// body (`RetryInfo.retryDelay`, as `7s` or `0.5s`) and not in a header.
#[must_use]
pub fn retry_delay(body: &str) -> Option<f64> {
    let value = Value::parse(body).ok()?;
    let error = body_of(&value).get("error")?;
    let delay: Cow<'_, str> = get_text(detail(error, "RetryInfo")?, "retryDelay")?;
    delay.strip_suffix('s')?.parse().ok().filter(|seconds: &f64| (0.0..1e6).contains(seconds))
}
