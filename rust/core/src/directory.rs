//! The directory: keys, and what they belong to, that the store knows of; fed while the gateway runs.
//!
//! A worker keeps all of it in memory, so that no request waits for a database. Who feeds it writes lines to
//! a file and publishes in shared memory how long the file is; each worker reads on from where it was
//! (docs/decisions/0019). Reading goes wrong without harm: what was known stays known.

mod book;
mod feed;
mod follower;
mod intern;
mod names;
mod published;

use crate::keys::Digest;
use crate::log::Log;
use crate::plan::{Key, NodeKind, Slot};
use crate::snapshot::JwtFindBy;
use book::Book;
use follower::Follower;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub use book::Issuer;
pub use published::Published;

/// All that the store tells of keys.
#[derive(Default)]
pub struct Directory {
    book: RwLock<Book>,
    follower: Mutex<Follower>,
    state: Mutex<State>,
}

/// How the directory stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The number of the file that it was read from; 0 before the first.
    pub file: u64,
    /// What the last line said that ended something.
    pub sequence: u64,
    /// Keys known.
    pub keys: usize,
    /// Nodes known: organisations, teams, projects, users, service accounts.
    pub nodes: usize,
    /// What is wrong with what was published last, if something is.
    pub error: Option<String>,
    /// When something was taken in last.
    pub taken_at: Option<Instant>,
}

impl State {
    /// How long ago something was taken in last.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.taken_at.map(|at| at.elapsed())
    }
}

impl Directory {
    /// The key of this digest, found by hash and confirmed in constant time.
    ///
    /// Whoever tries keys learns nothing from the time this takes: what is compared are digests under a
    /// secret pepper, which nobody outside can aim at.
    #[must_use]
    pub fn key(&self, digest: &Digest) -> Option<Arc<Key>> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).key(digest).cloned()
    }

    /// The same if it may be used at this time (Unix microseconds); else why not.
    ///
    /// Asked while nothing is taken in, so that what changes together is seen together.
    #[must_use]
    pub fn key_in_standing(&self, digest: &Digest, now: u64) -> Option<Result<Arc<Key>, String>> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let key = book.key(digest)?;
        Some(key.check_standing(digest, now).map(|()| key.clone()))
    }

    /// The keys by which tokens of this issuer are checked.
    #[must_use]
    pub fn issuer(&self, url: &str) -> Option<Arc<Issuer>> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).issuer(url).cloned()
    }

    /// The keys that name a certificate by this word.
    #[must_use]
    pub fn certified(&self, word: &str) -> Vec<Arc<Key>> {
        self.book.read().unwrap_or_else(PoisonError::into_inner).certified(word)
    }

    /// The nodes of that kind that are called so.
    #[must_use]
    pub fn nodes_named(&self, kind: NodeKind, by: JwtFindBy, word: &str) -> Vec<Arc<Slot>> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        book.names.find(kind, by, word)
    }

    /// Changes whenever nodes are given new places: whoever holds one has to look for it again.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.book.read().unwrap_or_else(PoisonError::into_inner).epoch
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.lock_state().clone()
    }

    /// Reads on to what was published, in this folder. Takes its time: not for a thread that serves.
    ///
    /// # Errors
    /// What went wrong, in a sentence; it is logged, and all that was known before stays known.
    pub fn follow(&self, folder: &Path, published: Published, log: &Log) -> Result<(), Refused> {
        let mut follower = self.follower.lock().unwrap_or_else(PoisonError::into_inner);
        if !follower.is_behind(published) {
            return Ok(());
        }
        let result = follower.read_on(folder, published, &self.book);
        let mut state = self.lock_state();
        if follower.has_taken_in() {
            state.taken_at = Some(Instant::now());
        }
        (state.file, state.sequence) = (follower.file(), follower.sequence());
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        (state.keys, state.nodes) = (book.len(), book.nodes());
        drop(book);
        let error = result.as_ref().err().map(|refused| refused.reason.clone());
        if let Some(reason) = error.as_ref().filter(|_| state.error != error) {
            log.warn("the directory cannot be read on", &[("reason", reason)]);
        }
        state.error = error;
        result
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why what was published was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, for the log: neither keys nor digests.
    pub reason: String,
    /// The file itself is at fault: it will not become better by being read again.
    pub is_damage: bool,
}

#[cfg(test)]
mod tests;
