//! What is written to one side of a session: whole frames only, and nothing after a goodbye.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Bytes of our own that wait for the end of a message in parts.
const MOST_WAITING: usize = 256 * 1024;

/// The writing half of a side.
pub(super) struct Out<W> {
    sink: W,
    /// For one write that is not taken.
    patience: Duration,
    /// A message has begun whose last part has not been written.
    in_message: bool,
    /// Messages of our own that must not stand between the parts of another.
    waiting: Vec<u8>,
    /// A frame was begun and not ended: whatever followed would be taken for the rest of it.
    torn: bool,
    closed: bool,
}

impl<W: AsyncWrite + Unpin> Out<W> {
    pub(super) fn new(sink: W, patience: Duration) -> Self {
        let waiting = Vec::new();
        Out { sink, patience, in_message: false, waiting, torn: false, closed: false }
    }

    /// Writes a control frame.
    pub(super) async fn control(&mut self, frame: &[u8]) -> io::Result<()> {
        self.write(frame).await
    }

    /// Writes a frame of a message.
    pub(super) async fn pass(&mut self, frame: &[u8], is_final: bool) -> io::Result<()> {
        self.write(frame).await?;
        self.in_message = !is_final;
        if is_final && !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            self.write(&waiting).await?;
        }
        Ok(())
    }

    /// Writes a whole message of our own as soon as there is room between others.
    pub(super) async fn add(&mut self, frame: &[u8]) -> io::Result<()> {
        if !self.in_message {
            return self.write(frame).await;
        }
        if self.waiting.len() + frame.len() <= MOST_WAITING {
            self.waiting.extend_from_slice(frame);
        }
        Ok(())
    }

    /// Writes a goodbye, unless there was one.
    pub(super) async fn close(&mut self, frame: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        self.write(frame).await?;
        self.closed = true;
        Ok(())
    }

    /// Ends the connection.
    pub(super) async fn shut(&mut self, within: Duration) {
        // However it ends, it is over.
        let _ = timeout(within, self.sink.shutdown()).await;
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.torn || self.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // If this is dropped on its way, it stays so.
        self.torn = true;
        while !bytes.is_empty() {
            let written = timeout(self.patience, self.sink.write(bytes)).await;
            match written.map_err(|_| io::ErrorKind::TimedOut)?? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => bytes = &bytes[count..],
            }
        }
        timeout(self.patience, self.sink.flush()).await.map_err(|_| io::ErrorKind::TimedOut)??;
        self.torn = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_message_of_ours_waits_for_the_end_of_another() {
        let mut out = Out::new(Vec::new(), LONG);
        out.pass(b"[part]", false).await.unwrap();
        out.add(b"[ours]").await.unwrap();
        out.control(b"[ping]").await.unwrap();
        out.pass(b"[last]", true).await.unwrap();
        out.add(b"[ours]").await.unwrap();
        assert_eq!(out.sink, b"[part][ping][last][ours][ours]");
    }

    #[tokio::test]
    async fn nothing_follows_a_goodbye() {
        let mut out = Out::new(Vec::new(), LONG);
        out.close(b"[bye]").await.unwrap();
        out.close(b"[bye]").await.unwrap();
        assert!(out.pass(b"[late]", true).await.is_err());
        assert_eq!(out.sink, b"[bye]");
    }

    #[tokio::test]
    async fn nothing_follows_half_a_frame() {
        let (mine, _theirs) = tokio::io::duplex(4);
        let mut out = Out::new(mine, Duration::from_millis(1));
        assert_eq!(out.control(b"123456").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(out.close(b"[bye]").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
