//! Tests of what the edge takes for HTTP/1.1.

#![allow(clippy::unwrap_used)]
use super::*;

fn head(text: &str) -> Result<Option<Head>> {
    take_head(&mut BytesMut::from(text), 4096)
}

fn with(line: &str) -> String {
    format!("POST /v1/x HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n")
}

#[test]
fn a_head_is_read_and_the_rest_left() {
    let mut buffer = BytesMut::from(
        "\r\nPOST /v1/chat?x=1 HTTP/1.1\r\nHost: a:80\r\nX-Y: 1\r\nContent-Length: 3\r\n\r\nabcGET",
    );
    let head = take_head(&mut buffer, 4096).unwrap().unwrap();
    assert_eq!((head.method(), head.path(), head.query()), ("POST", "/v1/chat", Some("x=1")));
    assert_eq!(head.header("x-y"), Some(&b"1"[..]));
    assert_eq!(head.framing, Framing::Length(3));
    assert!(head.keep_alive);
    assert_eq!(&buffer[..], b"abcGET");
}

#[test]
fn a_head_that_has_not_arrived_whole_is_waited_for() {
    let text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..text.len() {
        assert!(head(&text[..cut]).unwrap().is_none(), "{cut}");
    }
    assert!(head(text).unwrap().is_some());
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    let mut cases: Vec<String> = [
        "Host: b",
        "Authorization: a\r\nAuthorization: b",
        "x-api-key: a\r\nX-Api-Key: b",
        "Content-Length: +3",
        "Content-Length: 3, 3",
        "Content-Length: 3\r\nContent-Length: 3",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "X : 1",
        "X: 1\r\n folded",
        "X: a\0b",
        "Content-Encoding: gzip",
    ]
    .map(with)
    .to_vec();
    for target in
        ["http://a/v1", "*", "/a//b", "/a/../b", "/v1/%2e%2E/k", "/a/%2e", "/a#b", "/a\\b", "/%00"]
    {
        cases.push(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    for host in ["", "a/b", "a?b", "a#@x", "a@b", "a b"] {
        cases.push(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    }
    cases.push("GET / HTTP/1.1\r\n\r\n".into());
    cases.push("GET / HTTP/1.1\nHost: a\n\n".into());
    cases.push("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n".into());
    cases.push("GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".into());
    cases.push("GET / HTTP/2.0\r\nHost: a\r\n\r\n".into());
    cases.push("garbage\r\n\r\n".into());
    for case in cases {
        assert!(head(&case).is_err(), "{case:?}");
    }
}

#[test]
fn a_head_past_the_limit_is_refused_before_it_is_whole() {
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "y".repeat(5000));
    assert_eq!(head(&long).unwrap_err().class, Class::HeadersTooLarge);
}

#[test]
fn a_chunked_body_is_decoded_however_it_is_cut() {
    let text = b"3\r\nabc\r\n5;x=y\r\nde\r\nf\r\n0\r\nTrailer: 1\r\n\r\nGET";
    for cut in 0..text.len() - 3 {
        let (mut buffer, mut body) = (BytesMut::from(&text[..cut]), BytesMut::new());
        let mut chunks = Chunks::default();
        assert!(!chunks.decode(&mut buffer, &mut body, 100).unwrap(), "{cut}");
        buffer.extend_from_slice(&text[cut..]);
        assert!(chunks.decode(&mut buffer, &mut body, 100).unwrap());
        assert_eq!((&body[..], &buffer[..]), (&b"abcde\r\nf"[..], &b"GET"[..]));
    }
}

#[test]
fn bad_chunks_are_refused() {
    for text in [
        "x\r\n",
        "0x3\r\nabc\r\n",
        "-1\r\n",
        "\r\n",
        "3\nabc",
        "3\r\nabcd\r\n",
        "fffffffffffffffff\r\n",
        "65\r\n",
    ] {
        let mut buffer = BytesMut::from(text);
        let result = Chunks::default().decode(&mut buffer, &mut BytesMut::new(), 100);
        assert!(result.is_err(), "{text:?}");
    }
}
