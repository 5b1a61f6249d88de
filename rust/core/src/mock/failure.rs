//! The mock upstream's errors, as OpenAI words them.

use serde_json::json;

/// An error reply: its status, its body, and when to come back.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    pub status: u16,
    pub retry_after: Option<u64>,
    message: String,
}

impl Failure {
    /// The failure a script asked for.
    pub fn scripted(status: u16, retry_after: Option<u64>) -> Self {
        let message = format!("The mock upstream was told to answer with status {status}.");
        Failure { status, retry_after, message }
    }

    /// The client sent something the mock upstream cannot answer.
    pub fn refused(status: u16, message: impl Into<String>) -> Self {
        Failure { status, retry_after: None, message: message.into() }
    }

    pub fn body(&self) -> Vec<u8> {
        let (kind, code) = kind_and_code(self.status);
        let error = json!({"message": self.message, "type": kind, "param": null, "code": code});
        json!({ "error": error }).to_string().into_bytes()
    }

    pub fn reason(&self) -> &'static str {
        reason(self.status)
    }
}

fn kind_and_code(status: u16) -> (&'static str, Option<&'static str>) {
    match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500..=599 => ("server_error", None),
        _ => ("invalid_request_error", None),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}
