#![allow(clippy::unwrap_used)]

use super::*;
use crate::caller::Caller;
use crate::responses::previous::Past;
use crate::testing::{APP_KEY, cache_policy, cached, plan};
use serde_json::{Value, json};

const BODY: &[u8] = br#"{"model":"chat"}"#;

fn plan_with(change: impl FnOnce(&mut Value)) -> Arc<Plan> {
    plan(|snapshot| {
        snapshot["cache"] = cache_policy();
        change(snapshot);
    })
}

fn ticket(plan: &Arc<Plan>) -> Ticket {
    let key = plan.key(&plan.digester.digest(APP_KEY.as_bytes())).unwrap().clone();
    let operation = Operation::ChatCompletions;
    Ticket {
        plan: plan.clone(),
        key,
        caller: Caller::default(),
        operation,
        group: 0,
        limits: [None, None],
    }
}

fn known(ticket: &Ticket, scope: CacheKey) -> Known {
    Known::new(
        ticket,
        &route(Operation::ChatCompletions, None),
        BODY,
        scope,
        Some(Counter::PiiPassed),
    )
}

fn chat() -> Route {
    route(Operation::ChatCompletions, None)
}

fn route(operation: Operation, model: Option<&str>) -> Route {
    Route { operation, model: model.map(str::to_owned), stream: false, array: false }
}

fn arrival(operation: Operation, model: Option<&str>, body: &[u8]) -> Arrival {
    let route = route(operation, model);
    let (body, past) = (Bytes::copy_from_slice(body), Past::None);
    Arrival {
        caller: Caller::default(),
        route,
        body,
        no_cache: false,
        strict: false,
        past,
        files_at: None,
    }
}

/// A store that holds one reply, asked for once already.
fn asked_once() -> (Answers, Arc<Plan>, Ticket) {
    let plan = plan_with(|_| {});
    let ticket = ticket(&plan);
    let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
    let mut answers = Answers::default();
    answers.put(&plan, scope, cached("{}"));
    assert!(answers.get(&plan, scope, known(&ticket, scope)).is_some());
    (answers, plan, ticket)
}

#[test]
fn a_reply_that_was_never_asked_for_is_not_found_by_bytes() {
    let plan = plan_with(|_| {});
    let ticket = ticket(&plan);
    let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
    let mut answers = Answers::default();
    answers.put(&plan, scope, cached("{}"));
    let arrival = arrival(Operation::ChatCompletions, None, BODY);
    assert!(answers.find(&plan, &ticket.key, &arrival).is_none());
}

#[test]
fn a_request_asked_before_is_found_by_its_bytes_with_what_was_learnt() {
    let (mut answers, plan, ticket) = asked_once();
    let arrival = arrival(Operation::ChatCompletions, None, BODY);
    let (known, entry) = answers.find(&plan, &ticket.key, &arrival).unwrap();
    assert_eq!((known.group, known.verdict), (0, Some(Counter::PiiPassed)));
    assert_eq!(&entry.body[..], b"{}");
}

#[test]
fn a_request_that_differs_in_anything_is_not_found_by_its_bytes() {
    let (mut answers, plan, ticket) = asked_once();
    for other in [
        arrival(Operation::Embeddings, None, BODY),
        arrival(Operation::ChatCompletions, Some("chat"), BODY),
        arrival(Operation::ChatCompletions, None, br#"{"model":"chat" }"#),
    ] {
        assert!(answers.find(&plan, &ticket.key, &other).is_none());
    }
}

#[test]
fn a_request_of_a_reloaded_key_is_not_found_by_its_bytes() {
    let (mut answers, plan, _) = asked_once();
    let reloaded = ticket(&plan_with(|_| {})).key;
    let arrival = arrival(Operation::ChatCompletions, None, BODY);
    assert!(answers.find(&plan, &reloaded, &arrival).is_none());
}

#[test]
fn the_first_request_under_a_new_configuration_drops_all_of_the_old() {
    let (mut answers, plan, ticket) = asked_once();
    let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
    let next = plan_with(|snapshot| snapshot["version"] = json!("2"));
    assert!(answers.get(&next, [0; 32], known(&ticket, scope)).is_none());
    assert!(answers.get(&plan, scope, known(&ticket, scope)).is_none());
}

#[test]
fn a_reply_that_comes_under_an_older_configuration_is_not_kept() {
    let (mut answers, plan, ticket) = asked_once();
    let old = plan_with(|snapshot| snapshot["version"] = json!("0"));
    answers.put(&old, [0; 32], cached("{}"));
    let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
    assert!(answers.get(&plan, scope, known(&ticket, scope)).is_some());
}

#[test]
fn a_reply_is_kept_up_to_the_largest_size_allowed() {
    for (most, kept) in [(4, true), (3, false)] {
        let plan = plan_with(|snapshot| snapshot["cache"]["max_entry_bytes"] = json!(most));
        let ticket = ticket(&plan);
        let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
        let mut answers = Answers::default();
        answers.put(&plan, scope, cached("1234"));
        assert_eq!(answers.get(&plan, scope, known(&ticket, scope)).is_some(), kept, "{most}");
    }
}

#[test]
fn a_reply_is_forgotten_when_its_time_is_over() {
    let plan = plan_with(|snapshot| snapshot["cache"]["ttl"] = json!(0.0));
    let ticket = ticket(&plan);
    let scope = Answers::scope(&ticket, "chat", &chat(), BODY).unwrap();
    let mut answers = Answers::default();
    answers.put(&plan, scope, cached("{}"));
    assert!(answers.get(&plan, scope, known(&ticket, scope)).is_none());
}

#[test]
fn nothing_is_kept_where_the_cache_is_off() {
    let plan = plan(|_| {});
    let ticket = ticket(&plan);
    let mut answers = Answers::default();
    answers.put(&plan, [0; 32], cached("{}"));
    assert!(answers.get(&plan, [0; 32], known(&ticket, [0; 32])).is_none());
}

#[test]
fn key_model_endpoint_configuration_and_body_all_tell_replies_apart() {
    let plan = plan_with(|_| {});
    let first = ticket(&plan);
    let mut other_key = ticket(&plan);
    other_key.key =
        plan.key(&plan.digester.digest(crate::testing::OTHER_KEY.as_bytes())).unwrap().clone();
    let mut other_operation = ticket(&plan);
    other_operation.operation = Operation::Completions;
    let other_plan = ticket(&plan_with(|snapshot| snapshot["version"] = json!("2")));
    let scopes: std::collections::BTreeSet<CacheKey> = [
        Answers::scope(&first, "chat", &chat(), BODY),
        Answers::scope(&first, "twin", &chat(), BODY),
        Answers::scope(&first, "chat", &chat(), br#"{"model":"chat","n":2}"#),
        Answers::scope(&first, "chat", &Route { stream: true, ..chat() }, BODY),
        Answers::scope(&first, "chat", &Route { array: true, ..chat() }, BODY),
        Answers::scope(&other_key, "chat", &chat(), BODY),
        Answers::scope(&other_operation, "chat", &chat(), BODY),
        Answers::scope(&other_plan, "chat", &chat(), BODY),
    ]
    .into_iter()
    .map(Option::unwrap)
    .collect();
    assert_eq!(scopes.len(), 8);
}
