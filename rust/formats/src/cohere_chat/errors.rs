//! Error bodies: `{"id": …, "message": …}`.

use crate::chat::{Failure, FailureKind};
use crate::format::Context;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// How much of an error body that is no JSON is shown to the client, in characters.
const SHOWN: usize = 500;

pub(super) fn decode(status: u16, body: &str) -> Failure<'_> {
    let value = Value::parse(body).ok();
    let told = value.as_ref().and_then(|value| {
        // Cohere's own, and that of gateways before it.
        value.get("message").or_else(|| value.get("error")?.get("message")).and_then(Value::text)
    });
    let message = told.filter(|text| !text.is_empty()).or_else(|| plain(body).map(Cow::Borrowed));
    failure(status, message)
}

/// The failure that these words tell of.
pub(super) fn failure(status: u16, message: Option<Cow<'_, str>>) -> Failure<'_> {
    Failure {
        status,
        kind: kind_of(status, message.as_deref().unwrap_or_default()),
        message: message.unwrap_or_else(|| {
            Cow::Owned(format!("The provider answered with status {status} and gave no reason."))
        }),
        code: None,
        param: None,
    }
}

/// The beginning of a body that is plain text.
fn plain(body: &str) -> Option<&str> {
    let text = body.trim();
    let is_markup = text.starts_with(['<', '{', '[']);
    (!text.is_empty() && !is_markup).then(|| head(text, SHOWN))
}

/// The first characters of a text.
fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

fn kind_of(status: u16, message: &str) -> FailureKind {
    let says = |sign: &str| head(message, 1000).to_ascii_lowercase().contains(sign);
    match status {
        // The same words stand for a prompt that is too long and for a reply that may not be so long.
        400 | 413 | 422 if says("too many tokens") && !says("max tokens must be") => {
            FailureKind::ContextLength
        }
        400 | 422 if says("context length") => FailureKind::ContextLength,
        // 498: the token is blocked.
        401 | 498 => FailureKind::Authentication,
        402 => FailureKind::Quota,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 499 | 504 => FailureKind::Timeout,
        413 => FailureKind::TooLarge,
        // Trial keys have calls for a month.
        429 if says("month") => FailureKind::Quota,
        429 => FailureKind::RateLimit,
        503 => FailureKind::Overloaded,
        400..=499 => FailureKind::InvalidRequest,
        _ => FailureKind::Server,
    }
}

pub(super) fn encode(failure: &Failure<'_>, context: &Context<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("id", context.request_id).text("message", &failure.message);
    });
    w.finish()
}
