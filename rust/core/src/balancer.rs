//! Which deployment takes the next attempt: by order, then by weight, leaving out those that rest.
//!
//! Health is known machine-wide: when one worker's failures send a deployment to rest, it rests
//! for all of them.

use crate::shm::{Health, Shared};
use crate::snapshot::RetryPolicy;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::time::Duration;

/// How far from its home a row may lie.
const REACH: usize = 64;

/// A deployment that could take the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its index, as handed back by [`Balancer::pick`].
    pub index: usize,
    /// Share of the traffic among those of its order; 0 only when nobody else is left.
    pub weight: u32,
    /// Lower is tried first.
    pub order: u32,
    /// [`deployment_hash`] of its id.
    pub id_hash: u64,
}

/// When a deployment is sent to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CooldownPolicy {
    /// Failures in a row that send it to rest; 0 counts as 1.
    pub allowed_fails: u32,
    /// How long it rests.
    pub cooldown: Duration,
}

impl From<&RetryPolicy> for CooldownPolicy {
    fn from(policy: &RetryPolicy) -> Self {
        CooldownPolicy {
            allowed_fails: policy.allowed_fails,
            cooldown: Duration::try_from_secs_f64(policy.cooldown).unwrap_or_default(),
        }
    }
}

/// How near a deployment's provider is to limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Not near, as far as is known.
    None,
    /// Little is left, for so long.
    Near(Duration),
    /// Nothing is left, for so long.
    UsedUp(Duration),
}

impl Pressure {
    /// For how long it is so.
    #[must_use]
    pub fn time(self) -> Duration {
        match self {
            Pressure::None => Duration::ZERO,
            Pressure::Near(time) | Pressure::UsedUp(time) => time,
        }
    }
}

/// Chooses among deployments and keeps their health.
#[derive(Clone)]
pub struct Balancer {
    shared: Arc<Shared>,
}

impl Balancer {
    /// A balancer over the health kept in `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Balancer { shared }
    }

    /// The index of the deployment to try next: of those not in `tried` and not resting the lowest
    /// order, at random by weight among equals. When all rest, the one whose rest ends first;
    /// `None` when all have been tried. `now` is `monotonic_ns`.
    #[must_use]
    pub fn pick(
        &self,
        candidates: &[Candidate],
        tried: &[usize],
        now: u64,
        rng: &mut fastrand::Rng,
    ) -> Option<usize> {
        let mut draw = Draw::default();
        let mut first_to_wake: Option<(u64, usize)> = None;
        for candidate in candidates.iter().filter(|one| !tried.contains(&one.index)) {
            let until = self.resting_until(candidate.id_hash);
            if until <= now {
                draw.offer(candidate, rng);
            } else if first_to_wake.is_none_or(|(earliest, _)| until < earliest) {
                first_to_wake = Some((until, candidate.index));
            }
        }
        draw.chosen.or(first_to_wake.map(|(_, index)| index))
    }

    /// Notes a failure. True when it sends the deployment to rest: for exactly one caller of the
    /// machine each time. After a rest a single failure is enough, until a success.
    pub fn failure(&self, id_hash: u64, policy: &CooldownPolicy, now: u64) -> bool {
        let Some(health) = self.claim(id_hash, now) else {
            return false;
        };
        let failures = health.failures.fetch_add(1, Relaxed) + 1;
        failures >= u64::from(policy.allowed_fails) && rest(health, policy.cooldown, now)
    }

    /// Sends a deployment to rest at once, as a provider's `Retry-After` asks. True when it did not
    /// rest already.
    pub fn rest(&self, id_hash: u64, time: Duration, now: u64) -> bool {
        self.claim(id_hash, now).is_some_and(|health| rest(health, time, now))
    }

    /// Notes a success: earlier failures no longer count. A rest goes on, for what succeeds during
    /// it is mostly a stream that began before.
    pub fn success(&self, id_hash: u64) {
        let Some(health) = self.find(id_hash) else {
            return;
        };
        // Read first: the row of a healthy deployment then stays in every core's cache.
        if health.failures.load(Relaxed) != 0 {
            health.failures.store(0, Relaxed);
        }
    }

    /// Notes that a provider is near a limit of its own, or has used it up, for that long.
    pub fn press(&self, id_hash: u64, is_used_up: bool, time: Duration, now: u64) {
        if let Some(health) = self.claim(id_hash, now) {
            let until = now.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            health.pressed_until.store(until & !1 | u64::from(is_used_up), Relaxed);
        }
    }

    /// How near a deployment's provider is to its limits.
    #[must_use]
    pub fn pressure(&self, id_hash: u64, now: u64) -> Pressure {
        let until = self.find(id_hash).map_or(0, |health| health.pressed_until.load(Relaxed));
        let time = Duration::from_nanos((until & !1).saturating_sub(now));
        match (time.is_zero(), until & 1 == 1) {
            (true, _) => Pressure::None,
            (false, false) => Pressure::Near(time),
            (false, true) => Pressure::UsedUp(time),
        }
    }

    /// Monotonic time, in ns, until which a deployment rests; 0 when it never had to.
    #[must_use]
    pub fn resting_until(&self, id_hash: u64) -> u64 {
        self.find(id_hash).map_or(0, |health| health.resting_until.load(Relaxed))
    }

    fn find(&self, id_hash: u64) -> Option<&Health> {
        for row in self.probe(id_hash) {
            match row.id.load(Acquire) {
                0 => return None,
                id if id == id_hash => return Some(row),
                _ => {}
            }
        }
        None
    }

    /// The row of a deployment, made if need be. With the table full of others, the row of one
    /// that is healthy or long forgotten; `None` when there is none either: then it never rests.
    fn claim(&self, id_hash: u64, now: u64) -> Option<&Health> {
        if let Some(row) = self.find(id_hash) {
            return Some(row);
        }
        for row in self.probe(id_hash) {
            match row.id.compare_exchange(0, id_hash, AcqRel, Acquire) {
                Ok(_) => return Some(row),
                Err(id) if id == id_hash => return Some(row),
                Err(_) => {}
            }
        }
        self.probe(id_hash).find(|row| recycle(row, id_hash, now))
    }

    fn probe(&self, id_hash: u64) -> impl Iterator<Item = &Health> {
        let rows = &self.shared.health;
        let home = id_hash as usize % rows.len();
        (0..REACH).map(move |step| &rows[(home + step) % rows.len()])
    }
}

