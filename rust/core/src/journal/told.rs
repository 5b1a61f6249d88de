//! What a journal tells those who append: why not, how far it is, and what keeps it from going on.

use std::fmt;
use std::time::SystemTime;

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is longer than [`super::LARGEST`].
    TooLarge,
    /// Too much waits for the disk, or no segment with room is there.
    Full,
    /// The journal was closed, or its thread has ended.
    Closed,
    /// The journal was opened by another process, which this one was forked from.
    OtherProcess,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::TooLarge => "the record is too large",
            Refused::Full => "the journal has no room: too much waits for the disk, or it is full",
            Refused::Closed => "the journal is closed",
            Refused::OtherProcess => "the journal was opened by another process",
        })
    }
}

impl std::error::Error for Refused {}

/// Why a record that was waited for is not on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDurable {
    /// Not yet.
    Late,
    /// And it never will be: the journal has ended, or is another process's.
    Ended,
}

impl fmt::Display for NotDurable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotDurable::Late => "the record is not on the disk yet",
            NotDurable::Ended => "the journal ended before the record was on the disk",
        })
    }
}

impl std::error::Error for NotDurable {}

/// What the disk refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What the system said last.
    pub reason: String,
    /// When it began.
    pub since: SystemTime,
    /// How often it was tried in vain since then.
    pub tries: u32,
}

impl Trouble {
    /// The same trouble, once more, or a new one.
    pub(super) fn again(before: Option<Trouble>, reason: String) -> Self {
        let (since, tries) =
            before.map_or((SystemTime::now(), 0), |before| (before.since, before.tries));
        Trouble { reason, since, tries: tries.saturating_add(1) }
    }
}

/// How a journal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Records that were taken.
    pub taken: u64,
    /// Records that are on the disk.
    pub durable: u64,
    /// Bytes that wait for the disk.
    pub waiting: usize,
    /// Whether records are still taken.
    pub is_open: bool,
    /// What is wrong, if anything is: records cannot be forced to the disk, or it has no room for the next
    /// segment, so that records are taken until this one is full.
    pub trouble: Option<Trouble>,
}
