#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_000 * SECOND;

fn limiter() -> Limiter {
    Limiter::new(Shared::anonymous().unwrap())
}

/// A token bucket as one would write it on paper: levels in units × window, nothing rounded.
struct Model {
    limit: Limit,
    level: i128,
    at: u64,
}

impl Model {
    fn full(limit: Limit, at: u64) -> Self {
        Model { limit, level: i128::from(limit.burst) * limit.window.as_nanos() as i128, at }
    }

    fn acquire(&mut self, cost: u64, now: u64) -> bool {
        self.flow_in(now);
        let price = i128::from(cost) * self.limit.window.as_nanos() as i128;
        let allowed = price <= self.level;
        self.level -= if allowed { price } else { 0 };
        allowed
    }

    fn give_back(&mut self, units: u64, now: u64) {
        self.flow_in(now);
        self.level += i128::from(units) * self.limit.window.as_nanos() as i128;
        self.flow_in(now);
    }

    fn remaining(&self) -> u64 {
        (self.level / self.limit.window.as_nanos() as i128) as u64
    }

    fn flow_in(&mut self, now: u64) {
        let full = i128::from(self.limit.burst) * self.limit.window.as_nanos() as i128;
        let inflow = i128::from(now - self.at) * i128::from(self.limit.amount);
        self.level = (self.level + inflow).min(full);
        self.at = now;
    }
}

#[test]
fn decisions_are_those_of_a_token_bucket() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let amount = [1, 2, 5, 60, 1_000, 60_000][rng.usize(..6)];
        let burst = rng.u64(1..=2 * amount);
        let limit = Limit { amount, window: Duration::from_secs(60), burst };
        let (limiter, mut now) = (limiter(), START);
        let mut model = Model::full(limit, now);
        for _ in 0..300 {
            now += rng.u64(..4 * 60 * SECOND / amount);
            let cost = rng.u64(1..=burst.min(amount).max(2) / 2 + 1);
            if rng.u8(..4) == 0 {
                limiter.settle(1, -(cost as i64), &limit, now);
                model.give_back(cost, now);
            }
            let decision = limiter.acquire(1, cost, &limit, now);
            assert_eq!(decision.allowed, model.acquire(cost, now), "seed {seed}");
            assert_eq!(decision.remaining, model.remaining(), "seed {seed}");
        }
    }
}

#[test]
fn a_whole_burst_fits_even_when_the_interval_is_not_a_whole_number() {
    for amount in [3, 7, 11, 13, 999, 7_777_777] {
        let (limiter, limit) = (limiter(), Limit::per_minute(amount));
        let count = amount.min(2_000);
        for taken in 1..=count {
            let decision = limiter.acquire(1, 1, &limit, START);
            assert!(decision.allowed);
            assert_eq!(decision.remaining, amount - taken);
        }
        assert_eq!(limiter.acquire(1, amount - count + 1, &limit, START).remaining, amount - count);
        assert!(!limiter.acquire(1, amount - count + 1, &limit, START).allowed);
    }
}

#[test]
fn retry_after_is_the_earliest_moment_that_works() {
    let (limiter, limit) = (limiter(), Limit::per_minute(7));
    assert!(limiter.acquire(1, 6, &limit, START).allowed);
    let refused = limiter.acquire(1, 4, &limit, START);
    let wait = refused.retry_after.as_nanos() as u64;
    assert!(!refused.allowed && wait > 0);
    assert!(!limiter.acquire(1, 4, &limit, START + wait - 1).allowed);
    assert!(limiter.acquire(1, 4, &limit, START + wait).allowed);
}

#[test]
fn a_cost_above_the_burst_is_refused_and_says_when_the_bucket_is_full() {
    let (limiter, limit) = (limiter(), Limit::per_minute(10));
    let decision = limiter.acquire(1, 11, &limit, START);
    assert_eq!((decision.allowed, decision.remaining), (false, 10));
    assert_eq!(decision.retry_after, Duration::from_secs(60));
}

#[test]
fn an_amount_of_zero_lets_nothing_pass() {
    let decision = limiter().acquire(1, 1, &Limit::per_minute(0), START);
    assert_eq!((decision.allowed, decision.remaining), (false, 0));
}

#[test]
fn a_refused_take_gives_the_earlier_ones_back() {
    let limiter = limiter();
    let (wide, narrow) = (Limit::per_minute(10), Limit::per_minute(1));
    let takes = [Take { id: 1, cost: 4, limit: wide }, Take { id: 2, cost: 2, limit: narrow }];
    let denied = limiter.acquire_all(&takes, START).unwrap_err();
    assert_eq!((denied.index, denied.decision.allowed), (1, false));
    assert_eq!(limiter.peek(1, &wide, START).remaining, 10);
}

#[test]
fn takes_that_all_fit_are_all_charged() {
    let (limiter, limit) = (limiter(), Limit::per_minute(10));
    let takes = [Take { id: 1, cost: 4, limit }, Take { id: 2, cost: 3, limit }];
    let decisions = limiter.acquire_all(&takes, START).unwrap();
    assert_eq!(decisions.iter().map(|one| one.remaining).collect::<Vec<_>>(), [6, 7]);
}

