//! URLs of media, read strictly: what one reader takes for a host must not be something else to another.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The port of `https`.
pub(super) const HTTPS: u16 = 443;
/// Bytes of a URL; signed ones have one or two thousand.
const MOST: usize = 8192;
/// Bytes of a host's name, and of each part of it.
const MOST_HOST: usize = 253;
const MOST_LABEL: usize = 63;

/// A URL that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    /// Name in lower case, or address; an IPv6 address without its brackets.
    pub(super) host: String,
    /// TCP port.
    pub(super) port: u16,
    /// Path and query, as they are sent.
    pub(super) target: String,
}

/// Whether a URL is one of the web's, and not of a provider's own store.
#[must_use]
pub fn is_web(url: &str) -> bool {
    after_scheme(url, "https").or_else(|| after_scheme(url, "http")).is_some()
}

/// The host of a URL that may be asked for, for the log: paths and queries hold secrets.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.host)
}

/// What follows `scheme:` if it is the URL's; both slashes go with it.
fn after_scheme<'u>(url: &'u str, scheme: &str) -> Option<&'u str> {
    let (found, rest) = url.split_once(':')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.strip_prefix("//"))?
}

impl Url {
    /// Reads a URL; why it is none that is fetched, for the client.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MOST {
            return Err("the URL is too long");
        }
        let rest = after_scheme(text, "https").ok_or("only https URLs are fetched")?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = authority_of(authority)?;
        Ok(Url { host, port, target: target(rest)? })
    }

    /// Where a redirect leads.
    pub(super) fn join(&self, place: &str) -> Result<Self, &'static str> {
        let base = format!("https://{}", self.authority());
        match place {
            _ if place.starts_with("//") => Self::parse(&format!("https:{place}")),
            _ if place.starts_with('/') => Self::parse(&format!("{base}{place}")),
            _ if has_scheme(place) => Self::parse(place),
            _ => {
                let path = self.target.split('?').next().unwrap_or_default();
                // A query alone belongs to the same path, anything else to its folder.
                let keep = if place.starts_with('?') { path.len() } else { folder(path) };
                Self::parse(&format!("{base}{}{place}", &path[..keep]))
            }
        }
    }

    /// What the `host` header says.
    pub(super) fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        if self.port == HTTPS { host } else { format!("{host}:{}", self.port) }
    }
}

fn folder(path: &str) -> usize {
    path.rfind('/').map_or(0, |slash| slash + 1)
}

/// Whether a reference is a whole URL: a colon before anything that ends a scheme.
fn has_scheme(place: &str) -> bool {
    let end = place.find(['/', '?', '#', '\\']).unwrap_or(place.len());
    place[..end].contains(':')
}

fn authority_of(text: &str) -> Result<(String, u16), &'static str> {
    if text.contains('@') {
        return Err("a login in the URL is not allowed");
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(NO_HOST)?;
        let address: Ipv6Addr = address.parse().map_err(|_| NO_HOST)?;
        return Ok((address.to_string(), port(after)?));
    }
    let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
    Ok((name(host)?, port(after)?))
}

const NO_HOST: &str = "the URL has no host that can be asked";

fn port(after: &str) -> Result<u16, &'static str> {
    const BAD: &str = "the URL has a port that is none";
    let Some(digits) = after.strip_prefix(':') else {
        return if after.is_empty() { Ok(HTTPS) } else { Err(BAD) };
    };
    if digits.is_empty() {
        return Ok(HTTPS);
    }
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port > 0).ok_or(BAD)
}

/// A name, or an IPv4 address in its one form of four decimal numbers.
fn name(text: &str) -> Result<String, &'static str> {
    if !text.is_ascii() {
        return Err("a host with letters beyond ASCII has to be written in its `xn--` form");
    }
    let name = text.to_ascii_lowercase();
    let fits = |label: &str| {
        let bytes = label.bytes();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=MOST_LABEL).contains(&label.len()) && bytes.into_iter().all(known)
    };
    if name.len() > MOST_HOST || !name.split('.').all(fits) {
        return Err(NO_HOST);
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    // Resolvers take such names for addresses: `2130706433`, `0x7f.1`, `127.1`.
    if is_number(last) && name.parse::<Ipv4Addr>().is_err() {
        return Err("an address has to be written as four decimal numbers");
    }
    Ok(name)
}

fn is_number(label: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit()) || label.strip_prefix("0x").is_some_and(hex)
}

