//! The sections of the shared memory and their sizes. Change anything here and raise
//! [`LAYOUT_VERSION`].

use portable_atomic::AtomicU128;
use std::sync::atomic::{AtomicI64, AtomicU64};

/// First word of the file: `llmgwshm`.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"llmgwshm");
/// Raised with every change of this file.
pub(super) const LAYOUT_VERSION: u64 = 6;
/// Words kept for the header.
pub(super) const HEADER_WORDS: usize = 8;

/// Words of packed labels in a [`Row`].
pub const LABEL_WORDS: usize = 62;
/// Plain event counters.
pub const COUNTERS: usize = 64;

const WORDS: usize = 64;
const WORKERS: usize = 256;
const HEALTH: usize = 1024;
const ROWS: usize = 2048;
const BUCKETS: usize = 1 << 17;
const BUDGETS: usize = 1 << 18;
/// Names under which one worker can hold places at a time.
const PLACES: usize = 1 << 11;

/// All that the workers share.
#[repr(C, align(64))]
pub struct Region {
    header: [AtomicU64; HEADER_WORDS],
    /// Words with a meaning of their own, see [`Word`].
    words: [AtomicU64; WORDS],
    /// Event counters, indexed by `metrics::Counter`.
    pub counters: [AtomicU64; COUNTERS],
    /// One row per worker process.
    pub workers: [Worker; WORKERS],
    /// State of the deployments.
    pub health: [Health; HEALTH],
    /// The row of all label sets that found no room.
    pub other: Row,
    /// One row per label set.
    pub rows: [Row; ROWS],
    /// Rate-limit buckets.
    pub buckets: [Bucket; BUCKETS],
    /// Budgets, a row for each, or for each part of one.
    pub budgets: [BudgetRow; BUDGETS],
    /// Places that the workers hold, by worker.
    pub places: [[Places; PLACES]; WORKERS],
}

/// The plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Counts configurations; a worker that sees it move loads the new one.
    ConfigGeneration,
    /// 1 when the last reload of the configuration failed.
    ConfigReloadFailed,
    /// Requests that found the table of rate-limit buckets full.
    BucketOverflow,
    /// Bytes of the responses on the disk.
    StoredBytes,
    /// Requests that found the table of budgets full.
    BudgetOverflow,
    /// Requests that found their worker's table of places full.
    PlaceOverflow,
    /// Which file the directory is read from, and how long it is; see `directory::Published`.
    Directory,
    /// The newest file of the directory that a worker found damaged.
    DamagedDirectory,
    /// How often tokens named a signing key that is not known.
    WantedIssuerKeys,
}

impl Region {
    /// A plain word.
    #[must_use]
    pub fn word(&self, word: Word) -> &AtomicU64 {
        &self.words[word as usize]
    }
}

/// A worker process and what it has in hand; its gauges count only while the process lives.
#[repr(C, align(64))]
pub struct Worker {
    /// Process id; 0 means never used.
    pub pid: AtomicU64,
    /// When that process started, in clock ticks since boot: tells it from a later one of that id.
    pub started: AtomicU64,
    /// Requests in hand.
    pub in_flight: AtomicI64,
    /// Client connections open.
    pub connections: AtomicI64,
    /// Responses that are about to be on the disk.
    pub storing: AtomicI64,
    /// Realtime sessions open.
    pub realtime: AtomicI64,
    /// Bytes of the ledger that wait for the disk, as of the last look.
    pub ledger_waiting: AtomicU64,
    /// 1 while the disk does not take the ledger, as of the last look.
    pub ledger_trouble: AtomicU64,
}

/// What is known of one deployment.
#[repr(C)]
pub struct Health {
    /// Hash of the deployment's id; 0 means unused.
    pub id: AtomicU64,
    /// Failures since the last success.
    pub failures: AtomicU64,
    /// Monotonic time, in ns, until which it rests.
    pub resting_until: AtomicU64,
    /// Monotonic time, in ns, until which its provider is near a limit of its own; odd if that is used up.
    pub pressed_until: AtomicU64,
}

/// A rate-limit bucket: the tag of its id above, its theoretical arrival time in ns below, so that
/// one compare-and-swap changes both.
pub type Bucket = AtomicU128;

/// A budget. Rows are taken and never given back: what was spent has to be remembered.
#[repr(C, align(32))]
pub struct BudgetRow {
    /// Which budget; 0 means free.
    pub tag: AtomicU64,
    /// What was told of it: the number of a window above, a flag for each thing below.
    pub told: AtomicU64,
    /// The number of the window above, below it the nano-dollars that are spent or held in it: one
    /// compare-and-swap changes both.
    pub state: AtomicU128,
}

/// Places that one worker holds under one name: the tag of the name above; below it how many it has, and how
/// many it is about to take.
pub type Places = AtomicU128;

/// The measurements of one label set.
#[repr(C, align(64))]
pub struct Row {
    /// Hash of the labels; 0 means free.
    pub hash: AtomicU64,
    /// Bytes of the packed labels; 0 until they are all written.
    pub label_bytes: AtomicU64,
    /// The packed labels.
    pub labels: [AtomicU64; LABEL_WORDS],
    /// Requests finished.
    pub requests: AtomicU64,
    /// Tokens: input, output, read from the provider's cache, reasoning.
    pub tokens: [AtomicU64; 4],
    /// What the replies cost, in nano-dollars.
    pub cost: AtomicU64,
    /// The time histograms.
    pub measures: [MeasureRow; bounds::MEASURES],
}

/// One histogram: how often each bucket was hit (not cumulated), and the sum in ns.
#[repr(C)]
pub struct MeasureRow {
    /// Hits per bucket; the last is for everything above the highest bound.
    pub buckets: [AtomicU64; bounds::BOUNDS + 1],
    /// Sum of the observations, in ns.
    pub sum: AtomicU64,
}

/// Sizes of the histograms.
pub mod bounds {
    /// Time histograms per row.
    pub const MEASURES: usize = 4;
    /// Upper bounds of a histogram, `+Inf` left out.
    pub const BOUNDS: usize = 16;
}
