#![allow(clippy::unwrap_used)]

use super::*;
use crate::caller::Caller;
use crate::dial::Stream;
use crate::headers::Headers;
use crate::testing::{APP_KEY, plan, shop};
use std::cell::RefCell;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::UnixStream;

const PING: OpCode = OpCode::Control(Control::Ping);
const MINUTE: Duration = Duration::from_secs(60);

/// Lets a session run between the two ends that a test holds.
async fn with_session(test: impl AsyncFnOnce(DuplexStream, UnixStream)) -> (Ended, Vec<Usage>) {
    let plan = plan(|_| {});
    let shop = shop(Some(plan.clone()));
    let key = shop.authenticate(&plan, Some(APP_KEY.as_bytes()), None).unwrap();
    let call = shop.admit_session(plan, key, Caller::default(), "chat").unwrap();
    let rng = RefCell::new(fastrand::Rng::with_seed(1));
    let policy = Policy { shop: &shop, ticket: &call, model: "routed", deployment: 0, rng };
    let (client, mut ours) = duplex(1024);
    let (upstream, theirs) = UnixStream::pair().unwrap();
    let socket = Socket {
        stream: Stream::Unix(theirs),
        ahead: BytesMut::new(),
        headers: Headers::of_type("x"),
    };
    let deadline = Instant::now() + MINUTE;
    let terms = Terms { most: 10_000_000, idle: MINUTE, deadline, patience: MINUTE };
    let charges = RefCell::new(Vec::new());
    let charge = |usage| charges.borrow_mut().push(usage);
    let ours = (&mut ours, BytesMut::new());
    let running = relay(ours, socket, &policy, charge, terms, std::future::pending());
    let (ended, ()) = tokio::join!(running, test(client, upstream));
    (ended, charges.into_inner())
}

fn part(opcode: OpCode, carried: &[u8]) -> Vec<u8> {
    let mut frame = written(opcode, carried, Side::Client);
    frame[0] &= 0x7f;
    frame
}

async fn expect(from: &mut (impl AsyncRead + Unpin), bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    from.read_exact(&mut read).await.unwrap();
    assert_eq!(read, bytes);
}

#[tokio::test]
async fn a_response_in_parts_is_charged_once_and_passes_as_it_came() {
    let text =
        br#"{"type":"response.done","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#;
    let (_, charges) = with_session(async |mut client, mut upstream| {
        let sent = [
            part(TEXT, &text[..20]),
            written(PING, b"?", Side::Client),
            part(OpCode::Data(Data::Continue), &text[20..40]),
            written(OpCode::Data(Data::Continue), &text[40..], Side::Client),
        ]
        .concat();
        upstream.write_all(&sent).await.unwrap();
        expect(&mut client, &sent).await;
    })
    .await;
    assert_eq!(charges, [Usage { input: 3, output: 4, ..Usage::default() }]);
}

#[tokio::test]
async fn a_refusal_does_not_stand_between_the_parts_of_a_message() {
    with_session(async |mut client, mut upstream| {
        let first = part(TEXT, b"{");
        upstream.write_all(&first).await.unwrap();
        expect(&mut client, &first).await;
        client.write_all(&written(TEXT, b"junk", Side::Upstream)).await.unwrap();
        client.write_all(&written(PING, b"", Side::Upstream)).await.unwrap();
        // The ping has passed the refusal.
        expect(&mut upstream, b"\x89\x80").await;
        let last = written(OpCode::Data(Data::Continue), b"}", Side::Client);
        upstream.write_all(&last).await.unwrap();
        expect(&mut client, &last).await;
        let mut head = [0; 1];
        client.read_exact(&mut head).await.unwrap();
        assert_eq!(head, [0x81]);
    })
    .await;
}

#[tokio::test]
async fn both_sides_may_say_much_before_they_listen() {
    let event = format!(r#"{{"audio":"{}"}}"#, "A".repeat(3_000_000));
    let (said, heard) = (written(TEXT, event.as_bytes(), Side::Upstream), event.clone());
    with_session(async |client, upstream| {
        let (mut client_in, mut client_out) = split(client);
        let (mut upstream_in, mut upstream_out) = split(upstream);
        let answer = written(TEXT, heard.as_bytes(), Side::Client);
        let sends =
            async { tokio::join!(client_out.write_all(&said), upstream_out.write_all(&answer)) };
        let hears = async {
            tokio::join!(expect(&mut client_in, &answer), expect(&mut upstream_in, &said))
        };
        let ((client_said, upstream_said), _) = tokio::join!(sends, hears);
        assert!(client_said.is_ok() && upstream_said.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_listen_is_not_listened_for() {
    let (ended, _) = with_session(async |client, mut upstream| {
        let frame = written(OpCode::Data(Data::Binary), &[0; 100_000], Side::Client);
        let mut taken = 0;
        while let Ok(Ok(())) = timeout(Duration::from_millis(300), upstream.write_all(&frame)).await
        {
            taken += frame.len();
            assert!(taken < 5_000_000, "all of it is taken in");
        }
        drop(client);
    })
    .await;
    assert_eq!(ended, Ended::Gone(Side::Client));
}

#[tokio::test]
async fn an_upstreams_last_words_are_heard_though_it_listens_no_more() {
    let (ended, _) = with_session(async |mut client, mut upstream| {
        upstream.write_all(&written(TEXT, b"sorry", Side::Client)).await.unwrap();
        upstream.write_all(&closing(4000, "", Side::Client)).await.unwrap();
        drop(upstream);
        expect(&mut client, b"\x81\x05sorry\x88\x02\x0f\xa0").await;
    })
    .await;
    assert_eq!(ended, Ended::Closed(Side::Upstream, Some(4000)));
}

#[tokio::test]
async fn who_says_goodbye_to_nobody_hears_it_back() {
    let (ended, _) = with_session(async |mut client, mut upstream| {
        let goodbye = closing(4001, "enough", Side::Upstream);
        client.write_all(&goodbye).await.unwrap();
        expect(&mut upstream, &goodbye).await;
        drop(upstream);
        expect(&mut client, b"\x88\x02\x0f\xa1").await;
    })
    .await;
    assert_eq!(ended, Ended::Closed(Side::Client, Some(4001)));
}

#[test]
fn a_code_that_only_names_what_was_not_said_is_never_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        assert_eq!(Ended::Closed(Side::Client, Some(code)).farewell(Side::Client).0, 1000);
    }
    assert_eq!(Ended::Closed(Side::Client, Some(4999)).farewell(Side::Client).0, 4999);
}
