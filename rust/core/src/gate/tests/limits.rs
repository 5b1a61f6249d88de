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
