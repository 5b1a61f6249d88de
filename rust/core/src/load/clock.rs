//! Waiting for a moment to within microseconds, which the runtime's own millisecond timer cannot.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A kernel timer.
#[derive(Debug)]
pub(super) struct Clock(AsyncFd<OwnedFd>);

impl Clock {
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: `OwnedFd` keeps the descriptor open for as long as `AsyncFd` owns it, and nobody
        // else can replace or close it.
        Ok(Clock(unsafe { AsyncFd::register(timer) }?))
    }

    /// Waits until `due`.
    pub async fn wait_until(&mut self, due: Instant) -> io::Result<()> {
        let wait = due.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Ok(());
        }
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once =
            Itimerspec { it_interval: never, it_value: wait.try_into().map_err(out_of_range)? };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        let mut ready = self.0.readable().await?;
        // Setting the timer anew clears its count, so there is no need to read it.
        ready.clear_ready();
        Ok(())
    }
}

fn out_of_range<E>(_: E) -> io::Error {
    io::ErrorKind::InvalidInput.into()
}