#[test]
fn a_debt_is_worked_off_before_anything_passes() {
    let (limiter, limit) = (limiter(), Limit::per_minute(60));
    limiter.settle(1, 90, &limit, START);
    assert!(!limiter.acquire(1, 0, &limit, START).allowed);
    let decision = limiter.acquire(1, 1, &limit, START);
    assert_eq!((decision.allowed, decision.remaining), (false, 0));
    assert_eq!(decision.retry_after, Duration::from_secs(31));
}

#[test]
fn a_debt_is_never_deeper_than_one_window() {
    let (limiter, limit) = (limiter(), Limit::per_minute(60));
    limiter.settle(1, i64::MAX, &limit, START);
    assert_eq!(limiter.peek(1, &limit, START).reset, Duration::from_secs(120));
}

#[test]
fn giving_back_never_overfills() {
    let (limiter, limit) = (limiter(), Limit::per_minute(10));
    let _ = limiter.acquire(1, 1, &limit, START);
    limiter.settle(1, -1_000, &limit, START);
    assert_eq!(limiter.peek(1, &limit, START).remaining, 10);
}

#[test]
fn a_shorter_window_frees_those_locked_out_by_a_longer_one() {
    let limiter = limiter();
    let daily = Limit::per(1, Duration::from_secs(86_400));
    assert!(limiter.acquire(1, 1, &daily, START).allowed);
    let refused = limiter.acquire(1, 1, &Limit::per_minute(1), START);
    assert!(!refused.allowed && refused.retry_after <= Duration::from_secs(120));
}

/// Ids of which each set of the table gets sixteen, then one more.
fn crowd(limiter: &Limiter) -> (Vec<u128>, u128) {
    let sets = limiter.shared.buckets.len() as u128 / 16;
    ((0..16).map(|at| 5 + at * sets).collect(), 5 + 16 * sets)
}

#[test]
fn a_full_set_refuses_newcomers_until_someone_has_been_idle() {
    let (limiter, limit) = (limiter(), Limit::per_minute(1));
    let (residents, newcomer) = crowd(&limiter);
    assert!(residents.iter().all(|id| limiter.acquire(*id, 1, &limit, START).allowed));
    assert!(!limiter.acquire(newcomer, 1, &limit, START).allowed);
    assert_eq!(limiter.shared.word(Word::BucketOverflow).load(Relaxed), 1);
    let later = START + 71 * SECOND;
    assert!(limiter.acquire(newcomer, 1, &limit, later).allowed);
    assert!(!limiter.acquire(newcomer, 1, &limit, later).allowed);
}

#[test]
fn an_open_limiter_lets_newcomers_pass_a_full_set() {
    let limiter = limiter().with_overflow(Overflow::Allow);
    let (residents, newcomer) = crowd(&limiter);
    let limit = Limit::per_minute(1);
    assert!(residents.iter().all(|id| limiter.acquire(*id, 1, &limit, START).allowed));
    assert!(limiter.acquire(newcomer, 1, &limit, START).allowed);
}

#[test]
fn threads_on_one_bucket_admit_exactly_its_burst() {
    let (limiter, limit) = (limiter(), Limit::per_minute(5_000));
    let admitted = admitted_by_threads(&limiter, 1, &limit);
    assert_eq!(admitted, 5_000);
}

#[test]
fn threads_racing_to_bring_in_an_id_share_its_slot() {
    let (limiter, limit) = (limiter(), Limit::per_minute(1));
    for id in 1..2_000u128 {
        assert_eq!(admitted_at_once(&limiter, id, &limit, START), 1);
    }
}

#[test]
fn threads_racing_for_a_recycled_slot_share_it() {
    let (limiter, limit) = (limiter(), Limit::per_minute(1));
    let sets = limiter.shared.buckets.len() as u128 / 16;
    for round in 0..500 {
        let now = START + round * 200 * SECOND;
        for id in 0..16u128 {
            let id = 5 + (u128::from(round) * 17 + id) * sets;
            assert!(limiter.acquire(id, 1, &limit, now).allowed);
        }
        let id = 5 + (u128::from(round) * 17 + 16) * sets;
        assert_eq!(admitted_at_once(&limiter, id, &limit, now + 80 * SECOND), 1);
    }
}

fn admitted_by_threads(limiter: &Limiter, id: u128, limit: &Limit) -> usize {
    let hammer = || (0..4_000).filter(|_| limiter.acquire(id, 1, limit, START).allowed).count();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(hammer)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn admitted_at_once(limiter: &Limiter, id: u128, limit: &Limit, now: u64) -> usize {
    let barrier = std::sync::Barrier::new(2);
    let one = || {
        barrier.wait();
        usize::from(limiter.acquire(id, 1, limit, now).allowed)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(one);
        one() + other.join().unwrap()
    })
}

#[test]
fn bucket_ids_do_not_run_scope_and_name_together() {
    assert_ne!(bucket_id("ab", "c"), bucket_id("a", "bc"));
    assert_eq!(bucket_id("key", "a"), bucket_id("key", "a"));
}
