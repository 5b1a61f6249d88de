#![allow(clippy::unwrap_used)]

use super::*;
use crate::metrics::Metrics;
use std::sync::atomic::AtomicU64 as Counter;

/// The doors of so many workers of one machine; all of them are this process.
fn workers(count: usize) -> Vec<Places> {
    let shared = Shared::anonymous().unwrap();
    let door = |worker| {
        let _ = Metrics::new(shared.clone(), worker);
        Places::new(shared.clone(), worker)
    };
    (0..count).map(door).collect()
}

#[test]
fn no_more_places_are_taken_than_there_are() {
    let all = workers(2);
    assert_eq!([0, 1, 0].map(|one: usize| all[one].take(5, 2)), [Ok(()), Ok(()), Err(2)]);
    all[1].free(5);
    assert_eq!(all[0].take(5, 2), Ok(()));
}

#[test]
fn names_do_not_share_places() {
    let places = &workers(1)[0];
    assert!((1..=500).all(|id| places.take(id, 1).is_ok()));
    assert!((1..=500).all(|id| places.taken(id) == 1));
}

#[test]
fn a_name_of_which_nothing_is_left_takes_no_room() {
    let places = &workers(1)[0];
    for id in 0..100_000 {
        assert_eq!(places.take(id, 1), Ok(()), "{id}");
        places.free(id);
    }
}

#[test]
fn what_a_dead_worker_held_is_free() {
    let all = workers(2);
    all[1].take(5, 1).unwrap();
    all[0].shared.workers[1].pid.store(u64::from(u32::MAX), SeqCst);
    assert_eq!((all[0].taken(5), all[0].take(5, 1)), (0, Ok(())));
}

#[test]
fn a_worker_begins_with_none() {
    let all = workers(1);
    all[0].take(5, 1).unwrap();
    assert_eq!(Places::new(all[0].shared.clone(), 0).take(5, 1), Ok(()));
}

#[test]
fn a_claim_of_a_dead_worker_holds_nobody_up() {
    let all = workers(2);
    all[0].change(5, |hand| hand.claimed = 1);
    all[0].shared.workers[0].pid.store(u64::from(u32::MAX), SeqCst);
    assert_eq!(all[1].take(5, 1), Ok(()));
}

#[test]
fn of_all_that_ask_at_once_exactly_as_many_pass_as_there_are_places() {
    for most in [1, 3] {
        for _ in 0..100 {
            let all = workers(6);
            let passed: u64 = std::thread::scope(|scope| {
                let tries: Vec<_> =
                    all.iter().map(|one| scope.spawn(move || one.take(5, most).is_ok())).collect();
                tries.into_iter().map(|one| u64::from(one.join().unwrap())).sum()
            });
            assert_eq!(passed, most);
        }
    }
}

#[test]
fn never_are_more_in_hand_than_there_are_places() {
    let (all, most) = (workers(4), 3);
    let (inside, highest) = (Counter::new(0), Counter::new(0));
    std::thread::scope(|scope| {
        for one in &all {
            scope.spawn(|| {
                for _ in 0..3000 {
                    if one.take(5, most).is_ok() {
                        highest.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                        inside.fetch_sub(1, SeqCst);
                        one.free(5);
                    }
                }
            });
        }
    });
    assert!(highest.load(SeqCst) <= most);
    assert_eq!(all[0].taken(5), 0);
}
