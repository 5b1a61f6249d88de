#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeMap;

const SECOND: u64 = 1_000_000;
const DAY: u64 = 24 * 3600 * SECOND;
/// 2026-11-25T00:00:00Z.
const NOON: u64 = 1_795_564_800 * SECOND + DAY / 2;

fn budgets() -> Budgets {
    Budgets::new(Shared::anonymous().unwrap())
}

fn takes(budgets: &Budgets, nano: u64, most: u64, now_us: u64) -> bool {
    budgets.take(7, BudgetWindow::Day, nano, Some(most), now_us).is_ok()
}

#[test]
fn no_more_is_committed_than_the_budget_has() {
    let budgets = budgets();
    assert!(takes(&budgets, 60, 100, NOON));
    assert!(!takes(&budgets, 41, 100, NOON));
    assert!(takes(&budgets, 40, 100, NOON));
    assert_eq!(budgets.committed(7, BudgetWindow::Day, NOON), 100);
}

#[test]
fn a_refusal_tells_what_is_committed() {
    let budgets = budgets();
    takes(&budgets, 60, 100, NOON);
    let refusal = budgets.take(7, BudgetWindow::Day, 41, Some(100), NOON);
    assert_eq!(refusal, Err(Refusal::Spent { committed: 60 }));
}

#[test]
fn parallel_requests_do_not_walk_through_a_budget_of_one() {
    for _ in 0..50 {
        let budgets = budgets();
        let passed: usize = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..20).map(|_| scope.spawn(|| takes(&budgets, 10, 10, NOON))).collect();
            all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        assert_eq!(passed, 1);
    }
}

#[test]
fn settlement_corrects_the_window_in_which_it_was_held() {
    let budgets = budgets();
    let held = budgets.take(7, BudgetWindow::Day, 50, Some(100), NOON).unwrap();
    assert_eq!(budgets.shift(7, held, -20), Some(30));
    assert_eq!(budgets.shift(7, held, -90), Some(0));
    assert_eq!(budgets.committed(7, BudgetWindow::Day, NOON), 0);
}

#[test]
fn a_window_that_is_over_is_not_corrected() {
    let budgets = budgets();
    let held = budgets.take(7, BudgetWindow::Day, 50, Some(100), NOON).unwrap();
    assert!(takes(&budgets, 10, 100, NOON + DAY));
    assert_eq!(budgets.shift(7, held, -50), None);
    assert_eq!(budgets.committed(7, BudgetWindow::Day, NOON + DAY), 10);
}

#[test]
fn a_clock_that_is_set_back_does_not_open_a_spent_window_again() {
    let budgets = budgets();
    assert!(takes(&budgets, 100, 100, NOON));
    for back in [1, DAY, 40 * DAY] {
        assert!(!takes(&budgets, 1, 100, NOON - back), "{back}");
    }
}

#[test]
fn a_clock_that_is_set_forward_begins_the_new_window_once() {
    let budgets = budgets();
    assert!(takes(&budgets, 100, 100, NOON));
    assert!(takes(&budgets, 100, 100, NOON + DAY));
    assert!(!takes(&budgets, 1, 100, NOON));
    assert!(!takes(&budgets, 1, 100, NOON + DAY));
    assert!(takes(&budgets, 1, 100, NOON + 2 * DAY));
}

#[test]
fn without_a_bound_it_only_counts() {
    let budgets = budgets();
    budgets.charge(7, BudgetWindow::Total, u64::MAX, NOON);
    budgets.charge(7, BudgetWindow::Total, 5, NOON);
    assert_eq!(budgets.committed(7, BudgetWindow::Total, NOON), u64::MAX);
}

#[test]
fn what_was_spent_before_is_restored_once() {
    let budgets = budgets();
    let window = span(BudgetWindow::Day, NOON).number;
    assert!(takes(&budgets, 10, 100, NOON));
    assert!(budgets.restore(7, window, 60));
    assert!(!budgets.restore(7, window, 60));
    assert_eq!(budgets.committed(7, BudgetWindow::Day, NOON), 70);
    assert_eq!(budgets.all(), [(7, window, 70)]);
}

#[test]
fn what_was_spent_in_a_window_that_is_over_is_not_restored() {
    let budgets = budgets();
    assert!(takes(&budgets, 10, 100, NOON));
    assert!(!budgets.restore(7, span(BudgetWindow::Day, NOON - DAY).number, 60));
    assert_eq!(budgets.committed(7, BudgetWindow::Day, NOON), 10);
}

