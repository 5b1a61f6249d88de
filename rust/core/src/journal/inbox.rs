//! What passes between those who append and the thread that forces: records one way, news and room the other.

use super::frame::{HEAD, Head, LARGEST, Seed};
use super::group::Group;
use super::mapped::{Place, Segment};
use super::segment::Writer;
use super::told::{Health, NotDurable, Refused, Trouble};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Bytes that are forced without waiting for more.
const ENOUGH: usize = 1 << 20;
/// A larger buffer is given back after it was forced.
const KEPT: usize = 4 << 20;

/// How far the thread is.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    durable: u64,
    has_ended: bool,
}

struct State {
    /// Where the next record goes; nowhere when the thread has ended.
    place: Option<Place>,
    /// Where records go when there is no room in `place`.
    prepared: Option<Place>,
    /// Whether the segment before that of `place` is not yet on the disk as a whole.
    is_moving: bool,
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
    /// What keeps records from being forced.
    trouble: Option<Trouble>,
    /// What keeps the next segment from being made.
    lack: Option<Trouble>,
}

impl State {
    /// Whether the thread should make the next segment. Not before the last change of segments is over: so
    /// no more than two hold records that may not be on the disk.
    fn wants_segment(&self) -> bool {
        let is_late = self.place.as_ref().is_some_and(Place::is_half_full);
        is_late && self.prepared.is_none() && !self.is_moving && self.closed.is_none()
    }

    /// Where a frame of so many bytes has room.
    fn place_for(&mut self, bytes: usize) -> Result<&mut Place, Refused> {
        let place = self.place.as_mut().ok_or(Refused::Closed)?;
        if place.room() < bytes {
            let ready = self.prepared.as_ref().is_some_and(|prepared| prepared.room() >= bytes);
            let mut next = self.prepared.take_if(|_| ready).ok_or(Refused::Full)?;
            next.begin(self.next);
            self.is_moving = true;
            // The thread has the segment as well: it is neither unmapped nor closed here.
            *place = next;
        }
        Ok(place)
    }
}

/// What the thread has to do.
pub(super) enum Work {
    /// Force these.
    Group(Group),
    /// Make the next segment.
    Segment,
    /// It is closed, and all was forced.
    Done,
}

pub(super) struct Inbox {
    seed: Seed,
    most_waiting: usize,
    state: Mutex<State>,
    /// For the thread: there is something to do, or it was closed.
    wake: Condvar,
    /// For those who wait: more is on the disk, or nothing will be.
    news: Condvar,
    progress: watch::Sender<Progress>,
    durable: AtomicU64,
}

