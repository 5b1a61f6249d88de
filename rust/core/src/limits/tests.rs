#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::Class;
use crate::ledger::Hold;
use crate::metrics::Metrics;
use crate::shm::Shared;
use crate::snapshot::Rules;
use serde_json::{Value, json};
use std::sync::Arc;

/// The counters of so many workers of one machine.
fn workers(count: usize) -> Vec<Counters> {
    let shared = Shared::anonymous().unwrap();
    let door = |worker| {
        let _ = Metrics::new(shared.clone(), worker);
        Counters::new(shared.clone(), worker)
    };
    (0..count).map(door).collect()
}

fn counters() -> Counters {
    workers(1).remove(0)
}

fn charges(rules: Value) -> Charges {
    Charges::new(&serde_json::from_value::<Rules>(rules).unwrap()).unwrap()
}

fn limits(limits: Value) -> Charges {
    charges(json!({"limits": limits, "budgets": []}))
}

fn budget(more: Value) -> Charges {
    let mut budget = json!({"amount": 100, "window": "total", "name": "b"});
    budget.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    charges(json!({"limits": [], "budgets": [budget]}))
}

fn refusal(rules: Value) -> String {
    Charges::new(&serde_json::from_value::<Rules>(rules).unwrap()).err().unwrap()
}

fn of_chat(charges: &Charges, demand: Demand) -> Bill<'static> {
    let mut bill = Bill::new("chat", demand);
    bill.add(charges, Whose::Key, "key_1");
    bill
}

fn costing(nano: u64) -> Demand {
    Demand { hold: Some(nano), ..Demand::default() }
}

fn error(counters: &Counters, charges: &Charges, demand: Demand) -> (Class, String) {
    let refused = counters.reserve(of_chat(charges, demand)).err().unwrap();
    (refused.error.class, refused.error.message)
}

fn takes(counters: &Counters, charges: &Charges, demand: Demand) -> Option<Held> {
    counters.reserve(of_chat(charges, demand)).ok()
}

// ── rules that make no sense ────────────────────────────────────────────────────────────────────

#[test]
fn rules_that_make_no_sense_are_refused() {
    let limit = |limit: Value| json!({"limits": [limit], "budgets": []});
    let budgets = |budgets: Value| json!({"limits": [], "budgets": budgets});
    let one = json!({"amount": 1, "window": "day", "name": "b"});
    for (rules, word) in [
        (limit(json!({"of": "requests", "amount": 1})), "per which time"),
        (limit(json!({"of": "concurrent", "amount": 1, "per": "day"})), "no `per`"),
        (budgets(json!([one, one])), "two budgets"),
        (
            budgets(json!([{"amount": 1, "window": "day", "name": "b", "action": "throttle"}])),
            "how",
        ),
        (
            budgets(json!([{"amount": 1, "window": "day", "name": "b", "action": "downgrade"}])),
            "to",
        ),
        (budgets(json!([{"amount": 1, "window": {"rolling": 0}, "name": "b"}])), "second"),
        (budgets(json!([{"amount": 1, "window": "day", "name": "b", "soft": [1001]}])), "1000"),
    ] {
        let message = refusal(rules);
        assert!(message.contains(word), "{message}");
    }
}

// ── limits ──────────────────────────────────────────────────────────────────────────────────────

#[test]
fn each_kind_of_limit_counts_what_it_says() {
    let demand = Demand { input: 10, output: 5, bytes: 100, hold: Some(7) };
    for (of, fits, one_too_few) in
        [("tokens", 15, 14), ("input_tokens", 10, 9), ("output_tokens", 5, 4), ("bytes", 100, 99)]
    {
        for (amount, passes) in [(fits, true), (one_too_few, false)] {
            let rule = limits(json!([{"of": of, "amount": amount, "per": "hour"}]));
            assert_eq!(takes(&counters(), &rule, demand).is_some(), passes, "{of}");
        }
    }
}

