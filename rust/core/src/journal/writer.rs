//! The thread that forces groups of records to the disk, however often it takes, and has the next segment
//! ready before it is needed.

use super::Options;
use super::disk::Disk;
use super::folder::Folder;
use super::group::{Group, Part};
use super::header::HEADER;
use super::inbox::{Inbox, Work};
use super::mapped::Segment;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, io};

/// The first and the longest pause before something is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// How much of a segment is made ready to be stored to: more than is appended between two groups.
const AHEAD: usize = 2 << 20;

/// What the thread works with.
pub(super) struct Desk<D: Disk> {
    disk: D,
    inbox: Arc<Inbox>,
    folder: Folder,
    /// The segment that was forced last, and how far.
    segment: Arc<Segment>,
    end: usize,
    /// Up to where the segment is ready to be stored to.
    touched: usize,
    /// Records before this sequence may stand on pages that the system takes for clean, and are not.
    suspect: u64,
    /// When the next segment may be tried to be made, and the pause after that.
    retry: (Option<Instant>, Duration),
    options: Options,
}

impl<D: Disk> Desk<D> {
    pub(super) fn new(
        disk: D,
        inbox: Arc<Inbox>,
        folder: Folder,
        segment: Arc<Segment>,
        options: Options,
    ) -> Self {
        let retry = (None, PAUSES.0);
        segment.touch(0..AHEAD);
        let (end, touched) = (HEADER, AHEAD);
        Desk { disk, inbox, folder, segment, end, touched, suspect: 0, retry, options }
    }

    /// Forces until the journal is closed.
    pub(super) fn work(mut self) {
        let _end = End(self.inbox.clone());
        let mut spent = Group::default();
        loop {
            match self.inbox.work(self.options.gather, std::mem::take(&mut spent), self.retry.0) {
                Work::Segment => self.prepare(),
                Work::Group(group) => {
                    if !group.parts().all(|part| self.put(&part)) {
                        break;
                    }
                    spent = group;
                }
                Work::Done => break,
            }
        }
        self.leave();
    }

    /// Brings a part of a group to the disk; false if that was given up.
    fn put(&mut self, part: &Part<'_>) -> bool {
        if part.segment.number() != self.segment.number() {
            self.move_on(part.segment.clone());
        }
        let mut pause = PAUSES.0;
        while let Err(error) = self.force(part) {
            // What was appended until now may have been hit as well, and would not be told a second time.
            self.suspect = self.inbox.next();
            if !self.inbox.is_to_go_on(error.to_string(), pause, self.options.patience) {
                return false;
            }
            pause = (pause * 2).min(PAUSES.1);
            self.prepare();
        }
        self.end = part.end();
        self.inbox.advance(part.following, part.frames.len());
        self.touch();
        true
    }

    fn force(&mut self, part: &Part<'_>) -> io::Result<()> {
        let is_suspect = part.first < self.suspect;
        if is_suspect {
            part.segment.rewrite(&mut self.disk, part.frames, part.offset)?;
        }
        // The header is forced with the first records: it says that there are any.
        let from = if is_suspect || part.offset == HEADER { 0 } else { part.offset };
        part.segment.force(&mut self.disk, from..part.end())
    }

    /// Makes more of the segment ready, so that there is always enough.
    fn touch(&mut self) {
        if self.touched < self.end + AHEAD / 2 {
            let from = self.touched.max(self.end);
            self.touched = self.end + AHEAD;
            self.segment.touch(from..self.touched);
        }
    }

    /// Leaves a segment that is full and forced. The next one says so before the lock on this one goes.
    fn move_on(&mut self, next: Arc<Segment>) {
        next.settle();
        self.segment.cut(&mut self.disk, self.end);
        self.segment = next;
        (self.end, self.touched) = (HEADER, AHEAD);
        self.inbox.moved();
    }

    /// Makes the next segment, if it is time to.
    fn prepare(&mut self) {
        if self.retry.0.is_some_and(|at| at > Instant::now()) || !self.inbox.wants_segment() {
            return;
        }
        let bytes = self.options.segment_bytes;
        match self.segment.prepare_next(&mut self.disk, &self.folder, bytes) {
            Ok(segment) => {
                segment.touch(0..AHEAD);
                self.inbox.give(segment);
                self.retry = (None, PAUSES.0);
            }
            Err(error) => {
                self.inbox.lacks(error.to_string());
                let pause = self.retry.1;
                self.retry = (Some(Instant::now() + pause), (pause * 2).min(PAUSES.1));
            }
        }
    }

    /// Gives back what was allocated and not used.
    fn leave(mut self) {
        let (place, prepared) = self.inbox.leave();
        if let Some(prepared) = prepared {
            let path = self.folder.path(prepared.segment().writer(), prepared.segment().number());
            // What is not removed here is by repair.
            let _ = fs::remove_file(path);
        }
        if let Some(place) = place {
            place.segment().cut(&mut self.disk, place.end());
        }
    }
}

/// Tells those who wait when the thread ends, also by a panic.
struct End(Arc<Inbox>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
