//! What must survive the death of any process at any instant: an append-only journal of records.
//!
//! A record is up to [`LARGEST`] bytes that mean nothing here. A folder holds the journals of many writers,
//! each a process with a random name of its own, so that no two ever write to one file. A writer's files are
//! its *segments*, `WRITER-NUMBER.log`; its records are numbered from 0, across them (`segment`, `header`
//! and `frame` have the layout). A record is copied into a segment that is mapped into memory (`mapped`), without
//! waiting: it is the system's then, and the process may be killed. A thread forces what has gathered to the
//! disk in groups, and prepares the next segment (`writer`). Nothing that was taken is ever dropped: where the
//! disk refuses, it is tried again, and [`Journal::health`] says so.
//!
//! What a reader may rely on (`reader`):
//! - What was taken is read back, once, in order, whenever the process was killed. Only where the machine
//!   itself stops, it is what was told as durable, which is after `fdatasync`.
//! - A crash breaks nothing but what was not forced yet. Every record says how far all was on the disk when it
//!   was appended. So what is broken *and* followed by a record that was appended after it was forced was durable
//!   once, and is damage; what is broken behind all that is known to have been forced is what a crash leaves,
//!   also where a power cut let pages reach the disk in another order.
//! - A segment appears under its name only when its header is on the disk and its writer holds its lock. It says
//!   when it is used, and when the one before is on the disk as a whole.
//!
//! Whether a writer lives is told by the lock on its last segment, which the kernel drops when it dies.

mod disk;
mod folder;
mod follow;
mod frame;
mod group;
mod header;
mod inbox;
mod mapped;
mod reader;
mod scan;
mod segment;
mod told;
mod upkeep;
mod whole;
mod writer;

pub use follow::{Batch, Follower};
pub use frame::LARGEST;
pub use reader::{Finding, Found, Positions, Reader, read, read_from};
pub use segment::Writer;
pub use told::{Health, NotDurable, Refused, Trouble};
pub use upkeep::{Cut, remove, remove_older, repair};
pub use whole::{Whole, examine};

use disk::{Disk, RealDisk};
use folder::Folder;
use inbox::Inbox;
use mapped::{Place, Segment};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use writer::Desk;

/// The smallest segment: any record has room in it.
const SMALLEST: usize = 128 << 10;
const _: () = assert!(header::HEADER + frame::HEAD + LARGEST <= SMALLEST);

/// How a journal is written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of a segment, at least 128 KiB. The disk has to have them when it is made, and a journal has two
    /// from when the first is half full.
    pub segment_bytes: usize,
    /// Bytes of records that may wait for the disk; what comes on top of them is refused.
    pub most_waiting: usize,
    /// How long the first record of a group waits for others before it is forced.
    pub gather: Duration,
    /// How long closing goes on trying where the disk refuses.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: 16 << 20,
            most_waiting: 16 << 20,
            gather: Duration::from_millis(10),
            patience: Duration::from_secs(5),
        }
    }
}

/// One writer's journal, for the process that opened it. Closed when dropped.
pub struct Journal {
    writer: Writer,
    /// The process that has the thread; a process forked from it has none.
    process: u32,
    inbox: Arc<Inbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Begins the journal of a new writer in a folder, which is made if need be, and starts its thread.
    ///
    /// # Errors
    /// When the folder or the first segment cannot be made, or the system gives no thread or randomness.
    pub fn open(folder: &Path, mut options: Options) -> io::Result<Self> {
        options.segment_bytes = options.segment_bytes.max(SMALLEST);
        Journal::open_on(RealDisk, folder, options)
    }

    /// The same, on a disk that may be a test's, with segments that may be too small for the largest record.
    fn open_on(mut disk: impl Disk, folder: &Path, options: Options) -> io::Result<Self> {
        let folder = Folder::make(folder)?;
        let writer = Writer::random()?;
        let place = Place::new(Segment::first(&mut disk, &folder, writer, options.segment_bytes)?);
        let segment = place.segment().clone();
        let inbox = Arc::new(Inbox::new(writer, options.most_waiting, place));
        let desk = Desk::new(disk, inbox.clone(), folder, segment, options);
        let thread = std::thread::Builder::new().name("llmgw-journal".into());
        let thread = thread.spawn(move || desk.work())?;
        let process = std::process::id();
        Ok(Journal { writer, process, inbox, thread: Mutex::new(Some(thread)) })
    }

    /// The name under which its records are found.
    #[must_use]
    pub fn writer(&self) -> Writer {
        self.writer
    }

    /// Takes a record, without waiting for the disk; returns its sequence. It outlives the process from then
    /// on, and the machine when it is durable.
    ///
    /// # Errors
    /// When the record was not taken, and why.
    pub fn append(&self, payload: &[u8]) -> Result<u64, Refused> {
        if !self.is_at_home() {
            return Err(Refused::OtherProcess);
        }
        self.inbox.push(payload)
    }

    /// The first sequence that is not on the disk yet: all before it are.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.inbox.durable()
    }

    /// Blocks until a record is on the disk. One that was not taken yet is waited for as well.
    ///
    /// # Errors
    /// When it is not on the disk after `timeout`, or never will be.
    pub fn wait(&self, sequence: u64, timeout: Duration) -> Result<(), NotDurable> {
        if !self.is_at_home() {
            return Err(NotDurable::Ended);
        }
        // A deadline that no clock can tell is never reached.
        self.inbox.wait(sequence, Instant::now().checked_add(timeout))
    }

    /// Resolves when a record is on the disk, on any runtime.
    ///
    /// # Errors
    /// When it never will be.
    pub async fn written(&self, sequence: u64) -> Result<(), NotDurable> {
        if !self.is_at_home() {
            return Err(NotDurable::Ended);
        }
        self.inbox.written(sequence).await
    }

    /// How far it is, and what keeps it from going on.
    #[must_use]
    pub fn health(&self) -> Health {
        self.inbox.health()
    }

    /// Takes no more records, and waits until those that were taken are on the disk.
    ///
    /// # Errors
    /// When the disk still refused after [`Options::patience`]: how many records may be lost, and why.
    pub fn close(&self) -> io::Result<()> {
        if !self.is_at_home() {
            return Err(io::Error::other(Refused::OtherProcess.to_string()));
        }
        self.inbox.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic of the thread was reported when it happened, and its losses are told below.
            let _ = thread.join();
        }
        self.inbox.losses().map_or(Ok(()), |losses| Err(io::Error::other(losses)))
    }

    /// Whether this is the process that opened it. Asked first, since another's locks may be held for ever.
    fn is_at_home(&self) -> bool {
        std::process::id() == self.process
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Nobody is left to be told; the loss of records was in `health` all the time.
        let _ = self.close();
    }
}

#[cfg(test)]
mod tests;
