//! HTTP/1.1 towards upstreams: one exchange on one connection, on the task that waits for it.
//!
//! There is no task per connection and no channel between: what a reply costs is one write, one read
//! and the parsing of its head.

mod upload;

use crate::dial::Stream;
use crate::headers::Headers;
use crate::http1::Chunks;
use crate::upstream::mark;
use bytes::{Buf, Bytes, BytesMut};
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

pub use upload::{Patience, Source, UploadFault};

/// Headers a reply may have.
const MAX_HEADERS: usize = 128;
/// Bytes of a reply's head.
const MAX_HEAD: usize = 256 * 1024;
/// Bytes asked of the socket at first; doubled, up to the most, while reads fill what they were given.
const FIRST_READ: usize = 4 * 1024;
const MOST_READ: usize = 16 * 1024;

/// Why an exchange failed.
#[derive(Debug)]
pub enum Fault {
    /// The connection broke or ended early.
    Broken,
    /// What came was not HTTP/1.1.
    Protocol,
}

/// A connection between exchanges, or in one.
pub struct Connection {
    stream: Stream,
    input: BytesMut,
    read_size: usize,
}

/// A reply's head.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// How the body is framed.
    pub body: Body,
}

/// A reply's body, still on its connection.
pub struct Body {
    /// `None` once the body is complete and the connection has been given back, or lost.
    connection: Option<Connection>,
    framing: Framing,
    /// The connection may serve another exchange afterwards.
    reusable: bool,
    decoded: BytesMut,
}

enum Framing {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

impl Connection {
    /// Over a fresh stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Connection { stream, input: BytesMut::new(), read_size: FIRST_READ }
    }

    /// The stream, and what was read of it ahead: for what comes after HTTP.
    #[must_use]
    pub fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.input)
    }

    /// Whether an idle connection is still open, with nothing on it that was not asked for.
    #[must_use]
    pub fn is_idle(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        // Nobody is to be woken: whether it is ready now is all that counts.
        let mut context = Context::from_waker(std::task::Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut context, &mut buffer).is_pending()
    }

    /// Sends a request and reads the reply's head; 1xx replies are passed over, but for 101. `sent` is set
    /// once all of the request has been sent.
    ///
    /// # Errors
    /// [`Fault`]; the connection is gone then.
    pub async fn exchange(
        mut self,
        head: &[u8],
        body: &[u8],
        sent: Option<&Cell<bool>>,
    ) -> Result<Reply, Fault> {
        let mut unsent = Unsent { head, body, sent };
        let mut writable = true;
        loop {
            if writable && self.input.is_empty() {
                writable = self.send(&mut unsent).await;
            }
            match parse(&mut self.input)? {
                Some(parsed) if parsed.is_interim() => {}
                Some(parsed) => return Ok(self.begin(parsed, unsent.is_empty())),
                None => match self.read().await {
                    Ok(1..) if self.input.len() <= MAX_HEAD => {}
                    Ok(1..) => return Err(Fault::Protocol),
                    _ => return Err(Fault::Broken),
                },
            }
        }
    }

    fn begin(self, parsed: Parsed, sent: bool) -> Reply {
        let Parsed { status, headers, framing, reusable } = parsed;
        let reusable = reusable && sent;
        let body = Body { connection: Some(self), framing, reusable, decoded: BytesMut::new() };
        Reply { status, headers, body }
    }

    /// Writes until all is written, or the upstream says something first; false when it takes no more.
    async fn send(&mut self, unsent: &mut Unsent<'_>) -> bool {
        poll_fn(|context| {
            while !unsent.is_empty() {
                let parts = [IoSlice::new(unsent.head), IoSlice::new(unsent.body)];
                let used = if unsent.head.is_empty() { &parts[1..] } else { &parts[..] };
                match Pin::new(&mut self.stream).poll_write_vectored(context, used) {
                    Poll::Ready(Ok(count @ 1..)) => unsent.advance(count),
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => return self.poll_early(context),
                }
            }
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(flushed) => Poll::Ready(flushed.is_ok()),
                Poll::Pending => self.poll_early(context),
            }
        })
        .await
    }

    /// Ready as soon as the upstream says something, or closes, while we are still writing.
    fn poll_early(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        let mut early = [0; 4096];
        let mut buffer = ReadBuf::new(&mut early);
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Ready(_) => {
                self.input.extend_from_slice(buffer.filled());
                Poll::Ready(!self.input.is_empty())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        if self.input.capacity() - self.input.len() < FIRST_READ / 4 {
            self.input.reserve(self.read_size);
        }
        let room = self.input.capacity() - self.input.len();
        let count = self.stream.read_buf(&mut self.input).await?;
        if count == room {
            self.read_size = (self.read_size * 2).min(MOST_READ);
        }
        Ok(count)
    }
}

/// What is left to write of a request.
struct Unsent<'a> {
    head: &'a [u8],
    body: &'a [u8],
    /// Set once nothing is left.
    sent: Option<&'a Cell<bool>>,
}

impl Unsent<'_> {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    fn advance(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        self.head = &self.head[of_head..];
        self.body = &self.body[count - of_head..];
        if self.is_empty() {
            mark(self.sent);
        }
    }
}

