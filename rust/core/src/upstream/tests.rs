//! Upstreams over TLS through a whole edge: HTTP/1.1, HTTP/2 by ALPN, and where the gateway will not go.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::Plan;
use crate::snapshot::Operation;
use crate::testing::certificates::Authority;
use crate::testing::edge::{Reply, RunningEdge, whole};
use crate::testing::server::{self, Seen, Server, coming_reply, json_reply};
use crate::testing::{CHAT, deployment, snapshot};
use http::Version;
use serde_json::{Value, json};
use std::path::Path;
use std::task::Poll;
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

const LITERAL: &str = "127.0.0.1";
const NAME: &str = "localhost";
const HTTP1: [&str; 1] = ["http/1.1"];
const HTTP2: [&str; 2] = ["h2", "http/1.1"];
const STREAM: &str =
    r#"{"model":"chat","messages":[],"stream":true,"stream_options":{"include_usage":true}}"#;
const REPLY: &str = r#"{ "object":"chat.completion", "n":1.50 }"#;

async fn answer(_: Seen) -> http::Response<server::ReplyBody> {
    json_reply(REPLY)
}

/// A server under TLS that answers every chat.
async fn secure(tls: TlsAcceptor) -> Server {
    server::serve(Some(tls), answer).await
}

/// A configuration whose one deployment is `server`, reached under `host`, with a trusted authority.
fn reaching(server: &Server, host: &str, trusted: Option<&Authority>) -> impl FnOnce(&mut Value) {
    let base = format!("https://{host}:{}/v1", server.port);
    let file = trusted.map(|authority| authority.file().to_owned());
    move |snapshot| {
        snapshot["deployments"][0] = deployment("one", &base);
        snapshot["egress"]["ca_file"] = json!(file);
    }
}

fn edge(change: impl FnOnce(&mut Value)) -> RunningEdge {
    let plan = Plan::new(snapshot(change), 1, None).unwrap();
    RunningEdge::start(Arc::new(plan), Path::new("/nowhere/control.sock"))
}

fn assert_unreachable(reply: &Reply, server: &Server) {
    assert_eq!((reply.status, &reply.code()[..]), (502, "upstream_unreachable"));
    assert_eq!(server.record.connections(), 0);
}

// ── which HTTP ──────────────────────────────────────────────────────────────────────────────────

async fn version_spoken(protocols: &[&str]) -> Version {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&[LITERAL], protocols)).await;
    let edge = edge(reaching(&server, LITERAL, Some(&authority)));
    let reply = edge.chat(CHAT).await;
    assert_eq!((reply.status, &reply.body[..]), (200, REPLY.as_bytes()));
    server.record.only_request().version
}

#[tokio::test]
async fn https_in_http1_brings_the_reply() {
    assert_eq!(version_spoken(&HTTP1).await, Version::HTTP_11);
}

#[tokio::test]
async fn http2_is_spoken_where_the_upstream_offers_it() {
    assert_eq!(version_spoken(&HTTP2).await, Version::HTTP_2);
}

#[tokio::test]
async fn http1_is_spoken_where_the_upstream_says_nothing() {
    assert_eq!(version_spoken(&[]).await, Version::HTTP_11);
}

#[tokio::test]
async fn an_http2_upstream_gets_the_same_request() {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&[LITERAL], &HTTP2)).await;
    edge(reaching(&server, LITERAL, Some(&authority))).chat(CHAT).await;

    let request = server.record.only_request();
    assert_eq!(request.line, "POST /v1/chat/completions");
    assert_eq!(request.headers["authorization"], "Bearer upstream-credential");
    assert_eq!(&request.body[..], CHAT.replace("\"chat\"", "\"routed\"").as_bytes());
}

// ── certificates ────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for trusted in [None, Some(&stranger)] {
        let server = secure(authority.acceptor(&[LITERAL], &HTTP2)).await;
        let reply = edge(reaching(&server, LITERAL, trusted)).chat(CHAT).await;
        assert_unreachable(&reply, &server);
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&["elsewhere.test", "127.0.0.2"], &HTTP2)).await;
    let reply = edge(reaching(&server, LITERAL, Some(&authority))).chat(CHAT).await;
    assert_unreachable(&reply, &server);
}

