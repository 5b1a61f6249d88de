//! The bytes of a reply's head, and of an error, as the edge writes them.

mod limits;

use crate::error::{Class, Error};
use crate::http1;
use std::time::SystemTime;

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// That many bytes follow.
    Length(usize),
    /// Chunks follow.
    Chunked,
    /// Everything until the connection closes (HTTP/1.0 clients).
    UntilClose,
    /// There is none, and no word of it: 204 and 304.
    None,
}

/// Formats heads into a buffer that is reused between replies.
#[derive(Debug, Default)]
pub struct HeadWriter {
    text: Vec<u8>,
    date: String,
    date_second: i64,
}

impl HeadWriter {
    /// Begins a head.
    pub fn begin(&mut self, status: u16, request_id: &str) -> &mut Self {
        self.refresh_date();
        self.text.clear();
        self.text.extend_from_slice(b"HTTP/1.1 ");
        push_number(&mut self.text, u64::from(status));
        self.text.push(b' ');
        self.text.extend_from_slice(http1::reason(status).as_bytes());
        self.text.extend_from_slice(b"\r\ndate: ");
        self.text.extend_from_slice(self.date.as_bytes());
        self.text.extend_from_slice(b"\r\n");
        self.header("x-request-id", request_id.as_bytes())
    }

    /// Adds a header; a value that HTTP does not allow is left out.
    pub fn header(&mut self, name: &str, value: &[u8]) -> &mut Self {
        if value.iter().all(|&byte| byte == b'\t' || (0x20..0x7f).contains(&byte)) {
            self.text.extend_from_slice(name.as_bytes());
            self.text.extend_from_slice(b": ");
            self.text.extend_from_slice(value);
            self.text.extend_from_slice(b"\r\n");
        }
        self
    }

    /// Adds a header that is a number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        push_number(&mut self.text, value);
        self.text.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a header that is an amount in dollars, exact to the nano-dollar.
    pub fn dollars(&mut self, name: &str, nano_dollars: u64) -> &mut Self {
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        push_dollars(&mut self.text, nano_dollars);
        self.text.extend_from_slice(b"\r\n");
        self
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
            Body::Chunked => self.text.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Body::UntilClose | Body::None => {}
        }
        self.text.extend_from_slice(if keep_alive {
            b"\r\n"
        } else {
            b"connection: close\r\n\r\n"
        });
        &self.text
    }

    fn refresh_date(&mut self) {
        let second = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec;
        if second != self.date_second {
            self.date_second = second;
            self.date = httpdate::fmt_http_date(SystemTime::now());
        }
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes nano-dollars as dollars, with no more digits than it takes: `0`, `0.0045`, `12.000000001`.
pub(crate) fn push_dollars(out: &mut Vec<u8>, nano_dollars: u64) {
    push_number(out, nano_dollars / 1_000_000_000);
    let mut rest = nano_dollars % 1_000_000_000;
    let mut unit = 100_000_000;
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
        unit /= 10;
    }
}

/// The head lines that tell a client's SDK what to do after an error.
pub fn error_headers(head: &mut HeadWriter, error: &Error) {
    head.header("content-type", b"application/json");
    if let Some(seconds) = error.retry_after {
        head.retry_after(seconds);
    }
    let again: &[u8] = match error.class {
        Class::RateLimited
        | Class::NoDeployment
        | Class::LedgerFull
        | Class::Draining
        | Class::RequestTimeout => b"true",
        // Our own retries are spent: the client's would only multiply them.
        _ => b"false",
    };
    head.header("x-should-retry", again);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_have_the_digits_that_they_take() {
        for (nano_dollars, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (4_500_000, "0.0045"),
            (1_000_000_000, "1"),
            (12_345_678_900, "12.3456789"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            let mut out = Vec::new();
            push_dollars(&mut out, nano_dollars);
            assert_eq!(String::from_utf8(out).unwrap(), text);
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