#[test]
fn settlement_corrects_each_kind_to_the_truth() {
    let demand = Demand { input: 10, output: 50, bytes: 100, hold: Some(700) };
    let truth = Truth { input: 12, output: 8, bytes: 300, cost: 40 };
    let used =
        [("tokens", 20), ("input_tokens", 12), ("output_tokens", 8), ("bytes", 300), ("cost", 40)];
    for (of, used) in used {
        let counters = counters();
        let rule = limits(json!([{"of": of, "amount": 1_000, "per": "day"}]));
        let held = takes(&counters, &rule, demand).unwrap();
        assert_eq!(held.settle(&counters, &truth), []);
        let rest = &of_chat(&rule, Demand::default()).rates[0];
        let left = counters.limiter.peek(rest.id, &rest.limit, crate::limiter::monotonic_ns());
        assert_eq!(left.remaining, 1_000 - used, "{of}");
    }
}

#[test]
fn what_may_cost_more_than_a_limit_of_cost_waits_for_a_full_one() {
    let counters = counters();
    let rule = limits(json!([{"of": "cost", "amount": 100, "per": "day"}]));
    let held = takes(&counters, &rule, costing(5_000)).unwrap();
    assert_eq!(error(&counters, &rule, costing(5_000)).0, Class::RateLimited);
    let _ = held.settle(&counters, &Truth { cost: 30, ..Truth::default() });
    assert!(takes(&counters, &rule, costing(60)).is_some());
}

#[test]
fn a_place_is_free_again_when_its_request_is_settled_or_forgotten() {
    let (counters, rule) = (counters(), limits(json!([{"of": "concurrent", "amount": 1}])));
    let held = takes(&counters, &rule, Demand::default()).unwrap();
    let (class, message) = error(&counters, &rule, Demand::default());
    assert_eq!(class, Class::RateLimited);
    assert_eq!(message, "The key's limit of 1 requests at the same time is reached.");
    let _ = held.settle(&counters, &Truth::default());
    drop(takes(&counters, &rule, Demand::default()).unwrap());
    assert!(takes(&counters, &rule, Demand::default()).is_some());
}

#[test]
fn a_rule_for_other_models_does_not_count() {
    let counters = counters();
    let rule = limits(json!([
        {"of": "requests", "amount": 1, "per": "day", "model": "gpt-*"},
        {"of": "requests", "amount": 2, "per": "day", "model": "chat"},
    ]));
    let passed = (0..5).filter(|_| takes(&counters, &rule, Demand::default()).is_some());
    assert_eq!(passed.count(), 2);
}

#[test]
fn limits_of_the_same_kind_count_apart() {
    let counters = counters();
    let rule = limits(json!([
        {"of": "requests", "amount": 100, "per": "day", "burst": 3},
        {"of": "requests", "amount": 2, "per": "day"},
    ]));
    let passed = (0..5).filter(|_| takes(&counters, &rule, Demand::default()).is_some());
    assert_eq!(passed.count(), 2);
}

#[test]
fn owners_with_the_same_rules_count_apart() {
    let counters = counters();
    let rule = limits(json!([{"of": "requests", "amount": 1, "per": "day"}]));
    for owner in ["key_1", "key_2"] {
        let mut bill = Bill::new("chat", Demand::default());
        bill.add(&rule, Whose::Key, owner);
        assert!(counters.reserve(bill).is_ok(), "{owner}");
    }
}

#[test]
fn the_tightest_limit_of_a_kind_is_shown() {
    let rule = limits(json!([
        {"of": "requests", "amount": 100, "per": "day"},
        {"of": "requests", "amount": 10, "per": "hour"},
        {"of": "bytes", "amount": 2, "per": "hour"},
    ]));
    let [requests, tokens] = takes(&counters(), &rule, Demand::default()).unwrap().shown();
    let state = requests.unwrap();
    assert_eq!((state.limit, state.remaining, tokens), (10, 9, None));
}

// ── all or none ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_one_refuses_takes_nothing_of_the_others() {
    let counters = counters();
    let all = charges(json!({
        "limits": [
            {"of": "requests", "amount": 2, "per": "day"},
            {"of": "concurrent", "amount": 2},
        ],
        "budgets": [
            {"amount": 1000, "window": "day", "name": "wide"},
            {"amount": 100, "window": "day", "name": "narrow"},
        ],
    }));
    for _ in 0..5 {
        assert_eq!(error(&counters, &all, costing(101)).0, Class::BudgetExceeded);
    }
    let first = takes(&counters, &all, costing(50)).unwrap();
    let second = takes(&counters, &all, costing(50)).unwrap();
    assert_eq!([first.holds().len(), second.holds().len()], [2, 2]);
    assert!(takes(&counters, &all, costing(0)).is_none());
}

