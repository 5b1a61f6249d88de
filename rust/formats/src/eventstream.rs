//! Cuts AWS's binary event stream (`application/vnd.amazon.eventstream`) into frames, whatever the
//! chunks that it comes in, and writes it.
//!
//! A message is: its length and that of its headers (four bytes each, big endian), the CRC-32 of
//! these eight bytes, headers, payload, and the CRC-32 of all before it. Reference: the Smithy
//! specification, "Amazon Event Stream". A frame is the payload with the message's name: that of its
//! `:event-type`, or of its `:exception-type` or `:error-code` if it tells of a failure.

use crate::format::{Fault, Frame};
use crate::frames::MAX_FRAME;
use crate::writer::{Writer, quote};

/// Both lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at a message's end.
const CHECKSUM: usize = 4;
/// The specification's limit.
const MAX_HEADERS: usize = 128 * 1024;

/// Holds what has come of an unfinished message.
#[derive(Debug, Default)]
pub struct Messages {
    held: Vec<u8>,
}

/// The stream is no event stream, or was damaged on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A message is larger than [`MAX_FRAME`].
    TooLarge,
    /// A checksum does not fit.
    Checksum,
    /// Lengths or headers make no sense.
    Malformed,
    /// A name or a payload is not UTF-8.
    NotText,
    /// It ends within a message.
    Truncated,
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Fault::new(match broken {
            Broken::TooLarge => "A message of the event stream is too large.",
            Broken::Checksum => "A checksum of the event stream is wrong.",
            Broken::Malformed => "The event stream is malformed.",
            Broken::NotText => "A message of the event stream is not UTF-8.",
            Broken::Truncated => "The event stream ends within a message.",
        })
    }
}

impl Messages {
    /// Takes a chunk and hands on each whole message in it.
    ///
    /// # Errors
    /// [`Broken`], or whatever `take` returns first; the stream cannot be read on then.
    pub fn push<E: From<Broken>>(
        &mut self,
        mut chunk: &[u8],
        take: &mut impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.held.is_empty() && !chunk.is_empty() {
            let wanted = length(&self.held)?.unwrap_or(PRELUDE);
            let missing = wanted.saturating_sub(self.held.len()).min(chunk.len());
            self.held.extend_from_slice(&chunk[..missing]);
            chunk = &chunk[missing..];
            if length(&self.held)? == Some(self.held.len()) {
                one(&self.held, take)?;
                self.held.clear();
            }
        }
        while let Some(length) = length(chunk)?.filter(|length| *length <= chunk.len()) {
            one(&chunk[..length], take)?;
            chunk = &chunk[length..];
        }
        self.held.extend_from_slice(chunk);
        Ok(())
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// [`Broken::Truncated`] if a message had begun.
    pub fn close(&self) -> Result<(), Broken> {
        if self.held.is_empty() { Ok(()) } else { Err(Broken::Truncated) }
    }
}

/// The length of the message that begins here, once its prelude is there.
fn length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(prelude) = bytes.first_chunk::<PRELUDE>() else { return Ok(None) };
    let [total, headers, checksum] = [0, 4, 8].map(|at| number(&prelude[at..]));
    if crc32fast::hash(&prelude[..8]) != checksum {
        return Err(Broken::Checksum);
    }
    let (total, headers) = (total as usize, headers as usize);
    if total > MAX_FRAME {
        return Err(Broken::TooLarge);
    }
    if headers > MAX_HEADERS || total < PRELUDE + headers + CHECKSUM {
        return Err(Broken::Malformed);
    }
    Ok(Some(total))
}

/// The first four bytes; 0 if there are fewer.
fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}

