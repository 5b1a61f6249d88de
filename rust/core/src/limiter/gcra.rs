//! The arithmetic of one bucket: pure functions from one theoretical arrival time (TAT) to the next.

use super::{Decision, Limit};
use std::time::Duration;

/// A decision, and the TAT that puts it into effect.
pub(super) struct Outcome {
    pub decision: Decision,
    pub tat: u64,
}

/// A correction that is not refused.
#[derive(Clone, Copy)]
pub(super) enum Shift {
    /// Take that many units more, whatever is left.
    Charge(u64),
    /// Give that many units back.
    Back(u64),
}

/// Takes `cost` units from a bucket standing at `tat`.
pub(super) fn take(tat: u64, cost: u64, limit: &Limit, now: u64) -> Outcome {
    let capacity = span(limit.burst, limit);
    let old = reach(tat, capacity, limit, now);
    let new = old.saturating_add(span(cost, limit));
    let full_at = now.saturating_add(capacity);
    // An amount of 0 spans no time at all: refused by name, or it would pass for free.
    let allowed = new <= full_at && limit.amount > 0;
    let tat = if allowed { new } else { old };
    let wait = if allowed {
        0
    } else if cost > limit.burst || limit.amount == 0 {
        (old - now).max(nanos(limit.window))
    } else {
        new - full_at
    };
    let decision = Decision {
        allowed,
        limit: limit.burst,
        remaining: units(full_at.saturating_sub(tat), limit),
        reset: Duration::from_nanos(tat - now),
        retry_after: Duration::from_nanos(wait),
    };
    Outcome { decision, tat }
}

/// Where a bucket standing at `tat` stands after a correction: never more than full, never deeper
/// in debt than one window.
pub(super) fn shifted(tat: u64, shift: Shift, limit: &Limit, now: u64) -> u64 {
    let capacity = span(limit.burst, limit);
    let old = reach(tat, capacity, limit, now);
    let new = match shift {
        Shift::Charge(units) => old.saturating_add(span(units, limit)),
        Shift::Back(units) => old.saturating_sub(span(units, limit)),
    };
    reach(new, capacity, limit, now)
}

/// Bounds a TAT: a bucket is never more than full, and a limit that was made tighter or shorter
/// does not leave anyone locked out for longer than the new window allows.
fn reach(tat: u64, capacity: u64, limit: &Limit, now: u64) -> u64 {
    let emptiest = now.saturating_add(capacity).saturating_add(nanos(limit.window));
    tat.clamp(now, emptiest)
}

/// The time in which `units` flow in, rounded down so that a whole burst of single units fits.
fn span(units: u64, limit: &Limit) -> u64 {
    if units == 0 || limit.amount == 0 {
        return 0;
    }
    let window = nanos(limit.window);
    let span = match units.checked_mul(window) {
        Some(product) => product / limit.amount,
        None => saturate(u128::from(units) * u128::from(window) / u128::from(limit.amount)),
    };
    span.max(1)
}

/// The whole units that flow in during `span`: the inverse of [`span`].
fn units(span: u64, limit: &Limit) -> u64 {
    let window = nanos(limit.window);
    if window == 0 {
        return limit.burst;
    }
    let units = match span.checked_mul(limit.amount) {
        Some(product) => product / window,
        None => saturate(u128::from(span) * u128::from(limit.amount) / u128::from(window)),
    };
    units.min(limit.burst)
}

fn nanos(time: Duration) -> u64 {
    saturate(time.as_nanos())
}

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