impl Body {
    /// Whether the body is complete and its connection given back, or lost.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.connection.is_none()
    }

    /// Bytes still to come, if the framing tells.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(left) => Some(left),
            _ => None,
        }
    }

    /// What comes next: everything that has arrived, else what arrives first. `None` at the end.
    ///
    /// # Errors
    /// [`Fault`], when the body ends early or is not framed as promised.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Fault>> {
        let connection = self.connection.as_mut()?;
        loop {
            match decode(&mut self.framing, &mut connection.input, &mut self.decoded) {
                Ok(Progress::Data(data)) => return Some(Ok(data)),
                Ok(Progress::End) => return None,
                Ok(Progress::More) => {}
                Err(fault) => return Some(Err(self.lose(fault))),
            }
            match connection.read().await {
                Ok(1..) => {}
                Ok(0) if matches!(self.framing, Framing::UntilClose) => {
                    self.connection = None;
                    return None;
                }
                _ => return Some(Err(self.lose(Fault::Broken))),
            }
        }
    }

    /// The connection, if the body is complete and the connection may be used again.
    pub fn take_connection(&mut self) -> Option<Connection> {
        let complete = match &self.framing {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(chunks) => chunks.is_complete() && self.decoded.is_empty(),
            Framing::UntilClose => false,
        };
        let connection = self.connection.take_if(|_| complete)?;
        // Bytes beyond the reply belong to no request.
        (self.reusable && connection.input.is_empty()).then_some(connection)
    }

    /// The connection, whatever its reply was: for what comes after HTTP.
    #[must_use]
    pub fn into_connection(self) -> Option<Connection> {
        self.connection
    }

    fn lose(&mut self, fault: Fault) -> Fault {
        self.connection = None;
        fault
    }
}

enum Progress {
    Data(Bytes),
    More,
    End,
}

fn decode(
    framing: &mut Framing,
    input: &mut BytesMut,
    decoded: &mut BytesMut,
) -> Result<Progress, Fault> {
    match framing {
        Framing::Length(0) => Ok(Progress::End),
        Framing::Length(left) => {
            let count = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= count as u64;
            Ok(if count == 0 {
                Progress::More
            } else {
                Progress::Data(input.split_to(count).freeze())
            })
        }
        Framing::Chunked(chunks) => {
            let complete =
                chunks.decode(input, decoded, u64::MAX / 2).map_err(|_| Fault::Protocol)?;
            Ok(match (decoded.is_empty(), complete) {
                (false, _) => Progress::Data(decoded.split().freeze()),
                (true, true) => Progress::End,
                (true, false) => Progress::More,
            })
        }
        Framing::UntilClose if input.is_empty() => Ok(Progress::More),
        Framing::UntilClose => Ok(Progress::Data(input.split().freeze())),
    }
}

struct Parsed {
    status: u16,
    headers: Headers,
    framing: Framing,
    reusable: bool,
}

impl Parsed {
    /// Whether another head follows.
    fn is_interim(&self) -> bool {
        self.status < 200 && self.status != 101
    }
}

/// Takes a head from the front of `input`, if it is whole.
fn parse(input: &mut BytesMut) -> Result<Option<Parsed>, Fault> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut slots);
    let length = match response.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(Fault::Protocol),
    };
    let base = input.as_ptr() as usize;
    let range = |part: &[u8]| {
        let start = part.as_ptr() as usize - base;
        start..start + part.len()
    };
    let status = response.code.unwrap_or_default();
    let keep_alive = response.version == Some(1);
    let fields: Vec<_> =
        response.headers.iter().map(|one| (range(one.name.as_bytes()), range(one.value))).collect();
    let text = input.copy_to_bytes(length);
    let headers = Headers::new(text, fields);
    let (framing, sure) = framing(status, &headers)?;
    let closes = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case(b"connection")
            && value
                .split(|&byte| byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    // An upstream that is in trouble often closes right after it has said so.
    let well = matches!(status, 200..=299 | 400..=499);
    let reusable = keep_alive && sure && !closes && well;
    Ok(Some(Parsed { status, headers, framing, reusable }))
}

/// How the body is framed, and whether that is beyond doubt (RFC 9112 §6.3).
fn framing(status: u16, headers: &Headers) -> Result<(Framing, bool), Fault> {
    if status < 200 || matches!(status, 204 | 304) {
        return Ok((Framing::Length(0), true));
    }
    let mut lengths =
        headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length = lengths.next().map(|(_, value)| value);
    if lengths.any(|(_, value)| Some(value) != length) {
        return Err(Fault::Protocol);
    }
    let mut codings =
        headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding"));
    if let Some((_, coding)) = codings.next() {
        let chunked =
            coding.trim_ascii().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
        let framing =
            if chunked { Framing::Chunked(Chunks::default()) } else { Framing::UntilClose };
        return Ok((framing, length.is_none()));
    }
    let Some(length) = length else { return Ok((Framing::UntilClose, true)) };
    let text = std::str::from_utf8(length).map_err(|_| Fault::Protocol)?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.parse().ok().filter(|_| digits).ok_or(Fault::Protocol)?;
    Ok((Framing::Length(length), true))
}
