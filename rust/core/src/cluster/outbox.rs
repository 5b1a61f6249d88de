//! Corrections on their way to Redis, and the places that this worker has taken.

use super::{Claim, Correction, Name};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Corrections that wait at most: of about 64 bytes each. What comes on top drops the oldest.
const MOST: usize = 200_000;

/// What is to be told to Redis, by whoever finds the time.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: Mutex<VecDeque<Correction>>,
    /// By who takes it, whose place.
    places: Mutex<HashMap<u128, Name>>,
    dropped: AtomicU64,
    /// Something has been put.
    pub(super) put: Notify,
}

impl Outbox {
    pub(super) fn put(&self, corrections: impl IntoIterator<Item = Correction>) {
        let mut waiting = lock(&self.waiting);
        for correction in corrections {
            if let Correction::Place { who, .. } = &correction {
                lock(&self.places).remove(who);
            }
            waiting.push_back(correction);
        }
        while waiting.len() > MOST {
            waiting.pop_front();
            self.dropped.fetch_add(1, Relaxed);
        }
        self.put.notify_one();
    }

    /// Takes the next ones out.
    pub(super) fn next(&self, most: usize) -> Vec<Correction> {
        let mut waiting = lock(&self.waiting);
        let count = waiting.len().min(most);
        waiting.drain(..count).collect()
    }

    /// Gives a call's claims back, of which nobody knows whether they were taken.
    pub(super) fn give_back(&self, call: u128, claims: &[Claim]) {
        let corrections = claims.iter().map(|claim| match *claim {
            Claim::Rate { name, cost, limit } => {
                Correction::Rate { name, delta: -signed(cost), limit }
            }
            Claim::Budget { name, window, hold, .. } => {
                Correction::Budget { name, window, delta: -signed(hold) }
            }
            Claim::Place { name, who, .. } => Correction::Place { name, who },
        });
        self.put([Correction::Undo { call, corrections: corrections.collect() }]);
    }

    /// Notes the places among claims that were taken: their leases are to be renewed.
    pub(super) fn hold_places(&self, claims: &[Claim]) {
        for claim in claims {
            if let Claim::Place { name, who, .. } = *claim {
                lock(&self.places).insert(who, name);
            }
        }
    }

    /// Who has a place, and whose it is.
    pub(super) fn places(&self) -> Vec<(u128, Name)> {
        lock(&self.places).iter().map(|(who, name)| (*who, *name)).collect()
    }

    pub(super) fn waiting(&self) -> usize {
        lock(&self.waiting).len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
