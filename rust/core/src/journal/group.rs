//! Records that are forced to the disk together, kept in memory until they are there.
//!
//! They stand in the segments already. If forcing fails, what the system has of them is not to be trusted.

use super::frame::HEAD;
use super::mapped::{Place, Segment};
use std::sync::Arc;

/// Frames that follow each other, in one segment or several.
#[derive(Default)]
pub(super) struct Group {
    frames: Vec<u8>,
    starts: Vec<Start>,
    /// The sequence after its last record.
    following: u64,
}

/// Where the frames of one segment begin.
struct Start {
    segment: Arc<Segment>,
    /// In the segment.
    offset: usize,
    /// In the group's frames.
    index: usize,
    /// The sequence of the first.
    first: u64,
}

/// The frames of a group that stand in one segment.
pub(super) struct Part<'a> {
    pub(super) segment: &'a Arc<Segment>,
    pub(super) offset: usize,
    pub(super) frames: &'a [u8],
    /// The sequence of the first, and the one after the last.
    pub(super) first: u64,
    pub(super) following: u64,
}

impl Part<'_> {
    /// Where it ends in the segment.
    pub(super) fn end(&self) -> usize {
        self.offset + self.frames.len()
    }
}

impl Group {
    /// An empty one, in memory that was used before.
    pub(super) fn in_memory_of(mut spent: Group, most: usize) -> Self {
        spent.frames.clear();
        spent.frames.shrink_to(most);
        spent.starts.clear();
        spent
    }

    pub(super) fn bytes(&self) -> usize {
        self.frames.len()
    }

    /// Notes the record that is about to be appended at `place`.
    pub(super) fn push(&mut self, place: &Place, sequence: u64, head: &[u8; HEAD], payload: &[u8]) {
        let segment = place.segment();
        if self.starts.last().is_none_or(|start| start.segment.number() != segment.number()) {
            self.starts.push(Start {
                segment: segment.clone(),
                offset: place.end(),
                index: self.frames.len(),
                first: sequence,
            });
        }
        self.frames.extend_from_slice(head);
        self.frames.extend_from_slice(payload);
        self.following = sequence + 1;
    }

    /// Its parts, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.starts.iter().enumerate().map(|(number, start)| {
            let next = self.starts.get(number + 1);
            Part {
                segment: &start.segment,
                offset: start.offset,
                frames: &self.frames
                    [start.index..next.map_or(self.frames.len(), |next| next.index)],
                first: start.first,
                following: next.map_or(self.following, |next| next.first),
            }
        })
    }
}
