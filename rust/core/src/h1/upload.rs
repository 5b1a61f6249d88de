//! An exchange whose request body comes piece by piece.

use super::{Connection, Fault, MAX_HEAD, Parsed, Reply, Unsent, parse};
use crate::upstream::mark;
use bytes::Bytes;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Where the pieces come from.
pub trait Source {
    /// The next piece, not empty; `None` at the end, an error when the body will not become whole.
    /// Dropped while it waits, it loses nothing.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, ()>>>;

    /// Resolves when nobody waits for the reply any more.
    fn gone(&mut self) -> impl Future<Output = ()>;
}

/// How long an upload may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one piece to be taken by the upstream.
    pub idle: Duration,
    /// From the last piece to the reply's head.
    pub first_byte: Duration,
    /// For all of it.
    pub deadline: Instant,
}

/// Why an upload failed.
#[derive(Debug)]
pub enum UploadFault {
    /// The upstream broke off, or did not speak HTTP.
    Upstream(Fault),
    /// The upstream was too slow.
    Late,
    /// The body did not become whole, or nobody waits any more.
    Client,
}

impl From<Fault> for UploadFault {
    fn from(fault: Fault) -> Self {
        UploadFault::Upstream(fault)
    }
}

/// What happens while a body is being sent.
enum Turn {
    Piece(Bytes),
    End,
    /// The upstream said something, or closed.
    Heard,
    /// There will be no more of the body.
    Lost,
}

impl Connection {
    /// Sends a head and the pieces of `source`, chunked or as they are, and reads the reply's head. An
    /// upstream that answers before it has heard everything is not sent the rest. `sent` is set once it has
    /// been sent all of it.
    ///
    /// # Errors
    /// [`UploadFault`]; the connection is gone then.
    pub async fn upload(
        mut self,
        head: &[u8],
        chunked: bool,
        source: &mut impl Source,
        patience: Patience,
        sent: Option<&Cell<bool>>,
    ) -> Result<Reply, UploadFault> {
        let mut framer = Framer { frame: head.to_vec(), chunked };
        loop {
            let early = match self.turn(source).await {
                Turn::Lost => return Err(UploadFault::Client),
                Turn::Heard => self.listen(Instant::now() + patience.idle).await?,
                Turn::Piece(piece) => {
                    let early = self.push(framer.before(&piece), &piece, patience).await?;
                    framer.behind();
                    early
                }
                Turn::End => {
                    let early = self.push(framer.last(), &[], patience).await?;
                    if early.is_none() {
                        break;
                    }
                    early
                }
            };
            if let Some(parsed) = early {
                return Ok(self.begin(parsed, false));
            }
        }
        mark(sent);
        let until = (Instant::now() + patience.first_byte).min(patience.deadline);
        loop {
            let heard = tokio::select! {
                biased;
                heard = self.listen(until) => heard?,
                () = source.gone() => return Err(UploadFault::Client),
            };
            if let Some(parsed) = heard {
                return Ok(self.begin(parsed, true));
            }
        }
    }

    async fn turn(&mut self, source: &mut impl Source) -> Turn {
        tokio::select! {
            biased;
            () = self.heard() => Turn::Heard,
            piece = source.next() => match piece {
                Some(Ok(piece)) => Turn::Piece(piece),
                Some(Err(())) => Turn::Lost,
                None => Turn::End,
            },
        }
    }

    /// Writes all of it, unless the upstream answers meanwhile.
    async fn push(
        &mut self,
        frame: &[u8],
        piece: &[u8],
        patience: Patience,
    ) -> Result<Option<Parsed>, UploadFault> {
        let mut unsent = Unsent { head: frame, body: piece, sent: None };
        let until = (Instant::now() + patience.idle).min(patience.deadline);
        loop {
            let took = timeout_at(until, self.send(&mut unsent)).await;
            let took = took.map_err(|_| UploadFault::Late)?;
            if took && self.input.is_empty() {
                return Ok(None);
            }
            if let Some(parsed) = self.listen(until).await? {
                return Ok(Some(parsed));
            }
        }
    }

    /// Resolves when the upstream says something, or closes.
    async fn heard(&mut self) {
        poll_fn(|context| {
            if !self.input.is_empty() {
                return Poll::Ready(());
            }
            self.poll_early(context).map(drop)
        })
        .await;
    }

    /// Reads the next head; `None` if it was an interim one (1xx).
    async fn listen(&mut self, until: Instant) -> Result<Option<Parsed>, UploadFault> {
        loop {
            match parse(&mut self.input)? {
                Some(parsed) if parsed.is_interim() => return Ok(None),
                Some(parsed) => return Ok(Some(parsed)),
                None => {
                    let read = timeout_at(until, self.read()).await;
                    match read.map_err(|_| UploadFault::Late)? {
                        Ok(1..) if self.input.len() <= MAX_HEAD => {}
                        Ok(1..) => return Err(Fault::Protocol.into()),
                        _ => return Err(Fault::Broken.into()),
                    }
                }
            }
        }
    }
}

/// What stands between the pieces.
struct Framer {
    frame: Vec<u8>,
    chunked: bool,
}

impl Framer {
    fn before(&mut self, piece: &[u8]) -> &[u8] {
        if self.chunked {
            self.frame.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        }
        &self.frame
    }

    fn behind(&mut self) {
        self.frame.clear();
        if self.chunked {
            self.frame.extend_from_slice(b"\r\n");
        }
    }

    fn last(&mut self) -> &[u8] {
        if self.chunked {
            self.frame.extend_from_slice(b"0\r\n\r\n");
        }
        &self.frame
    }
}
