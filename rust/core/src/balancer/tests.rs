#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const SECOND: u64 = 1_000_000_000;
const NOW: u64 = 1_000 * SECOND;
const POLICY: CooldownPolicy =
    CooldownPolicy { allowed_fails: 3, cooldown: Duration::from_secs(30) };

fn balancer() -> Balancer {
    Balancer::new(Shared::anonymous().unwrap())
}

fn candidate(index: usize, weight: u32, order: u32) -> Candidate {
    Candidate { index, weight, order, id_hash: deployment_hash(&index.to_string()) }
}

fn pick(balancer: &Balancer, candidates: &[Candidate], tried: &[usize]) -> Option<usize> {
    balancer.pick(candidates, tried, NOW, &mut fastrand::Rng::with_seed(1))
}

fn send_to_rest(balancer: &Balancer, index: usize, now: u64) {
    assert!(balancer.rest(deployment_hash(&index.to_string()), POLICY.cooldown, now));
}

#[test]
fn traffic_is_shared_by_weight() {
    let (balancer, mut rng) = (balancer(), fastrand::Rng::with_seed(7));
    let candidates = [candidate(0, 1, 0), candidate(1, 3, 0), candidate(2, 6, 0)];
    let mut counts = [0; 3];
    for _ in 0..100_000 {
        counts[balancer.pick(&candidates, &[], NOW, &mut rng).unwrap()] += 1;
    }
    for (count, expected) in counts.into_iter().zip([10_000, 30_000, 60_000i32]) {
        assert!((count - expected).abs() < 1_000, "{counts:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_choices() {
    let balancer = balancer();
    let candidates = [candidate(0, 1, 0), candidate(1, 1, 0), candidate(2, 1, 0)];
    let choices = |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..50).map(|_| balancer.pick(&candidates, &[], NOW, &mut rng)).collect::<Vec<_>>()
    };
    assert_eq!(choices(3), choices(3));
    assert_ne!(choices(3), choices(4));
}

#[test]
fn a_lower_order_goes_first_wherever_it_stands() {
    let candidates = [candidate(0, 100, 2), candidate(1, 1, 1), candidate(2, 100, 2)];
    assert_eq!(pick(&balancer(), &candidates, &[]), Some(1));
}

#[test]
fn what_was_tried_is_not_offered_again() {
    let candidates = [candidate(0, 1, 0), candidate(1, 1, 1)];
    assert_eq!(pick(&balancer(), &candidates, &[0]), Some(1));
    assert_eq!(pick(&balancer(), &candidates, &[0, 1]), None);
}

#[test]
fn weight_zero_is_chosen_only_when_alone() {
    let balancer = balancer();
    for candidates in
        [[candidate(0, 0, 0), candidate(1, 1, 0)], [candidate(1, 1, 0), candidate(0, 0, 0)]]
    {
        assert_eq!(pick(&balancer, &candidates, &[]), Some(1));
    }
    assert_eq!(pick(&balancer, &[candidate(0, 0, 0)], &[]), Some(0));
}

#[test]
fn a_resting_deployment_is_left_out_until_its_rest_ends() {
    let balancer = balancer();
    let candidates = [candidate(0, 1, 0), candidate(1, 1, 1)];
    send_to_rest(&balancer, 0, NOW);
    assert_eq!(pick(&balancer, &candidates, &[]), Some(1));
    let later = NOW + 30 * SECOND;
    assert_eq!(balancer.pick(&candidates, &[], later, &mut fastrand::Rng::new()), Some(0));
}

#[test]
fn when_all_rest_the_first_to_wake_is_the_last_resort() {
    let balancer = balancer();
    send_to_rest(&balancer, 0, NOW - SECOND);
    send_to_rest(&balancer, 1, NOW - 2 * SECOND);
    let candidates = [candidate(0, 1, 0), candidate(1, 1, 1)];
    assert_eq!(pick(&balancer, &candidates, &[]), Some(1));
    assert_eq!(pick(&balancer, &candidates, &[1]), Some(0));
}

#[test]
fn only_failures_in_a_row_send_to_rest() {
    let (balancer, id) = (balancer(), deployment_hash("a"));
    assert!(!balancer.failure(id, &POLICY, NOW));
    assert!(!balancer.failure(id, &POLICY, NOW));
    balancer.success(id);
    assert!(!balancer.failure(id, &POLICY, NOW));
    assert!(!balancer.failure(id, &POLICY, NOW));
    assert!(balancer.failure(id, &POLICY, NOW));
    assert_eq!(balancer.resting_until(id), NOW + 30 * SECOND);
}

#[test]
fn stragglers_failing_during_a_rest_do_not_prolong_it() {
    let (balancer, id) = (balancer(), deployment_hash("a"));
    let policy = CooldownPolicy { allowed_fails: 1, ..POLICY };
    assert!(balancer.failure(id, &policy, NOW));
    assert!(!balancer.failure(id, &policy, NOW + SECOND));
    assert_eq!(balancer.resting_until(id), NOW + 30 * SECOND);
}

#[test]
fn after_a_rest_one_failure_is_enough() {
    let (balancer, id) = (balancer(), deployment_hash("a"));
    assert_eq!((0..3).filter(|_| balancer.failure(id, &POLICY, NOW)).count(), 1);
    assert!(balancer.failure(id, &POLICY, NOW + 31 * SECOND));
}

#[test]
fn exactly_one_of_racing_workers_sends_to_rest() {
    let (balancer, id) = (balancer(), deployment_hash("a"));
    let fail = || (0..1_000).filter(|_| balancer.failure(id, &POLICY, NOW)).count();
    let sent = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(fail)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(sent, 1);
}

#[test]
fn more_deployments_than_rows_recycle_those_that_do_not_rest() {
    let balancer = balancer();
    for index in 0..5_000 {
        balancer.failure(deployment_hash(&index.to_string()), &POLICY, NOW);
    }
    send_to_rest(&balancer, 5_001, NOW);
    for index in 6_000..12_000 {
        balancer.failure(deployment_hash(&index.to_string()), &POLICY, NOW);
    }
    assert!(balancer.resting_until(deployment_hash("5001")) > NOW);
}
