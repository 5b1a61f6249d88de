//! How near an upstream is to limits of its own, as it tells with every reply: who may wait is shed before it
//! refuses.

use super::{Failure, Way};
use crate::balancer::{Balancer, Candidate, Pressure};
use crate::call::Call;
use crate::error::Class;
use crate::gate::Shop;
use crate::headers::Headers;
use crate::limiter::monotonic_ns;
use crate::plan::{Deployment, Priority};
use std::time::Duration;

/// How long what an upstream tells holds if it does not say so.
const USUAL: Duration = Duration::from_secs(5);
/// How long it holds at most: limits of upstreams are for minutes.
const LONGEST: Duration = Duration::from_secs(60);
/// A tenth of a limit or less that is left is near its end.
const NEAR: u64 = 10;

/// The headers of one limit: what is left, what it is, and when it is full again.
const LIMITS: [[&str; 3]; 4] = [
    ["x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"],
    ["x-ratelimit-remaining-tokens", "x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens"],
    [
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-reset",
    ],
    [
        "anthropic-ratelimit-tokens-remaining",
        "anthropic-ratelimit-tokens-limit",
        "anthropic-ratelimit-tokens-reset",
    ],
];

/// Notes what a reply tells.
pub(super) fn note(balancer: &Balancer, deployment: &Deployment, headers: &Headers) {
    let told = LIMITS.iter().filter_map(|names| of_limit(headers, names));
    if let Some((is_used_up, time)) = told.max() {
        balancer.press(deployment.id_hash, is_used_up, time, monotonic_ns());
    }
}

/// Whether a limit is used up, and for how long it is near its end; none if it is not, or nothing is told.
fn of_limit(headers: &Headers, [left, limit, reset]: &[&str; 3]) -> Option<(bool, Duration)> {
    let number = |name: &str| headers.text(name)?.trim().parse::<u64>().ok();
    let left = number(left)?;
    let most = number(limit).unwrap_or(0);
    if left > 0 && left.saturating_mul(NEAR) > most {
        return None;
    }
    let time = headers.text(reset).and_then(duration).unwrap_or(USUAL);
    Some((left == 0, time.min(LONGEST)))
}

/// A duration as Go writes it, as OpenAI's headers do: `6m0s`, `12ms`, `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text.trim(), 0.0);
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let value: f64 = rest[..unit_at].parse().ok()?;
        let end = rest[unit_at..].find(|c: char| !c.is_ascii_alphabetic());
        let end = end.map_or(rest.len(), |length| unit_at + length);
        sum += value
            * match &rest[unit_at..end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                _ => return None,
            };
        rest = &rest[end..];
    }
    Duration::try_from_secs_f64(sum).ok()
}

/// Leaves out deployments that are near their limits, as far as a request's priority asks for it. With low
/// priority it goes to none of them. With normal priority it waits where all are used up, as long as the
/// policy waits between attempts. With high priority it goes on.
pub(super) async fn respect(
    shop: &Shop,
    call: &Call,
    candidates: &mut Vec<Candidate>,
    way: &mut Way<'_>,
    group: usize,
) -> Result<(), Failure> {
    let now = monotonic_ns();
    let state = |one: &Candidate| shop.balancer.pressure(one.id_hash, now);
    if candidates.iter().all(|one| state(one) == Pressure::None) {
        return Ok(());
    }
    let soonest = candidates.iter().map(|one| state(one).time()).min().unwrap_or_default();
    match call.key.priority() {
        Priority::High => {}
        Priority::Low => {
            candidates.retain(|one| state(one) == Pressure::None);
            if candidates.is_empty() {
                return Err(shed(&call.plan.groups[group].name, soonest));
            }
        }
        Priority::Normal => {
            let is_used_up = |one: &Candidate| matches!(state(one), Pressure::UsedUp(_));
            if candidates.iter().all(is_used_up) {
                way.pause(soonest.min(call.plan.retry.longest)).await;
            } else {
                candidates.retain(|one| !is_used_up(one));
            }
        }
    }
    Ok(())
}

fn shed(group: &str, time: Duration) -> Failure {
    let message = format!(
        "Every deployment of `{group}` is near its provider's limits: requests of low priority have to wait."
    );
    Failure { retry_after: Some(time), is_shed: true, ..Failure::new(Class::RateLimited, message) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn durations_read_as_go_writes_them() {
        for (text, milliseconds) in
            [("12ms", 12), ("1s", 1000), ("1.5s", 1500), ("6m0s", 360_000), ("1h2m3s", 3_723_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for odd in ["1", "s", "1d", "-1s", "2026-11-25T00:00:00Z"] {
            assert_eq!(duration(odd), None, "{odd}");
        }
    }

    fn told(left: &str, limit: &str, reset: &str) -> Option<(bool, Duration)> {
        let mut map = http::HeaderMap::new();
        for (name, value) in LIMITS[0].iter().zip([left, limit, reset]) {
            map.insert(*name, value.parse().unwrap());
        }
        of_limit(&Headers::from_map(&map), &LIMITS[0])
    }

    #[test]
    fn a_tenth_that_is_left_is_near_the_end() {
        let second = Duration::from_secs(1);
        assert_eq!(told("11", "100", "1s"), None);
        assert_eq!(told("10", "100", "1s"), Some((false, second)));
        assert_eq!(told("0", "100", "1s"), Some((true, second)));
        assert_eq!(told("0", "many", "soon"), Some((true, USUAL)));
        assert_eq!(told("0", "100", "10h"), Some((true, LONGEST)));
        assert_eq!(told("some", "100", "1s"), None);
    }
}