impl Inbox {
    pub(super) fn new(writer: Writer, most_waiting: usize, first: Place) -> Self {
        let state = State {
            place: Some(first),
            prepared: None,
            is_moving: false,
            group: Group::default(),
            since: Instant::now(),
            next: 0,
            waiting: 0,
            closed: None,
            has_ended: false,
            trouble: None,
            lack: None,
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

    /// Has a record in the segment when it returns. The lock is held while it is copied: so no record is
    /// ever behind one that is not finished, whose death with the process would hide it.
    pub(super) fn push(&self, payload: &[u8]) -> Result<u64, Refused> {
        let length = u32::try_from(payload.len()).map_err(|_| Refused::TooLarge)?;
        if payload.len() > LARGEST {
            return Err(Refused::TooLarge);
        }
        // The payload is summed up before the lock is taken: it is the long part.
        let sum = self.seed.begin(payload);
        let bytes = HEAD + payload.len();
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.closed.is_some() || state.has_ended {
            return Err(Refused::Closed);
        }
        if state.waiting + bytes > self.most_waiting {
            return Err(Refused::Full);
        }
        let sequence = state.next;
        // More records than that have no room in memory.
        let back = u32::try_from(sequence - self.durable()).map_err(|_| Refused::Full)?;
        let wanted = state.wants_segment();
        state.place_for(bytes)?;
        let Some(place) = &mut state.place else { return Err(Refused::Closed) };
        let head = Head::new(sum, length, sequence, back).encode();
        let before = state.group.bytes();
        if before == 0 {
            state.since = Instant::now();
        }
        state.group.push(place, sequence, &head, payload);
        place.append(&head, payload);
        state.waiting += bytes;
        state.next += 1;
        let is_enough = before < ENOUGH && before + bytes >= ENOUGH;
        let wakes = before == 0 || is_enough || (!wanted && state.wants_segment());
        drop(guard);
        if wakes {
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
            trouble: state.trouble.as_ref().or(state.lack.as_ref()).cloned(),
        }
    }

    /// Takes nothing more, and lets the thread finish.
    pub(super) fn close(&self) {
        self.lock().closed.get_or_insert_with(Instant::now);
        self.wake.notify_one();
    }

    /// What was taken and never forced, after the thread has ended.
    pub(super) fn losses(&self) -> Option<String> {
        let state = self.lock();
        let lost = state.next - self.durable();
        let reason = state.trouble.as_ref().map_or("its thread broke", |trouble| &trouble.reason);
        (lost > 0)
            .then(|| format!("{lost} records of the journal may not be on the disk: {reason}"))
    }

    // ── for the thread ──

    /// What is to be done next. A group is when its first record has waited for `gather`; `spent` is the
    /// last one's memory. A segment is not made before `not_before`.
    pub(super) fn work(&self, gather: Duration, spent: Group, not_before: Option<Instant>) -> Work {
        let spent = Group::in_memory_of(spent, KEPT);
        let mut state = self.lock();
        loop {
            let is_closed = state.closed.is_some();
            let bytes = state.group.bytes();
            if bytes == 0 && is_closed {
                return Work::Done;
            }
            let mut patience = Duration::MAX;
            if state.wants_segment() {
                patience = left(not_before);
                if patience.is_zero() {
                    return Work::Segment;
                }
            }
            if bytes > 0 {
                let rest = gather.saturating_sub(state.since.elapsed());
                if is_closed || bytes >= ENOUGH || rest.is_zero() {
                    return Work::Group(std::mem::replace(&mut state.group, spent));
                }
                patience = patience.min(rest);
            }
            state = wait(&self.wake, state, patience);
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

    /// Notes that a segment is full and on the disk as a whole.
    pub(super) fn moved(&self) {
        self.lock().is_moving = false;
    }

    /// Whether the next segment is to be made.
    pub(super) fn wants_segment(&self) -> bool {
        self.lock().wants_segment()
    }

    /// Here it is.
    pub(super) fn give(&self, segment: Segment) {
        let mut state = self.lock();
        state.prepared = Some(Place::new(segment));
        state.lack = None;
    }

    /// It cannot be made.
    pub(super) fn lacks(&self, reason: String) {
        let mut state = self.lock();
        state.lack = Some(Trouble::again(state.lack.take(), reason));
    }

    /// The sequence of the next record.
    pub(super) fn next(&self) -> u64 {
        self.lock().next
    }

    /// Notes a failure, and waits before the next try. False when it is time to give up: `patience` after
    /// the journal was closed.
    pub(super) fn is_to_go_on(&self, reason: String, pause: Duration, patience: Duration) -> bool {
        let mut state = self.lock();
        state.trouble = Some(Trouble::again(state.trouble.take(), reason));
        let until = Instant::now() + pause;
        loop {
            if state.closed.is_some_and(|closed| closed.elapsed() >= patience) {
                return false;
            }
            let left = left(Some(until));
            if left.is_zero() {
                return true;
            }
            state = wait(&self.wake, state, left);
        }
    }

    /// Gives back where records go and would have gone.
    pub(super) fn leave(&self) -> (Option<Place>, Option<Place>) {
        let mut state = self.lock();
        (state.place.take(), state.prepared.take())
    }

    /// The thread ends, for whatever reason.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        // With the memory of the last group go the last holders of its segments.
        state.group = Group::default();
        drop(state);
        drop(self.leave());
        self.news.notify_all();
        self.progress.send_modify(|progress| progress.has_ended = true);
    }
}

/// The time until then; none if it is no matter.
fn left(until: Option<Instant>) -> Duration {
    until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
}

/// Gives the lock up until there may be news, or the time is over.
fn wait<'a>(at: &Condvar, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
    at.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
}
