//! Tests of what a request costs of its key's limits, and how a refusal by them is told.

use super::*;
use crate::limits::Truth;

#[test]
fn a_refusal_of_any_kind_costs_no_request() {
    let mut front = Front::new(|snapshot| {
        rpm_1(snapshot);
        snapshot["pii"] = json!({"mode": "block"});
        set_app(snapshot, "models", json!(["chat"]));
        snapshot["models"]["hidden"] = json!(0);
    });
    for body in ["{", "{}", r#"{"model":"nobody"}"#, r#"{"model":"hidden"}"#, WITH_CARD] {
        assert!(front.admit(body).is_err(), "{body}");
    }
    assert_eq!(front.left()[0], 1);
}

#[test]
fn a_request_refused_for_its_tokens_gets_its_request_back() {
    let mut front = Front::new(|snapshot| {
        set_app(snapshot, "rpm", 5);
        set_app(snapshot, "tpm", 3);
    });
    assert_eq!(class(front.admit(CHAT)), Class::RateLimited);
    assert_eq!(front.left(), [5, 3]);
}

#[test]
fn which_limit_refused_is_said_and_counted() {
    for (field, word) in [("rpm", "requests"), ("tpm", "tokens")] {
        let mut front = Front::new(|snapshot| set_app(snapshot, field, 0));
        let error = front.admit(CHAT).err().unwrap();
        assert!(error.message.contains(word), "{}", error.message);
        assert_eq!(front.sample(&format!(r#"llmgw_ratelimited_total{{limit="{word}"}}"#)), 1);
    }
}

#[test]
fn a_limit_says_when_to_come_back() {
    let mut front = Front::new(rpm_1);
    front.call(CHAT);
    let seconds = front.admit(CHAT).err().unwrap().retry_after.unwrap();
    assert!(seconds > 0.0 && seconds <= 60.0, "{seconds}");
}

#[test]
fn one_keys_limit_does_not_touch_another_key() {
    let mut front = Front::new(rpm_1);
    front.call(CHAT);
    assert!(front.admit_as(OTHER_KEY, chat(CHAT)).is_ok());
}

#[test]
fn input_and_output_ceiling_are_reserved_together() {
    let mut front = Front::new(|snapshot| set_app(snapshot, "tpm", 1000));
    let call = front.call(r#"{"model":"chat","messages":[],"max_tokens":100,"n":2}"#);
    assert_eq!(front.left()[1], 1000 - call.input_tokens - 200);
}

#[test]
fn settlement_leaves_what_was_spent() {
    let mut front = Front::new(|snapshot| set_app(snapshot, "tpm", 1000));
    for (input, left) in [(0, 1000), (40, 960), (300, 660)] {
        let call = front.call(r#"{"model":"chat","messages":[],"max_tokens":100}"#);
        front.shop.settle(&call.held, &Truth { input, ..Truth::default() });
        assert_eq!(front.left()[1], left, "{input}");
    }
}

#[test]
fn headers_get_the_state_of_the_limits_that_there_are() {
    for (fields, states) in [
        (&[][..], [false, false]),
        (&["rpm"], [true, false]),
        (&["tpm"], [false, true]),
        (&["rpm", "tpm"], [true, true]),
    ] {
        let mut front = Front::new(|snapshot| {
            fields.iter().for_each(|field| set_app(snapshot, field, 1000));
        });
        assert_eq!(
            front.call(CHAT).held.shown().map(|state| state.is_some()),
            states,
            "{fields:?}"
        );
    }
}

// ── money ───────────────────────────────────────────────────────────────────────────────────────

/// A price in nano-dollars for a thousand tokens.
fn price(input: u64, output: u64) -> Value {
    json!({
        "source": "settings", "rates": {"input": input, "output": output}, "tiers": [], "services": [],
        "units": {},
    })
}

/// Three models, each dearer than the one before; the first falls back to the others. The key has a budget.
fn priced(snapshot: &mut Value, budget: Value) {
    snapshot["groups"] = json!([group("chat", &[0]), group("second", &[1]), group("third", &[2])]);
    snapshot["groups"][0]["fallbacks"] = json!([1]);
    snapshot["groups"][1]["context_window_fallbacks"] = json!([2, 0]);
    snapshot["models"] = json!({"chat": 0, "second": 1, "third": 2});
    let deployments = [(1, 1), (1000, 2000), (5000, 9000)].into_iter().zip(["one", "two", "three"]);
    let deployments = deployments.map(|((input, output), id)| {
        let mut one = deployment(id, "http://127.0.0.1:9/v1");
        one["price"] = price(input, output);
        one["max_output_tokens"] = json!(1000);
        one
    });
    snapshot["deployments"] = deployments.collect();
    let mut rule = json!({"name": "b", "amount": 1_000_000_000_u64, "window": "total"});
    rule.as_object_mut().unwrap().extend(budget.as_object().unwrap().clone());
    set_app(snapshot, "budgets", json!([rule]));
}

fn held(front: &mut Front, body: &str) -> u64 {
    front.call(body).held.holds()[0].nano
}

#[test]
fn what_is_held_is_the_most_that_the_dearest_way_costs() {
    let mut front = Front::new(|snapshot| priced(snapshot, json!({})));
    let input = front.call(r#"{"model":"third","messages":[]}"#).input_tokens;
    let with_max = r#"{"model":"chat","messages":[],"max_tokens":100,"n":2}"#;
    assert_eq!(held(&mut front, with_max), (input * 5000 + 200 * 9000).div_ceil(1000));
}

#[test]
fn a_client_that_sets_no_bound_holds_as_much_as_the_model_can_write() {
    let mut front = Front::new(|snapshot| priced(snapshot, json!({})));
    let input = front.call(r#"{"model":"third","messages":[]}"#).input_tokens;
    let expected = (input * 5000 + 1000 * 9000).div_ceil(1000);
    for more in ["", r#","max_tokens":5000"#] {
        let body = format!(r#"{{"model":"third","messages":[]{more}}}"#);
        assert_eq!(held(&mut front, &body), expected, "{more}");
    }
}

#[test]
fn a_request_that_a_budget_cannot_pay_takes_nothing() {
    let mut front = Front::new(|snapshot| {
        priced(snapshot, json!({"amount": 5}));
        set_app(snapshot, "rpm", 3);
    });
    for _ in 0..5 {
        assert_eq!(class(front.admit(CHAT)), Class::BudgetExceeded);
    }
    assert_eq!(front.left()[0], 3);
    assert_eq!(front.sample(r#"llmgw_budget_requests_total{action="block"}"#), 5);
}

#[test]
fn a_reply_from_the_cache_costs_no_money() {
    let mut front = Front::new(|snapshot| {
        priced(snapshot, json!({}));
        snapshot["cache"] = cache_policy();
    });
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    assert_eq!(front.shop.counters.budgets.all(), []);
}

fn downgraded(snapshot: &mut Value) {
    let rule =
        json!({"amount": 5, "action": "downgrade", "downgrade_to": "third", "model": "chat"});
    priced(snapshot, rule);
}

#[test]
fn a_budget_sends_a_request_to_another_group() {
    let call = Front::new(downgraded).call(CHAT);
    assert_eq!((call.group, call.downgraded, &*call.matched), (2, Some(0), "third"));
    assert!(call.held.holds().is_empty());
}

#[test]
fn what_another_group_says_is_not_kept_as_the_answer_of_this_one() {
    let mut front = Front::new(|snapshot| {
        downgraded(snapshot);
        snapshot["cache"] = cache_policy();
    });
    assert!(front.call(CHAT).cache_key.is_none());
}

#[test]
fn budgets_that_send_a_request_in_a_circle_refuse_it() {
    let mut front = Front::new(|snapshot| {
        priced(snapshot, json!({"amount": 5, "action": "downgrade", "downgrade_to": "second"}));
        let mut back = snapshot["auth"]["keys"][0]["budgets"][0].clone();
        back["name"] = json!("back");
        back["downgrade_to"] = json!("chat");
        snapshot["auth"]["keys"][0]["budgets"][0]["model"] = json!("chat");
        back["model"] = json!("second");
        snapshot["auth"]["keys"][0]["budgets"].as_array_mut().unwrap().push(back);
    });
    assert_eq!(class(front.admit(CHAT)), Class::BudgetExceeded);
}
