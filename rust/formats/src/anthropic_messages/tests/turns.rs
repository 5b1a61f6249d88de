//! Who speaks when.

use super::*;
use crate::chat::{Cache, TextBlock};
use serde_json::json;

/// Hears the system within the conversation; the other one does not.
const HEARS: &str = "claude-opus-5";
const DEAF: &str = "claude-sonnet-5";

/// The system prompt, the messages and what was dropped.
fn parts(request: &Request<'_>, model: &str) -> (Value, Value, Vec<String>) {
    let (body, dropped) = sent(request, model);
    (body["system"].clone(), body["messages"].clone(), dropped)
}

/// Role and content of each message.
fn turns(request: &Request<'_>, model: &str) -> Vec<(String, String)> {
    let (_, messages, _) = parts(request, model);
    let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), ToOwned::to_owned);
    let turns = messages.as_array().unwrap().iter();
    turns.map(|one| (text(&one["role"]), text(&one["content"]))).collect()
}

fn turn(role: &str, text: &str) -> (String, String) {
    (role.to_owned(), text.to_owned())
}

fn texts(texts: &[&str]) -> Value {
    texts.iter().map(|text| json!({"type": "text", "text": text})).collect()
}

#[test]
fn neighbours_of_one_role_are_one_turn() {
    let request = asking(vec![user("a"), user("b"), assistant("c"), user("d")]);
    let (_, messages, dropped) = parts(&request, ANY);
    let expected = json!([
        {"role": "user", "content": texts(&["a", "b"])},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]);
    assert_eq!((messages, dropped), (expected, vec![]));
}

#[test]
fn results_of_tools_come_first_in_one_turn_of_the_users() {
    let request = asking(vec![
        user("Look"),
        said(Role::Assistant, vec![call("a"), call("b")]),
        said(Role::User, vec![Block::text("And?"), result("a", vec![Block::text("1")])]),
        said(Role::User, vec![result("b", vec![Block::text("2")])]),
    ]);
    let (_, messages, _) = parts(&request, ANY);
    let expected = json!([
        {"type": "tool_result", "tool_use_id": "a", "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": "2"},
        {"type": "text", "text": "And?"},
    ]);
    assert_eq!(messages[2]["content"], expected);
}

#[test]
fn all_that_instructs_at_first_is_the_system_prompt() {
    let developer = said(Role::Developer, vec![Block::text("Two.")]);
    let (prompt, _, dropped) = parts(&asking(vec![system("One."), developer, user("Hi")]), ANY);
    assert_eq!((prompt, dropped), (texts(&["One.", "Two."]), vec![]));
}

#[test]
fn the_system_stays_after_the_users_turn_where_the_model_hears_it() {
    let request = asking(vec![user("a"), system("s"), assistant("b"), user("c"), system("t")]);
    let expected = [
        turn("user", "a"),
        turn("system", "s"),
        turn("assistant", "b"),
        turn("user", "c"),
        turn("system", "t"),
    ];
    assert_eq!(turns(&request, HEARS), expected);
    assert_eq!(parts(&request, HEARS).2, Vec::<String>::new());
}

#[test]
fn what_the_system_says_elsewhere_moves_after_the_users_turn_and_is_noted() {
    let expected =
        [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("system", "s")];
    let request = asking(vec![user("a"), assistant("b"), system("s"), user("c")]);
    assert_eq!(turns(&request, HEARS), expected);
    assert_eq!(parts(&request, HEARS).2, ["messages[2] (moved)"]);
}

#[test]
fn the_system_does_not_come_between_calls_and_their_results() {
    let request = asking(vec![
        user("a"),
        said(Role::Assistant, vec![call("a")]),
        system("s"),
        said(Role::User, vec![result("a", vec![])]),
    ]);
    let roles: Vec<_> = turns(&request, HEARS).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["user", "assistant", "user", "system"]);
}

#[test]
fn neighbouring_words_of_the_system_are_one_message() {
    let request = asking(vec![user("a"), system("s"), system("t")]);
    let (_, messages, dropped) = parts(&request, HEARS);
    assert_eq!(messages[1], json!({"role": "system", "content": texts(&["s", "t"])}));
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn words_of_the_system_that_no_turn_of_the_users_comes_before_join_the_prompt() {
    let request = asking(vec![user("a"), assistant("b"), system("s")]);
    let (prompt, _, dropped) = parts(&request, HEARS);
    assert_eq!((prompt, dropped), (json!("s"), vec!["messages[2] (moved)".to_owned()]));
}

#[test]
fn a_model_that_does_not_hear_the_system_inside_gets_all_of_it_first() {
    let request = asking(vec![system("p"), user("a"), system("s"), assistant("b"), user("c")]);
    let (prompt, _, dropped) = parts(&request, DEAF);
    assert_eq!((prompt, dropped), (texts(&["p", "s"]), vec!["messages[2] (moved)".to_owned()]));
    assert_eq!(
        turns(&request, DEAF),
        [turn("user", "a"), turn("assistant", "b"), turn("user", "c")]
    );
}

#[test]
fn a_prefill_is_kept_without_the_space_at_its_end() {
    let request = asking(vec![user("a"), assistant("It is ("), assistant("so \n")]);
    assert_eq!(parts(&request, BUDGET).1[1]["content"], texts(&["It is (", "so"]));
    let request = asking(vec![user("a"), assistant("so \n"), user("b ")]);
    assert_eq!(turns(&request, BUDGET)[1..], [turn("assistant", "so \n"), turn("user", "b ")]);
}

#[test]
fn blank_texts_are_not_sent_and_only_their_marks_are_missed() {
    let cache = Some(Cache::default());
    let blank = TextBlock { text: " ".into(), cache, ..TextBlock::default() };
    let request = asking(vec![said(Role::User, vec![Block::Text(blank), Block::text("Hi")])]);
    assert_eq!(turns(&request, ANY), [turn("user", "Hi")]);
    assert_eq!(parts(&request, ANY).2, ["messages[0].content[0].cache_control"]);
}

#[test]
fn a_turn_that_is_blank_is_left_out() {
    let request = asking(vec![user("a"), assistant(""), user("b")]);
    assert_eq!(turns(&request, ANY), [turn("user", "a"), turn("user", "b")]);
}

#[test]
fn a_conversation_that_is_blank_is_a_fault() {
    let fault = sent_to(&asking(vec![user(" ")]), &target(ANY)).unwrap_err();
    assert_eq!((fault.param.as_deref(), fault.unsupported), (Some("messages"), false));
}

#[test]
fn a_speakers_name_is_missed() {
    let mut request = hello();
    request.messages[0].name = Some("Ann".into());
    assert_eq!(sent(&request, ANY).1, ["messages[0].name"]);
}
