//! One file of a writer's journal: its name, its header, its lock, and how it is written.
//!
//! ```text
//! magic 8 bytes | writer u64 | number u64 | first sequence u64 | created u64 (Unix ns) | CRC-32 u32 | frames
//! ```
//!
//! A segment is made under another name, locked, and gets its own name once its header is on the disk. The
//! lock on the one before is given up after that. Whoever finds a lock free and no next segment knows that
//! the writer is dead.

use super::disk::Disk;
use super::folder::Folder;
use super::frame::{self, Piece};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

/// What every segment begins with; the last byte is the version of all that stands behind it.
const MAGIC: &[u8; 8] = b"llmgwjl\x01";
/// Bytes of a header.
pub(super) const HEADER: usize = 44;
/// How names end.
const SUFFIX: &str = ".log";

/// The name of a writer: 64 random bits, shown as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer(pub u64);

impl Writer {
    /// A new one.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Writer(u64::from_le_bytes(bytes)))
    }

    /// Reads what [`fmt::Display`] shows; `None` if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let writer = Writer(u64::from_str_radix(text, 16).ok()?);
        (writer.to_string() == text).then_some(writer)
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The name of a segment's file.
pub(super) fn name(writer: Writer, number: u64) -> String {
    format!("{writer}-{number:08}{SUFFIX}")
}

/// Whose segment this is, and which; `None` if it is the name of none.
pub(super) fn parse(text: &str) -> Option<(Writer, u64)> {
    let (writer, number) = text.strip_suffix(SUFFIX)?.split_once('-')?;
    let (writer, number) = (Writer::parse(writer)?, number.parse().ok()?);
    // Leading zeros and signs: two names would be one segment.
    (name(writer, number) == text).then_some((writer, number))
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) writer: Writer,
    pub(super) number: u64,
    /// The sequence of its first record.
    pub(super) first: u64,
    /// When it was made, in nanoseconds of Unix time.
    pub(super) created: u64,
}

impl Header {
    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        let fields = [self.writer.0, self.number, self.first, self.created];
        for (place, field) in bytes[8..].chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        let sum = crc32fast::hash(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The header of the segment that has this name; what is wrong with it otherwise.
    pub(super) fn decode(bytes: &[u8; HEADER], name: (Writer, u64)) -> Result<Self, &'static str> {
        let (head, sum) = bytes.split_at(HEADER - 4);
        if !head.starts_with(MAGIC) {
            return Err("it is no segment of this version");
        }
        if sum != crc32fast::hash(head).to_le_bytes() {
            return Err("its header is damaged");
        }
        let mut fields =
            head[MAGIC.len()..].as_chunks::<8>().0.iter().map(|&field| u64::from_le_bytes(field));
        let mut next = || fields.next().unwrap_or_default();
        let header =
            Header { writer: Writer(next()), number: next(), first: next(), created: next() };
        if (header.writer, header.number) != name {
            return Err("it is another segment under this one's name");
        }
        if header.number == 0 && header.first != 0 {
            return Err("it is the first segment, and does not begin at 0");
        }
        Ok(header)
    }
}

/// Whether a segment may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its writer lives and writes to it, or somebody repairs it.
    Growing,
    /// There is a later one: it is whole.
    Followed,
    /// Its writer is dead, and it is that writer's last.
    Left,
}

/// What is to be expected of a segment. Takes its lock for a moment, shared: others may look as well.
pub(super) fn state(folder: &Folder, file: &File, name: (Writer, u64)) -> io::Result<State> {
    if !lock(file, FlockOperation::NonBlockingLockShared)? {
        return Ok(State::Growing);
    }
    flock(file, FlockOperation::Unlock)?;
    settled(folder, name)
}

/// The same for a segment whose lock is free.
pub(super) fn settled(folder: &Folder, (writer, number): (Writer, u64)) -> io::Result<State> {
    let next = number.checked_add(1);
    let is_followed = next.map_or(Ok(false), |next| folder.has(writer, next))?;
    Ok(if is_followed { State::Followed } else { State::Left })
}

/// Takes the lock for as long as the file is open; false if somebody else has it.
pub(super) fn lock_alone(file: &File) -> io::Result<bool> {
    lock(file, FlockOperation::NonBlockingLockExclusive)
}

