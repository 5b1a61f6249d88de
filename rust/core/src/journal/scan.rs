//! One segment, frame by frame, whatever its bytes are: memory is bounded by the largest frame, work by the
//! file's length.

use super::frame::{HEAD, Head, LARGEST, MARK, Seed};
use super::header::{HEADER, Header};
use super::segment::Writer;
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
    /// No frame was finished here. What the file has from here on is zeros, if nobody began one.
    Unwritten {
        offset: u64,
    },
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
            next = header.opening.map_or(0, |opening| opening.first);
        }
        Ok((Frames { window, seed: Seed::of(name.0), next }, beginning))
    }

    /// Goes on in a segment, from the end of a frame; the next one has to have the sequence `next`.
    pub(super) fn resume(file: R, name: (Writer, u64), offset: u64, next: u64) -> Self {
        let window = Window { file, buffer: Vec::new(), start: 0, offset, is_over: false };
        Frames { window, seed: Seed::of(name.0), next }
    }

    /// The sequence of the record after the last one.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The next frame. After anything but a record there is no other.
    pub(super) fn step(&mut self) -> io::Result<Step<'_>> {
        let (offset, next) = (self.window.offset, self.next);
        let ahead = self.window.ahead(HEAD)?;
        let broken = |why: &str| Step::Broken { offset, why: format!("record {next}: {why}") };
        let head = match ahead.first() {
            None => return Ok(Step::End),
            Some(0) => return Ok(Step::Unwritten { offset }),
            Some(&MARK) => Head::decode(ahead),
            Some(_) => return Ok(broken("it does not begin as a record does")),
        };
        let Some(head) = head else { return Ok(broken("its head is cut off")) };
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

    /// Whether there is nothing but zeros from here on. The next thing that is not comes next, otherwise.
    pub(super) fn is_blank(&mut self) -> io::Result<bool> {
        loop {
            let ahead = self.window.ahead(1)?;
            let (length, blank) =
                (ahead.len(), ahead.iter().take_while(|&&byte| byte == 0).count());
            self.window.skip(blank);
            if blank < length || length == 0 {
                return Ok(length == 0);
            }
        }
    }

    /// Where it is in the segment.
    pub(super) fn offset(&self) -> u64 {
        self.window.offset
    }

    /// Why what is broken here was on the disk once, and is damage; `None` if a crash may have left it so.
    ///
    /// It was if a frame follows that was appended when this was on the disk. Others may well follow: a power cut
    /// may have kept their pages and lost this one's.
    pub(super) fn damage(&mut self) -> io::Result<Option<String>> {
        let mut summed = 0_usize;
        loop {
            let ahead = self.window.ahead(HEAD)?;
            if ahead.len() < HEAD {
                return Ok(None);
            }
            let Some(head) = Head::decode(ahead) else {
                let marked = memchr::memchr(MARK, &ahead[1..]).map(|before| before + 1);
                let bytes = marked.unwrap_or(ahead.len());
                self.window.skip(bytes);
                continue;
            };
            if head.forced() > self.next
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
