//! Responses of OpenAI's API that clients may ask for again, sealed on the machine's disk.
//!
//! All workers share the folder. Each has a thread that writes, so that no reply waits for the disk, and
//! that lets go of what is too old. Whoever looks for a response that is not there, while one is being
//! written anywhere on the machine, looks again: a client may be quicker than the disk.

pub mod entry;
mod folder;
mod losses;
pub mod seal;
pub mod shelf;
mod sweep;
mod writer;

use crate::gate::Shop;
use crate::metrics::{Counter, Gauge, GaugeGuard};
use crate::plan::Plan;
use crate::snapshot::{FilesPolicy, ResponsesPolicy};
use entry::Entry;
use folder::Folder;
use losses::Losses;
use seal::{Place, Sealer};
use shelf::Shelf;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use sweep::Bounds;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use writer::{Desk, Writer};

/// Bytes that may wait to be written; what comes on top of them is lost.
const MOST_WAITING: usize = 64 * 1024 * 1024;
/// Entries that are read at the same time: each may be large.
const MOST_READS: usize = 4;
/// How long one that is not there is looked for while others are being written.
const PATIENCE: Duration = Duration::from_secs(2);
/// The first and the longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(64));

/// On which terms responses are stored, under one configuration.
pub struct Terms {
    keep: Duration,
    max_bytes: u64,
    max_entry_bytes: usize,
    sealer: Sealer,
}

impl Terms {
    /// The terms of a policy, under the installation's pepper.
    #[must_use]
    pub fn new(policy: &ResponsesPolicy, pepper: &[u8; 32]) -> Self {
        Terms {
            keep: Duration::try_from_secs_f64(policy.keep).unwrap_or(Duration::MAX),
            max_bytes: policy.max_bytes,
            max_entry_bytes: usize::try_from(policy.max_entry_bytes).unwrap_or(usize::MAX),
            sealer: Sealer::new(pepper),
        }
    }

    /// The terms on which files and batches are remembered.
    #[must_use]
    pub fn of_files(policy: &FilesPolicy, pepper: &[u8; 32]) -> Self {
        Terms {
            keep: Duration::try_from_secs_f64(policy.keep).unwrap_or(Duration::MAX),
            max_bytes: policy.max_bytes,
            max_entry_bytes: usize::MAX,
            sealer: Sealer::new(pepper),
        }
    }

    fn bounds(&self) -> Bounds {
        Bounds { keep: self.keep, max_bytes: self.max_bytes }
    }

    fn are_over(&self, kept_at: u64) -> bool {
        let age = unix_seconds().saturating_sub(kept_at);
        Duration::from_secs(age) >= self.keep
    }
}

/// A response to be written.
struct Job {
    plan: Arc<Plan>,
    owner: String,
    id: String,
    entry: Entry,
    /// Bytes that it counts for while it waits.
    weight: usize,
    /// Those who look for it wait as long as this is up.
    _storing: GaugeGuard,
}

/// A worker's door to the machine's responses.
pub struct Store {
    folder: Folder,
    shop: Arc<Shop>,
    writer: Writer,
    losses: Arc<Losses>,
    waiting: Arc<AtomicUsize>,
    reads: Semaphore,
    /// What is remembered of files and batches.
    pub shelf: Shelf,
}

