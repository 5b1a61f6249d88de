//! Who is at the other end of a request, apart from its key: the client's address, and the tags it gives.

use crate::egress::Network;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The header with a request's tags.
pub const TAGS_HEADER: &str = "x-llmgw-tags";
/// The header in which proxies name whom they speak for.
const FORWARDED: &str = "x-forwarded-for";
/// Most tags of a request.
const MOST_TAGS: usize = 16;
/// Most characters of a tag.
const LONGEST_TAG: usize = 64;

/// Who sends a request, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// What the request is to be filed under.
    pub tags: Tags,
}

impl Caller {
    /// The sender of this request, whose address is known already.
    ///
    /// # Errors
    /// `InvalidRequest` for tags that are none.
    pub fn new(address: Option<IpAddr>, head: &Head) -> Result<Self> {
        Ok(Caller { address, tags: Tags::of(head)? })
    }
}

/// A request's own tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Option<Arc<[Arc<str>]>>);

impl Tags {
    /// The tags of a request's header: `x-llmgw-tags: a, b`.
    ///
    /// # Errors
    /// `InvalidRequest`, saying how tags are written.
    pub fn of(head: &Head) -> Result<Self> {
        let mut tags: Vec<Arc<str>> = Vec::new();
        for value in head.headers_named(TAGS_HEADER) {
            for tag in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                if tag.is_empty() {
                    continue;
                }
                let tag = std::str::from_utf8(tag).ok().filter(|tag| is_tag(tag));
                let tag = tag.filter(|_| tags.len() < MOST_TAGS).ok_or_else(odd_tags)?;
                tags.push(tag.into());
            }
        }
        Ok(Tags((!tags.is_empty()).then(|| tags.into())))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Arc<str>] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Whether a text is a tag: short, and safe in logs, files and reports.
fn is_tag(text: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@+=".contains(&byte);
    (1..=LONGEST_TAG).contains(&text.len()) && text.bytes().all(safe)
}

fn odd_tags() -> Error {
    let message = format!(
        "The header `{TAGS_HEADER}` takes up to {MOST_TAGS} tags with commas between them, each of up to \
         {LONGEST_TAG} letters, digits and `-_.:/@+=`."
    );
    Error::new(Class::InvalidRequest, message)
}

/// Networks of the proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<Network>);

impl Proxies {
    /// The proxies in these networks; texts that are no network are left out.
    #[must_use]
    pub fn new(texts: &[String]) -> Self {
        Proxies(texts.iter().filter_map(|text| Network::parse(text)).collect())
    }

    /// The address of the client: the peer's own, or, if the peer is a proxy that is believed, the last one
    /// in `x-forwarded-for` that is not. What stands before that anybody may have written.
    #[must_use]
    pub fn client(&self, peer: Option<IpAddr>, head: &Head) -> Option<IpAddr> {
        let peer = peer?.to_canonical();
        if !self.trust(peer) {
            return Some(peer);
        }
        let lines: Vec<&[u8]> = head.headers_named(FORWARDED).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(|&byte| byte == b','));
        let mut nearest = peer;
        for hop in hops {
            // A proxy that does not say whom it speaks for speaks for nobody.
            nearest = address(hop)?;
            if !self.trust(nearest) {
                break;
            }
        }
        Some(nearest)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// An address as proxies write it: with or without a port, IPv6 perhaps in brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse().ok().map(|with: SocketAddr| with.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http1::take_head;
    use bytes::BytesMut;

    fn head(lines: &str) -> Head {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
        take_head(&mut BytesMut::from(&text[..]), 8192).unwrap().unwrap()
    }

    fn client(peer: &str, lines: &str) -> Option<String> {
        let proxies = Proxies::new(&["10.0.0.0/8".into(), "fd00::/8".into()]);
        let found = proxies.client(Some(peer.parse().unwrap()), &head(lines));
        found.map(|address| address.to_string())
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_the_client_whatever_it_writes() {
        let lines = "x-forwarded-for: 1.2.3.4\r\n";
        assert_eq!(client("192.0.2.1", lines).as_deref(), Some("192.0.2.1"));
        assert_eq!(client("::ffff:192.0.2.1", lines).as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn a_proxy_is_believed_up_to_the_first_address_that_is_none_of_ours() {
        for (lines, expected) in [
            ("x-forwarded-for: 1.2.3.4\r\n", "1.2.3.4"),
            ("x-forwarded-for: 6.6.6.6, 1.2.3.4, 10.9.9.9\r\n", "1.2.3.4"),
            ("x-forwarded-for: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4:5555\r\n", "1.2.3.4"),
            ("x-forwarded-for: [2001:db8::1]:443, fd00::1\r\n", "2001:db8::1"),
            ("x-forwarded-for: [2001:db8::2]\r\n", "2001:db8::2"),
            ("x-forwarded-for: 10.1.1.1, 10.2.2.2\r\n", "10.1.1.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", lines).as_deref(), Some(expected), "{lines}");
        }
    }

    #[test]
    fn whom_a_proxy_does_not_name_nobody_knows() {
        for lines in ["x-forwarded-for: unknown\r\n", "x-forwarded-for: 1.2.3.4, \r\n"] {
            assert_eq!(client("10.0.0.1", lines), None, "{lines}");
        }
    }

    #[test]
    fn tags_are_few_short_and_safe() {
        let tags = Tags::of(&head("x-llmgw-tags: a, team:b ,\r\nx-llmgw-tags: c\r\n")).unwrap();
        assert_eq!(tags.all().iter().map(|tag| &**tag).collect::<Vec<_>>(), ["a", "team:b", "c"]);
        let many = (0..17).map(|index| format!("t{index}")).collect::<Vec<_>>().join(",");
        for value in ["a b", "caf\u{e9}", &"x".repeat(65), &many, "<script>"] {
            let error = Tags::of(&head(&format!("x-llmgw-tags: {value}\r\n"))).unwrap_err();
            assert_eq!(error.class, Class::InvalidRequest, "{value}");
        }
    }
}