#[tokio::test]
async fn a_certificate_past_its_end_is_refused() {
    let authority = Authority::new();
    let tls = authority.acceptor_with(&[LITERAL], &HTTP2, |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let server = secure(tls).await;
    let reply = edge(reaching(&server, LITERAL, Some(&authority))).chat(CHAT).await;
    assert_unreachable(&reply, &server);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unreachable_over_https() {
    let server = server::serve(None, answer).await;
    let reply = edge(reaching(&server, LITERAL, None)).chat(CHAT).await;
    assert_eq!((reply.status, &reply.code()[..]), (502, "upstream_unreachable"));
    assert!(server.record.requests().is_empty());
}

// ── where the gateway may connect ───────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_over_https() {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&[NAME], &HTTP2)).await;
    let reply = edge(reaching(&server, NAME, Some(&authority))).chat(CHAT).await;
    assert_unreachable(&reply, &server);
}

#[tokio::test]
async fn a_name_that_leads_to_an_allowed_network_is_reached_over_https() {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&[NAME], &HTTP2)).await;
    let edge = edge(|snapshot| {
        reaching(&server, NAME, Some(&authority))(snapshot);
        snapshot["egress"]["allow_networks"] = json!(["127.0.0.0/8", "::1"]);
    });
    assert_eq!(edge.chat(CHAT).await.status, 200);
}

/// Why a chat does not leave for a deployment under this base URL.
async fn refusal(base: &str, allowed: &[&str]) -> String {
    let snapshot = snapshot(|snapshot| {
        snapshot["deployments"][0] = deployment("one", base);
        snapshot["egress"]["allow_networks"] = json!(allowed);
    });
    let plan = Plan::new(snapshot, 1, None).unwrap();
    let deployment = &plan.deployments[0];
    let path = deployment.path(Operation::ChatCompletions, false, "routed").unwrap();
    let (fixed, body) = (&deployment.headers[..], Bytes::new());
    let request = Outgoing { method: "POST", path: &path, fixed, extra: &[], body, sent: None };
    match deployment.origin.send(request).await {
        Err(SendError::Unreachable(reason)) => reason,
        Err(other) => panic!("{base}: {other:?}"),
        Ok(_) => panic!("{base} was reached"),
    }
}

#[tokio::test]
async fn plain_http_to_a_public_address_is_refused_without_dialling() {
    let reason = refusal("http://8.8.8.8/v1", &[]).await;
    assert!(reason.starts_with("plain http to the public address 8.8.8.8"), "{reason}");
}

#[tokio::test]
async fn the_metadata_service_is_refused_without_dialling_however_it_is_written() {
    for host in ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"] {
        for scheme in ["http", "https"] {
            let reason = refusal(&format!("{scheme}://{host}/latest"), &[]).await;
            assert!(reason.contains("is not an address a model may live at"), "{reason}");
        }
    }
}

#[tokio::test]
async fn an_allowed_network_allows_no_other() {
    let reason = refusal("https://localhost/v1", &["10.0.0.0/8"]).await;
    assert!(reason.contains("leads to the private address"), "{reason}");
}

// ── streams ─────────────────────────────────────────────────────────────────────────────────────

/// A server whose every reply is sent by the test: what it sends with lies in the slot once the request is here.
async fn sent_by_hand(
    tls: TlsAcceptor,
    headers: &'static [(&'static str, &'static str)],
) -> (Server, Arc<Mutex<Option<server::Sender>>>) {
    let slot = Arc::new(Mutex::new(None));
    let place = slot.clone();
    let server = server::serve(Some(tls), move |_| {
        let (sender, response) = coming_reply(headers);
        *place.lock().unwrap() = Some(sender);
        async { response }
    });
    (server.await, slot)
}

