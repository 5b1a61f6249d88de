//! Which requests ask for a response, and which page of its items is wanted.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::http1::take_head;
use crate::testing::plan;
use bytes::BytesMut;

fn head(method: &str, target: &str) -> Head {
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

fn wanted(query: &str) -> Result<Wanted> {
    Wanted::of(&head("GET", &format!("/v1/responses/resp_1/input_items{query}")))
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
fn a_page_is_as_the_query_says() {
    let page = |after: Option<&str>, ascending, limit| Wanted {
        after: after.map(str::to_owned),
        ascending,
        limit,
    };
    assert_eq!(wanted("").unwrap(), page(None, false, 20));
    assert_eq!(wanted("?order=desc&limit=100").unwrap(), page(None, false, 100));
    let query = "?limit=3&order=asc&after=msg%5F1&include=x";
    assert_eq!(wanted(query).unwrap(), page(Some("msg_1"), true, 3));
}

#[test]
fn a_page_that_cannot_be_is_refused_by_name() {
    for (query, param) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=x", "limit"),
        ("?order=up", "order"),
    ] {
        let error = wanted(query).unwrap_err();
        assert_eq!((error.class, error.param.as_deref()), (Class::InvalidRequest, Some(param)));
    }
}
