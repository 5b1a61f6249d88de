#![allow(clippy::unwrap_used)]

use super::*;
use crate::caller::Caller;
use crate::testing::{APP_KEY, plan};

fn route(operation: Operation, model: Option<&str>) -> Route {
    Route { operation, model: model.map(str::to_owned), stream: false, array: false }
}

/// An admitted request with this body, as far as its body for an upstream is concerned.
fn call(operation: Operation, path_model: Option<&str>, body: &str) -> Call {
    let plan = plan(|_| {});
    let key = plan.key(&plan.digester.digest(APP_KEY.as_bytes())).unwrap().clone();
    let body = Bytes::copy_from_slice(body.as_bytes());
    let object = json::parse_object(&body).unwrap();
    let (matched, fields) = read_fields(&body, &object, &route(operation, path_model)).unwrap();
    let ticket = Ticket {
        plan,
        key,
        caller: Caller::default(),
        operation,
        group: 0,
        downgraded: None,
        held: Held::default(),
    };
    let (path_model, array, strict) = (None, false, false);
    Call {
        ticket,
        asked: matched.clone(),
        matched,
        body,
        fields,
        input_tokens: 0,
        allowed: Allowed::UNSAID,
        cache_key: None,
        path_model,
        array,
        strict,
        past: Past::None,
        files_at: None,
        keep: Keep::No,
    }
}

fn sent(operation: Operation, path_model: Option<&str>, body: &str) -> (String, bool) {
    let (body, hidden) = call(operation, path_model, body).body_for("routed", true);
    (String::from_utf8(body.to_vec()).unwrap(), hidden)
}

fn sent_chat(body: &str) -> (String, bool) {
    sent(Operation::ChatCompletions, None, body)
}

fn refused(path_model: Option<&str>, body: &str) -> Error {
    let object = json::parse_object(body.as_bytes()).unwrap();
    let route = route(Operation::ChatCompletions, path_model);
    read_fields(body.as_bytes(), &object, &route).err().unwrap()
}

