//! Fetching over real sockets and TLS: what is brought, and what is not.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::dial;
use crate::testing::certificates::Authority;
use crate::testing::server::{self, ReplyBody, Seen, Server, coming_reply, full};
use http::Response as HttpResponse;
use std::future::Future;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR-and-more";
const ROOM: u64 = 1000;

/// Who fetches from `hosts`, private ones among them.
fn fetcher(authority: &Authority, hosts: &[String], networks: &[&str]) -> Fetcher {
    let policy =
        MediaPolicy { max_bytes: ROOM, max_items: 20, timeout: 20.0, allow_hosts: hosts.to_vec() };
    let networks = networks.iter().map(|text| Network::parse(text).unwrap()).collect();
    let tls = dial::tls_config(authority.file().to_str()).unwrap();
    Fetcher::new(&policy, networks, tls.into()).unwrap()
}

/// A host with a picture, and somebody who may fetch from it.
struct Stage {
    server: Server,
    fetcher: Fetcher,
    _authority: Authority,
}

impl Stage {
    async fn with<A, F>(protocols: &[&str], answer: A) -> Self
    where
        A: Fn(Seen) -> F + Clone + Send + 'static,
        F: Future<Output = HttpResponse<ReplyBody>> + Send + 'static,
    {
        let authority = Authority::new();
        let tls = authority.acceptor(&["localhost", "127.0.0.1"], protocols);
        let server = server::serve(Some(tls), answer).await;
        let hosts = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{}", server.port));
        let fetcher = fetcher(&authority, &hosts, &["127.0.0.0/8", "::1"]);
        Stage { server, fetcher, _authority: authority }
    }

    /// Whose every reply has this type and this body.
    async fn saying(content_type: &'static str, body: &'static [u8]) -> Self {
        Self::with(&["http/1.1"], move |_| async move { reply(content_type, body) }).await
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.server.port)
    }

    async fn fetch(&self, kind: Kind) -> Result<Fetched, Refusal> {
        self.fetcher.fetch(&self.url("/a.png"), kind, &Cell::new(ROOM)).await
    }
}

fn reply(content_type: &str, body: &'static [u8]) -> HttpResponse<ReplyBody> {
    HttpResponse::builder().header("content-type", content_type).body(full(body)).unwrap()
}

fn redirect(place: &str) -> HttpResponse<ReplyBody> {
    HttpResponse::builder().status(302).header("location", place).body(full("")).unwrap()
}

// ── what is brought ─────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_picture_comes_as_base64_with_the_type_that_it_is_of() {
    let stage = Stage::saying("image/jpeg", PNG).await;
    let fetched = stage.fetch(Kind::Image).await.unwrap();
    let mut encoder = Encoder::default();
    encoder.push(PNG);
    assert_eq!((fetched.media_type, fetched.data), ("image/png", encoder.finish()));
}

#[tokio::test]
async fn the_request_says_what_is_wanted_and_nothing_else() {
    for protocols in [&["http/1.1"][..], &["h2"]] {
        let stage = Stage::with(protocols, |_| async { reply("image/png", PNG) }).await;
        let url = stage.url("/a.png?b=c#d");
        stage.fetcher.fetch(&url, Kind::Image, &Cell::new(ROOM)).await.unwrap();
        let seen = stage.server.record.only_request();
        assert_eq!(seen.line, "GET /a.png");
        assert_eq!(seen.uri.query(), Some("b=c"));
        let mut names: Vec<_> = seen.headers.keys().map(|name| name.as_str()).collect();
        names.retain(|name| *name != "host");
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "user-agent"]);
    }
}

#[tokio::test]
async fn what_its_server_has_no_name_for_is_told_by_its_bytes() {
    let stage = Stage::saying("binary/octet-stream", b"%PDF-1.7 and more").await;
    assert_eq!(stage.fetch(Kind::Document).await.unwrap().media_type, "application/pdf");
}

#[tokio::test]
async fn all_that_is_brought_comes_out_of_one_room() {
    let stage = Stage::saying("image/png", PNG).await;
    let room = Cell::new(PNG.len() as u64 + 1);
    let url = stage.url("/a.png");
    assert!(stage.fetcher.fetch(&url, Kind::Image, &room).await.is_ok());
    assert_eq!(room.get(), 1);
    let refusal = stage.fetcher.fetch(&url, Kind::Image, &room).await.unwrap_err();
    assert_eq!(refusal, Refusal::TooLarge(ROOM));
}

// ── what is not ─────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn what_is_of_another_kind_is_refused_by_its_name_or_by_its_bytes() {
    for (content_type, body) in [
        ("text/html", PNG),
        ("image/svg+xml", b"<svg/>"),
        ("image/png", b"root:x:0:0"),
        ("image/png", b""),
    ] {
        let stage = Stage::saying(content_type, body).await;
        assert_eq!(stage.fetch(Kind::Image).await.unwrap_err(), Refusal::Kind(Kind::Image));
    }
}

#[tokio::test]
async fn what_is_packed_is_refused() {
    let stage = Stage::with(&[], |_| async {
        let mut packed = reply("image/png", PNG);
        packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        packed
    });
    assert_eq!(stage.await.fetch(Kind::Image).await.unwrap_err(), Refusal::Kind(Kind::Image));
}

