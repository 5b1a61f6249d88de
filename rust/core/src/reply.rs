//! The bytes of a reply's head, and of an error, as the edge writes them.

use crate::error::{Class, Error};
use crate::http1;
use crate::limiter::Decision;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// That many bytes follow.
    Length(usize),
    /// Chunks follow.
    Chunked,
    /// Everything until the connection closes (HTTP/1.0 clients).
    UntilClose,
}

/// Formats heads into a buffer that is reused between replies.
#[derive(Debug, Default)]
pub struct HeadWriter {
    text: String,
    date: String,
    date_second: u64,
}

impl HeadWriter {
    /// Begins a head.
    pub fn begin(&mut self, status: u16, request_id: &str) -> &mut Self {
        self.refresh_date();
        self.text.clear();
        // Formatting into a String cannot fail.
        let _ = write!(
            self.text,
            "HTTP/1.1 {status} {}\r\ndate: {}\r\nx-request-id: {request_id}\r\n",
            http1::reason(status),
            self.date
        );
        self
    }

    /// Adds a header; a value that HTTP does not allow is left out.
    pub fn header(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let printable = value.iter().all(|&byte| byte == b'\t' || (0x20..0x7f).contains(&byte));
        if let (true, Ok(value)) = (printable, std::str::from_utf8(value)) {
            self.text.push_str(name);
            self.text.push_str(": ");
            self.text.push_str(value);
            self.text.push_str("\r\n");
        }
        self
    }

    /// Adds a header that is a number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        let _ = write!(self.text, "{name}: {value}\r\n");
        self
    }

    /// Adds the state of a limit as `x-ratelimit-{limit,remaining,reset}-{what}`.
    pub fn rate_limit(&mut self, what: &str, decision: &Decision) -> &mut Self {
        self.number(&format!("x-ratelimit-limit-{what}"), decision.limit);
        self.number(&format!("x-ratelimit-remaining-{what}"), decision.remaining);
        let reset = go_duration(decision.reset);
        self.header(&format!("x-ratelimit-reset-{what}"), reset.as_bytes())
    }

    /// Adds `retry-after` in whole seconds and `retry-after-ms`.
    pub fn retry_after(&mut self, seconds: f64) -> &mut Self {
        let milliseconds = (seconds * 1000.0).ceil().clamp(0.0, 1e12) as u64;
        self.number("retry-after", milliseconds.div_ceil(1000));
        self.number("retry-after-ms", milliseconds)
    }

    /// Ends the head.
    pub fn end(&mut self, body: Body, keep_alive: bool) -> &[u8] {
        match body {
            Body::Length(length) => {
                self.number("content-length", length as u64);
            }
            Body::Chunked => self.text.push_str("transfer-encoding: chunked\r\n"),
            Body::UntilClose => {}
        }
        self.text.push_str(if keep_alive { "\r\n" } else { "connection: close\r\n\r\n" });
        self.text.as_bytes()
    }

    fn refresh_date(&mut self) {
        let now = SystemTime::now();
        let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if second != self.date_second {
            self.date_second = second;
            self.date = httpdate::fmt_http_date(now);
        }
    }
}

/// A duration the way Go prints it, as OpenAI's headers do: `12ms`, `1s`, `6m0s`.
#[must_use]
pub fn go_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    let seconds = duration.as_secs_f64();
    let (hours, minutes) = (seconds as u64 / 3600, seconds as u64 / 60 % 60);
    let rest = format!("{:.3}", seconds % 60.0);
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// The head lines that tell a client's SDK what to do after an error.
pub fn error_headers(head: &mut HeadWriter, error: &Error) {
    head.header("content-type", b"application/json");
    if let Some(seconds) = error.retry_after {
        head.retry_after(seconds);
    }
    let again: &[u8] = match error.class {
        Class::RateLimited | Class::NoDeployment | Class::Draining | Class::RequestTimeout => b"true",
        // Our own retries are spent: the client's would only multiply them.
        _ => b"false",
    };
    head.header("x-should-retry", again);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_prints_them() {
        for (milliseconds, text) in
            [(12, "12ms"), (1000, "1s"), (1500, "1.5s"), (360_000, "6m0s"), (3_661_000, "1h1m1s")]
        {
            assert_eq!(go_duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn a_header_cannot_be_broken_out_of() {
        let mut head = HeadWriter::default();
        head.begin(200, "r").header("x-a", b"1\r\nx-b: 2").header("x-c", "é".as_bytes());
        let text = String::from_utf8_lossy(head.end(Body::Length(0), true)).into_owned();
        assert!(text.ends_with("x-request-id: r\r\ncontent-length: 0\r\n\r\n"), "{text}");
    }
}
