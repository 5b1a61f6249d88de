//! What every attempt may cost and did cost, written down before and after it: a reserve when it is about
//! to be sent, then one settle or one void.
//!
//! A process that lives leaves no reserve open: an [`Attempt`] that is dropped closes itself. One that is
//! killed leaves its reserves to whoever reads the journal. Why: docs/decisions/0018.
//!
//! | what became of an attempt | record |
//! |---|---|
//! | it was never sent whole: no connection, or the client left before | void `unreachable`, `not_sent`, `client_gone` |
//! | the upstream answered with a status that is no success | void `refused` |
//! | its success was a web page, or a stream that began with an error | void `failed` |
//! | a reply came, and its client got it | settle `whole` or `stream`, by what the provider told, else by what was counted |
//! | a reply came whole, and could not be used | settle `whole`, by what it told |
//! | it was sent, and no reply came: the connection broke, it was no HTTP, time was up | settle `cut`, the input estimated |
//! | a reply began and broke off, or fell silent | settle `cut`, by what was told and seen |
//! | the client left after it was sent | settle `client_gone`, by what was told and seen |
//! | its task was dropped: the drain was over, or it panicked | as the last two, by what was noted so far |
//!
//! Counting tokens, files and batches cost nothing that is told here, and write nothing.

mod attempt;
mod book;
mod id;
mod record;
mod tariff;

pub use attempt::{Attempt, Settlement};
pub use book::shortened;
pub use record::{Asked, Call, Hold, How, Identity, What, Why};
pub use tariff::Tariff;

use crate::journal::{Health, Journal, Options, Refused};
use crate::usage::Usage;
use book::Book;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long each step of closing goes on trying where the disk refuses: less than a worker is given to end.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A worker's part of the ledger: nothing is written until it is opened.
#[derive(Default)]
pub struct Ledger {
    book: arc_swap::ArcSwapOption<Book>,
    told: Mutex<Told>,
}

/// What was told of the journal the last time.
#[derive(Default)]
struct Told {
    records: u64,
    in_trouble: bool,
}

/// What has changed since the last look.
pub struct News {
    /// How the journal is.
    pub health: Health,
    /// Records that were taken since then.
    pub records: u64,
    /// Trouble began, or was over.
    pub turned: bool,
}

impl Ledger {
    /// Begins a journal in `folder`: in the process that will write, after any fork.
    ///
    /// # Errors
    /// When the journal cannot be made.
    pub fn open(&self, folder: &Path) -> io::Result<()> {
        self.open_with(folder, Options { patience: PATIENCE, ..Options::default() })
    }

    fn open_with(&self, folder: &Path, options: Options) -> io::Result<()> {
        let journal = Journal::open(folder, options).map_err(|error| {
            let place = folder.display();
            io::Error::new(
                error.kind(),
                format!("the ledger in {place} cannot be written: {error}"),
            )
        })?;
        self.book.store(Some(Arc::new(Book::new(journal)?)));
        Ok(())
    }

    /// Whether anything is written.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.book.load().is_some()
    }

    /// Writes down an attempt that is about to be sent and holds so much money (in nano-dollars), of these
    /// budgets.
    ///
    /// # Errors
    /// When the journal does not take it; then it must not be sent.
    pub fn reserve(
        &self,
        asked: &Asked<'_>,
        tariff: Tariff,
        held: u64,
        holds: &[Hold],
    ) -> Result<Attempt, Refused> {
        let Some(book) = self.book.load_full() else { return Ok(unwritten(tariff, asked.input)) };
        let id = book.reserve(asked, held, holds)?;
        Ok(Attempt::new(Some((book, id)), tariff, asked.input))
    }

    /// Writes down a request that led to no attempt.
    ///
    /// # Errors
    /// When the journal does not take it.
    pub fn call(&self, call: &Call<'_>) -> Result<(), Refused> {
        self.book.load().as_ref().map_or(Ok(()), |book| book.call(call))
    }

    /// Writes down an event that was made elsewhere, as it is; its sequence, if a journal is open.
    ///
    /// # Errors
    /// When the journal does not take it.
    pub fn event(&self, payload: &[u8]) -> Result<Option<u64>, Refused> {
        self.book.load().as_ref().map(|book| book.append(payload)).transpose()
    }

    /// How the journal is, if one is open.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        self.book.load().as_ref().map(|book| book.health())
    }

    /// Puts into the journal what it had no room for, and tells what is new: to be called now and then.
    pub fn look(&self) -> Option<News> {
        let book = self.book.load_full()?;
        book.catch_up();
        let health = book.health();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let records = health.taken.saturating_sub(told.records);
        let in_trouble = health.trouble.is_some();
        let turned = in_trouble != told.in_trouble;
        *told = Told { records: health.taken, in_trouble };
        Some(News { health, records, turned })
    }

    /// Takes no more records, and waits until all that were taken are on the disk.
    ///
    /// # Errors
    /// What was lost, and why.
    pub fn close(&self) -> io::Result<()> {
        self.book.load().as_ref().map_or(Ok(()), |book| book.close(PATIENCE))
    }
}

/// An attempt of which nothing is written; `input` are its tokens, counted.
#[must_use]
pub fn unwritten(tariff: Tariff, input: u64) -> Attempt {
    Attempt::new(None, tariff, input)
}

/// The usage of a reply of which nothing was told: what was counted.
#[must_use]
pub fn counted(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

#[cfg(test)]
mod tests;