#[tokio::test]
async fn what_says_to_be_too_large_is_not_read() {
    static LARGE: [u8; ROOM as usize + 1] = [0xff; ROOM as usize + 1];
    let stage = Stage::saying("image/jpeg", &LARGE).await;
    assert_eq!(stage.fetch(Kind::Image).await.unwrap_err(), Refusal::TooLarge(ROOM));
}

#[tokio::test]
async fn what_never_ends_is_left_when_it_is_too_large() {
    let stage = Stage::with(&["h2"], |_| async {
        let (mut sender, coming) = coming_reply(&[("content-type", "image/png")]);
        tokio::spawn(async move { while sender.send_data(PNG.into()).await.is_ok() {} });
        coming
    });
    assert_eq!(stage.await.fetch(Kind::Image).await.unwrap_err(), Refusal::TooLarge(ROOM));
}

#[tokio::test]
async fn what_breaks_off_is_refused() {
    let stage = Stage::with(&[], |_| async {
        let (mut sender, coming) = coming_reply(&[("content-type", "image/png")]);
        tokio::spawn(async move {
            sender.send_data(PNG.into()).await.unwrap();
            sender.abort("enough".into());
        });
        coming
    });
    assert_eq!(stage.await.fetch(Kind::Image).await.unwrap_err(), Refusal::Broken);
}

#[tokio::test]
async fn another_status_is_told() {
    let stage = Stage::with(&[], |_| async {
        let mut missing = reply("image/png", PNG);
        *missing.status_mut() = http::StatusCode::NOT_FOUND;
        missing
    });
    let refusal = stage.await.fetch(Kind::Image).await.unwrap_err();
    assert_eq!(refusal.told(), "its host answered with status 404");
}

// ── where it goes ───────────────────────────────────────────────────────────────────────────────

/// A host whose root leads to `place`, and that has the picture elsewhere.
async fn leading_to(place: &'static str) -> Stage {
    let answer = move |seen: Seen| async move {
        if seen.uri.path() == "/a.png" { redirect(place) } else { reply("image/png", PNG) }
    };
    Stage::with(&["http/1.1"], answer).await
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let stage = leading_to("/b.png?c=d").await;
    assert!(stage.fetch(Kind::Image).await.is_ok());
    let seen: Vec<_> =
        stage.server.record.requests().iter().map(|seen| seen.uri.path().to_owned()).collect();
    assert_eq!(seen, ["/a.png", "/b.png"]);
}

#[tokio::test]
async fn a_redirect_is_checked_as_the_first_url_was() {
    for place in [
        "http://localhost/b.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/b.png",
        "https://localhost/b.png",
        "https://user:pw@localhost/b.png",
        "file:///etc/passwd",
    ] {
        let stage = leading_to(place).await;
        let refusal = stage.fetch(Kind::Image).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Url(_)), "{place}: {refusal:?}");
        assert_eq!(stage.server.record.requests().len(), 1, "{place}");
    }
}

#[tokio::test]
async fn redirects_without_an_end_are_left() {
    let stage = leading_to("/a.png").await;
    assert_eq!(stage.fetch(Kind::Image).await.unwrap_err(), Refusal::Redirects);
    assert_eq!(stage.server.record.requests().len(), 4);
}

#[tokio::test]
async fn private_addresses_are_not_dialled_for_hosts_that_are_only_named() {
    let authority = Authority::new();
    let tls = authority.acceptor(&["localhost", "127.0.0.1"], &[]);
    let server = server::serve(Some(tls), |_| async { reply("image/png", PNG) }).await;
    for host in ["localhost", "127.0.0.1"] {
        let place = format!("{host}:{}", server.port);
        let fetcher = fetcher(&authority, std::slice::from_ref(&place), &[]);
        let url = format!("https://{place}/a.png");
        let refusal = fetcher.fetch(&url, Kind::Image, &Cell::new(ROOM)).await.unwrap_err();
        assert!(refusal.reason().contains("to the private address"), "{refusal:?}");
    }
    assert_eq!(server.record.connections(), 0);
}

#[tokio::test]
async fn networks_that_are_allowed_for_upstreams_are_not_open_to_every_url() {
    let fetcher = fetcher(&Authority::new(), &[], &["10.0.0.0/8"]);
    let fetch = fetcher.fetch("https://10.0.0.1/a.png", Kind::Image, &Cell::new(ROOM)).await;
    let refusal = fetch.unwrap_err();
    assert!(refusal.reason().contains("the private address 10.0.0.1"), "{refusal:?}");
    assert_eq!(refusal.told(), "its host could not be reached", "clients are not told more");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent() {
    let mut stage = Stage::saying("image/png", PNG).await;
    let hosts = [format!("localhost:{}", stage.server.port)];
    stage.fetcher = fetcher(&Authority::new(), &hosts, &["127.0.0.0/8", "::1"]);
    assert!(matches!(stage.fetch(Kind::Image).await, Err(Refusal::Unreachable(_))));
    assert_eq!(stage.server.record.connections(), 0);
}
