//! Responses that were to be stored and were not: each is counted, few are logged.

use super::unix_seconds;
use crate::gate::Shop;
use crate::metrics::Counter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Seconds between two lines of the log: where the disk is full, every response is lost.
const PAUSE: u64 = 10;

/// Counts and logs them.
pub(super) struct Losses {
    shop: Arc<Shop>,
    logged_at: AtomicU64,
}

impl Losses {
    pub(super) fn new(shop: Arc<Shop>) -> Self {
        Losses { shop, logged_at: AtomicU64::new(0) }
    }

    /// Notes one; the reason is for the log.
    pub(super) fn note(&self, reason: &str) {
        self.shop.metrics.count(Counter::ResponseLost);
        if self.is_due(unix_seconds()) {
            self.shop.log.warn("a response was not stored", &[("reason", reason)]);
        }
    }

    /// Whether a line may be written now.
    fn is_due(&self, now: u64) -> bool {
        let last = self.logged_at.load(Relaxed);
        let due = now.saturating_sub(last) >= PAUSE;
        due && self.logged_at.compare_exchange(last, now, Relaxed, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shop;

    #[test]
    fn a_full_disk_does_not_fill_the_log() {
        let losses = Losses::new(Arc::new(shop(None)));
        let lines = (1000..1100).filter(|&now| losses.is_due(now)).count();
        assert_eq!(lines, 10);
    }
}