fn lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The segment that a writer writes to.
pub(super) struct Segment {
    file: File,
    writer: Writer,
    number: u64,
    /// Where the next frame goes: all before it is on the disk.
    end: u64,
    /// Whether there may be something behind `end`.
    is_dirty: bool,
}

impl Segment {
    /// A writer's first.
    pub(super) fn first(disk: &mut impl Disk, folder: &Folder, writer: Writer) -> io::Result<Self> {
        Segment::make(disk, folder, (writer, 0), 0)
    }

    /// The one after this, beginning with the record `first`.
    pub(super) fn next(
        &self,
        disk: &mut impl Disk,
        folder: &Folder,
        first: u64,
    ) -> io::Result<Self> {
        let number = self.number.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        Segment::make(disk, folder, (self.writer, number), first)
    }

    fn make(
        disk: &mut impl Disk,
        folder: &Folder,
        (writer, number): (Writer, u64),
        first: u64,
    ) -> io::Result<Self> {
        let (unfinished, file) = folder.unfinished()?;
        let header = Header { writer, number, first, created: unix_ns() }.encode();
        let mut finish = || {
            if !lock_alone(&file)? {
                return Err(io::Error::other("somebody locked a new segment"));
            }
            disk.write(&file, &header, 0)?;
            disk.sync(&file)?;
            fs::rename(&unfinished, folder.path(writer, number))?;
            folder.sync()
        };
        if let Err(error) = finish() {
            // The error to be told is the first one, and repair finds what stays.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        Ok(Segment { file, writer, number, end: HEADER as u64, is_dirty: false })
    }

    /// The part of these frames that has room in a segment of `most` bytes. One frame always fits into an
    /// empty one.
    pub(super) fn room_for(&self, frames: &[u8], most: u64) -> Piece {
        let least = if self.end == HEADER as u64 { frame::first(frames).unwrap_or(0) } else { 0 };
        frame::piece(frames, most.saturating_sub(self.end).max(least as u64))
    }

    /// Writes frames and has them on the disk: all of them, or none is left behind.
    ///
    /// After a failed `fdatasync` the system takes the pages for clean. Writing the same bytes once more
    /// makes them dirty again, so that the next one does write them.
    pub(super) fn write(&mut self, disk: &mut impl Disk, frames: &[u8]) -> io::Result<()> {
        self.clean(disk)?;
        self.is_dirty = true;
        let written = disk.write(&self.file, frames, self.end).and_then(|()| disk.sync(&self.file));
        if let Err(error) = written {
            // If this fails too, it is done before the next try.
            let _ = self.clean(disk);
            return Err(error);
        }
        self.is_dirty = false;
        self.end += frames.len() as u64;
        Ok(())
    }

    fn clean(&mut self, disk: &mut impl Disk) -> io::Result<()> {
        if self.is_dirty {
            disk.cut(&self.file, self.end)?;
            self.is_dirty = false;
        }
        Ok(())
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NAME: (Writer, u64) = (Writer(0xabc), 7);

    fn header() -> Header {
        Header { writer: NAME.0, number: NAME.1, first: 100, created: 1_764_000_000_000_000_000 }
    }

    #[test]
    fn a_header_reads_as_it_was_written() {
        assert_eq!(Header::decode(&header().encode(), NAME), Ok(header()));
    }

    #[test]
    fn no_flipped_bit_of_a_header_goes_unnoticed() {
        for bit in 0..HEADER * 8 {
            let mut damaged = header().encode();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&damaged, NAME).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_segment_in_anothers_place_is_noticed() {
        for place in [(Writer(0xabd), 7), (Writer(0xabc), 8)] {
            assert!(Header::decode(&header().encode(), place).is_err());
        }
    }

    #[test]
    fn a_segment_has_one_name() {
        assert_eq!(name(NAME.0, NAME.1), "0000000000000abc-00000007.log");
        assert_eq!(parse(&name(NAME.0, NAME.1)), Some(NAME));
        let long = (Writer(u64::MAX), u64::MAX);
        assert_eq!(parse(&name(long.0, long.1)), Some(long));
        for other in [
            "0000000000000abc-7.log",
            "0000000000000abc-+0000007.log",
            "0000000000000ABC-00000007.log",
            "abc-00000007.log",
            "0000000000000abc-00000007.log.torn-44",
            ".log",
            "-.log",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
