//! What passes between those who append and the thread that writes: records one way, news the other.

use super::frame::{HEAD, Head, LARGEST, Seed};
use super::segment::Writer;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// Bytes that are written without waiting for more.
const ENOUGH: usize = 1 << 20;
/// A larger buffer is given back after it was written.
const KEPT: usize = 4 << 20;

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is longer than [`LARGEST`].
    TooLarge,
    /// Too much waits for the disk.
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
            Refused::Full => "too many records wait for the disk",
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

/// What keeps a journal from being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What the system said last.
    pub reason: String,
    /// When it began.
    pub since: SystemTime,
    /// How often it was tried in vain since then.
    pub tries: u32,
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
    /// What is wrong, if anything is.
    pub trouble: Option<Trouble>,
}

/// Frames that are written together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) frames: Vec<u8>,
    /// The sequence of the first one.
    pub(super) first: u64,
}

/// How far the thread is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    durable: u64,
    has_ended: bool,
}

struct State {
    /// What was taken since the thread took the last group.
    group: Group,
    /// When the first of it was.
    since: Instant,
    /// The sequence of the next record.
    next: u64,
    /// Bytes of frames that were taken and are not on the disk.
    waiting: usize,
    /// When it was closed.
    closed: Option<Instant>,
    has_ended: bool,
    trouble: Option<Trouble>,
}

pub(super) struct Inbox {
    seed: Seed,
    most_waiting: usize,
    state: Mutex<State>,
    /// For the thread: there is something to write, or it was closed.
    wake: Condvar,
    /// For those who wait: more is on the disk, or nothing will be.
    news: Condvar,
    progress: watch::Sender<Progress>,
    durable: AtomicU64,
}

impl Inbox {
    pub(super) fn new(writer: Writer, most_waiting: usize) -> Self {
        let state = State {
            group: Group::default(),
            since: Instant::now(),
            next: 0,
            waiting: 0,
            closed: None,
            has_ended: false,
            trouble: None,
        };
        Inbox {
            seed: Seed::of(writer),
            most_waiting,
            state: Mutex::new(state),
            wake: Condvar::new(),
            news: Condvar::new(),
            progress: watch::Sender::new(Progress::default()),
            durable: AtomicU64::new(0),
        }
    }

    /// The state; nothing is ever left half changed in it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ── for those who append ──

    pub(super) fn push(&self, payload: &[u8]) -> Result<u64, Refused> {
        let length = u32::try_from(payload.len()).map_err(|_| Refused::TooLarge)?;
        if payload.len() > LARGEST {
            return Err(Refused::TooLarge);
        }
        // The payload is summed up before the lock is taken: it is the long part.
        let sum = self.seed.begin(payload);
        let mut state = self.lock();
        if state.closed.is_some() || state.has_ended {
            return Err(Refused::Closed);
        }
        if state.waiting + HEAD + payload.len() > self.most_waiting {
            return Err(Refused::Full);
        }
        let sequence = state.next;
        // More records than that have no room in memory.
        let back = u32::try_from(sequence - state.group.first).map_err(|_| Refused::Full)?;
        let before = state.group.frames.len();
        if before == 0 {
            state.since = Instant::now();
        }
        let head = Head::new(sum, length, sequence, back);
        state.group.frames.extend_from_slice(&head.encode());
        state.group.frames.extend_from_slice(payload);
        state.waiting += HEAD + payload.len();
        state.next += 1;
        let after = state.group.frames.len();
        drop(state);
        if before == 0 || (before < ENOUGH && after >= ENOUGH) {
            self.wake.notify_one();
        }
        Ok(sequence)
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Without a deadline it waits for as long as it takes.
    pub(super) fn wait(&self, sequence: u64, deadline: Option<Instant>) -> Result<(), NotDurable> {
        let mut state = self.lock();
        loop {
            if self.durable() > sequence {
                return Ok(());
            }
            if state.has_ended {
                return Err(NotDurable::Ended);
            }
            let left =
                deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(NotDurable::Late);
            }
            state = wait(&self.news, state, left);
        }
    }

    pub(super) async fn written(&self, sequence: u64) -> Result<(), NotDurable> {
        let mut progress = self.progress.subscribe();
        let done = |progress: &Progress| progress.durable > sequence || progress.has_ended;
        // The sender lives as long as `self`: it cannot be gone.
        let progress = progress.wait_for(done).await.map_err(|_| NotDurable::Ended)?;
        if progress.durable > sequence { Ok(()) } else { Err(NotDurable::Ended) }
    }

    pub(super) fn health(&self) -> Health {
        let state = self.lock();
        Health {
            taken: state.next,
            durable: self.durable(),
            waiting: state.waiting,
            is_open: state.closed.is_none() && !state.has_ended,
            trouble: state.trouble.clone(),
        }
    }

    /// Takes nothing more, and lets the thread finish.
    pub(super) fn close(&self) {
        self.lock().closed.get_or_insert_with(Instant::now);
        self.wake.notify_one();
    }

    /// What was taken and never written, after the thread has ended.
    pub(super) fn losses(&self) -> Option<String> {
        let state = self.lock();
        let lost = state.next - self.durable();
        let reason = state.trouble.as_ref().map_or("its thread broke", |trouble| &trouble.reason);
        (lost > 0).then(|| format!("{lost} records of the journal were not written: {reason}"))
    }

    // ── for the thread ──

    /// The next group, when its first record has waited for `gather`; `spent` is the last one's memory.
    /// `None` when the journal is closed and all of it was taken.
    pub(super) fn take(&self, gather: Duration, mut spent: Vec<u8>) -> Option<Group> {
        spent.clear();
        spent.shrink_to(KEPT);
        let mut state = self.lock();
        loop {
            let is_closed = state.closed.is_some();
            let length = state.group.frames.len();
            if length == 0 && is_closed {
                return None;
            }
            let left = gather.saturating_sub(state.since.elapsed());
            if length > 0 && (is_closed || length >= ENOUGH || left.is_zero()) {
                let next = Group { frames: spent, first: state.next };
                return Some(std::mem::replace(&mut state.group, next));
            }
            let left = if length == 0 { Duration::MAX } else { left };
            state = wait(&self.wake, state, left);
        }
    }

    /// All records before `durable` are on the disk, `bytes` more than were told before.
    pub(super) fn advance(&self, durable: u64, bytes: usize) {
        let mut state = self.lock();
        self.durable.store(durable, Ordering::Release);
        state.waiting = state.waiting.saturating_sub(bytes);
        state.trouble = None;
        drop(state);
        self.news.notify_all();
        self.progress.send_modify(|progress| progress.durable = durable);
    }

    /// Notes a failure, and waits before the next try. False when it is time to give up: `patience` after
    /// the journal was closed.
    pub(super) fn is_to_go_on(&self, reason: String, pause: Duration, patience: Duration) -> bool {
        let mut state = self.lock();
        let trouble = state.trouble.take();
        let (since, tries) =
            trouble.map_or((SystemTime::now(), 0), |trouble| (trouble.since, trouble.tries));
        state.trouble = Some(Trouble { reason, since, tries: tries.saturating_add(1) });
        let until = Instant::now() + pause;
        loop {
            if state.closed.is_some_and(|closed| closed.elapsed() >= patience) {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = wait(&self.wake, state, left);
        }
    }

    /// The thread ends, for whatever reason.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.news.notify_all();
        self.progress.send_modify(|progress| progress.has_ended = true);
    }
}

/// Gives the lock up until there may be news, or the time is over.
fn wait<'a>(at: &Condvar, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
    at.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
}
