//! The error bodies of OpenAI's APIs, which chat completions and Responses share.
//!
//! `{"error": {"message", "type", "param", "code"}}`, as in OpenAI's reference ("Error codes") and its
//! SDKs. Hosts that are compatible with OpenAI differ in the details, and proxies before them answer
//! with text or HTML: what cannot be read is told by its status.

mod kinds;

use crate::chat::{Failure, FailureKind, Text};
use crate::value::Value;
use crate::writer::Writer;
use kinds::{by_status, kind_of};
use std::borrow::Cow;

pub use kinds::{code_of, status_of, type_of, usual_code};

/// How much of an error body that is no JSON is shown to the client, in bytes.
const SHOWN: usize = 500;

/// Reads an upstream's error body.
#[must_use]
pub fn decode(status: u16, body: &str) -> Failure<'_> {
    match Value::parse(body) {
        Ok(value) if value.is_object() => decode_value(status, &value),
        // Some hosts put the object into an array (Gemini's compatible endpoint does).
        Ok(value) if !value.items().is_empty() => decode_value(status, &value.items()[0]),
        _ => from_text(status, body),
    }
}

/// Reads an error that has been parsed: the body, or the object within its `error`. A `status` of 0 is
/// an error in a stream, which has none: it gets the status that its kind would have had.
#[must_use]
pub fn decode_value<'a>(status: u16, body: &Value<'a>) -> Failure<'a> {
    let error = body.get("error").unwrap_or(body);
    let message = message(error).or_else(|| message(body));
    let code = error.get("code").and_then(word);
    let kind = kind_of(
        status,
        code.as_deref().unwrap_or_default(),
        error.get("type").and_then(Value::as_str).unwrap_or_default(),
        message.as_deref().unwrap_or_default(),
    );
    let status = if status == 0 { own_status(code.as_deref(), kind) } else { status };
    Failure {
        status,
        kind,
        message: message.unwrap_or_else(|| said_nothing(status)),
        code: code.filter(|code| code.parse::<u16>().is_err()),
        param: error.get("param").and_then(Value::text),
    }
}

/// The words of an error: OpenAI's `message`, or a bare string (Ollama), or FastAPI's `detail`.
fn message<'a>(error: &Value<'a>) -> Option<Text<'a>> {
    if let Some(text) = error.text() {
        return Some(text).filter(|text| !text.is_empty());
    }
    ["message", "detail", "msg", "error_message"]
        .iter()
        .find_map(|name| error.get(name))
        .and_then(|found| match found.items().first() {
            Some(first) => first.get("msg").and_then(Value::text),
            None => found.text(),
        })
        .filter(|text| !text.is_empty())
}

/// A code is a string at OpenAI, a number elsewhere.
fn word<'a>(value: &Value<'a>) -> Option<Text<'a>> {
    value.text().or_else(|| value.as_u64().map(|_| Cow::Borrowed(value.raw())))
}

/// The status of an error in a stream: its code, if that is a status (OpenRouter), or its kind's.
fn own_status(code: Option<&str>, kind: FailureKind) -> u16 {
    let stated = code.and_then(|code| code.parse().ok());
    stated.filter(|status| (400..600).contains(status)).unwrap_or_else(|| status_of(kind))
}

fn from_text(status: u16, body: &str) -> Failure<'_> {
    let text = body.trim();
    let is_page = text.starts_with('<') || text.starts_with('{') || text.starts_with('[');
    let kind = kind_of(status, "", "", if is_page { "" } else { first(text, SHOWN) });
    let message = if text.is_empty() || is_page {
        said_nothing(status)
    } else {
        Cow::Borrowed(first(text, SHOWN))
    };
    Failure { status, kind, message, code: None, param: None }
}

/// The first bytes of a text, up to `most`, cut between characters.
fn first(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn said_nothing(status: u16) -> Text<'static> {
    Cow::Owned(format!("The provider answered with status {status} and gave no reason."))
}

/// Writes an error body for a client.
#[must_use]
pub fn encode(failure: &Failure<'_>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.object(|w| {
        w.key("error").object(|w| members(w, failure));
    });
    writer.finish()
}

/// Writes the members of the object within `error`: `message`, `type`, `param`, `code`.
pub fn members(w: &mut Writer, failure: &Failure<'_>) {
    w.text("message", &failure.message)
        .text("type", type_of(failure.kind))
        .text_or_null("param", failure.param.as_deref())
        .text_or_null("code", code_of(failure));
}

/// The failure of a status that came without a body.
#[must_use]
pub fn of_status(status: u16) -> Failure<'static> {
    Failure {
        status,
        kind: by_status(status),
        message: said_nothing(status),
        code: None,
        param: None,
    }
}

#[cfg(test)]
mod tests;
