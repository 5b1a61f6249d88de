//! Finding the bucket of an id: a set-associative table whose every change is one compare-and-swap
//! of tag and TAT together.
//!
//! An id can only live in the 16 slots of its set. A newcomer takes the slot with the earliest TAT
//! (an empty slot has 0), provided that bucket has been full for a while: nothing is lost with it.
//! Because TATs only grow, two processes that bring in the same id at once agree on the slot; the
//! one that loses the compare-and-swap looks again and finds the id. Corrections may lower a TAT,
//! but not below the present, and [`GRACE`] keeps the present out of a newcomer's reach.

use crate::shm::Bucket;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// Slots of one set: four cache lines.
const WAYS: usize = 16;
/// How long a bucket must have been full before its slot is given away, in ns. Longer than any
/// process dawdles between reading the clock and its compare-and-swap.
const GRACE: u64 = 10_000_000_000;

/// The buckets of the machine.
pub(super) struct Table<'a>(pub &'a [Bucket]);

/// A slot and what was read there.
pub(super) struct Found<'a> {
    slot: &'a Bucket,
    seen: u128,
    /// Theoretical arrival time of the id; 0 (long ago) when it is new.
    pub tat: u64,
    /// The id has no slot yet; this one may be taken.
    pub is_new: bool,
}

/// The part of an id kept in the table; never 0, which marks an empty slot. Ids are halves of a
/// cryptographic hash, so 64 bits tell apart all that a machine will ever limit.
pub(super) fn tag(id: u128) -> u64 {
    ((id >> 64) as u64 ^ id as u64).max(1)
}

impl<'a> Table<'a> {
    /// The slot of `tag`, or one it may take; `None` when its set is full of busy buckets.
    pub(super) fn find(&self, tag: u64, now: u64) -> Option<Found<'a>> {
        let set = self.set(tag);
        let mut oldest: Option<(&Bucket, u128)> = None;
        for slot in set {
            let seen = slot.load(Acquire);
            if tag_of(seen) == tag {
                return Some(Found { slot, seen, tat: tat_of(seen), is_new: false });
            }
            if oldest.is_none_or(|(_, oldest)| tat_of(seen) < tat_of(oldest)) {
                oldest = Some((slot, seen));
            }
        }
        let (slot, seen) = oldest?;
        let is_free = seen == 0 || tat_of(seen).saturating_add(GRACE) <= now;
        is_free.then_some(Found { slot, seen, tat: 0, is_new: true })
    }

    /// Writes tag and TAT, unless the slot has changed since it was found.
    pub(super) fn replace(&self, found: &Found<'_>, tag: u64, tat: u64) -> bool {
        let new = u128::from(tag) << 64 | u128::from(tat);
        found.slot.compare_exchange(found.seen, new, AcqRel, Acquire).is_ok()
    }

    fn set(&self, tag: u64) -> &'a [Bucket] {
        let sets = self.0.len() / WAYS;
        let first = (tag % sets as u64) as usize * WAYS;
        &self.0[first..first + WAYS]
    }
}

fn tag_of(bucket: u128) -> u64 {
    (bucket >> 64) as u64
}

fn tat_of(bucket: u128) -> u64 {
    bucket as u64
}
