//! What crosses to the control plane and back, seen through a whole edge.

#![allow(clippy::unwrap_used)]

use crate::testing::edge::{EDGE_SECRET, Reply, RunningEdge, whole};
use crate::testing::server::{self, Record, full};
use crate::testing::{APP_KEY, plan};
use http::Response;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

/// An edge whose control plane answers 201 with headers of all kinds, and what that one sees.
fn running() -> (Socket, Record, RunningEdge) {
    let socket = Socket::new();
    let record = server::serve_unix(&socket.0, |_| async {
        let response = Response::builder().status(201).header("x-own", "1");
        let response = response.header("server", "python").header("x-request-id", "req_python");
        response.header("content-type", "text/plain").body(full("said")).unwrap()
    });
    let edge = RunningEdge::start(plan(|_| {}), &socket.0);
    (socket, record, edge)
}

/// Sends a request through such an edge.
async fn through(
    method: &str,
    target: &str,
    headers: &[(&'static str, &str)],
    body: &'static str,
) -> (Record, Reply) {
    let (_socket, record, edge) = running();
    let reply = whole(edge.send(method, target, headers, body).await).await.unwrap();
    (record, reply)
}

/// The values of a header of the reply.
fn shown<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let named = reply.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect()
}

#[tokio::test]
async fn the_control_plane_gets_method_target_and_body() {
    let (record, _) = through("PUT", "/keys/a%20b?x=1&y", &[], "a body").await;
    let request = record.only_request();
    assert_eq!(request.line, "PUT /keys/a%20b");
    assert_eq!(request.uri.query(), Some("x=1&y"));
    assert_eq!(&request.body[..], b"a body");
}

#[tokio::test]
async fn the_client_gets_status_headers_and_body() {
    let (_, reply) = through("GET", "/metrics", &[], "").await;
    assert_eq!((reply.status, &reply.body[..]), (201, &b"said"[..]));
    assert_eq!(shown(&reply, "x-own"), ["1"]);
    assert_eq!(shown(&reply, "content-type"), ["text/plain"]);
}

#[tokio::test]
async fn the_edge_proves_itself_to_the_control_plane() {
    let (record, _) = through("GET", "/metrics", &[], "").await;
    assert_eq!(record.only_request().headers[super::EDGE_HEADER], EDGE_SECRET);
}

#[tokio::test]
async fn a_client_cannot_pass_for_an_edge() {
    let (record, _) = through("GET", "/metrics", &[(super::EDGE_HEADER, "forged")], "").await;
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
        ("x-llmgw-client", "1.2.3.4"),
        ("x-llmgw-door", "admin"),
    ];
    let (record, _) = through("GET", "/metrics", &sent, "").await;
    let headers = record.only_request().headers;
    assert_eq!(headers["authorization"], "Bearer k");
    assert_eq!(headers["content-type"], "application/json");
    assert!(!headers.contains_key("x-forwarded-for"));
    let shown: Vec<_> = headers.get_all("x-llmgw-client").iter().collect();
    assert_eq!(shown, ["127.0.0.1"]);
    let shown: Vec<_> = headers.get_all("x-llmgw-door").iter().collect();
    assert_eq!(shown, ["only"]);
}

#[tokio::test]
async fn one_request_id_is_shown_on_both_sides() {
    let (record, reply) = through("GET", "/metrics", &[("x-request-id", "mine-1")], "").await;
    assert_eq!(record.only_request().headers["x-request-id"], "mine-1");
    assert_eq!(shown(&reply, "x-request-id"), ["mine-1"]);
}

#[tokio::test]
async fn framing_and_name_of_the_control_plane_stay_inside() {
    let (_, reply) = through("GET", "/metrics", &[], "").await;
    for (name, times) in [("server", 0), ("content-length", 1), ("date", 1)] {
        assert_eq!(shown(&reply, name).len(), times, "{name}");
    }
}

#[tokio::test]
async fn head_is_answered_with_the_length_of_a_body_that_does_not_come() {
    let (_socket, record, edge) = running();
    let mut client = TcpStream::connect(("127.0.0.1", edge.port())).await.unwrap();
    let request = "HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).await.unwrap();

    assert_eq!(record.only_request().line, "HEAD /metrics");
    assert!(reply.starts_with("HTTP/1.1 201 Created\r\n"), "{reply}");
    assert!(reply.contains("\r\ncontent-length: 4\r\n") && reply.ends_with("\r\n\r\n"), "{reply}");
}

#[tokio::test]
async fn a_control_plane_that_is_away_is_an_internal_error() {
    let edge = RunningEdge::start(plan(|_| {}), &Socket::new().0);
    let reply = whole(edge.send("GET", "/metrics", &[], "").await).await.unwrap();
    assert_eq!((reply.status, &reply.code()[..]), (500, "internal_error"));
}

#[tokio::test]
async fn a_native_endpoint_never_reaches_the_control_plane() {
    let (record, reply) = through("POST", "/v1/chat/completions", &[], "{}").await;
    assert_eq!(reply.status, 401);
    assert!(record.requests().is_empty());
}

/// How a body of that length is answered, as JSON of whoever shows this key, and how much of it arrived.
async fn sized(path: &str, key: &str, length: usize) -> (Reply, Option<usize>) {
    let (_socket, record, edge) = running();
    let shown = format!("Bearer {key}");
    let headers = [("authorization", &shown[..]), ("content-type", "application/json")];
    let reply = whole(edge.send("POST", path, &headers, vec![b' '; length]).await).await.unwrap();
    (reply, record.requests().first().map(|request| request.body.len()))
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_taken_where_something_is_administered_and_the_key_is_known() {
    for (path, key, length, arrived) in [
        ("/api/v1/teams", APP_KEY, 1024 * 1024, true),
        ("/api/v1/teams", APP_KEY, 1024 * 1024 + 1, false),
        ("/api/v1/teams", "nobody-0123456789", 64 * 1024, true),
        ("/api/v1/teams", "nobody-0123456789", 64 * 1024 + 1, false),
        ("/elsewhere", APP_KEY, 64 * 1024 + 1, false),
    ] {
        let (reply, seen) = sized(path, key, length).await;
        assert_eq!(reply.status, if arrived { 201 } else { 413 }, "{path} {length}");
        assert_eq!(seen, arrived.then_some(length));
    }
}

#[tokio::test]
async fn the_admin_api_is_refused_with_a_problem() {
    let (reply, _) = sized("/api/v1/teams", "nobody-0123456789", 70_000).await;
    assert_eq!(shown(&reply, "content-type"), ["application/problem+json"]);
    let problem = reply.json();
    assert_eq!(problem["type"], "urn:llmgw:problem:request-too-large");
    assert_eq!(problem["status"], 413);
    assert_eq!(shown(&reply, "x-request-id"), [problem["request_id"].as_str().unwrap()]);
}

#[tokio::test]
async fn what_is_without_content_has_no_length() {
    let socket = Socket::new();
    let record = server::serve_unix(&socket.0, |_| async {
        Response::builder().status(204).header("etag", "\"1\"").body(full("")).unwrap()
    });
    let edge = RunningEdge::start(plan(|_| {}), &socket.0);
    let reply = whole(edge.send("DELETE", "/api/v1/teams/x", &[], "").await).await.unwrap();
    assert_eq!((reply.status, record.requests().len()), (204, 1));
    assert!(shown(&reply, "content-length").is_empty());
    assert_eq!(shown(&reply, "etag"), ["\"1\""]);
}
