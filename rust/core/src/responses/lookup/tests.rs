//! Which requests ask for a response, and which page of its items is wanted.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::http1::take_head;
use crate::testing::plan;
use bytes::BytesMut;

pub(super) fn head(method: &str, target: &str) -> Head {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap()
}

fn routed(method: &str, target: &str) -> Option<Lookup> {
    let plan = plan(|snapshot| {
        for path in ["/v1/responses", "/responses"] {
            snapshot["routes"][path] = "responses".into();
        }
    });
    route(&plan, &head(method, target))
}

#[test]
fn a_response_is_asked_for_by_method_and_path() {
    for (method, path, verb) in [
        ("GET", "/v1/responses/resp_1", Verb::Retrieve),
        ("HEAD", "/responses/resp_1", Verb::Retrieve),
        ("DELETE", "/responses/resp_1", Verb::Delete),
        ("POST", "/v1/responses/resp_1/cancel", Verb::Cancel),
        ("GET", "/v1/responses/resp_1/input_items?limit=1", Verb::InputItems),
    ] {
        let id = "resp_1".to_owned();
        assert_eq!(routed(method, path), Some(Lookup { verb, id }), "{method} {path}");
    }
}

#[test]
fn other_methods_and_paths_ask_for_none() {
    for (method, path) in [
        ("POST", "/v1/responses/resp_1"),
        ("PUT", "/v1/responses/resp_1"),
        ("GET", "/v1/responses"),
        ("GET", "/v1/responses/"),
        ("GET", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/chat/completions/x"),
        ("GET", "/v1/embeddings/resp_1"),
        ("DELETE", "/v1/responses/resp_1/input_items"),
    ] {
        assert_eq!(routed(method, path), None, "{method} {path}");
    }
}

#[test]
fn an_id_is_decoded() {
    assert_eq!(routed("GET", "/v1/responses/a%2Fb").unwrap().id, "a/b");
    assert_eq!(routed("GET", "/v1/responses/%zz"), None);
}

#[test]
fn events_are_asked_for_from_the_beginning_or_after_one() {
    let wanted = |method, verb, query: &str| {
        events::Wanted::of(&head(method, &format!("/v1/responses/resp_1{query}")), verb)
    };
    let retrieved = |query| wanted("GET", Verb::Retrieve, query);
    assert_eq!(retrieved("").unwrap(), None);
    assert_eq!(retrieved("?stream=false&starting_after=3").unwrap(), None);
    assert_eq!(retrieved("?stream=true").unwrap().unwrap().first(), 0);
    assert_eq!(retrieved("?stream=true&starting_after=3").unwrap().unwrap().first(), 4);
    assert_eq!(wanted("HEAD", Verb::Retrieve, "?stream=true").unwrap(), None);
    assert_eq!(wanted("DELETE", Verb::Delete, "?stream=true").unwrap(), None);
    let error = retrieved("?stream=true&starting_after=-1").unwrap_err();
    assert_eq!(error.param.as_deref(), Some("starting_after"));
}
