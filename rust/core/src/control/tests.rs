//! What crosses to the control plane and back, seen through a whole edge.

#![allow(clippy::unwrap_used)]

use crate::testing::edge::{EDGE_SECRET, Reply, RunningEdge, whole};
use crate::testing::plan;
use crate::testing::server::{self, Record, full};
use http::{Method, Response};
use std::path::PathBuf;

/// A socket path of the test's own, removed when dropped.
struct Socket(PathBuf);

impl Socket {
    fn new() -> Self {
        let name = format!("llmgw-control-{:x}.sock", fastrand::u64(..));
        Socket(std::env::temp_dir().join(name))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A socket left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Sends a request through an edge whose control plane answers 201 with headers of all kinds.
async fn through(
    method: Method,
    target: &str,
    headers: &[(&'static str, &str)],
    body: &'static str,
) -> (Record, Reply) {
    let socket = Socket::new();
    let record = server::serve_unix(&socket.0, |_| async {
        let response = Response::builder().status(201).header("x-own", "1");
        let response = response.header("server", "python").header("x-request-id", "req_python");
        response.header("content-type", "text/plain").body(full("said")).unwrap()
    });
    let edge = RunningEdge::start(plan(|_| {}), &socket.0);
    let reply = whole(edge.send(method, target, headers, body).await).await;
    (record, reply)
}

#[tokio::test]
async fn the_control_plane_gets_method_target_and_body() {
    let (record, _) = through(Method::PUT, "/keys/a%20b?x=1&y", &[], "a body").await;
    let request = record.only_request();
    assert_eq!(request.line, "PUT /keys/a%20b");
    assert_eq!(request.uri.query(), Some("x=1&y"));
    assert_eq!(&request.body[..], b"a body");
}

#[tokio::test]
async fn the_client_gets_status_headers_and_body() {
    let (_, reply) = through(Method::GET, "/metrics", &[], "").await;
    assert_eq!((reply.status, &reply.body[..]), (201, &b"said"[..]));
    assert_eq!(reply.headers["x-own"], "1");
    assert_eq!(reply.headers["content-type"], "text/plain");
}

#[tokio::test]
async fn the_edge_proves_itself_to_the_control_plane() {
    let (record, _) = through(Method::GET, "/metrics", &[], "").await;
    assert_eq!(record.only_request().headers[super::EDGE_HEADER], EDGE_SECRET);
}

#[tokio::test]
async fn a_client_cannot_pass_for_an_edge() {
    let (record, _) = through(Method::GET, "/metrics", &[(super::EDGE_HEADER, "forged")], "").await;
    let request = record.only_request();
    let shown: Vec<_> = request.headers.get_all(super::EDGE_HEADER).iter().collect();
    assert_eq!(shown, [EDGE_SECRET]);
}

#[tokio::test]
async fn only_headers_that_the_control_plane_needs_are_passed_on() {
    let sent = [
        ("authorization", "Bearer k"),
        ("content-type", "application/json"),
        ("x-forwarded-for", "1.2.3.4"),
        ("cookie", "a=b"),
    ];
    let (record, _) = through(Method::GET, "/metrics", &sent, "").await;
    let headers = record.only_request().headers;
    assert_eq!(headers["authorization"], "Bearer k");
    assert_eq!(headers["content-type"], "application/json");
    assert!(!headers.contains_key("x-forwarded-for") && !headers.contains_key("cookie"));
}

#[tokio::test]
async fn one_request_id_is_shown_on_both_sides() {
    let (record, reply) = through(Method::GET, "/metrics", &[("x-request-id", "mine-1")], "").await;
    assert_eq!(record.only_request().headers["x-request-id"], "mine-1");
    let shown: Vec<_> = reply.headers.get_all("x-request-id").iter().collect();
    assert_eq!(shown, ["mine-1"]);
}

#[tokio::test]
async fn framing_and_name_of_the_control_plane_stay_inside() {
    let (_, reply) = through(Method::GET, "/metrics", &[], "").await;
    assert!(!reply.headers.contains_key("server"));
    assert_eq!(reply.headers.get_all("content-length").iter().count(), 1);
    assert_eq!(reply.headers.get_all("date").iter().count(), 1);
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let (record, reply) = through(Method::HEAD, "/metrics", &[], "").await;
    assert_eq!(record.only_request().line, "HEAD /metrics");
    assert_eq!((reply.status, reply.body.len()), (201, 0));
}

#[tokio::test]
async fn a_control_plane_that_is_away_is_an_internal_error() {
    let edge = RunningEdge::start(plan(|_| {}), &Socket::new().0);
    let reply = whole(edge.send(Method::GET, "/metrics", &[], "").await).await;
    assert_eq!((reply.status, &reply.code()[..]), (500, "internal_error"));
}

#[tokio::test]
async fn a_native_endpoint_never_reaches_the_control_plane() {
    let (record, reply) = through(Method::POST, "/v1/chat/completions", &[], "{}").await;
    assert_eq!(reply.status, 401);
    assert!(record.requests().is_empty());
}