#[test]
fn only_the_model_is_changed() {
    let (body, hidden) = sent_chat(r#"{ "x" : 1e3, "model" :"chat" ,"y":[ ] }"#);
    assert_eq!(body, r#"{ "x" : 1e3, "model" :"routed" ,"y":[ ] }"#);
    assert!(!hidden);
}

#[test]
fn a_body_that_fits_is_sent_as_it_is_without_a_copy() {
    let call = call(Operation::ChatCompletions, None, r#"{"model":"routed"}"#);
    assert_eq!(call.body_for("routed", true).0.as_ptr(), call.body.as_ptr());
}

#[test]
fn a_routed_model_is_quoted() {
    let call = call(Operation::ChatCompletions, None, r#"{"model":"chat"}"#);
    assert_eq!(&call.body_for("a\"b\\c", true).0[..], br#"{"model":"a\"b\\c"}"#);
}

#[test]
fn an_escaped_model_key_is_the_model() {
    assert_eq!(sent_chat(r#"{"mod\u0065l":"chat"}"#).0, r#"{"mod\u0065l":"routed"}"#);
}

#[test]
fn an_escaped_model_name_is_read_unescaped() {
    let call = call(Operation::ChatCompletions, None, r#"{"model":"ch\u0061t\/x"}"#);
    assert_eq!(call.matched, "chat/x");
}

#[test]
fn a_model_that_stands_in_the_path_is_put_into_the_body() {
    for (body, expected) in [
        (r#"{"a":1}"#, r#"{"a":1,"model":"routed"}"#),
        ("{}", r#"{"model":"routed"}"#),
        ("{ } ", r#"{ "model":"routed"} "#),
        ("{\"a\":1\n}", "{\"a\":1\n,\"model\":\"routed\"}"),
        (r#"{"model":"mine"}"#, r#"{"model":"routed"}"#),
        (r#"{"model":null}"#, r#"{"model":"routed"}"#),
    ] {
        assert_eq!(sent(Operation::ChatCompletions, Some("chat"), body).0, expected);
    }
}

#[test]
fn a_stream_from_the_path_gets_model_and_usage() {
    let (body, hidden) = sent(Operation::ChatCompletions, Some("chat"), r#"{"stream":true}"#);
    let expected = r#"{"stream":true,"model":"routed","stream_options":{"include_usage":true}}"#;
    assert_eq!((&body[..], hidden), (expected, true));
}

#[test]
fn usage_is_asked_for_whatever_shape_the_options_have() {
    for (options, expected) in [
        ("null", r#"{"include_usage":true}"#),
        ("{}", r#"{"include_usage":true}"#),
        ("{ \t}", r#"{"include_usage":true}"#),
        (r#"{"include_usage":false}"#, r#"{"include_usage":true}"#),
        (r#"{"include_usage":null}"#, r#"{"include_usage":true}"#),
        (r#"{ "include_usage" : false }"#, r#"{ "include_usage" : true }"#),
        (r#"{"include\u005fusage":false}"#, r#"{"include\u005fusage":true}"#),
        (r#"{"x":1}"#, r#"{"include_usage":true,"x":1}"#),
        (r#"{ "x":1 }"#, r#"{"include_usage":true, "x":1 }"#),
        (r#"{"x":{"include_usage":true}}"#, r#"{"include_usage":true,"x":{"include_usage":true}}"#),
        (r#"{"x":1,"include_usage":false,"y":2}"#, r#"{"x":1,"include_usage":true,"y":2}"#),
        (r#"{"x":"include_usage"}"#, r#"{"include_usage":true,"x":"include_usage"}"#),
    ] {
        let body = |options| {
            format!(r#"{{"model":"routed","stream_options":{options},"stream":true,"z":0}}"#)
        };
        assert_eq!(sent_chat(&body(options)), (body(expected), true), "{options}");
    }
}

#[test]
fn options_that_are_missing_are_added() {
    let (body, hidden) = sent_chat(r#"{"stream":true,"model":"chat"}"#);
    let expected = r#"{"stream":true,"model":"routed","stream_options":{"include_usage":true}}"#;
    assert_eq!((&body[..], hidden), (expected, true));
}

#[test]
fn escaped_option_keys_are_the_options() {
    let body = r#"{"model":"routed","stre\u0061m":true,"stream\u005foptions":{"x":1}}"#;
    let expected = r#"{"model":"routed","stre\u0061m":true,"stream\u005foptions":{"include_usage":true,"x":1}}"#;
    assert_eq!(sent_chat(body), (expected.to_owned(), true));
}

#[test]
fn usage_that_the_client_asked_for_is_neither_added_nor_hidden() {
    for options in [
        r#"{"include_usage":true}"#,
        r#"{ "include_usage" : true , "x":1}"#,
        r#"{"include\u005fusage":true}"#,
    ] {
        let body = format!(r#"{{"model":"routed","stream":true,"stream_options":{options}}}"#);
        assert_eq!(sent_chat(&body), (body.clone(), false), "{options}");
    }
}

#[test]
fn usage_is_asked_for_only_in_streams() {
    for stream in ["false", "null"] {
        let body = format!(r#"{{"model":"routed","stream":{stream}}}"#);
        assert_eq!(sent_chat(&body), (body.clone(), false), "{stream}");
    }
}

#[test]
fn usage_is_asked_for_only_where_the_endpoint_knows_the_option() {
    let body = r#"{"model":"routed","stream":true}"#;
    for (operation, asks) in [
        (Operation::ChatCompletions, true),
        (Operation::Completions, true),
        (Operation::Responses, false),
        (Operation::Embeddings, false),
        (Operation::Moderations, false),
    ] {
        assert_eq!(sent(operation, None, body).1, asks, "{operation:?}");
    }
}

#[test]
fn usage_is_not_asked_of_a_deployment_that_does_not_know_the_option() {
    let call = call(Operation::ChatCompletions, None, r#"{"model":"routed","stream":true}"#);
    assert_eq!(call.body_for("routed", false), (call.body.clone(), false));
}

#[test]
fn fields_of_a_wrong_type_are_blamed_by_name() {
    for (body, param) in [
        (r#"{"model":5}"#, "model"),
        (r#"{"model":null}"#, "model"),
        (r#"{"model":["a"]}"#, "model"),
        ("{}", "model"),
        (r#"{"model":"a","stream":"true"}"#, "stream"),
        (r#"{"model":"a","stream":1}"#, "stream"),
    ] {
        let error = refused(None, body);
        assert_eq!(
            (error.class, error.param.as_deref()),
            (Class::InvalidRequest, Some(param)),
            "{body}"
        );
    }
}

#[test]
fn the_output_ceiling_counts_every_choice() {
    for (body, tokens) in [
        (r#"{"max_tokens":5}"#, 5),
        (r#"{"max_tokens":5,"n":3}"#, 15),
        (r#"{"max_output_tokens":7}"#, 7),
        (r#"{"max_tokens":5,"max_completion_tokens":9}"#, 9),
        ("{}", 0),
        (r#"{"n":3}"#, 0),
        (r#"{"max_tokens":null}"#, 0),
        (r#"{"max_tokens":-5}"#, 0),
        (r#"{"generationConfig":{"maxOutputTokens":4,"candidateCount":2}}"#, 8),
        (r#"{"generation_config":{"max_output_tokens":4}}"#, 4),
    ] {
        let object = json::parse_object(body.as_bytes()).unwrap();
        assert_eq!(Allowed::of(body.as_bytes(), &object).said(), tokens, "{body}");
    }
}

#[test]
fn an_absurd_output_ceiling_does_not_overflow() {
    let body = br#"{"max_tokens":18446744073709551615,"n":18446744073709551615}"#;
    let object = json::parse_object(body).unwrap();
    assert_eq!(Allowed::of(body, &object).said(), 1 << 32);
}

#[test]
fn claude_on_google_cloud_is_told_its_version_instead_of_its_model() {
    let body = br#"{"max_tokens":1, "model" : "m","messages":[]}"#;
    assert_eq!(
        &for_vertex(body, Operation::Messages)[..],
        br#"{"max_tokens":1, "anthropic_version":"vertex-2023-10-16","messages":[]}"#
    );
    assert_eq!(
        &for_vertex(br#"{"model":"m"}"#, Operation::CountMessageTokens)[..],
        br#"{"anthropic_version":"vertex-2023-10-16","model":"m"}"#
    );
}

#[test]
fn for_whom_a_client_asks_is_read_in_either_dialect_and_cut_short() {
    let asked = |body: &str| call(Operation::ChatCompletions, None, body).end_user();
    assert_eq!(asked(r#"{"model":"m","user":"ann"}"#).as_deref(), Some("ann"));
    assert_eq!(asked(r#"{"model":"m","safety_identifier":"b"}"#).as_deref(), Some("b"));
    assert_eq!(asked(r#"{"model":"m","metadata":{"user_id":"c"}}"#).as_deref(), Some("c"));
    assert_eq!(asked(r#"{"model":"m","user":7,"metadata":"x"}"#), None);
    let long = format!(r#"{{"model":"m","user":"{}"}}"#, "é".repeat(1000));
    assert_eq!(asked(&long), Some("é".repeat(128)));
}
