//! What upstreams are sent of settings, by what the model takes.

use super::*;
use crate::chat::{Effort, Extra, Function, Output, Reasoning, Thinking, Tool, ToolChoice};
use serde_json::json;

fn thinking(effort: Option<Effort>, budget: Option<u64>) -> Request<'static> {
    let reasoning = Some(Reasoning { effort, budget, ..Reasoning::default() });
    Request { reasoning, max_output_tokens: Some(20_000), ..hello() }
}

/// `thinking`, `output_config.effort` and what was dropped.
fn thought(request: &Request<'_>, model: &str) -> (Value, Value, Vec<String>) {
    let (body, dropped) = sent(request, model);
    (body["thinking"].clone(), body["output_config"]["effort"].clone(), dropped)
}

fn forced(choice: ToolChoice<'static>) -> Request<'static> {
    let tool = Function { name: "f".into(), ..Function::default() };
    Request { tools: vec![Tool::Function(tool)], tool_choice: Some(choice), ..hello() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn the_most_tokens_are_always_told() {
    for (given, known, expected, dropped) in [
        (None, None, 4096, vec![]),
        (None, Some(64_000), 64_000, vec![]),
        (Some(10), Some(64_000), 10, vec![]),
        (Some(99_000), Some(64_000), 64_000, names(&["max_output_tokens (clamped)"])),
    ] {
        let request = Request { max_output_tokens: given, ..hello() };
        let target = Target { max_output_tokens: known, ..target(ANY) };
        let (body, found) = sent_to(&request, &target).unwrap();
        assert_eq!((&body["max_tokens"], found), (&json!(expected), dropped));
    }
}

#[test]
fn efforts_become_budgets_within_half_of_the_reply() {
    for (effort, budget) in [
        (Effort::Minimal, 1024),
        (Effort::Low, 4096),
        (Effort::Medium, 10_000),
        (Effort::High, 10_000),
    ] {
        let expected = json!({"type": "enabled", "budget_tokens": budget});
        let found = thought(&thinking(Some(effort), None), BUDGET);
        assert_eq!(found, (expected, Value::Null, vec![]), "{effort:?}");
    }
}

#[test]
fn a_budget_stays_between_the_least_and_the_reply() {
    let clamped = names(&["reasoning (clamped)"]);
    for (given, budget, dropped) in
        [(5000, 5000, vec![]), (10, 1024, clamped.clone()), (90_000, 19_999, clamped)]
    {
        let (thinking, _, found) = thought(&thinking(None, Some(given)), BUDGET);
        assert_eq!((&thinking["budget_tokens"], found), (&json!(budget), dropped));
    }
}

#[test]
fn a_reply_too_short_to_think_in_is_given_without_thought() {
    let request = Request { max_output_tokens: Some(1500), ..thinking(Some(Effort::High), None) };
    let expected = (Value::Null, Value::Null, names(&["reasoning"]));
    assert_eq!(thought(&request, BUDGET), expected);
}

#[test]
fn models_that_adapt_are_told_an_effort() {
    for (effort, word) in [
        (Effort::Minimal, "low"),
        (Effort::Medium, "medium"),
        (Effort::High, "high"),
        (Effort::XHigh, "xhigh"),
    ] {
        let found = thought(&thinking(Some(effort), None), "claude-opus-4-8");
        assert_eq!(found, (json!({"type": "adaptive"}), json!(word), vec![]), "{effort:?}");
    }
}

#[test]
fn the_most_effort_has_another_name_at_first() {
    assert_eq!(thought(&thinking(Some(Effort::XHigh), None), "claude-opus-4-6").1, "max");
}

#[test]
fn a_budget_becomes_an_effort_where_no_budget_is_taken() {
    let request = thinking(None, Some(20_000));
    let adaptive = (json!({"type": "adaptive"}), json!("high"), vec![]);
    assert_eq!(thought(&request, "claude-opus-4-7"), adaptive);
    assert_eq!(thought(&request, "claude-opus-4-6").0["type"], "enabled");
}

#[test]
fn thoughts_are_shown_or_not_as_the_client_wants() {
    let mut request = thinking(Some(Effort::Low), None);
    for (visible, display) in [(true, "summarized"), (false, "omitted")] {
        request.reasoning.as_mut().unwrap().visible = Some(visible);
        assert_eq!(thought(&request, NEWEST).0, json!({"type": "adaptive", "display": display}));
    }
}

#[test]
fn thinking_is_switched_off_in_the_models_own_way() {
    for (model, word) in [("claude-opus-5", "disabled"), ("claude-sonnet-5-5", "between_tools")] {
        for request in [thinking(Some(Effort::None), None), thinking(None, Some(0))] {
            let expected = (json!({"type": word}), Value::Null, vec![]);
            assert_eq!(thought(&request, model), expected, "{model}");
        }
    }
}

#[test]
fn a_model_that_always_thinks_thinks_as_little_as_it_can() {
    let expected = (json!({"type": "adaptive"}), json!("low"), names(&["reasoning (clamped)"]));
    assert_eq!(thought(&thinking(Some(Effort::None), None), NEWEST), expected);
}

#[test]
fn a_model_that_does_not_think_is_not_told_to() {
    let target = Target { reasoning: false, ..target(ANY) };
    for (effort, expected) in [(Effort::High, names(&["reasoning"])), (Effort::None, vec![])] {
        let (body, dropped) = sent_to(&thinking(Some(effort), None), &target).unwrap();
        assert_eq!((body.get("thinking"), dropped), (None, expected));
    }
}

#[test]
fn a_turn_that_was_begun_without_a_thought_goes_on_without_a_budget_for_one() {
    let mut request = thinking(Some(Effort::Low), None);
    request.messages.push(said(Role::Assistant, vec![call("a")]));
    request.messages.push(said(Role::User, vec![result("a", vec![])]));
    assert_eq!(thought(&request, BUDGET).2, ["reasoning"]);
    assert_eq!(thought(&request, NEWEST).2, Vec::<String>::new());
    let proof = super::super::blocks_in::own("EqQB".into());
    let own = Thinking { signature: Some(proof), ..Thinking::default() };
    request.messages[1].blocks.insert(0, Block::Thinking(own));
    assert_eq!(thought(&request, BUDGET).2, Vec::<String>::new());
}

#[test]
fn a_forced_call_comes_before_thinking_where_both_do_not_go() {
    let reasoning = Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() });
    let request = Request { reasoning, ..forced(ToolChoice::Required) };
    for (model, thinking, dropped) in [
        (BUDGET, Value::Null, names(&["reasoning"])),
        ("claude-opus-5", json!({"type": "adaptive"}), vec![]),
    ] {
        let (body, found) = sent(&request, model);
        assert_eq!((&body["thinking"], found), (&thinking, dropped), "{model}");
        assert_eq!(body["tool_choice"], json!({"type": "any"}), "{model}");
    }
}

#[test]
fn a_model_that_cannot_be_forced_is_asked() {
    for choice in [ToolChoice::Required, ToolChoice::Function("f".into())] {
        let (body, dropped) = sent(&forced(choice), NEWEST);
        assert_eq!(
            (&body["tool_choice"], dropped),
            (&json!({"type": "auto"}), names(&["tool_choice"]))
        );
    }
}

#[test]
fn a_model_that_cannot_be_forced_is_not_given_a_tool_for_its_answer() {
    let (body, dropped) = sent(&Request { output: Output::Json, ..hello() }, NEWEST);
    assert_eq!((body.get("tools"), dropped), (None, names(&["response_format"])));
}

#[test]
fn sampling_is_sent_as_far_as_the_model_takes_it() {
    let request = Request { temperature: Some(0.5), top_p: Some(0.9), top_k: Some(5), ..hello() };
    for (model, expected, dropped) in [
        (ANY, [true, true, true], vec![]),
        (BUDGET, [true, false, true], names(&["top_p"])),
        (NEWEST, [false, false, false], names(&["temperature", "top_p", "top_k"])),
    ] {
        let (body, found) = sent(&request, model);
        let given = ["temperature", "top_p", "top_k"].map(|name| body.get(name).is_some());
        assert_eq!((given, found), (expected, dropped), "{model}");
    }
}

#[test]
fn sampling_that_changes_nothing_is_left_out_without_a_word() {
    let request = Request { temperature: Some(1.0), top_p: Some(1.0), ..hello() };
    let (body, dropped) = sent(&request, NEWEST);
    assert_eq!((body.get("temperature"), body.get("top_p"), dropped), (None, None, vec![]));
}

#[test]
fn a_thinking_model_takes_no_sampling_but_a_wide_one() {
    let wide = Request {
        temperature: Some(0.5),
        top_p: Some(0.96),
        top_k: Some(5),
        ..thinking(Some(Effort::Low), None)
    };
    let (body, dropped) = sent(&wide, BUDGET);
    assert_eq!((body.get("temperature"), &body["top_p"]), (None, &json!(0.96)));
    assert_eq!(dropped, ["temperature", "top_k"]);
    let narrow = Request { top_p: Some(0.5), ..thinking(Some(Effort::Low), None) };
    assert_eq!(sent(&narrow, BUDGET).1, ["top_p"]);
}

#[test]
fn a_temperature_above_one_is_one() {
    let (body, dropped) = sent(&Request { temperature: Some(1.7), ..hello() }, ANY);
    let temperature = body["temperature"].as_f64();
    assert_eq!((temperature, dropped), (Some(1.0), names(&["temperature (clamped)"])));
}

#[test]
fn blank_stops_are_not_sent() {
    let request = Request { stop: vec!["x".into(), "\n".into()], ..hello() };
    let (body, dropped) = sent(&request, ANY);
    assert_eq!((&body["stop_sequences"], dropped), (&json!(["x"]), names(&["stop"])));
}

#[test]
fn tiers_have_anthropics_words() {
    for (given, expected, dropped) in [
        ("default", json!("standard_only"), vec![]),
        ("auto", json!("auto"), vec![]),
        ("flex", Value::Null, names(&["service_tier"])),
    ] {
        let (body, found) = sent(&Request { service_tier: Some(given.into()), ..hello() }, ANY);
        assert_eq!((&body["service_tier"], found), (&expected, dropped));
    }
}

#[test]
fn all_that_has_no_words_here_is_named() {
    let request = Request {
        frequency_penalty: Some(0.5),
        presence_penalty: Some(-0.5),
        seed: Some(1),
        n: Some(2),
        logprobs: Some(3),
        metadata: Some("{}".into()),
        extra: vec![Extra { name: "logit_bias".into(), value: "{}".into() }],
        end_user: Some("u".into()),
        ..hello()
    };
    let (body, dropped) = sent(&request, ANY);
    assert_eq!(body["metadata"], json!({"user_id": "u"}));
    let penalties = ["frequency_penalty", "presence_penalty"];
    assert_eq!(dropped[..2], penalties);
    assert_eq!(dropped[2..], ["seed", "n", "logprobs", "metadata", "logit_bias"]);
}

#[test]
fn clients_are_told_in_their_own_words() {
    for (name, word) in [
        ("max_output_tokens", "max_tokens"),
        ("reasoning", "thinking"),
        ("stop", "stop_sequences"),
        ("seed", "seed"),
    ] {
        assert_eq!(AnthropicMessages.spelling(name), word);
    }
}