/// The hash that names a deployment in the shared memory; never 0.
#[must_use]
pub fn deployment_hash(id: &str) -> u64 {
    blake3::hash(id.as_bytes())
        .as_bytes()
        .first_chunk()
        .map_or(1, |b| u64::from_le_bytes(*b).max(1))
}

/// Weighted choice among the lowest order in one pass: each newcomer replaces the one chosen so
/// far with a chance of its weight over the sum of weights seen.
#[derive(Default)]
struct Draw {
    chosen: Option<usize>,
    order: u32,
    weight: u64,
}

impl Draw {
    fn offer(&mut self, candidate: &Candidate, rng: &mut fastrand::Rng) {
        if self.chosen.is_none() || candidate.order < self.order {
            *self = Draw {
                chosen: Some(candidate.index),
                order: candidate.order,
                weight: u64::from(candidate.weight),
            };
            return;
        }
        if candidate.order > self.order || candidate.weight == 0 {
            return;
        }
        self.weight += u64::from(candidate.weight);
        if rng.u64(..self.weight) < u64::from(candidate.weight) {
            self.chosen = Some(candidate.index);
        }
    }
}

fn rest(health: &Health, time: Duration, now: u64) -> bool {
    let until = health.resting_until.load(Relaxed);
    let ahead = now.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    until <= now && health.resting_until.compare_exchange(until, ahead, Relaxed, Relaxed).is_ok()
}

/// Gives the row of a deployment that does not rest to another one. What the old one loses is its
/// count of failures; a worker still holding the row may add one to the new one's.
fn recycle(row: &Health, id_hash: u64, now: u64) -> bool {
    let id = row.id.load(Acquire);
    if row.resting_until.load(Relaxed) > now {
        return false;
    }
    let is_taken = row.id.compare_exchange(id, id_hash, AcqRel, Acquire).is_ok();
    if is_taken {
        row.pressed_until.store(0, Relaxed);
        row.failures.store(0, Relaxed);
    }
    is_taken
}

#[cfg(test)]
mod tests;
