//! What a configuration puts into the heads of requests: segments of paths, lines of headers.

use http::{HeaderName, HeaderValue};

/// Percent-encodes what a path segment may not hold.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// What most requests are, as the first of their header lines.
pub(super) const JSON_TYPE: &str = "content-type: application/json\r\n";
/// Headers that describe the message itself.
const OURS: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

/// The headers as lines, with those that every request has.
pub(super) fn header_lines<'a>(
    headers: impl IntoIterator<Item = &'a (String, String)>,
) -> Result<String, &'static str> {
    let mut lines = format!("{JSON_TYPE}accept-encoding: identity\r\n");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a bad header name")?;
        if OURS.contains(&name.as_str()) {
            return Err("a header that the gateway itself sets (host, content-length, …)");
        }
        let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
        let value =
            value.ok_or("a credential or header holds characters that HTTP does not allow")?;
        lines.push_str(name.as_str());
        lines.push_str(": ");
        lines.push_str(value.to_str().unwrap_or_default().trim());
        lines.push_str("\r\n");
    }
    Ok(lines)
}