/// Path and query without the fragment; what HTTP does not allow in them is percent-encoded.
fn target(rest: &str) -> Result<String, &'static str> {
    let rest = rest.split('#').next().unwrap_or_default();
    if rest.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\') {
        return Err("the URL holds characters that none may hold");
    }
    let mut out = String::with_capacity(rest.len() + 1);
    if !rest.starts_with('/') {
        out.push('/');
    }
    for byte in rest.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> (String, u16, String) {
        let Url { host, port, target } = Url::parse(text).unwrap();
        (host, port, target)
    }

    fn parts(host: &str, port: u16, target: &str) -> (String, u16, String) {
        (host.into(), port, target.into())
    }

    #[test]
    fn host_port_and_target_are_told_apart() {
        for (text, expected) in [
            ("https://a.example", parts("a.example", 443, "/")),
            ("HTTPS://A.Example:/x", parts("a.example", 443, "/x")),
            ("https://a.example:8443?q=1#f", parts("a.example", 8443, "/?q=1")),
            ("https://1.2.3.4/a@b:c", parts("1.2.3.4", 443, "/a@b:c")),
            ("https://[2606:4700:0::1]:443/", parts("2606:4700::1", 443, "/")),
            (
                "https://xn--bcher-kva.example/ü b",
                parts("xn--bcher-kva.example", 443, "/%C3%BC%20b"),
            ),
            ("https://a/x%20y?z={1}", parts("a", 443, "/x%20y?z=%7B1%7D")),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn only_https_is_read() {
        for text in
            ["http://a/x", "ftp://a/x", "file:///etc/passwd", "//a/x", "a/x", "https:/a", ""]
        {
            assert_eq!(Url::parse(text), Err("only https URLs are fetched"), "{text}");
        }
        assert!(is_web("http://a/x") && is_web("HTTPS://a/x"));
        assert!(!is_web("s3://bucket/a") && !is_web("gs://bucket/a") && !is_web("files/abc"));
    }

    #[test]
    fn logins_are_refused() {
        for text in ["https://user@a/x", "https://user:pw@a/x", "https://a.example@10.0.0.1/"] {
            assert_eq!(Url::parse(text), Err("a login in the URL is not allowed"), "{text}");
        }
    }

    #[test]
    fn addresses_have_one_form() {
        for host in [
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.",
            "1.2.3.4.5",
            "256.1.1.1",
            "a.0x",
            "[::1",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "::1",
        ] {
            assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
        }
        assert_eq!(read("https://127.0.0.1/").0, "127.0.0.1");
        assert_eq!(read("https://[::ffff:127.0.0.1]/").0, "::ffff:127.0.0.1");
    }

    #[test]
    fn names_are_plain() {
        for host in
            ["", ".", "a..b", "a.", ".a", "a%2eb", "a b", "bücher.example", "a,b", "a\u{3002}b"]
        {
            assert!(Url::parse(&format!("https://{host}/")).is_err(), "{host}");
        }
        assert!(Url::parse(&format!("https://{}.example/", "a".repeat(64))).is_err());
    }

    #[test]
    fn ports_are_numbers() {
        for port in ["0", "65536", "-1", "+443", "4 43", "https"] {
            assert!(Url::parse(&format!("https://a:{port}/")).is_err(), "{port}");
        }
        assert!(Url::parse("https://[::1]443/").is_err());
    }

    #[test]
    fn nothing_breaks_out_of_the_request() {
        for text in ["https://a/\r\nhost: b", "https://a/\0", "https://a\\@b/", "https://a/\\b"] {
            assert!(Url::parse(text).is_err(), "{text:?}");
        }
        assert!(Url::parse(&format!("https://a/{}", "x".repeat(MOST))).is_err());
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let from = Url::parse("https://a.example:8443/x/y?q=1").unwrap();
        for (place, expected) in [
            ("https://b.example/z", "https://b.example/z"),
            ("//b.example/z", "https://b.example/z"),
            ("/z?w", "https://a.example:8443/z?w"),
            ("z", "https://a.example:8443/x/z"),
            ("?w", "https://a.example:8443/x/y?w"),
        ] {
            assert_eq!(from.join(place), Url::parse(expected), "{place}");
        }
        for place in ["http://b.example/", "javascript:x", "data:image/png;base64,AA", "//u@b/"] {
            assert!(from.join(place).is_err(), "{place}");
        }
    }
}
