//! Claims and corrections as the scripts' arguments, and their answer.

use super::{Claim, Correction, Name, Verdict};
use crate::limiter::Limit;
use redis::ScriptInvocation;
use std::time::Duration;

/// Unix seconds from which the scripts count, 2026-01-01: their numbers are doubles, and tell tenths of a
/// microsecond only near zero.
const EPOCH: u64 = 1_767_225_600;
/// Seconds of a place's lease; renewed well before its end.
pub(super) const LEASE_SECONDS: u64 = 30;
/// Seconds that a budget is counted on after its window, for what is settled late.
const LATE_SECONDS: u64 = 24 * 3600;
const NONE: &str = "";

/// Writes claims down for `reserve.lua`.
pub(super) fn claims(
    call: &mut ScriptInvocation<'_>,
    namespace: &str,
    number: u128,
    claims: &[Claim],
) {
    call.key(key(namespace, "call", number, NONE)).arg(EPOCH);
    for claim in claims {
        match *claim {
            Claim::Rate { name, cost, limit } => {
                call.key(key(namespace, "rate", name, NONE));
                let full = span(limit.burst, &limit);
                call.arg("rate")
                    .arg(decimal(span(cost, &limit)))
                    .arg(decimal(full))
                    .arg(NONE)
                    .arg(NONE);
            }
            Claim::Budget { name, window, ends_at, hold, amount, known } => {
                call.key(key(namespace, "budget", name, &window.to_string()));
                let end = ends_at.saturating_add(LATE_SECONDS).min(u64::from(u32::MAX));
                let amount = amount.map_or_else(String::new, |amount| amount.to_string());
                call.arg("budget").arg(hold).arg(amount).arg(known).arg(end);
            }
            Claim::Place { name, amount, who } => {
                call.key(key(namespace, "places", name, NONE));
                call.arg("place").arg(amount).arg(hex(who)).arg(LEASE_SECONDS).arg(NONE);
            }
        }
    }
}

/// Writes corrections down for `settle.lua`, and after them the leases to renew.
pub(super) fn corrections(
    call: &mut ScriptInvocation<'_>,
    namespace: &str,
    number: u128,
    corrections: &[Correction],
    places: &[(u128, Name)],
) {
    call.key(key(namespace, "batch", number, NONE)).arg(EPOCH);
    for one in corrections {
        match one {
            Correction::Undo { call: number, corrections } => {
                call.key(key(namespace, "call", *number, NONE));
                call.arg("undo").arg(corrections.len()).arg(NONE);
                corrections.iter().for_each(|one| correction(call, namespace, one));
            }
            _ => correction(call, namespace, one),
        }
    }
    for &(who, name) in places {
        call.key(key(namespace, "places", name, NONE));
        call.arg("lease").arg(hex(who)).arg(LEASE_SECONDS);
    }
}

fn correction(call: &mut ScriptInvocation<'_>, namespace: &str, one: &Correction) {
    match *one {
        Correction::Rate { name, delta, limit } => {
            call.key(key(namespace, "rate", name, NONE));
            let amount = decimal(span(delta.unsigned_abs(), &limit));
            let sign = if delta < 0 { "-" } else { NONE };
            let deepest = span(limit.burst, &limit) + limit.window.as_secs_f64() * 1e6;
            call.arg("rate").arg(format!("{sign}{amount}")).arg(decimal(deepest));
        }
        Correction::Budget { name, window, delta } => {
            call.key(key(namespace, "budget", name, &window.to_string()));
            call.arg("budget").arg(delta).arg(NONE);
        }
        Correction::Place { name, who } => {
            call.key(key(namespace, "places", name, NONE));
            call.arg("place").arg(hex(who)).arg(NONE);
        }
        // One call does not undo another.
        Correction::Undo { .. } => {}
    }
}

/// Reads what `reserve.lua` answered.
pub(super) fn verdict(claims: &[Claim], reply: &[String]) -> Verdict {
    let number = |index: usize| reply.get(index).and_then(|text| text.parse::<f64>().ok());
    match number(0) {
        Some(refused) if refused >= 1.0 && refused <= claims.len() as f64 => {
            let microseconds = number(1).unwrap_or(0.0).clamp(0.0, 1e15);
            Verdict::Refused {
                index: refused as usize - 1,
                retry_after: Duration::from_micros(microseconds as u64),
            }
        }
        Some(_) if reply.len() == claims.len() + 1 => {
            let left = claims.iter().enumerate().map(|(index, claim)| {
                let told = number(index + 1).unwrap_or(0.0).max(0.0);
                match claim {
                    Claim::Rate { limit, .. } => units(told, limit),
                    Claim::Budget { .. } | Claim::Place { .. } => told as u64,
                }
            });
            Verdict::Taken(left.collect())
        }
        _ => Verdict::Unreachable,
    }
}

/// All keys have one hash tag: a script of a clustered Redis may touch one slot only.
fn key(namespace: &str, kind: &str, name: Name, more: &str) -> String {
    format!("{{{namespace}}}:{kind}:{}{}{more}", hex(name), if more.is_empty() { "" } else { ":" })
}

fn hex(number: u128) -> String {
    format!("{number:032x}")
}

fn decimal(microseconds: f64) -> String {
    format!("{microseconds:.3}")
}

/// Microseconds in which that many units flow in.
fn span(units: u64, limit: &Limit) -> f64 {
    if limit.amount == 0 {
        // Never fits: one window more than a full bucket, which holds nothing.
        return if units == 0 { 0.0 } else { limit.window.as_secs_f64() * 1e6 };
    }
    units as f64 * (limit.window.as_secs_f64() * 1e6) / limit.amount as f64
}

/// The whole units that flow in meanwhile; what is a hair short of a whole one came of rounding.
fn units(microseconds: f64, limit: &Limit) -> u64 {
    let window = limit.window.as_secs_f64() * 1e6;
    if window <= 0.0 {
        return limit.burst;
    }
    ((microseconds + 0.1) * limit.amount as f64 / window) as u64
}
