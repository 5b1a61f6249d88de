//! HTTP/1.1 as the edge reads it: strict, so that no two parsers can see two different requests.
//!
//! `httparse` does the grammar; on top of it everything ambiguous is refused: bare line feeds, two
//! Hosts, two Authorizations, Content-Length beside Transfer-Encoding, absolute targets, dot segments.

use crate::error::{Class, Error, Result};
use crate::headers::Headers;
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// Headers a request may have.
const MAX_HEADERS: usize = 100;
/// Bytes of one chunk-size line, extensions included.
const MAX_CHUNK_LINE: usize = 256;
/// Bytes of all trailers of a chunked body.
const MAX_TRAILERS: usize = 8 * 1024;

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// That many bytes (0: no body).
    Length(u64),
    /// Chunked.
    Chunked,
}

/// A request's head.
#[derive(Debug)]
pub struct Head {
    bytes: Bytes,
    method: Range<usize>,
    target: Range<usize>,
    headers: Headers,
    /// How the body is framed.
    pub framing: Framing,
    /// HTTP/1.1, not 1.0: the client understands chunked replies.
    pub is_http11: bool,
    /// Whether the client lets the connection live on.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
}

impl Head {
    /// The method, as sent.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text(&self.method)
    }

    /// The path as sent: not decoded, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.text(&self.target);
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The query, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text(&self.target).split_once('?').map(|(_, query)| query)
    }

    /// Path and query, as sent.
    #[must_use]
    pub fn target(&self) -> &str {
        self.text(&self.target)
    }

    /// The first header of that name (any case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name)
    }

    /// All headers of that name (any case), in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |(key, _): &(&[u8], &[u8])| key.eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().filter(named).map(|(_, value)| value)
    }

    /// All headers, in order.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    fn text(&self, range: &Range<usize>) -> &str {
        // Method and target were checked to be ASCII when parsed.
        std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or_default()
    }
}

fn bad(message: &'static str) -> Error {
    Error::new(Class::InvalidRequest, message)
}

/// Takes one head from the front of `buffer`, or `None` if it is not whole yet.
///
/// # Errors
/// `InvalidRequest` or `HeadersTooLarge`; the connection cannot be used further.
pub fn take_head(buffer: &mut BytesMut, max_bytes: usize) -> Result<Option<Head>> {
    let empty_lines = buffer.chunks_exact(2).take_while(|pair| pair == b"\r\n").count().min(4);
    let _ = buffer.split_to(empty_lines * 2);
    let Some(end) = head_end(buffer, max_bytes)? else { return Ok(None) };
    let bytes = buffer.split_to(end).freeze();
    parse(bytes).map(Some)
}

/// The length of the head, checking line ends on the way.
fn head_end(buffer: &[u8], max_bytes: usize) -> Result<Option<usize>> {
    let window = &buffer[..buffer.len().min(max_bytes)];
    let mut line_start = 0;
    for at in memchr::memchr_iter(b'\n', window) {
        if at == 0 || window[at - 1] != b'\r' {
            return Err(bad("A line of the request's head ends without a carriage return."));
        }
        if at == line_start + 1 {
            return Ok(Some(at + 1));
        }
        line_start = at + 1;
    }
    if buffer.len() >= max_bytes {
        let message = "The request's head is too large.";
        return Err(Error::new(Class::HeadersTooLarge, message));
    }
    Ok(None)
}

fn parse(bytes: Bytes) -> Result<Head> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut slots);
    match request.parse(&bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Error::new(Class::HeadersTooLarge, "The request has too many headers."));
        }
        _ => return Err(bad("The request's head is not valid HTTP/1.1.")),
    }
    let base = bytes.as_ptr() as usize;
    let range = |part: &[u8]| {
        let start = part.as_ptr() as usize - base;
        start..start + part.len()
    };
    let method = range(request.method.unwrap_or_default().as_bytes());
    let target_text = request.path.unwrap_or_default();
    check_target(target_text)?;
    let target = range(target_text.as_bytes());
    let minor = request.version.unwrap_or(1);
    let facts = check_headers(request.headers, minor)?;
    let fields =
        request.headers.iter().map(|h| (range(h.name.as_bytes()), range(h.value))).collect();
    let headers = Headers::new(bytes.clone(), fields);
    Ok(Head {
        method,
        target,
        headers,
        framing: facts.framing,
        is_http11: minor == 1,
        keep_alive: facts.keep_alive,
        expects_continue: facts.expects_continue,
        bytes,
    })
}

