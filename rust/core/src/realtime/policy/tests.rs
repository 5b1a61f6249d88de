#![allow(clippy::unwrap_used)]

use super::*;
use crate::call::Call;
use crate::caller::Caller;
use crate::limiter::monotonic_ns;
use crate::testing::{APP_KEY, group, plan, shop};
use serde_json::{Value, json};

/// What becomes of an event in a session of the model `asked`, in a configuration that the test has changed.
fn judged(asked: &str, change: impl FnOnce(&mut Value), event: &Value) -> Verdict {
    let plan = plan(|snapshot| {
        snapshot["models"] = json!({"chat": 0, "alias": 0, "other": 1});
        snapshot["groups"] = json!([group("chat", &[0]), group("other", &[0])]);
        change(snapshot);
    });
    let shop = shop(Some(plan.clone()));
    let key = shop.authenticate(&plan, Some(APP_KEY.as_bytes()), None).unwrap();
    let call = shop.admit_session(plan, key, Caller::default(), asked).unwrap();
    judge(&shop, &call, event)
}

fn judge(shop: &Shop, call: &Call, event: &Value) -> Verdict {
    let model = call.plan.deployments[0].routed_model(&call.matched);
    let rng = RefCell::new(fastrand::Rng::with_seed(1));
    Policy { shop, ticket: call, model: &model, deployment: 0, rng }
        .judge(event.to_string().as_bytes())
}

fn update(model: &str) -> Value {
    json!({"type": "session.update", "session": {"model": model}})
}

fn listen(model: &str) -> Value {
    json!({"session": {"audio": {"input": {"transcription": {"model": model}}}}})
}

/// The `error` of a refusal.
fn error(verdict: &Verdict) -> Value {
    let Verdict::Refused(event) = verdict else { unreachable!("{verdict:?}") };
    let event: Value = serde_json::from_slice(event).unwrap();
    assert_eq!(event["type"], "error");
    assert!(event["event_id"].as_str().unwrap().starts_with("event_"));
    event["error"].clone()
}

fn unchanged(_: &mut Value) {}

/// Lets the key use these models alone.
fn only(models: &[&str]) -> impl FnOnce(&mut Value) {
    let models = json!(models);
    move |snapshot| snapshot["auth"]["keys"][0]["models"] = models
}

#[test]
fn names_of_the_sessions_own_model_become_the_one_that_its_upstream_knows() {
    for name in ["chat", "alias"] {
        let Verdict::Instead(sent) = judged("chat", unchanged, &update(name)) else {
            unreachable!("{name}");
        };
        assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), update("routed"));
    }
    assert_eq!(judged("chat", unchanged, &update("routed")), Verdict::Pass);
}

#[test]
fn a_name_of_the_keys_own_map_leads_where_it_does_elsewhere() {
    let map = |snapshot: &mut Value| {
        snapshot["auth"]["keys"][0]["model_map"] = json!({"gpt-realtime": "chat", "chat": "other"});
    };
    assert!(matches!(judged("gpt-realtime", map, &update("gpt-realtime")), Verdict::Instead(_)));
    assert_eq!(error(&judged("gpt-realtime", map, &update("chat")))["code"], "permission_denied");
}

#[test]
fn another_model_is_refused_even_if_the_key_may_use_it() {
    let refused = error(&judged("chat", unchanged, &update("other")));
    assert_eq!(refused["param"], "session.model");
    assert_eq!(error(&judged("chat", unchanged, &update("gpt-4o")))["code"], "permission_denied");
}

#[test]
fn of_a_wildcard_only_what_the_session_was_opened_for_is_its_model() {
    let wildcard = |snapshot: &mut Value| {
        snapshot["wildcards"] = json!([{"prefix": "any/", "suffix": "", "group": 0}]);
        snapshot["deployments"][0]["model"] = json!("up-*");
    };
    assert!(matches!(judged("any/a", wildcard, &update("any/a")), Verdict::Instead(_)));
    assert!(matches!(judged("any/a", wildcard, &update("any/b")), Verdict::Refused(_)));
}

#[test]
fn a_key_of_few_models_has_only_these_listen() {
    assert_eq!(judged("chat", unchanged, &listen("whisper-1")), Verdict::Pass);
    assert_eq!(judged("chat", only(&["chat", "whisper-1"]), &listen("whisper-1")), Verdict::Pass);
    let refused = error(&judged("chat", only(&["chat"]), &listen("whisper-1")));
    assert_eq!(refused["param"], "transcription.model");
}

#[test]
fn a_refusal_tells_which_event_it_is_of() {
    let mut event = update("other");
    event["event_id"] = json!("mine");
    assert_eq!(error(&judged("chat", unchanged, &event))["event_id"], "mine");
}

#[test]
fn an_event_names_no_files() {
    let variables = json!({"a": {"type": "input_file", "file_id": "file-1"}});
    let event = json!({"session": {"prompt": {"id": "p", "variables": variables}}});
    assert_eq!(error(&judged("chat", unchanged, &event))["param"], "file_id");
    let any = |snapshot: &mut Value| snapshot["any_file_id"] = json!(true);
    assert_eq!(judged("chat", any, &event), Verdict::Pass);
}

#[test]
fn a_key_in_debt_does_not_have_its_model_work() {
    let plan = plan(|snapshot| snapshot["auth"]["keys"][0]["tpm"] = json!(100));
    let shop = shop(Some(plan.clone()));
    let key = shop.authenticate(&plan, Some(APP_KEY.as_bytes()), None).unwrap();
    let call = shop.admit_session(plan, key.clone(), Caller::default(), "chat").unwrap();
    let (create, other) = (json!({"type": "response.create"}), json!({"type": "response.cancel"}));
    assert_eq!(judge(&shop, &call, &create), Verdict::Pass);

    shop.settle(&call, Some(150));

    assert_eq!(error(&judge(&shop, &call, &create))["code"], "rate_limit_exceeded");
    assert_eq!(judge(&shop, &call, &other), Verdict::Pass);
    let (id, limit) = key.tokens.unwrap();
    assert_eq!(shop.limiter.peek(id, &limit, monotonic_ns()).remaining, 0);
}
