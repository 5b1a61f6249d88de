//! One file of a writer's journal: its name, its lock, and what is to be expected of it.
//!
//! A segment is made under another name, locked, and gets its own name once its header is on the disk
//! (`mapped`). It is prepared then, and used when the one before is full. The lock on that one is given up
//! when all of it is on the disk, and this one says so. Whoever finds a lock free, and no next segment that
//! says so, knows that the writer is dead.

use super::folder::Folder;
use super::header::{HEADER, Opening};
use super::scan::{Beginning, Frames};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

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

/// Whether a segment may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its writer lives and writes to it, or somebody repairs it.
    Growing,
    /// A later one says that it is on the disk as a whole.
    Followed,
    /// Its writer is dead, and may have died before all of it was on the disk.
    Left,
}

/// What there is of the segment after one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequel {
    None,
    /// It is there, and was not used.
    Prepared,
    /// It was used, from the record `first` on.
    Used(Opening),
    /// It is there, and its header is not to be read.
    Broken,
}

impl Sequel {
    /// Whether it says that the one before is on the disk as a whole.
    fn is_settled(self) -> bool {
        matches!(self, Sequel::Used(Opening { is_settled: true, .. }))
    }
}

/// What there is after this segment.
pub(super) fn sequel(folder: &Folder, (writer, number): (Writer, u64)) -> io::Result<Sequel> {
    let Some(next) = number.checked_add(1) else { return Ok(Sequel::None) };
    let Some(file) = folder.open(writer, next)? else { return Ok(Sequel::None) };
    Ok(match Frames::open(file.take(HEADER as u64), (writer, next))?.1 {
        Beginning::Short | Beginning::Broken(_) => Sequel::Broken,
        Beginning::Header(header) => header.opening.map_or(Sequel::Prepared, Sequel::Used),
    })
}

/// What is to be expected of a segment. Takes its lock for a moment, shared: others may look as well.
pub(super) fn state(
    folder: &Folder,
    file: &File,
    name: (Writer, u64),
) -> io::Result<(State, Sequel)> {
    let is_free = lock(file, FlockOperation::NonBlockingLockShared)?;
    if is_free {
        flock(file, FlockOperation::Unlock)?;
        return state_of_free(folder, name);
    }
    let sequel = sequel(folder, name)?;
    Ok((if sequel.is_settled() { State::Followed } else { State::Growing }, sequel))
}

/// The same for a segment whose lock is free: before it is given up, the next one says what there is to say.
pub(super) fn state_of_free(folder: &Folder, name: (Writer, u64)) -> io::Result<(State, Sequel)> {
    let sequel = sequel(folder, name)?;
    let is_followed = sequel.is_settled() || sequel == Sequel::Broken;
    Ok((if is_followed { State::Followed } else { State::Left }, sequel))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NAME: (Writer, u64) = (Writer(0xabc), 7);

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
