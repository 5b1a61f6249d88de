//! Places: how many requests may be in hand at once, exact across all worker processes.
//!
//! Every worker has a table of its own in shared memory, in which it alone writes how many places it holds
//! under which name. What a name has in all is the sum over the workers that live, so a worker that is killed
//! at any instant leaves nothing behind: its table counts no more.
//!
//! A place is taken in two steps. A worker first *claims* it, where all others see that, then adds up what
//! all hold and claim. If that fits, the claim becomes a place; if what others hold alone leaves no room, it
//! is withdrawn. Between the two, where claims of several workers meet, the one whose table comes first goes
//! first, and the others withdraw and wait for it: so no more than the limit ever pass, and none is refused
//! because of one that is refused itself.

use crate::metrics::workers;
use crate::shm::{Places as Entry, Shared, Word, monotonic_ns};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Entries in which a name may lie.
const WAYS: usize = 16;
/// How often a worker looks whether claims of others are gone; one that dawdles longer was suspended in the
/// middle of it, and is taken to have its place.
const LOOKS: u32 = 2000;

/// How long a worker that was seen to live is taken to live, in ns: the system is not asked more often.
const LIVES: u64 = 50_000_000;

/// One worker's door to the places of the machine.
#[derive(Clone)]
pub struct Places {
    shared: Arc<Shared>,
    worker: usize,
    /// When each worker was last seen to live (monotonic ns).
    seen: Arc<[AtomicU64]>,
}

/// What is in an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Hand {
    tag: u64,
    held: u32,
    claimed: u32,
}

impl Hand {
    fn read(raw: u128) -> Self {
        Hand { tag: (raw >> 64) as u64, held: (raw >> 32) as u32, claimed: raw as u32 }
    }

    fn raw(self) -> u128 {
        u128::from(self.tag) << 64 | u128::from(self.held) << 32 | u128::from(self.claimed)
    }

    fn is_empty(self) -> bool {
        self.held == 0 && self.claimed == 0
    }
}

/// What all workers together have of a name.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    held: u64,
    claimed: u64,
    /// A worker whose table comes before ours claims some.
    is_preceded: bool,
}

impl Places {
    /// The places as `worker` takes them, the index of this process among its like. It begins with none:
    /// whatever a dead predecessor held is free.
    #[must_use]
    pub fn new(shared: Arc<Shared>, worker: usize) -> Self {
        let worker = worker % shared.workers.len();
        shared.places[worker].iter().for_each(|entry| entry.store(0, SeqCst));
        let seen = shared.workers.iter().map(|_| AtomicU64::new(0)).collect();
        Places { shared, worker, seen }
    }

    /// Takes a place under a name if fewer than `most` are taken.
    ///
    /// # Errors
    /// How many are taken.
    pub fn take(&self, id: u128, most: u64) -> Result<(), u64> {
        let tag = tag(id);
        for look in 0..LOOKS {
            if !self.change(tag, |hand| hand.claimed = hand.claimed.saturating_add(1)) {
                self.shared.word(Word::PlaceOverflow).fetch_add(1, Relaxed);
                return Err(most);
            }
            let mut sum = self.sum(tag, |_| true);
            if sum.held + sum.claimed > most {
                // Who holds them may be dead.
                sum = self.sum(tag, |worker| self.lives(worker));
            }
            if sum.held + sum.claimed <= most {
                self.change(tag, |hand| {
                    hand.claimed = hand.claimed.saturating_sub(1);
                    hand.held = hand.held.saturating_add(1);
                });
                return Ok(());
            }
            self.change(tag, |hand| hand.claimed = hand.claimed.saturating_sub(1));
            if sum.held >= most {
                return Err(sum.held);
            }
            self.wait(look, sum.is_preceded);
        }
        Err(self.taken(id))
    }

    /// Gives a place back.
    pub fn free(&self, id: u128) {
        self.change(tag(id), |hand| hand.held = hand.held.saturating_sub(1));
    }

    /// How many places are taken under a name.
    #[must_use]
    pub fn taken(&self, id: u128) -> u64 {
        self.sum(tag(id), |worker| self.lives(worker)).held
    }

    /// Who comes first tries again at once; the others give it time to.
    fn wait(&self, look: u32, is_preceded: bool) {
        let spins = if is_preceded { 64 } else { 4 };
        (0..spins).for_each(|_| std::hint::spin_loop());
        // It may be waiting for this very core.
        if look % 16 == 15 {
            std::thread::yield_now();
        }
    }

    /// Changes this worker's entry of a name; false if there is no room for it. A name of which nothing is
    /// left leaves its entry to others.
    fn change(&self, tag: u64, change: impl Fn(&mut Hand)) -> bool {
        loop {
            let mut free = None;
            let mut found = None;
            for entry in self.set(self.worker, tag) {
                let raw = entry.load(SeqCst);
                let hand = Hand::read(raw);
                if hand.tag == tag {
                    found = Some((entry, raw));
                    break;
                }
                if hand.is_empty() && free.is_none() {
                    free = Some((entry, raw));
                }
            }
            let Some((entry, raw)) = found.or(free) else { return false };
            let mut hand =
                if found.is_some() { Hand::read(raw) } else { Hand { tag, ..Hand::default() } };
            change(&mut hand);
            if entry.compare_exchange(raw, hand.raw(), SeqCst, SeqCst).is_ok() {
                return true;
            }
        }
    }

    /// What all workers that count hold and claim under a tag.
    fn sum(&self, tag: u64, counts: impl Fn(usize) -> bool) -> Sum {
        let mut sum = Sum::default();
        for (worker, row) in self.shared.workers.iter().enumerate() {
            // Tables of workers that never were are not looked through.
            if worker != self.worker && row.pid.load(SeqCst) == 0 {
                continue;
            }
            let hands = self.set(worker, tag).iter().map(|entry| Hand::read(entry.load(SeqCst)));
            for hand in hands.filter(|hand| hand.tag == tag && !hand.is_empty()) {
                if worker == self.worker || counts(worker) {
                    sum.held += u64::from(hand.held);
                    sum.claimed += u64::from(hand.claimed);
                    sum.is_preceded |= hand.claimed > 0 && worker < self.worker;
                }
            }
        }
        sum
    }

    fn lives(&self, worker: usize) -> bool {
        let (now, seen) = (monotonic_ns(), &self.seen[worker]);
        if now.saturating_sub(seen.load(Relaxed)) < LIVES {
            return true;
        }
        let lives = workers::is_alive(&self.shared.workers[worker]);
        seen.store(if lives { now } else { 0 }, Relaxed);
        lives
    }

    fn set(&self, worker: usize, tag: u64) -> &[Entry] {
        let table = &self.shared.places[worker];
        let sets = table.len() / WAYS;
        let first = (tag % sets as u64) as usize * WAYS;
        &table[first..first + WAYS]
    }
}

/// The part of an id that is kept; never 0.
fn tag(id: u128) -> u64 {
    ((id >> 64) as u64 ^ id as u64).max(1)
}

#[cfg(test)]
mod tests;