fn check_target(target: &str) -> Result<()> {
    if !target.starts_with('/') {
        return Err(bad("The request target must be a path that begins with a slash."));
    }
    if target.bytes().any(|byte| !(0x21..0x7f).contains(&byte) || b"#\\<>^`".contains(&byte)) {
        return Err(bad("The request target holds characters that a URL may not have."));
    }
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if path.contains("//") {
        return Err(bad("The path has an empty segment (two slashes)."));
    }
    let lower = path.to_ascii_lowercase();
    if lower.contains("%00") || lower.contains("%5c") {
        return Err(bad("The path holds an encoded character that no path here has."));
    }
    let decoded = lower.replace("%2e", ".").replace("%2f", "/");
    if decoded.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(bad("The path has a dot segment."));
    }
    Ok(())
}

struct Facts {
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
}

#[derive(Default)]
struct Counts {
    host: u32,
    keys: u8,
    length: Option<u64>,
    chunked: bool,
}

fn check_headers(headers: &[httparse::Header<'_>], minor: u8) -> Result<Facts> {
    let mut seen = Counts::default();
    let mut keep_alive = minor == 1;
    let mut expects_continue = false;
    for header in headers {
        let value = header.value;
        if value.iter().any(|&byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
            return Err(bad("A header holds a control character."));
        }
        match header.name.len() {
            4 if is(header, "host") => check_host(value, &mut seen)?,
            13 if is(header, "authorization") => seen.note_key(0)?,
            9 if is(header, "x-api-key") => seen.note_key(1)?,
            7 if is(header, "api-key") => seen.note_key(2)?,
            14 if is(header, "x-goog-api-key") => seen.note_key(3)?,
            17 if is(header, "x-litellm-api-key") => seen.note_key(4)?,
            14 if is(header, "content-length") => note_length(value, &mut seen)?,
            17 if is(header, "transfer-encoding") => {
                if seen.chunked || !value.eq_ignore_ascii_case(b"chunked") || minor == 0 {
                    return Err(bad("The only transfer encoding understood is chunked, once."));
                }
                seen.chunked = true;
            }
            10 if is(header, "connection") => {
                keep_alive = connection_stays(value, keep_alive);
            }
            6 if is(header, "expect") => {
                expects_continue = minor == 1 && value.eq_ignore_ascii_case(b"100-continue")
            }
            16 if is(header, "content-encoding") && !value.eq_ignore_ascii_case(b"identity") => {
                let message = "Compressed request bodies are not accepted.";
                return Err(Error::new(Class::UnsupportedMediaType, message));
            }
            _ => {}
        }
    }
    if seen.host == 0 && minor == 1 {
        return Err(bad("The request has no Host header."));
    }
    let framing = match (seen.chunked, seen.length) {
        (true, Some(_)) => {
            return Err(bad("The request has both a Content-Length and a Transfer-Encoding."));
        }
        (true, None) => Framing::Chunked,
        (false, length) => Framing::Length(length.unwrap_or(0)),
    };
    Ok(Facts { framing, keep_alive, expects_continue })
}

impl Counts {
    /// A header that may show a key: each at most once, or which of them counts would be a guess.
    fn note_key(&mut self, which: u8) -> Result<()> {
        if self.keys & (1 << which) != 0 {
            return Err(bad("A header that shows an API key stands twice."));
        }
        self.keys |= 1 << which;
        Ok(())
    }
}

fn is(header: &httparse::Header<'_>, name: &str) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

fn check_host(value: &[u8], seen: &mut Counts) -> Result<()> {
    seen.host += 1;
    let fits = value.iter().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(b));
    if seen.host > 1 || value.is_empty() || !fits {
        return Err(bad("The request must have exactly one valid Host header."));
    }
    Ok(())
}

fn note_length(value: &[u8], seen: &mut Counts) -> Result<()> {
    let digits = value.len() <= 18 && !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    match number.filter(|_| digits && seen.length.is_none()) {
        Some(length) => seen.length = Some(length),
        None => return Err(bad("The request must have one Content-Length, a plain number.")),
    }
    Ok(())
}

fn connection_stays(value: &[u8], default: bool) -> bool {
    let mut stays = default;
    for option in value.split(|&byte| byte == b',') {
        match option.trim_ascii() {
            o if o.eq_ignore_ascii_case(b"close") => return false,
            o if o.eq_ignore_ascii_case(b"keep-alive") => stays = true,
            _ => {}
        }
    }
    stays
}

/// Takes a chunked body apart.
#[derive(Debug, Default)]
pub struct Chunks {
    left: u64,
    state: ChunkState,
    trailers: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    #[default]
    Size,
    Data,
    DataEnd,
    Trailer,
    Done,
}

impl Chunks {
    /// Whether the last chunk and its trailers have been read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == ChunkState::Done
    }

    /// Moves what is decodable from `buffer` to the end of `body`; true when the body is complete.
    ///
    /// # Errors
    /// `InvalidRequest` on bad framing, `RequestTooLarge` past `max_bytes`.
    pub fn decode(
        &mut self,
        buffer: &mut BytesMut,
        body: &mut BytesMut,
        max_bytes: u64,
    ) -> Result<bool> {
        loop {
            match self.state {
                ChunkState::Size => {
                    let Some(line) = take_line(buffer, MAX_CHUNK_LINE)? else { return Ok(false) };
                    self.left = chunk_size(&line)?;
                    if body.len() as u64 + self.left > max_bytes {
                        return Err(too_large(max_bytes));
                    }
                    self.state =
                        if self.left == 0 { ChunkState::Trailer } else { ChunkState::Data };
                }
                ChunkState::Data => {
                    let now = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                    body.extend_from_slice(&buffer.split_to(now));
                    self.left -= now as u64;
                    if self.left > 0 {
                        return Ok(false);
                    }
                    self.state = ChunkState::DataEnd;
                }
                ChunkState::DataEnd => {
                    if buffer.len() < 2 {
                        return Ok(false);
                    }
                    if &buffer.split_to(2)[..] != b"\r\n" {
                        return Err(bad("A chunk of the body does not end where it should."));
                    }
                    self.state = ChunkState::Size;
                }
                ChunkState::Trailer => {
                    let Some(line) = take_line(buffer, MAX_TRAILERS)? else { return Ok(false) };
                    self.trailers += line.len() + 2;
                    if self.trailers > MAX_TRAILERS {
                        return Err(Error::new(
                            Class::HeadersTooLarge,
                            "The trailers are too large.",
                        ));
                    }
                    if line.is_empty() {
                        self.state = ChunkState::Done;
                    }
                }
                ChunkState::Done => return Ok(true),
            }
        }
    }
}

