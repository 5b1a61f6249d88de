//! Waiting for a moment where the kernel offers no timer to wait on: to the millisecond only.

use std::io;
use std::time::Instant;

/// The runtime's timer.
#[derive(Debug)]
pub(super) struct Clock;

impl Clock {
    pub fn new() -> io::Result<Self> {
        Ok(Clock)
    }

    /// Waits until `due`.
    pub async fn wait_until(&mut self, due: Instant) -> io::Result<()> {
        tokio::time::sleep_until(due.into()).await;
        Ok(())
    }
}
