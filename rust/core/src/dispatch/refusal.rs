//! What an upstream that refused has to say, and what it means for dispatch and for the client.

use super::failure::Bill;
use super::reading::Buffer;
use super::{Failure, Whole};
use crate::error::Class;
use crate::headers::Headers;
use crate::translate::{Chat, Lane};
use crate::upstream::Response;
use llmgw_formats::chat::{self, FailureKind};
use llmgw_formats::{Kind, format, gemini_generate};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};

/// How much of an upstream's error is read; a longer one is not passed on.
const ERROR_MAX: usize = 1024 * 1024;

/// Reads an upstream's refusal.
pub(super) async fn read(
    response: Response,
    chat: &Chat<'_>,
    lane: Option<&Lane>,
    until: Instant,
    fail: &impl Fn(Class, &str) -> Failure,
) -> Failure {
    let Response { status, headers, body: mut rest } = response;
    let mut body = Buffer::default();
    let whole = loop {
        match timeout_at(until, rest.chunk()).await {
            Ok(Some(Ok(data))) if body.len() < ERROR_MAX => {
                body.push(data);
            }
            Ok(None) => break true,
            _ => break false,
        }
    };
    let body = body.freeze();
    let text = std::str::from_utf8(&body).unwrap_or_default();
    let own = chat.call.operation.format().unwrap_or(Kind::OpenaiChat);
    let said = match lane {
        Some(lane) => lane.failure(status, &headers, text),
        None => format(own).decode_error(status, text),
    };
    let class = classify(status, said.kind);
    let mut failure = of_class(class, status, fail).billed(Bill::Refused);
    failure.retry_after = retry_after(&headers).or_else(|| {
        // Google says it in the body.
        let seconds = gemini_generate::retry_delay(text)?;
        Duration::try_from_secs_f64(seconds).ok()
    });
    // A web page is nothing that a client of ours could read; a translation of it is.
    let readable = whole && (lane.is_some() || headers.is_of_type("application/json"));
    if readable && is_for_client(class) {
        let (headers, body) = match lane {
            Some(_) => (headers.translated("application/json"), chat.refusal(&said)),
            None => (headers, body),
        };
        failure.reply = Some(Box::new(Whole { status, headers, body, translated: None }));
    } else if status == 413 && class == Class::UpstreamRejected {
        failure.class = Class::RequestTooLarge;
    }
    failure
}

/// What an upstream says in the first event of a stream, instead of a status of its own.
pub(super) fn in_stream(
    said: &chat::Failure<'_>,
    chat: &Chat<'_>,
    headers: &Headers,
    fail: &impl Fn(Class, &str) -> Failure,
) -> Failure {
    let class = classify(said.status, said.kind);
    let mut failure = of_class(class, said.status, fail).billed(Bill::Failed);
    failure.retry_after = retry_after(headers);
    if is_for_client(class) {
        let (status, body) = (said.status, chat.refusal(said));
        let headers = headers.translated("application/json");
        failure.reply = Some(Box::new(Whole { status, headers, body, translated: None }));
    }
    failure
}

/// Whether it is the request that is at fault, so that its client has to read why.
fn is_for_client(class: Class) -> bool {
    matches!(class, Class::UpstreamRejected | Class::ContextWindowExceeded)
}

fn of_class(class: Class, status: u16, fail: &impl Fn(Class, &str) -> Failure) -> Failure {
    let mut failure = match class {
        Class::UpstreamRateLimited => fail(class, "is over its provider's rate limit"),
        Class::UpstreamAuth => {
            fail(class, "was refused by its provider: its credential does not work")
        }
        Class::UpstreamRejected | Class::ContextWindowExceeded => {
            fail(class, "refused the request")
        }
        _ => fail(class, &format!("answered with status {status}")),
    };
    failure.status = Some(status);
    // Said of single prompts too: no reason for the deployment to rest.
    failure.rests &= status != 403;
    failure
}

/// What a refusal means. Its status says most; some providers say with a 400 what has a status of its own.
pub(super) fn classify(status: u16, said: FailureKind) -> Class {
    match (status, said) {
        (400 | 413 | 422, FailureKind::ContextLength) => Class::ContextWindowExceeded,
        (400, FailureKind::Authentication) | (401 | 403, _) => Class::UpstreamAuth,
        (408 | 504, _) => Class::UpstreamTimeout,
        // Bedrock: the model itself failed.
        (424, _) => Class::UpstreamOverloaded,
        // AWS says so with any status, and some say with a 400 that an account has run out.
        (429, _) | (400, FailureKind::RateLimit | FailureKind::Quota) => Class::UpstreamRateLimited,
        (400..=499, _) => Class::UpstreamRejected,
        (100..=399, _) => Class::UpstreamProtocol,
        _ => Class::UpstreamOverloaded,
    }
}

/// `retry-after-ms`, or `retry-after` in seconds or as a date.
fn retry_after(headers: &Headers) -> Option<Duration> {
    if let Some(milliseconds) =
        headers.text("retry-after-ms").and_then(|text| text.parse::<f64>().ok())
    {
        return Duration::try_from_secs_f64(milliseconds / 1000.0).ok();
    }
    let value = headers.text("retry-after")?;
    if let Ok(seconds) = value.trim().parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
