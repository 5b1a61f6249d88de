//! A request's body that is taken piece by piece, so that none of it has to stay.

use super::{Connection, cut_short, read_some};
use crate::error::{Class, Error, Result};
use crate::http1::{self, Chunks, Framing, Head};
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

/// Bytes a second that a large body must bring on average, once the time for a small one is over.
const LEAST_PER_SECOND: u64 = 64 * 1024;

/// How far a body has come.
#[derive(Debug)]
pub struct Incoming {
    framing: Framing,
    chunks: Chunks,
    received: u64,
    max: u64,
    started: Instant,
    expects_continue: bool,
    complete: bool,
}

impl Incoming {
    /// A body that may have at most `max` bytes.
    ///
    /// # Errors
    /// `RequestTooLarge` if its length already says that it has more.
    pub fn new(head: &Head, max: u64) -> Result<Self> {
        if matches!(head.framing, Framing::Length(length) if length > max) {
            return Err(http1::too_large(max));
        }
        Ok(Incoming {
            framing: head.framing,
            chunks: Chunks::default(),
            received: 0,
            max,
            started: Instant::now(),
            expects_continue: head.expects_continue,
            complete: head.framing == Framing::Length(0),
        })
    }

    /// Its whole length, if its framing tells.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        }
    }

    /// Bytes that have come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether all of it has been taken.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Takes what has arrived off `input`; empty if that is nothing.
    fn take(&mut self, input: &mut BytesMut) -> Result<Bytes> {
        let piece = match self.framing {
            Framing::Length(length) => {
                let left = usize::try_from(length - self.received).unwrap_or(usize::MAX);
                let piece = input.split_to(input.len().min(left)).freeze();
                self.complete = piece.len() == left;
                piece
            }
            Framing::Chunked => {
                let mut piece = BytesMut::new();
                self.complete = self.chunks.decode(input, &mut piece, self.max)?;
                piece.freeze()
            }
        };
        self.received += piece.len() as u64;
        if self.received > self.max {
            return Err(http1::too_large(self.max));
        }
        Ok(piece)
    }

    /// Until when the whole body must be here.
    fn deadline(&self, allowance: Duration) -> Instant {
        self.started + allowance + Duration::from_secs(self.received / LEAST_PER_SECOND)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// What comes next of a body: all that has arrived, else what arrives first. `None` at its end.
    /// May be dropped at any point without losing a byte.
    ///
    /// # Errors
    /// As of [`Connection::body`].
    pub async fn piece(&mut self, incoming: &mut Incoming) -> Result<Option<Bytes>> {
        if incoming.expects_continue && self.input.is_empty() && !incoming.complete {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n", &[]).await.map_err(|_| cut_short())?;
            self.flush().await.map_err(|_| cut_short())?;
        }
        incoming.expects_continue = false;
        loop {
            if incoming.complete {
                return Ok(None);
            }
            let piece = incoming.take(&mut self.input)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if incoming.complete {
                continue;
            }
            let idle = Instant::now() + self.limits.body_idle_timeout;
            let until = idle.min(incoming.deadline(self.limits.upload_timeout));
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
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn incoming(lines: &str, max: u64) -> Result<Incoming> {
        let text = format!("POST /v1/x HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        let head = http1::take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap();
        Incoming::new(&head, max)
    }

    #[test]
    fn a_body_of_known_length_ends_there_and_leaves_what_follows() {
        let mut incoming = incoming("Content-Length: 5", 10).unwrap();
        let mut input = BytesMut::from(&b"abc"[..]);
        assert_eq!(incoming.take(&mut input).unwrap(), "abc");
        assert!(!incoming.is_complete());
        input.extend_from_slice(b"deGET /");
        assert_eq!(incoming.take(&mut input).unwrap(), "de");
        assert_eq!((incoming.is_complete(), &input[..]), (true, &b"GET /"[..]));
    }

    #[test]
    fn a_chunked_body_is_bounded_over_all_its_chunks() {
        let mut incoming = incoming("Transfer-Encoding: chunked", 10).unwrap();
        let mut input = BytesMut::from(&b"6\r\nabcdef\r\n"[..]);
        assert_eq!(incoming.take(&mut input).unwrap(), "abcdef");
        input.extend_from_slice(b"6\r\nghijkl\r\n");
        let error = incoming.take(&mut input).unwrap_err();
        assert_eq!(error.class, Class::RequestTooLarge);
    }

    #[test]
    fn a_length_over_the_limit_is_refused_at_once() {
        assert_eq!(incoming("Content-Length: 11", 10).unwrap_err().class, Class::RequestTooLarge);
        assert!(incoming("Content-Length: 10", 10).is_ok());
    }

    #[test]
    fn a_large_body_gets_more_time_as_it_comes() {
        let mut incoming = incoming("Content-Length: 10000000", 1 << 30).unwrap();
        let before = incoming.deadline(Duration::from_secs(60));
        incoming.take(&mut BytesMut::zeroed(640 * 1024)).unwrap();
        assert_eq!(incoming.deadline(Duration::from_secs(60)) - before, Duration::from_secs(10));
    }
}