/// The error for a body larger than allowed.
#[must_use]
pub fn too_large(max_bytes: u64) -> Error {
    let message = format!("The request body is larger than the limit of {max_bytes} bytes.");
    Error::new(Class::RequestTooLarge, message)
}

fn take_line(buffer: &mut BytesMut, max: usize) -> Result<Option<BytesMut>> {
    let window = &buffer[..buffer.len().min(max)];
    let Some(at) = memchr::memchr(b'\n', window) else {
        return if buffer.len() >= max {
            Err(bad("A line of the chunked body is too long."))
        } else {
            Ok(None)
        };
    };
    if at == 0 || buffer[at - 1] != b'\r' {
        return Err(bad("A line of the chunked body ends without a carriage return."));
    }
    let mut line = buffer.split_to(at + 1);
    line.truncate(at - 1);
    Ok(Some(line))
}

fn chunk_size(line: &[u8]) -> Result<u64> {
    let digits = line.split(|&byte| byte == b';').next().unwrap_or_default();
    let valid = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let size = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    size.filter(|_| valid)
        .ok_or_else(|| bad("A chunk of the body has a size that is not a hex number."))
}

/// The reason phrase of a status.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|code| code.canonical_reason())
        .unwrap_or("Unknown")
}

#[cfg(test)]
mod tests;
