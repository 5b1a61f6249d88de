//! Tests of answers that are known already: whose they are, and what they cost.

use super::*;

#[test]
fn nothing_is_kept_where_the_cache_is_off() {
    assert!(Front::new(|_| {}).call(CHAT).cache_key.is_none());
}

#[test]
fn the_same_request_gets_the_same_answer_again_and_again() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    // The second time it is found by its canonical form, from then on by its bytes.
    for _ in 0..3 {
        assert_eq!(hit(front.admit(CHAT)).as_deref(), Some(&b"{}"[..]));
    }
}

#[test]
fn another_spelling_of_the_same_request_gets_the_same_answer() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    let spelt = r#"{ "messages":[{"role":"user", "content":"hello"}], "model" : "chat" }"#;
    for body in [CHAT, spelt, spelt] {
        assert!(hit(front.admit(body)).is_some(), "{body}");
    }
}

#[test]
fn another_question_is_not_known() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(&CHAT.replace("hello", "hullo"))).is_none());
}

#[test]
fn another_keys_answer_is_never_given() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    assert!(hit(front.admit_as(OTHER_KEY, chat(CHAT))).is_none());
}

#[test]
fn another_endpoints_answer_is_never_given() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    let route =
        Route { operation: Operation::Embeddings, model: None, stream: false, array: false };
    let arrival = Arrival { route, ..chat(CHAT) };
    assert!(hit(front.admit_as(APP_KEY, arrival)).is_none());
}

#[test]
fn another_models_answer_is_never_given_to_the_same_body() {
    let mut front = Front::new(|snapshot| {
        snapshot["cache"] = cache_policy();
        snapshot["models"]["twin"] = json!(0);
    });
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    let arrival = of_model("twin", CHAT);
    assert!(hit(front.admit_as(APP_KEY, arrival)).is_none());
}

#[test]
fn another_configurations_answer_is_never_given() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    front.plan = plan(|snapshot| {
        snapshot["cache"] = cache_policy();
        snapshot["version"] = json!("2");
    });
    assert!(hit(front.admit(CHAT)).is_none());
}

#[test]
fn the_same_configuration_loaded_again_keeps_its_answers() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    front.plan = plan(|snapshot| snapshot["cache"] = cache_policy());
    assert!(hit(front.admit(CHAT)).is_some());
}

#[test]
fn a_client_that_wants_no_cache_gets_a_fresh_answer_that_is_not_kept() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    let arrival = Arrival { no_cache: true, ..chat(CHAT) };
    assert!(called(front.admit_as(APP_KEY, arrival).unwrap()).cache_key.is_none());
}

#[test]
fn a_known_answer_costs_a_request_and_no_tokens() {
    let mut front = Front::new(|snapshot| {
        snapshot["cache"] = cache_policy();
        set_app(snapshot, "rpm", 10);
        set_app(snapshot, "tpm", 1000);
    });
    front.answer(CHAT, "{}");
    for requests in [8, 7, 6] {
        assert!(hit(front.admit(CHAT)).is_some());
        assert_eq!(front.left(), [requests, 1000]);
    }
}

#[test]
fn a_known_answer_shows_the_same_limits_however_it_was_found() {
    let mut front = Front::new(|snapshot| {
        snapshot["cache"] = cache_policy();
        set_app(snapshot, "tpm", 1000);
    });
    front.answer(CHAT, "{}");
    for _ in 0..2 {
        let Admission::Hit(ticket, _) = front.admit(CHAT).unwrap() else { panic!("not known") };
        assert_eq!(ticket.held.shown()[1].unwrap().remaining, 1000);
    }
}

#[test]
fn a_known_answer_is_refused_past_the_limit() {
    let mut front = Front::new(|snapshot| {
        snapshot["cache"] = cache_policy();
        set_app(snapshot, "rpm", 2);
    });
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    assert_eq!(class(front.admit(CHAT)), Class::RateLimited);
}

#[test]
fn the_guardrail_counts_a_known_request_like_any_other() {
    let mut front = Front::new(|snapshot| {
        snapshot["cache"] = cache_policy();
        snapshot["pii"] = json!({"mode": "monitor"});
    });
    front.answer(WITH_CARD, "{}");
    for _ in 0..3 {
        assert!(hit(front.admit(WITH_CARD)).is_some());
    }
    let name = r#"llmgw_guardrail_requests_total{guardrail="pii",action="monitor"}"#;
    assert_eq!(front.sample(name), 4);
}

#[test]
fn a_key_that_lost_a_model_by_a_reload_loses_its_known_answers() {
    let mut front = Front::with_cache();
    front.answer(CHAT, "{}");
    assert!(hit(front.admit(CHAT)).is_some());
    // The same version: even then a reloaded key is not taken for the one that was let in.
    let narrowed = snapshot(|snapshot| {
        snapshot["cache"] = cache_policy();
        let mut key = virtual_key("app", APP_KEY);
        key["models"] = json!([]);
        snapshot["auth"]["keys"][0] = key;
    });
    front.plan = Arc::new(Plan::new(narrowed, 1, Some(&front.plan)).unwrap());
    assert_eq!(class(front.admit(CHAT)), Class::PermissionDenied);
}