#[test]
fn a_refusal_says_whose_limit_it_is_and_nothing_of_others() {
    let (counters, rule) =
        (counters(), budget(json!({"amount": 2_500_000_000_u64, "window": "month"})));
    let bill = |nano| {
        let mut bill = Bill::new("chat", costing(nano));
        bill.add(&rule, Whose::Team, "team_1");
        bill
    };
    let _others = counters.reserve(bill(2_000_000_000)).unwrap();
    let error = counters.reserve(bill(600_000_000)).err().unwrap().error;
    assert_eq!(
        error.message,
        "The team's budget of 2.5 dollars a month does not cover this request."
    );
    assert!(error.retry_after.unwrap() > 0.0);
}

// ── budgets ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn of_twenty_requests_at_once_on_a_budget_of_one_exactly_one_passes() {
    let rule = &charges(json!({"limits": [], "budgets": [
        {"amount": 10, "window": "day", "name": "a"},
        {"amount": 15, "window": {"rolling": 3600}, "name": "b"},
    ]}));
    for _ in 0..40 {
        let all = workers(4);
        let passed: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..20)
                .map(|at| {
                    let counters = all[at % 4].clone();
                    scope.spawn(move || {
                        let held = takes(&counters, rule, costing(10));
                        usize::from(held.is_some())
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(passed, 1);
    }
}

#[test]
fn what_was_held_is_settled_to_the_last_nano_dollar() {
    let (counters, rule) = (counters(), budget(json!({})));
    let held = takes(&counters, &rule, costing(100)).unwrap();
    let [Hold { slot, window, nano }] = held.holds()[..] else { panic!("one hold") };
    assert_eq!((slot, nano), (budget_slot("key_1", "b"), 100));
    let _ = held.settle(&counters, &Truth { cost: 3, ..Truth::default() });
    assert_eq!(counters.budgets.all(), [(slot, window, 3)]);
}

#[test]
fn what_is_forgotten_counts_as_spent() {
    let (counters, rule) = (counters(), budget(json!({})));
    drop(takes(&counters, &rule, costing(60)).unwrap());
    assert_eq!(counters.budgets.all()[0].2, 60);
}

#[test]
fn what_costs_nothing_passes_a_budget_that_is_spent() {
    let (counters, rule) = (counters(), budget(json!({})));
    assert!(takes(&counters, &rule, costing(100)).is_some());
    assert!(takes(&counters, &rule, Demand::default()).is_some());
}

#[test]
fn a_budget_that_only_alerts_refuses_nothing() {
    let (counters, rule) = (counters(), budget(json!({"action": "alert", "soft": [500]})));
    let told = |nano| {
        let held = takes(&counters, &rule, costing(nano)).unwrap();
        let passed = held.settle(&counters, &Truth { cost: nano, ..Truth::default() });
        passed.iter().map(|one| one.per_mille).collect::<Vec<_>>()
    };
    assert!(told(40).is_empty());
    assert_eq!(told(20), [500]);
    assert_eq!(told(900), [1000]);
    assert!(told(900).is_empty());
}

#[test]
fn a_budget_that_throttles_does_so_from_its_first_threshold_on() {
    let throttle = json!({"of": "requests", "amount": 1, "per": "day"});
    let rule = budget(json!({"action": "throttle", "soft": [500], "throttle": throttle}));
    let counters = counters();
    for _ in 0..5 {
        assert!(takes(&counters, &rule, costing(10)).is_some());
    }
    assert!(takes(&counters, &rule, costing(10)).is_some());
    assert_eq!(error(&counters, &rule, costing(10)).0, Class::RateLimited);
}

#[test]
fn a_budget_that_throttles_still_has_an_end() {
    let throttle = json!({"of": "requests", "amount": 1000, "per": "second"});
    let rule = budget(json!({"action": "throttle", "soft": [500], "throttle": throttle}));
    let counters = counters();
    let passed = (0..20).filter(|_| takes(&counters, &rule, costing(10)).is_some());
    assert_eq!(passed.count(), 10);
    assert_eq!(error(&counters, &rule, costing(10)).0, Class::BudgetExceeded);
}

#[test]
fn a_budget_that_downgrades_names_the_other_group_when_it_is_time() {
    let rule = budget(json!({"action": "downgrade", "soft": [500], "downgrade_to": "small"}));
    let counters = counters();
    let group = |nano| counters.downgrade(&of_chat(&rule, costing(nano))).map(str::to_owned);
    assert_eq!(group(100), None);
    assert_eq!(group(101).as_deref(), Some("small"));
    assert!(takes(&counters, &rule, costing(50)).is_some());
    assert_eq!(group(1).as_deref(), Some("small"));
}

#[test]
fn a_session_is_charged_and_checked_as_it_goes_on() {
    let counters = counters();
    let all = charges(json!({
        "limits": [{"of": "tokens", "amount": 1000, "per": "day"}],
        "budgets": [{"amount": 100, "window": "day", "name": "b"}],
    }));
    let held = takes(&counters, &all, costing(1)).unwrap();
    assert!(counters.check(&held).is_ok());
    let _ = held.charge(&counters, &Truth { cost: 60, input: 10, ..Truth::default() });
    assert!(counters.check(&held).is_ok());
    let _ = held.charge(&counters, &Truth { cost: 60, input: 10, ..Truth::default() });
    assert_eq!(counters.check(&held).err().unwrap().error.class, Class::BudgetExceeded);
    let _ = held.settle(&counters, &Truth::default());
    assert_eq!(counters.budgets.all()[0].2, 120);
}

// ── limits of the settings ──────────────────────────────────────────────────────────────────────

#[test]
fn everybody_of_a_kind_has_a_shared_limit_for_itself() {
    let counters = counters();
    let shared: Vec<crate::snapshot::SharedLimit> = serde_json::from_value(json!([{
        "by": "tag", "matching": "team-*",
        "rule": {"of": "requests", "amount": 1, "per": "day"},
    }]))
    .unwrap();
    let shared = SharedLimits::new(&shared).unwrap();
    let passes = |tags: &[&str]| {
        let mut bill = Bill::new("chat", Demand::default());
        shared.charge(&mut bill, |_, see| {
            tags.iter().for_each(|tag| see(Party { id: tag, name: tag }));
        });
        counters.reserve(bill).map_err(|refused| refused.error.message)
    };
    assert!(passes(&["team-a", "other"]).is_ok());
    assert!(passes(&["team-b"]).is_ok());
    assert!(passes(&["other"]).is_ok());
    let message = passes(&["other", "team-a"]).err().unwrap();
    assert_eq!(message, "The tag's limit of 1 requests per day is used up.");
}

// ── against a model ─────────────────────────────────────────────────────────────────────────────

#[test]
fn whatever_comes_and_goes_the_books_balance() {
    for seed in 0..30 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let all = Arc::new(charges(json!({
            "limits": [{"of": "concurrent", "amount": 5}],
            "budgets": [
                {"amount": 1000, "window": "total", "name": "a"},
                {"amount": 700, "window": "total", "name": "b", "model": "chat"},
            ],
        })));
        let doors = workers(3);
        let (mut open, mut spent) = (Vec::<(Held, u64)>::new(), 0);
        for _ in 0..300 {
            let door = &doors[rng.usize(..3)];
            if rng.bool() {
                let nano = rng.u64(1..200);
                let held: u64 = open.iter().map(|(_, nano)| nano).sum();
                let fits = open.len() < 5 && spent + held + nano <= 700;
                let taken = takes(door, &all, costing(nano));
                assert_eq!(taken.is_some(), fits);
                open.extend(taken.map(|taken| (taken, nano)));
            } else if !open.is_empty() {
                let (held, nano) = open.swap_remove(rng.usize(..open.len()));
                let cost = rng.u64(..=nano / 8);
                let _ = held.settle(door, &Truth { cost, ..Truth::default() });
                spent += cost;
            }
        }
        let held: u64 = open.iter().map(|(_, nano)| nano).sum();
        let committed = doors[0].budgets.all();
        assert_eq!(committed.iter().map(|one| one.2).collect::<Vec<_>>(), [spent + held; 2]);
    }
}
