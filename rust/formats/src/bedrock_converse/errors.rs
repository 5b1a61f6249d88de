//! Error bodies: `{"message": …}`, with the exception's name in the header `x-amzn-errortype`, or in
//! `__type`.

use crate::chat::{Failure, FailureKind, Text};
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// How much of an error body that is no JSON is shown to the client, in characters.
const SHOWN: usize = 500;

/// Reads an error: the exception's name, if a header or a frame told it, the status (0 in a stream) and
/// the body.
#[must_use]
pub fn decode<'a>(name: Option<&'a str>, status: u16, body: &'a str) -> Failure<'a> {
    let value = Value::parse(body).ok();
    let member = |name: &str| value.as_ref()?.get(name)?.text();
    let message =
        member("message").or_else(|| member("Message")).or_else(|| member("originalMessage"));
    let name = name.map(Cow::Borrowed).or_else(|| member("__type")).or_else(|| member("code"));
    let name = name.map(bare).filter(|name| !name.is_empty());
    let message = message.filter(|text| !text.is_empty()).or_else(|| plain(body));
    let known = name.as_deref().and_then(by_name);
    let status = if status == 0 { known.map_or(500, |(status, _)| status) } else { status };
    let kind = known.map_or_else(|| by_status(status), |(_, kind)| kind);
    Failure {
        status,
        kind: refine(kind, message.as_deref().unwrap_or_default()),
        message: message.unwrap_or_else(|| {
            Cow::Owned(format!("The provider answered with status {status} and gave no reason."))
        }),
        code: name,
        param: None,
    }
}

/// `ValidationException` out of `com.amazon.coral#ValidationException:http://…`.
fn bare(name: Text<'_>) -> Text<'_> {
    let end = name.find(':').unwrap_or(name.len());
    let start = name[..end].rfind('#').map_or(0, |at| at + 1);
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[start..end]),
        Cow::Owned(name) => Cow::Owned(name[start..end].to_owned()),
    }
}

/// The beginning of a body that is plain text.
fn plain(body: &str) -> Option<Text<'_>> {
    let text = body.trim();
    let is_markup = text.starts_with(['<', '{', '[']);
    (!text.is_empty() && !is_markup).then(|| Cow::Borrowed(head(text, SHOWN)))
}

/// The first letters of a text.
fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// The status and the kind that an exception stands for. In streams names begin in lower case.
fn by_name(name: &str) -> Option<(u16, FailureKind)> {
    use FailureKind as Kind;
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    const AUTHENTICATION: [&str; 7] = [
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
        "ExpiredToken",
        "InvalidClientTokenId",
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
    ];
    if AUTHENTICATION.iter().any(is) {
        return Some((403, Kind::Authentication));
    }
    let known = [
        ("ValidationException", 400, Kind::InvalidRequest),
        ("ServiceQuotaExceededException", 400, Kind::Quota),
        ("ConflictException", 400, Kind::InvalidRequest),
        ("AccessDeniedException", 403, Kind::Permission),
        ("ResourceNotFoundException", 404, Kind::NotFound),
        ("ModelTimeoutException", 408, Kind::Timeout),
        ("RequestEntityTooLargeException", 413, Kind::TooLarge),
        ("ModelErrorException", 424, Kind::Server),
        ("ModelStreamErrorException", 424, Kind::Server),
        ("ThrottlingException", 429, Kind::RateLimit),
        ("TooManyRequestsException", 429, Kind::RateLimit),
        ("ModelNotReadyException", 429, Kind::Overloaded),
        ("InternalServerException", 500, Kind::Server),
        ("InternalFailure", 500, Kind::Server),
        ("ServiceUnavailableException", 503, Kind::Overloaded),
    ];
    known.iter().find(|(name, ..)| is(name)).map(|(_, status, kind)| (*status, *kind))
}

fn by_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Authentication,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        413 => FailureKind::TooLarge,
        429 => FailureKind::RateLimit,
        503 => FailureKind::Overloaded,
        424 => FailureKind::Server,
        400..=499 => FailureKind::InvalidRequest,
        _ => FailureKind::Server,
    }
}

/// How models behind Bedrock say that a prompt is too long, in lower case.
const TOO_LONG: [&str; 9] = [
    "input is too long",
    "prompt is too long",
    "too many input tokens",
    "too large for model",
    "exceed context limit",
    "context length",
    "context window",
    "maximum number of input tokens",
    "exceeds the maximum number of tokens",
];

/// How AWS says that a key is unknown where the name is missing, in lower case.
const BAD_KEY: [&str; 4] =
    ["security token", "signature we calculated", "signature expired", "api key"];

/// Looks into the words where names and statuses say too little.
fn refine(kind: FailureKind, message: &str) -> FailureKind {
    let says = |signs: &[&str]| {
        let mut text = head(message, 1000).to_owned();
        text.make_ascii_lowercase();
        signs.iter().any(|sign| text.contains(sign))
    };
    match kind {
        FailureKind::InvalidRequest | FailureKind::TooLarge if says(&TOO_LONG) => {
            FailureKind::ContextLength
        }
        FailureKind::Permission if says(&BAD_KEY) => FailureKind::Authentication,
        _ => kind,
    }
}

/// The exception that clients get for a kind: the body's `__type` and the header `x-amzn-errortype`.
#[must_use]
pub const fn name_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidRequest
        | FailureKind::ContextLength
        | FailureKind::ContentFilter
        | FailureKind::TooLarge => "ValidationException",
        FailureKind::Authentication => "UnrecognizedClientException",
        FailureKind::Permission => "AccessDeniedException",
        FailureKind::NotFound => "ResourceNotFoundException",
        FailureKind::RateLimit => "ThrottlingException",
        FailureKind::Quota => "ServiceQuotaExceededException",
        FailureKind::Overloaded => "ServiceUnavailableException",
        FailureKind::Timeout => "ModelTimeoutException",
        FailureKind::Server => "InternalServerException",
    }
}

/// The exceptions that a stream may end in, by kind.
pub(super) const fn event_of(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidRequest
        | FailureKind::ContextLength
        | FailureKind::ContentFilter
        | FailureKind::TooLarge
        | FailureKind::Authentication
        | FailureKind::Permission
        | FailureKind::NotFound => "validationException",
        FailureKind::RateLimit | FailureKind::Quota => "throttlingException",
        FailureKind::Overloaded => "serviceUnavailableException",
        FailureKind::Timeout => "modelStreamErrorException",
        FailureKind::Server => "internalServerException",
    }
}

/// Writes an error body for a client.
#[must_use]
pub fn encode(failure: &Failure<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("__type", name_of(failure.kind)).text("message", &failure.message);
    });
    w.finish()
}
