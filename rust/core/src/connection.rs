//! A client's connection: heads and bodies in, replies out, every wait with a deadline.

mod incoming;

use crate::error::{Class, Error, Result};
use crate::http1::{self, Chunks, Framing, Head};
use crate::snapshot::EdgeSettings;
use bytes::{Bytes, BytesMut};
use std::future::Future;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

pub use incoming::Incoming;

/// Bytes asked of the socket at once; a body makes room for itself.
const READ_SIZE: usize = 4 * 1024;
/// What a client may send ahead while its request is being answered.
const MAX_AHEAD: usize = 64 * 1024;
/// After a refusal, how much of what still comes in is read, so that the refusal is not lost to a reset.
const MAX_LINGER: usize = 1024 * 1024;
/// How long the end of a connection may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the edge allows a client.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpLimits {
    /// Bytes of a request's body.
    pub max_body_bytes: u64,
    /// Bytes of a body that is passed on as it comes.
    pub max_upload_bytes: u64,
    /// Bytes of such a body that are held.
    pub max_held_bytes: u64,
    /// Bytes of a request's head.
    pub max_header_bytes: usize,
    /// From a head's first byte to its last.
    pub header_timeout: Duration,
    /// Between two reads of a body.
    pub body_idle_timeout: Duration,
    /// A whole body.
    pub upload_timeout: Duration,
    /// One write that the client does not read.
    pub write_timeout: Duration,
    /// Between two requests.
    pub keep_alive_timeout: Duration,
}

impl HttpLimits {
    /// The limits as they were written.
    #[must_use]
    pub fn new(settings: &EdgeSettings) -> Self {
        let seconds = |value| Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX / 4);
        HttpLimits {
            max_body_bytes: settings.max_body_bytes,
            max_upload_bytes: settings.max_upload_bytes,
            max_held_bytes: settings.max_held_bytes,
            max_header_bytes: settings.max_header_bytes,
            header_timeout: seconds(settings.header_timeout),
            body_idle_timeout: seconds(settings.body_idle_timeout),
            upload_timeout: seconds(settings.upload_timeout),
            write_timeout: seconds(settings.write_timeout),
            keep_alive_timeout: seconds(settings.keep_alive_timeout),
        }
    }
}

/// A connection and what has been read ahead.
pub struct Connection<S> {
    stream: S,
    input: BytesMut,
    limits: Rc<HttpLimits>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A fresh connection.
    pub fn new(stream: S, limits: Rc<HttpLimits>) -> Self {
        Connection { stream, input: BytesMut::with_capacity(READ_SIZE), limits }
    }

    /// What the edge allows this client.
    #[must_use]
    pub fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// The next request's head; `None` when the client has closed, was idle too long, or `stop` came
    /// while nothing was under way.
    ///
    /// # Errors
    /// What is wrong with the head; the connection must be closed after the reply.
    pub async fn next_head(&mut self, stop: impl Future<Output = ()>) -> Result<Option<Head>> {
        // A line end after a body is no request yet.
        while self.input.starts_with(b"\r\n") {
            let _ = self.input.split_to(2);
        }
        if self.input.is_empty() {
            let idle = self.limits.keep_alive_timeout;
            let first = async {
                tokio::select! {
                    biased;
                    read = read_some(&mut self.stream, &mut self.input) => matches!(read, Ok(1..)),
                    () = stop => false,
                }
            };
            if !timeout(idle, first).await.unwrap_or(false) {
                return Ok(None);
            }
        }
        let deadline = Instant::now() + self.limits.header_timeout;
        loop {
            if let Some(head) = http1::take_head(&mut self.input, self.limits.max_header_bytes)? {
                return Ok(Some(head));
            }
            match timeout_at(deadline, read_some(&mut self.stream, &mut self.input)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return Ok(None),
                Err(_) => {
                    let message = "The request's head did not arrive in time.";
                    return Err(Error::new(Class::RequestTimeout, message));
                }
            }
        }
    }

    /// The socket, and what has been read ahead of it: for what comes after HTTP.
    pub fn parts(&mut self) -> (&mut S, BytesMut) {
        (&mut self.stream, self.input.split())
    }

