//! The thread that writes responses, and sweeps the folder between two of them.

use super::Job;
use super::folder::Folder;
use super::losses::Losses;
use super::seal::Place;
use super::sweep::{self, Bounds, Swept, Turn};
use crate::gate::Shop;
use crate::metrics::Counter;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Responses that may wait to be written.
const MOST_JOBS: usize = 1024;
/// How often the folder is swept.
const SWEEP: Duration = Duration::from_secs(60);
/// How long ago a sweep may be at the start to stand for this worker's own: another worker's, not one of
/// before a restart.
const AT_START: Duration = Duration::from_secs(1);

/// A running thread; without one after it was closed.
pub(super) struct Writer {
    running: Mutex<Option<(SyncSender<Job>, JoinHandle<()>)>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(desk: Desk) -> io::Result<Self> {
        let (sender, jobs) = sync_channel(MOST_JOBS);
        let thread = std::thread::Builder::new().name("llmgw-store".into());
        let thread = thread.spawn(move || desk.work(&jobs))?;
        Ok(Writer { running: Mutex::new(Some((sender, thread))) })
    }

    /// Hands a job over; false if it was not taken.
    pub(super) fn take(&self, job: Job) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_some_and(|(sender, _)| sender.try_send(job).is_ok())
    }

    /// Lets the thread finish what it has, and waits for that.
    pub(super) fn close(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((sender, thread)) = running {
            drop(sender);
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
pub(super) struct Desk {
    pub(super) folder: Folder,
    /// Written by whoever has something for it; only swept here.
    pub(super) files: Folder,
    pub(super) shop: Arc<Shop>,
    pub(super) losses: Arc<Losses>,
    /// Lowered by what was written.
    pub(super) waiting: Arc<AtomicUsize>,
}

impl Desk {
    fn work(&self, jobs: &Receiver<Job>) {
        self.sweep(AT_START);
        self.sweep_files(AT_START);
        let mut next = Instant::now() + SWEEP;
        loop {
            if Instant::now() >= next {
                self.sweep(SWEEP);
                self.sweep_files(SWEEP);
                next = Instant::now() + SWEEP;
            }
            match jobs.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(job) => self.write(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn write(&self, job: Job) {
        let weight = job.weight;
        match self.put(&job) {
            Ok(total) => {
                self.shop.metrics.count(Counter::ResponseStored);
                let most = job.plan.responses.as_ref().map_or(u64::MAX, |terms| terms.max_bytes);
                if total > most {
                    self.sweep(Duration::ZERO);
                }
            }
            Err(error) => self.losses.note(&error.to_string()),
        }
        drop(job);
        self.waiting.fetch_sub(weight, Relaxed);
    }

    /// Writes an entry; the bytes of all of them now.
    fn put(&self, job: &Job) -> io::Result<u64> {
        let terms = job.plan.responses.as_ref().ok_or(ErrorKind::Unsupported)?;
        let place = Place { owner: &job.owner, id: &job.id };
        let sealed = job.entry.encode().and_then(|content| terms.sealer.seal(place, content));
        let sealed = sealed.ok_or(ErrorKind::InvalidData)?;
        let bytes = self.folder.write(&terms.sealer.name(place), &sealed)?;
        Ok(self.shop.metrics.add_stored(bytes))
    }

    /// Sweeps, unless another process does, or did less than `pause` ago.
    fn sweep(&self, pause: Duration) {
        let Ok(plan) = self.shop.plan() else { return };
        // Without terms nothing is to be kept.
        let nothing = Bounds { keep: Duration::ZERO, max_bytes: 0 };
        let bounds = plan.responses.as_ref().map_or(nothing, super::Terms::bounds);
        match sweep_within(&self.folder, bounds, pause) {
            Ok(Some(swept)) => {
                self.shop.metrics.set_stored(swept.bytes);
                if swept.crowded > 0 {
                    let count = swept.crowded.to_string();
                    let event = "stored responses went before their time: there are too many";
                    self.shop.log.warn(event, &[("count", &count)]);
                }
            }
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let reason = error.to_string();
                self.shop.log.warn("the stored responses were not swept", &[("reason", &reason)]);
            }
        }
    }

    /// The same for what is remembered of files. Where they are switched off, it stays: they lie where they lay.
    fn sweep_files(&self, pause: Duration) {
        let Ok(plan) = self.shop.plan() else { return };
        let Some(terms) = &plan.files else { return };
        match sweep_within(&self.files, terms.bounds(), pause) {
            Ok(Some(swept)) if swept.crowded > 0 => {
                let count = swept.crowded.to_string();
                let event = "files were forgotten before their time: there are too many";
                self.shop.log.warn(event, &[("count", &count)]);
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let reason = error.to_string();
                self.shop.log.warn("the remembered files were not swept", &[("reason", &reason)]);
            }
        }
    }
}

fn sweep_within(folder: &Folder, bounds: Bounds, pause: Duration) -> io::Result<Option<Swept>> {
    let Some(_turn) = Turn::take(folder, pause)? else { return Ok(None) };
    sweep::sweep(folder, bounds, SystemTime::now()).map(Some)
}
