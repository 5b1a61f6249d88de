//! When requests are sent: at once (closed loop) or at their due times (open loop).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::clock::Clock;
use super::worker::Shared;
use super::{Plan, Until};

/// Requests handed out to the connections.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Requests not handed out yet.
    left: Cell<u64>,
    /// In the open loop, the due times of requests that wait for a connection.
    due: Option<RefCell<VecDeque<Instant>>>,
    arrived: Notify,
}

impl Arrivals {
    pub fn new(plan: &Plan) -> Self {
        let left = match plan.until {
            Until::Requests(count) => count,
            Until::Elapsed(_) => u64::MAX,
        };
        let due = plan.rate.map(|_| RefCell::default());
        Arrivals { left: Cell::new(left), due, arrived: Notify::new() }
    }

    /// Hands out no more requests.
    pub fn stop(&self) {
        self.left.set(0);
        self.arrived.notify_waiters();
    }

    /// The next request's due time; `None` when there are no more.
    pub async fn next(&self) -> Option<Instant> {
        loop {
            if self.left.get() == 0 {
                return None;
            }
            let due = match &self.due {
                None => Some(Instant::now()),
                Some(due) => due.borrow_mut().pop_front(),
            };
            if let Some(due) = due {
                self.hand_out();
                return Some(due);
            }
            self.arrived.notified().await;
        }
    }

    fn hand_out(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.arrived.notify_waiters();
        }
    }

    fn arrive(&self, moment: Instant) {
        if let Some(due) = &self.due {
            due.borrow_mut().push_back(moment);
            self.arrived.notify_one();
        }
    }
}

/// Lets requests arrive at the plan's rate for as long as it runs.
pub(super) async fn pace(shared: Rc<Shared>) {
    let (Some(rate), Ok(mut clock)) = (shared.plan.rate, Clock::new()) else { return };
    let started = Instant::now();
    for number in 0u64.. {
        let due = started + Duration::from_secs_f64(number as f64 / rate);
        if clock.wait_until(due).await.is_err() {
            return;
        }
        shared.arrivals.arrive(due);
    }
}