#[test]
fn parts_of_a_rolling_window_are_restored_each() {
    let budgets = budgets();
    let window = BudgetWindow::Rolling(3600);
    for minutes in [59, 30, 1] {
        let number = span(window, NOON - minutes * 60 * SECOND).number;
        assert!(budgets.restore(7, number, 10), "{minutes}");
    }
    assert_eq!(budgets.committed(7, window, NOON), 30);
    assert_eq!(budgets.take(7, window, 71, Some(100), NOON), Err(Refusal::Spent { committed: 30 }));
    assert!(budgets.all().iter().all(|(slot, ..)| *slot == 7));
}

#[test]
fn something_is_told_by_one_caller_and_in_each_window_anew() {
    let budgets = budgets();
    for window in [BudgetWindow::Day, BudgetWindow::Rolling(3600)] {
        let slot = slot("key", &format!("{window:?}"));
        let tells = |flag, now| budgets.is_first_to_tell(slot, window, flag, now);
        assert_eq!([0, 0, 1, 1].map(|flag| tells(flag, NOON)), [true, false, true, false]);
        assert!(tells(0, NOON + DAY) && !tells(1, NOON), "{window:?}");
    }
}

/// A budget by the book: every amount with its time.
struct Book(Vec<(u64, u64)>);

impl Book {
    fn spent_since(&self, since: u64) -> u64 {
        self.0.iter().filter(|(at, _)| *at >= since).map(|(_, nano)| nano).sum()
    }
}

#[test]
fn a_rolling_budget_never_lets_more_pass_than_one_by_the_book() {
    for seed in 0..40 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let seconds = [1, 10, 60, 1000, 86_400][seed as usize % 5];
        let (budgets, mut book, mut now) = (budgets(), Book(Vec::new()), NOON);
        let (window, most) = (BudgetWindow::Rolling(seconds), 1000);
        let part = seconds.div_ceil(PARTS).max(1);
        for _ in 0..600 {
            now += rng.u64(..=seconds * SECOND / 6);
            let nano = rng.u64(1..300);
            let at_least = book.spent_since(now - seconds * SECOND + 1);
            // Two seconds for where the parts and the window begin.
            let at_most = book.spent_since(now - (seconds + part + 2) * SECOND);
            let passed = budgets.take(7, window, nano, Some(most), now).is_ok();
            assert!(!passed || at_least + nano <= most, "let too much pass");
            assert!(passed || at_most + nano > most, "refused without reason");
            if passed {
                book.0.push((now, nano));
            }
        }
    }
}

#[test]
fn calendar_budgets_agree_with_a_map_of_windows() {
    let kinds = [
        BudgetWindow::Day,
        BudgetWindow::Week,
        BudgetWindow::Month,
        BudgetWindow::Year,
        BudgetWindow::Total,
    ];
    for seed in 0..40 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (budgets, window) = (budgets(), kinds[seed as usize % kinds.len()]);
        let (mut model, mut held) = (BTreeMap::<u64, u64>::new(), Vec::new());
        let (mut now, most) = (NOON, 1000);
        for _ in 0..400 {
            now += rng.u64(..5 * DAY);
            let number = span(window, now).number;
            let nano = rng.u64(1..400);
            let committed = model.get(&number).copied().unwrap_or(0);
            let taken = budgets.take(9, window, nano, Some(most), now);
            assert_eq!(taken.is_ok(), committed + nano <= most);
            if let Ok(window) = taken {
                *model.entry(number).or_default() += nano;
                held.push((window, nano));
            }
            if rng.bool() && !held.is_empty() {
                let (number, nano) = held.swap_remove(rng.usize(..held.len()));
                let truth = rng.u64(..=nano);
                budgets.shift(9, number, truth as i64 - nano as i64);
                *model.entry(number).or_default() -= nano - truth;
            }
        }
    }
}

#[test]
fn a_rolling_budget_holds_across_parts_while_all_add_at_once() {
    for round in 0..30 {
        let budgets = budgets();
        let window = BudgetWindow::Rolling(16);
        let held: u64 = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|at| {
                    let budgets = &budgets;
                    // Clocks on both sides of where a part begins.
                    let now = NOON + round * 16 * SECOND + at % 2 * SECOND;
                    scope.spawn(move || {
                        let take = |_: &u64| budgets.take(7, window, 1, Some(50), now).is_ok();
                        (0..20).filter(take).count() as u64
                    })
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert!(held <= 50, "{held}");
    }
}
