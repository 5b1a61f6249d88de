//! Reading one HTTP/1.1 response as its bytes arrive: when it ends, and how many events it held.

use memchr::memmem;

const MOST_HEADERS: usize = 64;

/// What is known of a response so far.
#[derive(Debug, Default)]
pub(super) struct Response {
    head: Vec<u8>,
    body: Option<Body>,
    pub status: u16,
    pub keep_alive: bool,
    pub events: u64,
    streamed: bool,
    line_ended: bool,
}

/// The body still to come.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    ChunkSize {
        size: usize,
        in_extension: bool,
    },
    ChunkData(usize),
    ChunkEnd,
    /// Behind the last chunk; `blank` while the current line has nothing in it.
    Trailer {
        blank: bool,
    },
    Done,
}

/// Why a response cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Response {
    /// Whether the response has ended.
    pub fn is_done(&self) -> bool {
        self.body == Some(Body::Done)
    }

    /// Whether this is an event stream.
    pub fn is_streamed(&self) -> bool {
        self.streamed
    }

    /// Takes more bytes of the response; returns how many of them were body.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<usize, Malformed> {
        if self.body.is_none() {
            let known = self.head.len();
            self.head.extend_from_slice(bytes);
            let Some(length) = self.parse_head()? else { return Ok(0) };
            bytes = &bytes[length - known..];
        }
        let mut taken = 0;
        while !bytes.is_empty() && !self.is_done() {
            let (used, data) = self.step(bytes)?;
            taken += data;
            bytes = &bytes[used..];
        }
        // Requests are not pipelined, so nothing may follow.
        if bytes.is_empty() { Ok(taken) } else { Err(Malformed) }
    }

    fn parse_head(&mut self) -> Result<Option<usize>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let status = parsed.parse(&self.head).map_err(|_| Malformed)?;
        let httparse::Status::Complete(length) = status else { return Ok(None) };
        self.status = parsed.code.ok_or(Malformed)?;
        self.keep_alive = parsed.version == Some(1);
        let mut body = None;
        for header in parsed.headers.iter() {
            let (name, value) = (header.name, header.value);
            if name.eq_ignore_ascii_case("content-length") {
                let text = std::str::from_utf8(value).map_err(|_| Malformed)?;
                body = Some(Body::Length(text.trim().parse().map_err(|_| Malformed)?));
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                body = Some(Body::ChunkSize { size: 0, in_extension: false });
            } else if name.eq_ignore_ascii_case("content-type") {
                self.streamed = value.starts_with(b"text/event-stream");
            } else if name.eq_ignore_ascii_case("connection") {
                self.keep_alive &= !value.eq_ignore_ascii_case(b"close");
            }
        }
        // A body that ends with the connection would end keep-alive too: no server here sends one.
        let body = body.ok_or(Malformed)?;
        self.body = Some(if body == Body::Length(0) { Body::Done } else { body });
        Ok(Some(length))
    }

    /// Takes some bytes of the body; returns how many, and how many of these were data.
    fn step(&mut self, bytes: &[u8]) -> Result<(usize, usize), Malformed> {
        let Some(body) = &mut self.body else { return Err(Malformed) };
        let first = bytes[0];
        match body {
            Body::Length(left) => {
                let used = bytes.len().min(*left);
                *left -= used;
                if *left == 0 {
                    *body = Body::Done;
                }
                self.count_events(&bytes[..used]);
                return Ok((used, used));
            }
            Body::ChunkData(left) => {
                let used = bytes.len().min(*left);
                *left -= used;
                if *left == 0 {
                    *body = Body::ChunkEnd;
                }
                self.count_events(&bytes[..used]);
                return Ok((used, used));
            }
            Body::ChunkSize { size: 0, .. } if first == b'\n' => {
                *body = Body::Trailer { blank: true }
            }
            Body::ChunkSize { size, .. } if first == b'\n' => *body = Body::ChunkData(*size),
            Body::ChunkSize { in_extension, .. } if *in_extension || first == b'\r' => {}
            Body::ChunkSize { in_extension, .. } if first == b';' => *in_extension = true,
            Body::ChunkSize { size, .. } => {
                let digit = (first as char).to_digit(16).ok_or(Malformed)? as usize;
                *size = size.checked_mul(16).ok_or(Malformed)? + digit;
            }
            Body::ChunkEnd if first == b'\n' => {
                *body = Body::ChunkSize { size: 0, in_extension: false };
            }
            Body::ChunkEnd if first == b'\r' => {}
            Body::Trailer { blank: true } if first == b'\n' => *body = Body::Done,
            Body::Trailer { blank } => *blank = matches!(first, b'\n') || *blank && first == b'\r',
            Body::ChunkEnd | Body::Done => return Err(Malformed),
        }
        Ok((1, 0))
    }

    /// Counts the blank lines that end events, also when one is cut in two.
    fn count_events(&mut self, data: &[u8]) {
        if !self.streamed || data.is_empty() {
            return;
        }
        self.events += u64::from(self.line_ended && data[0] == b'\n');
        self.events += memmem::find_iter(data, b"\n\n").count() as u64;
        self.line_ended = data.ends_with(b"\n") && !data.ends_with(b"\n\n");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const STREAM: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
        9;x=1\r\ndata: a\n\n\r\na\r\ndata: bc\n\n\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn a_chunked_stream_is_read_the_same_however_it_is_cut() {
        for size in 1..STREAM.len() {
            let mut response = Response::default();
            let data: usize = STREAM.chunks(size).map(|bytes| response.feed(bytes).unwrap()).sum();
            assert!(response.is_done() && response.keep_alive, "{size}");
            assert_eq!((data, response.events, response.status), (19, 2, 200), "{size}");
        }
    }

    #[test]
    fn a_measured_body_ends_with_its_last_byte() {
        let mut response = Response::default();
        let reply = b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\nConnection: close\r\n\r\nab";
        assert_eq!(response.feed(reply), Ok(2));
        assert!(!response.is_done());
        assert_eq!(response.feed(b"c"), Ok(1));
        assert!(response.is_done() && !response.keep_alive);
        assert_eq!(response.status, 500);
    }

    #[test]
    fn bytes_behind_the_end_and_bodies_without_an_end_are_malformed() {
        let excess = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc";
        assert_eq!(Response::default().feed(excess), Err(Malformed));
        assert_eq!(Response::default().feed(b"HTTP/1.1 200 OK\r\n\r\n"), Err(Malformed));
    }
}
