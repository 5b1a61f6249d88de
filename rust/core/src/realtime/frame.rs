//! Frames of a WebSocket, whole and as they came: which may follow which, and how large they may be.
//!
//! The grammar of their heads is the `tungstenite` crate's.

use bytes::{Bytes, BytesMut};
use std::io::Cursor;
use tokio::io::{AsyncRead, AsyncReadExt};
use tungstenite::protocol::frame::FrameHeader;
pub use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Bytes asked of the socket at once, at least.
const READ: usize = 4 * 1024;
/// Room made at once for a frame: what its head promises need not come.
const AHEAD: usize = 64 * 1024;
/// Bytes that are read off after a fault.
const MOST_DISCARDED: usize = 1024 * 1024;
/// What a control frame may carry (RFC 6455 §5.5).
const MOST_CONTROL: u64 = 125;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Its frames are masked.
    Client,
    /// Its frames are not.
    Upstream,
}

/// Why there is no next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is over, without a word.
    Gone,
    /// What came is no WebSocket; how so.
    Protocol(&'static str),
    /// A message is larger than allowed.
    TooLarge,
}

/// A frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What its head says.
    pub opcode: OpCode,
    /// It ends its message.
    pub is_final: bool,
    mask: Option<[u8; 4]>,
    /// All of it, as it came.
    pub bytes: Bytes,
    payload: usize,
}

impl Frame {
    /// Bytes that it carries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.payload
    }

    /// Whether it carries nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it carries, as it came: masked, if it is a client's.
    #[must_use]
    pub fn carried(&self) -> &[u8] {
        &self.bytes[self.payload..]
    }

    /// Appends what it carries, unmasked.
    pub fn read_into(&self, text: &mut Vec<u8>) {
        let start = text.len();
        text.extend_from_slice(self.carried());
        apply(self.mask, &mut text[start..]);
    }

    /// The code of a close frame, if it has one.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        let mut text = Vec::with_capacity(self.len());
        self.read_into(&mut text);
        text.first_chunk().map(|code| u16::from_be_bytes(*code))
    }
}

/// A frame of our own, whole.
#[must_use]
pub fn written(opcode: OpCode, carried: &[u8], to: Side) -> Vec<u8> {
    // A server's frames are never masked, a client's always: here we are the one or the other.
    let mask = (to == Side::Upstream).then(new_mask);
    let header = FrameHeader { opcode, mask, ..FrameHeader::default() };
    let mut out = Vec::with_capacity(carried.len() + 14);
    // Writing to memory cannot fail.
    let _ = header.format(carried.len() as u64, &mut out);
    let start = out.len();
    out.extend_from_slice(carried);
    apply(mask, &mut out[start..]);
    out
}

/// A close frame of our own.
#[must_use]
pub fn closing(code: u16, reason: &str, to: Side) -> Vec<u8> {
    let carried = [&code.to_be_bytes(), reason.as_bytes()].concat();
    written(OpCode::Control(Control::Close), &carried, to)
}

/// Masks, or takes the mask off: the same.
fn apply(mask: Option<[u8; 4]>, bytes: &mut [u8]) {
    let Some(mask) = mask else { return };
    for part in bytes.chunks_mut(mask.len()) {
        part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
}

fn new_mask() -> [u8; 4] {
    let mut mask = [0; 4];
    // Masks guard proxies that stand between; a zero one is as valid.
    let _ = getrandom::fill(&mut mask);
    mask
}

/// Reads frames of one side.
pub struct Reader<R> {
    source: R,
    input: BytesMut,
    frames: Frames,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// `ahead` has been read of the source before; a message may have `most` bytes.
    pub fn new(source: R, ahead: BytesMut, side: Side, most: usize) -> Self {
        Reader { source, input: ahead, frames: Frames { side, most, message: None } }
    }

    /// The next frame, whole. Dropped while it waits, it loses nothing.
    ///
    /// # Errors
    /// [`Fault`]; nothing more can be read then.
    pub async fn next(&mut self) -> Result<Frame, Fault> {
        loop {
            let missing = match self.frames.take(&mut self.input)? {
                Taken::Frame(frame) => return Ok(frame),
                Taken::Missing(bytes) => bytes,
            };
            if self.input.capacity() - self.input.len() < missing.min(READ) {
                self.input.reserve(missing.clamp(READ, AHEAD));
            }
            if !matches!(self.source.read_buf(&mut self.input).await, Ok(1..)) {
                return Err(Fault::Gone);
            }
        }
    }
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads off what still comes, up to a bound: a goodbye would be lost to the reset that unread bytes lead to.
    pub async fn discard(&mut self) {
        let mut left = MOST_DISCARDED;
        while left > 0 {
            self.input.clear();
            self.input.reserve(READ);
            match self.source.read_buf(&mut self.input).await {
                Ok(count @ 1..) => left = left.saturating_sub(count),
                _ => return,
            }
        }
    }
}

enum Taken {
    Frame(Frame),
    /// So many bytes are still to come, at least.
    Missing(usize),
}

/// The order of one side's frames.
struct Frames {
    side: Side,
    most: usize,
    /// Bytes of the message that is not ended yet.
    message: Option<usize>,
}

impl Frames {
    /// Takes a frame from the front of `input`, if it is whole.
    fn take(&mut self, input: &mut BytesMut) -> Result<Taken, Fault> {
        let mut cursor = Cursor::new(&input[..]);
        let parsed = FrameHeader::parse(&mut cursor);
        let parsed = parsed.map_err(|_| Fault::Protocol("an opcode that does not exist"))?;
        let Some((header, length)) = parsed else { return Ok(Taken::Missing(1)) };
        let payload = usize::try_from(cursor.position()).unwrap_or_default();
        let message = self.check(&header, length)?;
        // It is within the limit, so it fits.
        let whole = payload.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if input.len() < whole {
            return Ok(Taken::Missing(whole - input.len()));
        }
        self.message = message;
        let bytes = input.split_to(whole).freeze();
        let FrameHeader { is_final, opcode, mask, .. } = header;
        Ok(Taken::Frame(Frame { opcode, is_final, mask, bytes, payload }))
    }

    /// Whether a frame with this head may come now; what is open of a message after it.
    fn check(&self, header: &FrameHeader, length: u64) -> Result<Option<usize>, Fault> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Fault::Protocol("an extension that was not agreed on"));
        }
        if header.mask.is_some() != (self.side == Side::Client) {
            return Err(Fault::Protocol("a mask that must be there, or must not"));
        }
        let before = match (header.opcode, self.message) {
            (OpCode::Control(_), open) if header.is_final && length <= MOST_CONTROL => {
                return Ok(open);
            }
            (OpCode::Control(_), _) => {
                return Err(Fault::Protocol("a control frame that is in parts, or too long"));
            }
            (OpCode::Data(Data::Continue), None) => {
                return Err(Fault::Protocol("a part that continues nothing"));
            }
            (OpCode::Data(Data::Continue), Some(bytes)) => bytes,
            (OpCode::Data(_), Some(_)) => {
                return Err(Fault::Protocol("a message within another"));
            }
            (OpCode::Data(_), None) => 0,
        };
        let bytes = usize::try_from(length).ok().and_then(|length| before.checked_add(length));
        match bytes.filter(|bytes| *bytes <= self.most) {
            Some(bytes) => Ok((!header.is_final).then_some(bytes)),
            None => Err(Fault::TooLarge),
        }
    }
}

#[cfg(test)]
mod tests;
