//! Rate limits, exact across all worker processes: token buckets (GCRA) in shared memory.
//!
//! A bucket is one number, its *theoretical arrival time* (TAT): the monotonic time at which it
//! will be full again. Taking `cost` tokens moves the TAT `cost × window / amount` ahead, and is
//! allowed while the TAT stays within `burst × window / amount` of now. There is nothing to refill
//! and nothing to reset, and a single compare-and-swap decides each request.

mod gcra;
mod table;

use crate::shm::{Shared, Word};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use table::Table;

pub use crate::shm::monotonic_ns;

/// How much may pass. At most one unit per nanosecond, below that it does not limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Units per window; 0 lets nothing pass.
    pub amount: u64,
    /// The time in which `amount` units flow in.
    pub window: Duration,
    /// Units a full bucket holds.
    pub burst: u64,
}

impl Limit {
    /// `amount` per window, all of which may come at once.
    #[must_use]
    pub const fn per(amount: u64, window: Duration) -> Self {
        Limit { amount, window, burst: amount }
    }

    /// `amount` per minute, all of which may come at once.
    #[must_use]
    pub const fn per_minute(amount: u64) -> Self {
        Limit::per(amount, Duration::from_secs(60))
    }
}

/// The answer, and the state of the bucket after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The cost was taken; otherwise nothing was.
    pub allowed: bool,
    /// The bucket's capacity (`burst`).
    pub limit: u64,
    /// Whole units left.
    pub remaining: u64,
    /// Until the bucket is full.
    pub reset: Duration,
    /// Until the same cost would be allowed; zero when it was. A cost above the burst never will
    /// be: then it is one window, or until the bucket is full if that is longer.
    pub retry_after: Duration,
}

/// One of the buckets that a request draws on.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// The bucket, see [`bucket_id`].
    pub id: u128,
    /// Units to take.
    pub cost: u64,
    /// The limit on that bucket.
    pub limit: Limit,
}

/// The refusal of [`Limiter::acquire_all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Which of the takes was refused.
    pub index: usize,
    /// How that bucket stands.
    pub decision: Decision,
}

/// What to do when the table has no room for another busy bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Refuse the request.
    Deny,
    /// Let it pass unlimited.
    Allow,
}

/// The rate limiter of the machine.
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<Shared>,
    overflow: Overflow,
}

impl Limiter {
    /// A limiter over the buckets in `shared`; refuses when their table is full.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Limiter { shared, overflow: Overflow::Deny }
    }

    /// The same limiter with another answer to a full table.
    #[must_use]
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Takes `cost` units from a bucket, all or nothing; a cost of 0 asks whether it is out of
    /// debt. `now_ns` is [`monotonic_ns`].
    #[must_use]
    pub fn acquire(&self, id: u128, cost: u64, limit: &Limit, now_ns: u64) -> Decision {
        let (tag, table) = (table::tag(id), self.table());
        loop {
            let Some(found) = table.find(tag, now_ns) else {
                return self.overflowed(limit);
            };
            let outcome = gcra::take(found.tat, cost, limit, now_ns);
            if !outcome.decision.allowed || table.replace(&found, tag, outcome.tat) {
                return outcome.decision;
            }
        }
    }

    /// Takes from every bucket or from none; decisions come in the order of `takes`.
    ///
    /// # Errors
    /// The first bucket that refused. What the ones before it gave is given back.
    pub fn acquire_all(&self, takes: &[Take], now_ns: u64) -> Result<Vec<Decision>, Denied> {
        let mut decisions = Vec::with_capacity(takes.len());
        for (index, take) in takes.iter().enumerate() {
            let decision = self.acquire(take.id, take.cost, &take.limit, now_ns);
            if !decision.allowed {
                for taken in &takes[..index] {
                    self.shift(taken.id, gcra::Shift::Back(taken.cost), &taken.limit, now_ns);
                }
                return Err(Denied { index, decision });
            }
            decisions.push(decision);
        }
        Ok(decisions)
    }

    /// Corrects an earlier take once the truth is known: charges `delta` more units (it may leave
    /// the bucket in debt, by at most one window), or gives back when `delta` is negative.
    pub fn settle(&self, id: u128, delta: i64, limit: &Limit, now_ns: u64) {
        let units = delta.unsigned_abs();
        match delta {
            0 => {}
            1.. => self.shift(id, gcra::Shift::Charge(units), limit, now_ns),
            _ => self.shift(id, gcra::Shift::Back(units), limit, now_ns),
        }
    }

    /// How a bucket stands, taking nothing.
    #[must_use]
    pub fn peek(&self, id: u128, limit: &Limit, now_ns: u64) -> Decision {
        self.foresee(Take { id, cost: 0, limit: *limit }, now_ns)
    }

    /// What would become of a take, taking nothing.
    #[must_use]
    pub fn foresee(&self, take: Take, now_ns: u64) -> Decision {
        let found = self.table().find(table::tag(take.id), now_ns);
        gcra::take(found.map_or(0, |found| found.tat), take.cost, &take.limit, now_ns).decision
    }

    fn shift(&self, id: u128, shift: gcra::Shift, limit: &Limit, now_ns: u64) {
        let (tag, table) = (table::tag(id), self.table());
        loop {
            let Some(found) = table.find(tag, now_ns) else {
                return;
            };
            // A bucket that was recycled meanwhile is full: there is nothing to give back to.
            if found.is_new && matches!(shift, gcra::Shift::Back(_)) {
                return;
            }
            let tat = gcra::shifted(found.tat, shift, limit, now_ns);
            if table.replace(&found, tag, tat) {
                return;
            }
        }
    }

    fn table(&self) -> Table<'_> {
        Table(&self.shared.buckets)
    }

    fn overflowed(&self, limit: &Limit) -> Decision {
        self.shared.word(Word::BucketOverflow).fetch_add(1, Relaxed);
        let allowed = self.overflow == Overflow::Allow;
        let retry_after = if allowed { Duration::ZERO } else { Duration::from_secs(1) };
        Decision { allowed, limit: limit.burst, remaining: 0, reset: limit.window, retry_after }
    }
}

/// Names the bucket of `name` within `scope` (`"key-rpm"`, `"key-tpm"`, …); compute it once.
#[must_use]
pub fn bucket_id(scope: &str, name: &str) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(scope.len() as u64).to_le_bytes());
    hasher.update(scope.as_bytes());
    hasher.update(name.as_bytes());
    hasher.finalize().as_bytes().first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
