//! One segment, frame by frame, whatever its bytes are: memory is bounded by the largest frame, work by the
//! file's length.

use super::frame::{HEAD, Head, LARGEST, Seed};
use super::segment::{HEADER, Header, Writer};
use std::io::{self, ErrorKind, Read};

/// Bytes that are read at a time, at least.
const CHUNK: usize = 256 << 10;
/// Bytes of would-be frames that are summed up in search of a real one. Records may be made to look like
/// frames: without a bound, each of their bytes would cost 64 KiB of sums.
const MOST_SUMMED: usize = 256 << 20;

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Record {
        sequence: u64,
        payload: &'a [u8],
    },
    /// The file ends, and the last frame is whole.
    End,
    /// What follows is no frame.
    Broken {
        offset: u64,
        why: String,
    },
    /// It is a frame, and not the one that has to follow.
    Misplaced {
        offset: u64,
        why: String,
    },
}

/// How a segment begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Header(Header),
    /// The file is shorter than a header.
    Short,
    Broken(&'static str),
}

/// A file that is read piece by piece.
struct Window<R> {
    file: R,
    buffer: Vec<u8>,
    /// What of the buffer is still to be looked at.
    start: usize,
    /// Where in the file that is.
    offset: u64,
    /// Whether the file's end was seen: what is written behind it later is for the next reader.
    is_over: bool,
}

impl<R: Read> Window<R> {
    /// The bytes ahead: at least `wanted` of them, unless the file ends before.
    fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.start < wanted && !self.is_over {
            self.buffer.drain(..self.start);
            self.start = 0;
            self.fill(wanted)?;
        }
        Ok(&self.buffer[self.start..])
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.buffer.len() < wanted {
            let filled = self.buffer.len();
            self.buffer.resize(filled + CHUNK, 0);
            let read = self.file.read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => {
                    self.is_over = true;
                    break;
                }
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Goes on; those bytes must be ahead.
    fn skip(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }
}

/// The frames of a segment.
pub(super) struct Frames<R> {
    window: Window<R>,
    seed: Seed,
    /// The sequence that the next frame has to have.
    next: u64,
}

impl<R: Read> Frames<R> {
    /// Reads from the beginning of the segment of this name.
    pub(super) fn open(file: R, name: (Writer, u64)) -> io::Result<(Self, Beginning)> {
        let mut window = Window { file, buffer: Vec::new(), start: 0, offset: 0, is_over: false };
        let beginning = match window.ahead(HEADER)?.first_chunk() {
            None => Beginning::Short,
            Some(bytes) => match Header::decode(bytes, name) {
                Ok(header) => Beginning::Header(header),
                Err(why) => Beginning::Broken(why),
            },
        };
        let mut next = 0;
        if let Beginning::Header(header) = beginning {
            window.skip(HEADER);
            next = header.first;
        }
        Ok((Frames { window, seed: Seed::of(name.0), next }, beginning))
    }

    /// Goes on in a segment, from the end of a frame; the next one has to have the sequence `next`.
    pub(super) fn resume(file: R, name: (Writer, u64), offset: u64, next: u64) -> Self {
        let window = Window { file, buffer: Vec::new(), start: 0, offset, is_over: false };
        Frames { window, seed: Seed::of(name.0), next }
    }

    /// Where the last frame ends.
    pub(super) fn offset(&self) -> u64 {
        self.window.offset
    }

    /// The sequence of the record after the last one.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The next frame. After anything but a record there is no other.
    pub(super) fn step(&mut self) -> io::Result<Step<'_>> {
        let (offset, next) = (self.window.offset, self.next);
        let ahead = self.window.ahead(HEAD)?;
        if ahead.is_empty() {
            return Ok(Step::End);
        }
        let broken = |why: &str| Step::Broken { offset, why: format!("record {next}: {why}") };
        let Some(head) = Head::decode(ahead) else { return Ok(broken("its head is cut off")) };
        let Some(length) = head.payload() else { return Ok(broken("its length is impossible")) };
        let Some(payload) = self.window.ahead(HEAD + length)?.get(HEAD..HEAD + length) else {
            return Ok(broken("it is cut off"));
        };
        if !head.fits(self.seed, payload) {
            return Ok(broken("its checksum is wrong"));
        }
        let Some(following) = head.sequence.checked_add(1).filter(|_| head.sequence == next) else {
            let why = format!("record {} stands where {next} should", head.sequence);
            return Ok(Step::Misplaced { offset, why });
        };
        self.next = following;
        self.window.skip(HEAD + length);
        let end = self.window.start;
        let payload = &self.window.buffer[end - length..end];
        Ok(Step::Record { sequence: head.sequence, payload })
    }

    /// Why what is broken here was on the disk once, and is damage; `None` if a crash may have left it so.
    ///
    /// It was if a frame follows whose group began after it. Frames of its own group may well follow: a
    /// power cut may have kept their pages and lost its.
    pub(super) fn damage(&mut self) -> io::Result<Option<String>> {
        let mut summed = 0_usize;
        loop {
            let Some(head) = Head::decode(self.window.ahead(HEAD)?) else { return Ok(None) };
            if head.group() > self.next
                && let Some(length) = head.payload()
                && let Some(payload) = self.window.ahead(HEAD + length)?.get(HEAD..HEAD + length)
            {
                if head.fits(self.seed, payload) {
                    return Ok(Some(format!("record {} of a later group follows", head.sequence)));
                }
                summed += length;
                if summed > MOST_SUMMED {
                    return Ok(Some("too much behind it looks like records".into()));
                }
            }
            self.window.skip(1);
        }
    }
}

// The window holds a whole frame and what was read with it.
const _: () = assert!(CHUNK >= HEAD + LARGEST);
