//! The journal of one process, and what its records are made in.

use super::id::{Id, Ids};
use super::record::{Asked, Call, Hold, Record, Reserve, Told};
use crate::journal::{Health, Journal, Refused};
use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Characters of a client's words that are kept.
const MOST_WORDS: usize = 256;
/// How often a full journal is tried again while it is being closed.
const TRY_AGAIN: Duration = Duration::from_millis(10);

pub(super) struct Book {
    journal: Journal,
    pad: Mutex<Pad>,
}

/// What records are made with.
struct Pad {
    ids: Ids,
    /// The record that is being made: its memory is used again.
    text: Vec<u8>,
    /// Ends of attempts for which the journal had no room. Each belongs to a reserve that was taken, so there
    /// are never more of them than attempts that were under way.
    late: VecDeque<Vec<u8>>,
}

impl Book {
    pub(super) fn new(journal: Journal) -> io::Result<Self> {
        let pad = Pad { ids: Ids::new()?, text: Vec::with_capacity(1024), late: VecDeque::new() };
        Ok(Book { journal, pad: Mutex::new(pad) })
    }

    /// The pad; nothing in it is ever left half done.
    fn pad(&self) -> MutexGuard<'_, Pad> {
        self.pad.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reserve(
        &self,
        asked: &Asked<'_>,
        held: u64,
        holds: &[Hold],
    ) -> Result<Id, Refused> {
        let mut pad = self.pad();
        let id = pad.id()?;
        pad.write(&Record::Reserve(&Reserve { id, at: now(), asked, held, holds }));
        pad.append(&self.journal)?;
        Ok(id)
    }

    pub(super) fn call(&self, call: &Call<'_>) -> Result<(), Refused> {
        let mut pad = self.pad();
        let id = pad.id()?;
        pad.write(&Record::Call(&Told { id, at: now(), call }));
        pad.append(&self.journal)
    }

    /// Writes the end of an attempt. It is kept until the journal has room for it.
    pub(super) fn end(&self, record: &Record<'_>) {
        let mut pad = self.pad();
        pad.write(record);
        if pad.append(&self.journal) == Err(Refused::Full) {
            let text = pad.text.clone();
            pad.late.push_back(text);
        }
    }

    pub(super) fn append(&self, payload: &[u8]) -> Result<u64, Refused> {
        self.journal.append(payload)
    }

    pub(super) fn health(&self) -> Health {
        self.journal.health()
    }

    /// Puts into the journal what it had no room for; true if nothing is left of that.
    pub(super) fn catch_up(&self) -> bool {
        self.pad().catch_up(&self.journal)
    }

    pub(super) fn close(&self, patience: Duration) -> io::Result<()> {
        let until = Instant::now() + patience;
        while !self.catch_up() && Instant::now() < until {
            // Room comes with the next record that is on the disk.
            let _ = self.journal.wait(self.journal.durable(), TRY_AGAIN);
        }
        self.journal.close()
    }
}

impl Pad {
    fn id(&mut self) -> Result<Id, Refused> {
        // A system without randomness is one that takes nothing.
        self.ids.next().map_err(|_| Refused::Full)
    }

    fn write(&mut self, record: &Record<'_>) {
        self.text.clear();
        // Neither memory nor these types refuse to be written.
        let _ = serde_json::to_writer(&mut self.text, record);
    }

    /// What came first goes first.
    fn append(&mut self, journal: &Journal) -> Result<(), Refused> {
        if !self.catch_up(journal) {
            return Err(Refused::Full);
        }
        journal.append(&self.text).map(drop)
    }

    fn catch_up(&mut self, journal: &Journal) -> bool {
        while let Some(text) = self.late.front() {
            if journal.append(text) == Err(Refused::Full) {
                return false;
            }
            self.late.pop_front();
        }
        true
    }
}

/// Microseconds of Unix time.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// As much of a client's word as is kept.
#[must_use]
pub fn shortened(word: &str) -> &str {
    match word.char_indices().nth(MOST_WORDS) {
        Some((end, _)) => &word[..end],
        None => word,
    }
}
