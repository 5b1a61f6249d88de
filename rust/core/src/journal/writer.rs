//! The thread that brings groups of records to the disk, however often it takes.

use super::Options;
use super::disk::Disk;
use super::folder::Folder;
use super::inbox::{Group, Inbox};
use super::segment::Segment;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The first and the longest pause before a group is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// What the thread works with.
pub(super) struct Desk<D: Disk> {
    disk: D,
    inbox: Arc<Inbox>,
    folder: Folder,
    segment: Segment,
    options: Options,
}

impl<D: Disk> Desk<D> {
    pub(super) fn new(
        disk: D,
        inbox: Arc<Inbox>,
        folder: Folder,
        segment: Segment,
        options: Options,
    ) -> Self {
        Desk { disk, inbox, folder, segment, options }
    }

    /// Writes until the journal is closed.
    pub(super) fn work(mut self) {
        let _end = End(self.inbox.clone());
        let mut spent = Vec::new();
        while let Some(group) = self.inbox.take(self.options.gather, spent) {
            if !self.put(&group) {
                return;
            }
            spent = group.frames;
        }
    }

    /// Brings a group to the disk; false if that was given up.
    fn put(&mut self, group: &Group) -> bool {
        let (mut rest, mut first) = (&group.frames[..], group.first);
        let mut pause = PAUSES.0;
        while !rest.is_empty() {
            match self.put_piece(rest, first) {
                Ok((bytes, records)) => {
                    (rest, first) = (&rest[bytes..], first + records);
                    self.inbox.advance(first, bytes);
                    pause = PAUSES.0;
                }
                Err(error) => {
                    if !self.inbox.is_to_go_on(error.to_string(), pause, self.options.patience) {
                        return false;
                    }
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
        true
    }

    /// Brings as many frames to the disk as the segment has room for, the next one if it has none.
    fn put_piece(&mut self, frames: &[u8], first: u64) -> io::Result<(usize, u64)> {
        let most = self.options.segment_bytes;
        let mut piece = self.segment.room_for(frames, most);
        if piece.bytes == 0 {
            self.segment = self.segment.next(&mut self.disk, &self.folder, first)?;
            piece = self.segment.room_for(frames, most);
        }
        self.segment.write(&mut self.disk, &frames[..piece.bytes])?;
        Ok((piece.bytes, piece.records))
    }
}

/// Tells those who wait when the thread ends, also by a panic.
struct End(Arc<Inbox>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}