/// Waits for the request, then takes what its reply is sent with.
async fn taken(slot: &Mutex<Option<server::Sender>>) -> server::Sender {
    loop {
        if let Some(sender) = slot.lock().unwrap().take() {
            return sender;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

const EVENTS: [(&str, &str); 1] = [("content-type", "text/event-stream")];
const DELTA: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[tokio::test]
async fn an_event_over_http2_reaches_the_client_before_the_next_is_sent() {
    let authority = Authority::new();
    let (server, slot) = sent_by_hand(authority.acceptor(&[LITERAL], &HTTP2), &EVENTS).await;
    let edge = edge(reaching(&server, LITERAL, Some(&authority)));
    let sending = async {
        let mut sender = taken(&slot).await;
        sender.send_data(DELTA.into()).await.unwrap();
        sender
    };
    let (mut response, mut sender) = tokio::join!(edge.begin_chat(STREAM), sending);
    let first = response.body.chunk().await.unwrap().unwrap();
    assert_eq!(first, DELTA);

    sender.send_data(STOP.into()).await.unwrap();
    sender.send_data(DONE.into()).await.unwrap();
    drop(sender);
    let rest = whole(response).await.unwrap();
    assert_eq!(rest.body, [STOP, DONE].concat());
}

/// When a reply is broken off.
#[derive(Clone, Copy, PartialEq)]
enum Reset {
    /// As soon as its first part is sent.
    AtOnce,
    /// When its head has reached the client.
    Midway,
}

/// Sends `first` as the reply to `body`, then resets the HTTP/2 stream for this reason.
async fn reset(
    when: Reset,
    headers: &'static [(&'static str, &'static str)],
    first: Vec<u8>,
    reason: h2::Reason,
    body: &'static str,
) -> Result<Reply, ()> {
    let authority = Authority::new();
    let (server, slot) = sent_by_hand(authority.acceptor(&[LITERAL], &HTTP2), headers).await;
    let edge = edge(reaching(&server, LITERAL, Some(&authority)));
    let abort = |sender: server::Sender| sender.abort(Box::new(h2::Error::from(reason)));
    let sending = async {
        let mut sender = taken(&slot).await;
        sender.send_data(first.into()).await.unwrap();
        if when == Reset::Midway {
            return Some(sender);
        }
        abort(sender);
        None
    };
    let (response, sender) = tokio::join!(edge.begin_chat(body), sending);
    sender.map(abort);
    whole(response).await
}

const RESETS: [h2::Reason; 3] =
    [h2::Reason::INTERNAL_ERROR, h2::Reason::CANCEL, h2::Reason::NO_ERROR];

#[tokio::test]
async fn a_stream_reset_midway_ends_with_an_error_event() {
    for reason in RESETS {
        let reply = reset(Reset::Midway, &EVENTS, DELTA.into(), reason, STREAM).await.unwrap();
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let last = text.strip_prefix(DELTA).unwrap();
        assert!(last.contains("\"code\":\"upstream_protocol\""), "{reason}: {text}");
    }
}

#[tokio::test]
async fn a_reply_reset_before_it_is_whole_is_a_failure_and_no_answer() {
    for headers in [
        &[("content-type", "application/json")][..],
        &[("content-type", "application/json"), ("content-length", "40")],
    ] {
        for reason in RESETS {
            let first = b"{\"cut\":".to_vec();
            let reply = reset(Reset::AtOnce, headers, first, reason, CHAT).await.unwrap();
            assert_eq!((reply.status, &reply.code()[..]), (502, "upstream_protocol"), "{reason}");
        }
    }
}

#[tokio::test]
async fn a_large_reply_reset_midway_is_cut_for_the_client_too() {
    let large = || [b"{\"cut\":\"", &vec![b'x'; 300_000][..]].concat();
    for headers in [
        &[("content-type", "application/json")][..],
        &[("content-type", "application/json"), ("content-length", "400000")],
    ] {
        for reason in RESETS {
            let read = reset(Reset::Midway, headers, large(), reason, CHAT).await;
            assert!(read.is_err(), "{reason} {headers:?}");
        }
    }
}

// ── connections ─────────────────────────────────────────────────────────────────────────────────

/// A server that answers when `together` requests are here at once, after a first one by itself.
async fn waiting_for(together: usize, tls: TlsAcceptor) -> Server {
    let (barrier, first) = (Arc::new(Barrier::new(together)), Arc::new(Mutex::new(true)));
    server::serve(Some(tls), move |_| {
        let (barrier, is_first) =
            (barrier.clone(), std::mem::replace(&mut *first.lock().unwrap(), false));
        async move {
            if !is_first {
                barrier.wait().await;
            }
            json_reply(REPLY)
        }
    })
    .await
}

/// A lone chat, then `together` at once; how many connections that took.
async fn connections_for(together: usize, protocols: &[&str]) -> usize {
    let authority = Authority::new();
    let server = waiting_for(together, authority.acceptor(&[LITERAL], protocols)).await;
    let edge = edge(reaching(&server, LITERAL, Some(&authority)));
    edge.chat(CHAT).await;
    let mut bodies = Vec::new();
    for _ in 0..together {
        bodies.push(edge.chat(CHAT));
    }
    for reply in join_all(bodies).await {
        assert_eq!(reply.status, 200);
    }
    server.record.connections()
}

async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in pinned.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        let done = pinned.iter().all(|(_, output)| output.is_some());
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    pinned.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn many_requests_at_once_share_one_http2_connection() {
    assert_eq!(connections_for(50, &HTTP2).await, 1);
}

#[tokio::test]
async fn many_requests_at_once_take_a_connection_each_in_http1() {
    assert_eq!(connections_for(10, &HTTP1).await, 10);
}

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    for protocols in [&HTTP1[..], &HTTP2[..]] {
        let authority = Authority::new();
        let server = secure(authority.acceptor(&[LITERAL], protocols)).await;
        let edge = edge(reaching(&server, LITERAL, Some(&authority)));
        for _ in 0..5 {
            edge.chat(CHAT).await;
        }
        assert_eq!(server.record.connections(), 1, "{protocols:?}");
    }
}

#[tokio::test]
async fn a_connection_that_the_upstream_closed_costs_at_most_a_retry() {
    for protocols in [&HTTP1[..], &HTTP2[..]] {
        let authority = Authority::new();
        let server = secure(authority.acceptor(&[LITERAL], protocols)).await;
        let edge = edge(|snapshot| {
            reaching(&server, LITERAL, Some(&authority))(snapshot);
            snapshot["retry"]["retries"] = json!(1);
        });
        for _ in 0..3 {
            assert_eq!(edge.chat(CHAT).await.status, 200);
            server.record.close_connections();
        }
        assert_eq!(server.record.connections(), 3, "{protocols:?}");
    }
}

/// Chats, puts a changed configuration in force, chats again; how many connections that took.
async fn connections_over_a_reload(change: impl FnOnce(&mut Value)) -> usize {
    let authority = Authority::new();
    let server = secure(authority.acceptor(&[LITERAL], &HTTP2)).await;
    let edge = edge(reaching(&server, LITERAL, Some(&authority)));
    assert_eq!(edge.chat(CHAT).await.status, 200);
    let reloaded = snapshot(|snapshot| {
        reaching(&server, LITERAL, Some(&authority))(snapshot);
        snapshot["version"] = json!("2");
        change(snapshot);
    });
    let before = edge.shop.plan().unwrap();
    let after = Plan::new(reloaded, 1, Some(&before)).unwrap();
    edge.shop.plan.store(Some(Arc::new(after)));
    assert_eq!(edge.chat(CHAT).await.status, 200);
    server.record.connections()
}

#[tokio::test]
async fn a_reload_keeps_warm_connections() {
    assert_eq!(connections_over_a_reload(|_| {}).await, 1);
}

#[tokio::test]
async fn a_reload_that_changes_the_egress_rule_keeps_no_connection() {
    let change = |snapshot: &mut Value| {
        snapshot["egress"]["allow_networks"] = json!(["10.0.0.0/8"]);
    };
    assert_eq!(connections_over_a_reload(change).await, 2);
}
