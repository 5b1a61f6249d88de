//! The gauges of the worker processes; those of a process that died no longer count.

use crate::shm::{Shared, Worker};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Requests in hand, connections and sessions open, what is to be written, summed over the living.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InHand {
    pub in_flight: i64,
    pub connections: i64,
    pub realtime: i64,
    pub workers: u64,
    pub ledger_waiting: u64,
    pub ledger_trouble: u64,
}

/// Makes `worker` the row of this process, with nothing in hand.
pub(super) fn enrol(worker: &Worker) {
    let pid = std::process::id();
    worker.in_flight.store(0, Relaxed);
    worker.connections.store(0, Relaxed);
    worker.storing.store(0, Relaxed);
    worker.realtime.store(0, Relaxed);
    worker.ledger_waiting.store(0, Relaxed);
    worker.ledger_trouble.store(0, Relaxed);
    worker.started.store(start_of(pid.into()).unwrap_or(0), Relaxed);
    worker.pid.store(pid.into(), Release);
}

/// Sums up the gauges of the workers that live.
pub(super) fn in_hand(shared: &Shared) -> InHand {
    let mut sum = InHand::default();
    for worker in shared.workers.iter().filter(|worker| is_alive(worker)) {
        sum.in_flight += worker.in_flight.load(Relaxed).max(0);
        sum.connections += worker.connections.load(Relaxed).max(0);
        sum.realtime += worker.realtime.load(Relaxed).max(0);
        sum.ledger_waiting += worker.ledger_waiting.load(Relaxed);
        sum.ledger_trouble += worker.ledger_trouble.load(Relaxed);
        sum.workers += 1;
    }
    sum
}

/// Whether a worker that lives is about to put a response on the disk.
pub(super) fn is_storing(shared: &Shared) -> bool {
    // Whether it lives is asked of the system, so last.
    let storing = |worker: &&Worker| worker.storing.load(Acquire) > 0;
    shared.workers.iter().filter(storing).any(is_alive)
}

/// Whether the process that took this row lives.
pub(crate) fn is_alive(worker: &Worker) -> bool {
    let pid = worker.pid.load(Acquire);
    pid != 0 && start_of(pid) == Some(worker.started.load(Relaxed))
}

/// When process `pid` started, in clock ticks since boot; `None` when there is no such process, or
/// only what its parent has yet to collect.
fn start_of(pid: u64) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "pid (name) state ppid …": the name may hold anything, so count from its end. proc(5)
    start_in(stat.rsplit_once(')')?.1)
}

fn start_in(after_name: &str) -> Option<u64> {
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    // Field 22 of the line, with the state being field 3.
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn this_process_has_a_start_and_an_impossible_one_has_not() {
        assert!(start_of(std::process::id().into()).unwrap() > 0);
        assert_eq!(start_of(u64::MAX), None);
    }

    #[test]
    fn a_process_waiting_to_be_collected_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id().into();
        while start_of(pid).is_some() {
            std::thread::yield_now();
        }
        assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
        child.wait().unwrap();
    }

    #[test]
    fn what_a_dead_worker_had_in_hand_does_not_count() {
        let shared = Shared::anonymous().unwrap();
        enrol(&shared.workers[0]);
        shared.workers[0].in_flight.store(2, Relaxed);
        let dead = &shared.workers[1];
        dead.pid.store(u64::from(u32::MAX), Relaxed);
        dead.in_flight.store(5, Relaxed);
        assert_eq!(in_hand(&shared), InHand { in_flight: 2, workers: 1, ..InHand::default() });
    }

    #[test]
    fn nobody_waits_for_what_a_dead_worker_was_storing() {
        let shared = Shared::anonymous().unwrap();
        enrol(&shared.workers[0]);
        let dead = &shared.workers[1];
        dead.pid.store(u64::from(u32::MAX), Relaxed);
        dead.storing.store(5, Relaxed);
        assert!(!is_storing(&shared));
        shared.workers[0].storing.store(1, Relaxed);
        assert!(is_storing(&shared));
    }

    #[test]
    fn a_process_that_inherited_the_id_of_a_worker_is_not_that_worker() {
        let shared = Shared::anonymous().unwrap();
        enrol(&shared.workers[0]);
        shared.workers[0].started.fetch_add(1, Relaxed);
        assert_eq!(in_hand(&shared), InHand::default());
    }
}
