//! How failures are met: how often something is tried again, and after which wait.

use super::seconds;
use crate::balancer::CooldownPolicy;
use crate::error::Class;
use crate::snapshot;
use std::collections::HashMap;
use std::time::Duration;

/// The retry policy, by class.
pub struct Retry {
    retries: u32,
    by_class: HashMap<String, u32>,
    base: Duration,
    /// The longest wait between attempts.
    pub longest: Duration,
    /// When a deployment is sent to rest.
    pub cooldown: CooldownPolicy,
}

impl Retry {
    /// The policy as the snapshot has it.
    pub(super) fn new(policy: snapshot::RetryPolicy) -> Self {
        Retry {
            retries: policy.retries,
            by_class: policy.by_class,
            base: seconds(policy.backoff_base),
            longest: seconds(policy.backoff_max),
            cooldown: CooldownPolicy {
                allowed_fails: policy.allowed_fails,
                cooldown: seconds(policy.cooldown),
            },
        }
    }

    /// Attempts after the first that a failure of this class is worth, within one group.
    #[must_use]
    pub fn retries(&self, class: Class) -> u32 {
        if !class.row().retry {
            return 0;
        }
        self.by_class.get(class.row().name).copied().unwrap_or(self.retries)
    }

    /// The wait before the n-th retry (from 0): exponential, and somewhere in its upper half.
    #[must_use]
    pub fn backoff(&self, retry: u32, rng: &mut fastrand::Rng) -> Duration {
        let whole = self.base.saturating_mul(1 << retry.min(16)).min(self.longest);
        whole.mul_f64(0.5 + rng.f64() / 2.0)
    }
}