    /// The request's body, whole.
    ///
    /// # Errors
    /// `RequestTooLarge`, `RequestTimeout`, or `InvalidRequest` for bad framing or an early end.
    pub async fn body(&mut self, head: &Head) -> Result<Bytes> {
        let max = self.limits.max_body_bytes;
        if let Framing::Length(length) = head.framing {
            if length > max {
                return Err(http1::too_large(max));
            }
            if length == 0 {
                return Ok(Bytes::new());
            }
        }
        if head.expects_continue && self.input.is_empty() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n", &[]).await.map_err(|_| cut_short())?;
            self.flush().await.map_err(|_| cut_short())?;
        }
        let deadline = Instant::now() + self.limits.upload_timeout;
        let mut chunks = Chunks::default();
        let mut decoded = BytesMut::new();
        loop {
            match head.framing {
                Framing::Length(length) => {
                    // A length past usize was refused above: the limit is far below.
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    if self.input.len() >= length {
                        let body = self.input.split_to(length).freeze();
                        if length > READ_SIZE {
                            // What follows must not keep the memory of a large body alive.
                            self.input = BytesMut::from(&self.input[..]);
                        }
                        return Ok(body);
                    }
                    self.input.reserve(length - self.input.len());
                }
                Framing::Chunked => {
                    if chunks.decode(&mut self.input, &mut decoded, max)? {
                        return Ok(decoded.freeze());
                    }
                }
            }
            let until = deadline.min(Instant::now() + self.limits.body_idle_timeout);
            match timeout_at(until, read_some(&mut self.stream, &mut self.input)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return Err(cut_short()),
                Err(_) => {
                    let message = "The request's body did not arrive in time.";
                    return Err(Error::new(Class::RequestTimeout, message));
                }
            }
        }
    }

    /// Resolves when the client has gone. What it sends ahead is kept, up to a bound.
    pub async fn gone(&mut self) {
        while self.input.len() < MAX_AHEAD {
            match read_some(&mut self.stream, &mut self.input).await {
                Ok(1..) => {}
                _ => return,
            }
        }
        std::future::pending().await
    }

    /// Writes two parts in one go where the socket allows it.
    ///
    /// # Errors
    /// The socket's, or `TimedOut` when the client does not read.
    pub async fn write(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let limit = self.limits.write_timeout;
        let (mut first, mut second) = (first, second);
        while !first.is_empty() || !second.is_empty() {
            let parts = [IoSlice::new(first), IoSlice::new(second)];
            let wrote = async {
                if first.is_empty() {
                    self.stream.write(second).await
                } else {
                    self.stream.write_vectored(&parts).await
                }
            };
            let count = timeout(limit, wrote).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let of_first = count.min(first.len());
            first = &first[of_first..];
            second = &second[count - of_first..];
        }
        Ok(())
    }

    /// Sends what is buffered below us (TLS).
    ///
    /// # Errors
    /// The socket's.
    pub async fn flush(&mut self) -> io::Result<()> {
        let flushed = timeout(self.limits.write_timeout, self.stream.flush()).await;
        flushed.map_err(|_| io::ErrorKind::TimedOut)?
    }

    /// Closes, and says so: over TLS a client can then tell an end from a cut.
    pub async fn close(&mut self) {
        // However it ends, the connection is over.
        let _ = timeout(FAREWELL, self.stream.shutdown()).await;
    }

    /// Closes after a refusal: says so, then reads off what the client is still sending, for a short while.
    pub async fn close_politely(&mut self) {
        let linger = async {
            self.stream.shutdown().await?;
            let mut left = MAX_LINGER;
            while left > 0 {
                self.input.clear();
                match read_some(&mut self.stream, &mut self.input).await? {
                    0 => break,
                    count => left = left.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // However it ends, the connection is over.
        let _ = timeout(FAREWELL, linger).await;
    }
}

fn cut_short() -> Error {
    Error::new(Class::InvalidRequest, "The request's body ended before it was complete.")
}

async fn read_some<S: AsyncRead + Unpin>(
    stream: &mut S,
    input: &mut BytesMut,
) -> io::Result<usize> {
    if input.capacity() - input.len() < 1024 {
        input.reserve(READ_SIZE);
    }
    stream.read_buf(input).await
}