/// Hands on one whole message, whose prelude has been checked.
fn one<E: From<Broken>>(
    message: &[u8],
    take: &mut impl FnMut(Frame<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let (checked, checksum) = message.split_at(message.len() - CHECKSUM);
    if crc32fast::hash(checked) != number(checksum) {
        return Err(Broken::Checksum.into());
    }
    let (headers, payload) = checked[PRELUDE..].split_at(number(&message[4..]) as usize);
    let names = Names::read(headers)?;
    let data = std::str::from_utf8(payload).map_err(|_| Broken::NotText)?;
    if let Some(code) = names.error {
        let data = failure(names.error_message.unwrap_or_default());
        return take(Frame { event: Some(code), data: &data });
    }
    take(Frame { event: names.exception.or(names.event), data })
}

/// What an error that came in headers alone would have said in a payload.
fn failure(message: &str) -> String {
    ["{\"message\":", &quote(message), "}"].concat()
}

/// The headers that say what a message is.
#[derive(Default)]
struct Names<'a> {
    event: Option<&'a str>,
    exception: Option<&'a str>,
    error: Option<&'a str>,
    error_message: Option<&'a str>,
}

impl<'a> Names<'a> {
    fn read(mut headers: &'a [u8]) -> Result<Self, Broken> {
        let mut names = Names::default();
        while !headers.is_empty() {
            let name = counted::<1>(&mut headers)?;
            let value = value(&mut headers)?;
            let place = match name {
                b":event-type" => &mut names.event,
                b":exception-type" => &mut names.exception,
                b":error-code" => &mut names.error,
                b":error-message" => &mut names.error_message,
                _ => continue,
            };
            let text = value.ok_or(Broken::Malformed)?;
            *place = Some(std::str::from_utf8(text).map_err(|_| Broken::NotText)?);
        }
        Ok(names)
    }
}

/// Passes a header's value; its bytes if it is a string.
fn value<'a>(headers: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
    let size = match bytes(headers, 1)?[0] {
        0 | 1 => 0,                                      // true, false
        2 => 1,                                          // byte
        3 => 2,                                          // short
        4 => 4,                                          // integer
        5 | 8 => 8,                                      // long, timestamp
        9 => 16,                                         // UUID
        6 => return counted::<2>(headers).map(|_| None), // bytes
        7 => return counted::<2>(headers).map(Some),     // string
        _ => return Err(Broken::Malformed),
    };
    bytes(headers, size).map(|_| None)
}

/// Passes bytes that stand behind their number, which is written in `N` bytes.
fn counted<'a, const N: usize>(from: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let size = bytes(from, N)?.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
    bytes(from, size)
}

fn bytes<'a>(from: &mut &'a [u8], size: usize) -> Result<&'a [u8], Broken> {
    let (found, rest) = from.split_at_checked(size).ok_or(Broken::Malformed)?;
    *from = rest;
    Ok(found)
}

/// Appends an event.
pub fn event(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Writer)) {
    message(out, "event", ":event-type", name, fill);
}

/// Appends an exception.
pub fn exception(out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Writer)) {
    message(out, "exception", ":exception-type", name, fill);
}

/// Appends a message whose payload is the object that `fill` writes. Names are the caller's own: short.
fn message(
    out: &mut Vec<u8>,
    kind: &str,
    name_header: &str,
    name: &str,
    fill: impl FnOnce(&mut Writer),
) {
    let start = out.len();
    out.extend_from_slice(&[0; PRELUDE]);
    header(out, name_header, name);
    header(out, ":content-type", "application/json");
    header(out, ":message-type", kind);
    let headers = out.len() - start - PRELUDE;
    let mut writer = Writer::new();
    writer.object(fill);
    out.extend_from_slice(&writer.finish());
    let total = out.len() - start + CHECKSUM;
    put(out, start, total);
    put(out, start + 4, headers);
    let checksum = crc32fast::hash(&out[start..start + 8]);
    put(out, start + 8, checksum as usize);
    let checksum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&checksum.to_be_bytes());
}

fn put(out: &mut [u8], at: usize, number: usize) {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    out[at..at + 4].copy_from_slice(&number.to_be_bytes());
}

/// Appends a header that is a string.
fn header(out: &mut Vec<u8>, name: &str, value: &str) {
    const STRING: u8 = 7;
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
    out.push(STRING);
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value.as_bytes());
}

#[cfg(test)]
mod tests;