impl Store {
    /// The store in these folders, of responses and of what is remembered of files. Each is made when the
    /// first entry is written.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn open(folder: PathBuf, files: PathBuf, shop: Arc<Shop>) -> std::io::Result<Self> {
        let (folder, files) = (Folder::new(folder), Folder::new(files));
        let waiting = Arc::<AtomicUsize>::default();
        let losses = Arc::new(Losses::new(shop.clone()));
        let desk = Desk {
            folder: folder.clone(),
            files: files.clone(),
            shop: shop.clone(),
            losses: losses.clone(),
            waiting: waiting.clone(),
        };
        let writer = Writer::start(desk)?;
        let shelf = Shelf::new(files, shop.clone());
        let reads = Semaphore::new(MOST_READS);
        Ok(Store { folder, shop, writer, losses, waiting, reads, shelf })
    }

    /// Has a response written, without waiting for it. What cannot be written is logged and counted.
    pub fn keep(&self, plan: &Arc<Plan>, owner: &str, id: &str, entry: Entry) {
        let Some(terms) = &plan.responses else { return };
        let weight = entry.content.as_ref().map_or(0, entry::Content::weight);
        if weight > terms.max_entry_bytes {
            return self.lose("it is larger than `responses.max_entry_bytes`");
        }
        if self.waiting.fetch_add(weight, Relaxed) + weight > MOST_WAITING {
            self.waiting.fetch_sub(weight, Relaxed);
            return self.lose("the disk is too slow");
        }
        let job = Job {
            plan: plan.clone(),
            owner: owner.to_owned(),
            id: id.to_owned(),
            entry,
            weight,
            _storing: self.shop.metrics.hold(Gauge::Storing),
        };
        if !self.writer.take(job) {
            self.waiting.fetch_sub(weight, Relaxed);
            self.lose("the disk is too slow");
        }
    }

    /// Logs and counts a response that was to be kept and is not; the reason is for the log.
    pub fn lose(&self, reason: &str) {
        self.losses.note(reason);
    }

    /// The response of this id that belongs to `owner`.
    pub async fn find(&self, plan: &Arc<Plan>, owner: &str, id: &str) -> Option<Entry> {
        plan.responses.as_ref()?;
        let deadline = Instant::now() + PATIENCE;
        let mut pause = PAUSES.0;
        loop {
            // Asked before the look: what is written in between is found by it.
            let may_come = self.shop.metrics.is_anybody_storing();
            let found = self.look(plan, owner, id).await;
            if found.is_some() || !may_come || Instant::now() >= deadline {
                return found;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Removes the response of this id that belongs to `owner`. Whether it is gone now.
    pub async fn remove(&self, plan: &Arc<Plan>, owner: &str, id: &str) -> bool {
        let Some(terms) = &plan.responses else { return false };
        let name = terms.sealer.name(Place { owner, id });
        let folder = self.folder.clone();
        match tokio::task::spawn_blocking(move || folder.remove(&name)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                let reason = error.to_string();
                self.shop.log.warn("a response was not removed", &[("reason", &reason)]);
                false
            }
            // The process is ending.
            Err(_) => false,
        }
    }

    /// Writes what waits to be written, and nothing more.
    pub fn close(&self) {
        self.writer.close();
    }

    async fn look(&self, plan: &Arc<Plan>, owner: &str, id: &str) -> Option<Entry> {
        let _turn = self.reads.acquire().await.ok()?;
        let (folder, plan) = (self.folder.clone(), plan.clone());
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let read =
            move || read(&folder, plan.responses.as_ref()?, Place { owner: &owner, id: &id });
        // The outer error: the process is ending.
        match tokio::task::spawn_blocking(read).await.ok()?? {
            Ok(entry) => Some(entry),
            Err(reason) => {
                self.shop.metrics.count(Counter::ResponseDamaged);
                self.shop.log.warn("a stored response cannot be read", &[("reason", &reason)]);
                None
            }
        }
    }
}

/// Reads an entry; `None` if there is none, or none any more. The error is the reason, for the log.
fn read(folder: &Folder, terms: &Terms, place: Place<'_>) -> Option<Result<Entry, String>> {
    let file = match folder.read(&terms.sealer.name(place)) {
        Ok(file) => file?,
        Err(error) => return Some(Err(error.to_string())),
    };
    match terms.sealer.open(place, file).and_then(Entry::decode) {
        Some(entry) if terms.are_over(entry.origin.kept_at) => None,
        Some(entry) => Some(Ok(entry)),
        None => Some(Err("its file is damaged".into())),
    }
}

/// The time, in Unix seconds.
#[must_use]
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
