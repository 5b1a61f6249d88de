//! Cuts a stream of server-sent events into frames, whatever the chunks that it comes in.

use crate::format::{Fault, Frame};
use std::borrow::Cow;

/// An event larger than this is refused: nobody sends one in good faith.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// Holds what has come of an unfinished event.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
    /// How far `held` has been searched for a blank line.
    searched: usize,
    signs_of_life: u64,
}

impl Frames {
    /// How many comments and events without data have come: all that they say is that the upstream lives.
    #[must_use]
    pub fn signs_of_life(&self) -> u64 {
        self.signs_of_life
    }

    /// Takes a chunk and hands on each whole event in it. Those without data are only counted.
    ///
    /// # Errors
    /// An event that is too large or not UTF-8, or whatever `take` returns first.
    pub fn push(
        &mut self,
        chunk: &[u8],
        take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.held.is_empty() {
            let used = each(chunk, &mut self.signs_of_life, take)?;
            self.held.extend_from_slice(&chunk[used..]);
            self.searched = self.held.len().saturating_sub(3);
            return Ok(());
        }
        self.held.extend_from_slice(chunk);
        if first_border(&self.held[self.searched..]).is_some() {
            let used = each(&self.held, &mut self.signs_of_life, take)?;
            self.held.drain(..used);
        }
        self.searched = self.held.len().saturating_sub(3);
        if self.held.len() > MAX_FRAME {
            return Err(Fault::new("An event of the stream is too large."));
        }
        Ok(())
    }

    /// What is left when the stream closes: an event without its blank line, if any.
    ///
    /// # Errors
    /// As [`Frames::push`].
    pub fn close(
        &mut self,
        take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let rest = std::mem::take(&mut self.held);
        one(&rest, &mut self.signs_of_life, take)
    }
}

/// Hands on the whole events at the beginning of `text`; how long they are together.
fn each(
    text: &[u8],
    signs_of_life: &mut u64,
    take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
) -> Result<usize, Fault> {
    let mut from = 0;
    while let Some(length) = first_border(&text[from..]) {
        one(&text[from..from + length], signs_of_life, take)?;
        from += length;
    }
    Ok(from)
}

fn one(
    event: &[u8],
    signs_of_life: &mut u64,
    take: &mut impl FnMut(Frame<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let text = std::str::from_utf8(event)
        .map_err(|_| Fault::new("An event of the stream is not UTF-8."))?;
    let mut name = None;
    let mut data: Option<Cow<'_, str>> = None;
    let mut commented = false;
    // The standard allows a byte order mark at the stream's beginning.
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        if let Some(value) = field(line, "data") {
            data = Some(match data {
                None => Cow::Borrowed(value),
                Some(before) => Cow::Owned(before.into_owned() + "\n" + value),
            });
        } else if let Some(value) = field(line, "event") {
            name = Some(value);
        } else {
            commented |= line.starts_with(':');
        }
    }
    let lives = data.is_some() || commented;
    match data.filter(|data| !data.trim().is_empty()) {
        Some(data) => take(Frame { event: name, data: &data })?,
        None => *signs_of_life += u64::from(lives),
    }
    Ok(())
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}

/// The length of the first event, its blank line included.
#[must_use]
pub fn first_border(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'\n', b'\r', text).find_map(|at| border_at(text, at))
}

/// If a blank line begins with the line end at `at`: the offset after it.
#[must_use]
pub fn border_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    [&b"\n\n"[..], b"\r\n\r\n", b"\r\r", b"\n\r\n"]
        .iter()
        .find(|border| rest.starts_with(border))
        .map(|border| at + border.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut frames = Frames::default();
        let mut seen = Vec::new();
        let mut take = |frame: Frame<'_>| {
            seen.push((frame.event.map(str::to_owned), frame.data.to_owned()));
            Ok(())
        };
        for chunk in chunks {
            frames.push(chunk, &mut take).unwrap();
        }
        frames.close(&mut take).unwrap();
        seen
    }

    #[test]
    fn every_split_gives_the_same_frames() {
        let text =
            ": hi\n\nevent: a\ndata: {\"x\":\"é\"}\n\ndata:1\r\ndata: 2\r\n\r\ndata: [DONE]\n\n"
                .as_bytes();
        let whole = read(&[text]);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole[1], (None, "1\n2".to_owned()));
        for at in 0..=text.len() {
            assert_eq!(read(&[&text[..at], &text[at..]]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn an_event_without_its_blank_line_counts_at_the_end() {
        assert_eq!(read(&[b"data: x"]), [(None, "x".to_owned())]);
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_first_event() {
        let text = "\u{feff}data: 1\n\ndata: 2\n\n".as_bytes();
        let seen = [(None, "1".to_owned()), (None, "2".to_owned())];
        for at in 0..=text.len() {
            assert_eq!(read(&[&text[..at], &text[at..]]), seen, "split at {at}");
        }
    }

    #[test]
    fn what_has_no_data_is_a_sign_of_life_and_no_event() {
        let mut frames = Frames::default();
        let mut take = |frame: Frame<'_>| Err(Fault::new(frame.data));
        frames.push(b": processing\n\ndata:\n\nevent: ping\ndata: \n\n", &mut take).unwrap();
        assert_eq!(frames.signs_of_life(), 3);
        frames.push(b"\n\n\n\nretry: 10\n\n", &mut take).unwrap();
        assert_eq!(frames.signs_of_life(), 3);
    }

    #[test]
    fn an_event_of_very_many_lines_is_joined_in_time() {
        let event = "data: x\n".repeat(1_000_000) + "\n";
        let frames = read(&[event.as_bytes()]);
        assert_eq!(frames[0].1.len(), 1_999_999);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut frames = Frames::default();
        let mut take = |_: Frame<'_>| Ok(());
        let chunk = vec![b'x'; 1024 * 1024];
        let result = (0..20).try_for_each(|_| frames.push(&chunk, &mut take));
        assert!(result.is_err());
    }
}
