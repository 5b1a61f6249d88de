//! The opening of a WebSocket: what a client must ask for, what it is told, and what we ask an upstream for.

use crate::access;
use crate::error::{Class, Error, Result};
use crate::headers::Headers;
use crate::http1::Head;
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

/// The one version there is.
const VERSION: &[u8] = b"13";
/// The subprotocol of realtime sessions.
pub const PROTOCOL: &str = "realtime";
/// What a browser, which cannot set headers, shows its key behind.
const KEY_PREFIX: &[u8] = b"openai-insecure-api-key.";
/// How a browser asks for the API as it was in its beta.
const BETA_PROTOCOL: &[u8] = b"openai-beta.realtime-v1";
/// The same as a header.
const BETA: &[u8] = b"realtime=v1";
/// A key of 16 bytes in Base64.
const KEY_LENGTH: usize = 24;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    key: &'a [u8],
    protocols: Vec<&'a [u8]>,
}

impl<'a> Wanted<'a> {
    /// Of a request's head.
    ///
    /// # Errors
    /// `InvalidRequest`, if it does not open a WebSocket.
    pub fn of(head: &'a Head) -> Result<Self> {
        let upgrades = words(head, "upgrade").any(|word| word.eq_ignore_ascii_case(b"websocket"))
            && words(head, "connection").any(|word| word.eq_ignore_ascii_case(b"upgrade"));
        if !upgrades || !head.is_http11 {
            return Err(invalid(
                "This endpoint is a WebSocket: ask for it with `Upgrade: websocket`.",
            ));
        }
        if head.header("sec-websocket-version") != Some(VERSION) {
            return Err(invalid("The WebSocket's version must be 13 (`Sec-WebSocket-Version`)."));
        }
        let key = head.header("sec-websocket-key").filter(|key| key.len() == KEY_LENGTH);
        let key =
            key.ok_or_else(|| invalid("The header `Sec-WebSocket-Key` must hold 16 bytes."))?;
        Ok(Wanted { key, protocols: words(head, "sec-websocket-protocol").collect() })
    }

    /// What proves to the client that it was understood.
    #[must_use]
    pub fn accept(&self) -> String {
        derive_accept_key(self.key)
    }

    /// The subprotocol that the client is told, if it offers ours.
    #[must_use]
    pub fn protocol(&self) -> Option<&'static str> {
        self.protocols.contains(&PROTOCOL.as_bytes()).then_some(PROTOCOL)
    }

    /// The header by which the upstream is told that this is a client of the beta, which says so as a browser.
    #[must_use]
    pub fn beta(&self) -> Option<(&'static str, &'static [u8])> {
        self.protocols.contains(&BETA_PROTOCOL).then_some(("openai-beta", BETA))
    }
}

/// The key that the client shows, in a header or among its subprotocols.
///
/// # Errors
/// As [`access::credential`].
pub fn credential(head: &Head) -> Result<Option<&[u8]>> {
    let mut shown = access::credential(head)?;
    for key in
        words(head, "sec-websocket-protocol").filter_map(|word| word.strip_prefix(KEY_PREFIX))
    {
        if shown.is_some_and(|other| other != key) {
            return Err(invalid("Two different API keys were given; send one."));
        }
        shown = Some(key);
    }
    Ok(shown)
}

/// The words of a header that lists them.
fn words<'a>(head: &'a Head, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    let values = head.headers_named(name);
    values.flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

fn invalid(message: &str) -> Error {
    Error::new(Class::InvalidRequest, message)
}

/// What an upstream is asked with.
pub struct Asking {
    key: String,
}

impl Asking {
    /// With a key of its own.
    #[must_use]
    pub fn new() -> Self {
        Asking { key: generate_key() }
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &[u8]); 4] {
        [
            ("connection", b"Upgrade"),
            ("upgrade", b"websocket"),
            ("sec-websocket-version", VERSION),
            ("sec-websocket-key", self.key.as_bytes()),
        ]
    }

    /// Whether the upstream has understood, and added nothing that it was not asked for.
    #[must_use]
    pub fn is_met(&self, headers: &Headers) -> bool {
        let accepted = headers.get("sec-websocket-accept").map(<[u8]>::trim_ascii);
        accepted == Some(derive_accept_key(self.key.as_bytes()).as_bytes())
            && headers.get("sec-websocket-extensions").is_none_or(<[u8]>::is_empty)
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http1::take_head;
    use bytes::{Bytes, BytesMut};

    const OPENING: &str = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
                           Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    fn head(lines: &str) -> Head {
        let text = format!("GET /v1/realtime?model=m HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        take_head(&mut BytesMut::from(&text[..]), 4096).unwrap().unwrap()
    }

    #[test]
    fn the_answer_is_that_of_the_standards_example() {
        let head = head(OPENING);
        assert_eq!(Wanted::of(&head).unwrap().accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_does_not_open_a_websocket_is_told_what_is_missing() {
        for (line, says) in [
            ("Upgrade: WebSocket", "Upgrade: websocket"),
            ("Connection: keep-alive, Upgrade", "Upgrade: websocket"),
            ("Sec-WebSocket-Version: 13", "version"),
            ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "16 bytes"),
        ] {
            let head = head(&OPENING.replace(&format!("{line}\r\n"), ""));
            assert!(Wanted::of(&head).unwrap_err().message.contains(says), "{line}");
        }
    }

    #[test]
    fn a_browser_shows_its_key_beside_the_subprotocol() {
        let offer = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.k\r\n\
                     Sec-WebSocket-Protocol: openai-beta.realtime-v1\r\n";
        let head = head(&format!("{OPENING}{offer}"));
        let wanted = Wanted::of(&head).unwrap();
        assert_eq!(credential(&head).unwrap(), Some(&b"k"[..]));
        assert_eq!(wanted.protocol(), Some("realtime"));
        assert_eq!(wanted.beta(), Some(("openai-beta", &b"realtime=v1"[..])));
    }

    #[test]
    fn two_different_keys_are_refused_wherever_they_stand() {
        let offer = "Sec-WebSocket-Protocol: openai-insecure-api-key.a\r\n";
        let header = head(&format!("Authorization: Bearer b\r\n{offer}"));
        assert_eq!(credential(&header).unwrap_err().class, Class::InvalidRequest);
        let list = head(&format!("{offer}{}", offer.replace(".a", ".b")));
        assert_eq!(credential(&list).unwrap_err().class, Class::InvalidRequest);
    }

    #[test]
    fn nothing_is_told_of_a_subprotocol_that_was_not_offered() {
        assert_eq!(Wanted::of(&head(OPENING)).unwrap().protocol(), None);
    }

    #[test]
    fn an_upstream_must_answer_to_this_very_question() {
        let asking = Asking { key: "dGhlIHNhbXBsZSBub25jZQ==".into() };
        let answer = |name: &'static str, value: &'static str| {
            let text = Bytes::from([name, value].concat());
            let end = text.len();
            Headers::new(text, vec![(0..name.len(), name.len()..end)])
        };
        assert!(asking.is_met(&answer("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        assert!(!asking.is_met(&answer("sec-websocket-accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        assert!(!asking.is_met(&answer("x", "y")));
    }
}
