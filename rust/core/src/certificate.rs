//! Certificates that clients show: what they are known by, and how keys name them.
//!
//! A certificate that comes this far was checked by TLS: it is of an authority that the settings name, and its
//! holder has the private key. What remains to be asked is whom it stands for.

use crate::keys::{from_hex, to_hex};
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use webpki::EndEntityCert;

/// The header by which the control plane is told of a client's certificate.
pub const HEADER: &str = "x-llmgw-certificate";
/// What stands before a name that is a URI, as SPIFFE's are.
const URI: &str = "uri:";
/// What stands before a name of a host.
const DNS: &str = "dns:";
/// Names of one certificate that are looked at.
const MOST_NAMES: usize = 32;
/// Bytes of one.
const LONGEST_NAME: usize = 512;

/// A certificate, by the words that keys may name it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its SHA-256 in hex, then its names.
    words: Box<[Box<str>]>,
}

impl Certificate {
    /// Of a certificate that TLS has accepted.
    #[must_use]
    pub fn new(der: &CertificateDer<'_>) -> Self {
        let mut words: Vec<Box<str>> = vec![to_hex(digest(&SHA256, der).as_ref()).into()];
        if let Ok(read) = EndEntityCert::try_from(der) {
            let uris = read.valid_uri_names().filter_map(|name| word(&[URI, name].concat()));
            let hosts = read.valid_dns_names().filter_map(|name| word(&[DNS, name].concat()));
            words.extend(uris.chain(hosts).take(MOST_NAMES));
        }
        Certificate { words: words.into() }
    }

    /// The words that it is known by, the one that is its alone first.
    #[must_use]
    pub fn words(&self) -> &[Box<str>] {
        &self.words
    }

    /// As the value of [`HEADER`].
    #[must_use]
    pub fn to_text(&self) -> String {
        self.words.join(" ")
    }

    /// What [`Certificate::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let words: Box<[Box<str>]> = text.split(' ').map(word).collect::<Option<_>>()?;
        (!words.is_empty()).then_some(Certificate { words })
    }

    /// Whether it is among those that a key lists.
    #[must_use]
    pub fn is_among(&self, listed: &[Box<str>]) -> bool {
        self.words.iter().any(|word| listed.contains(word))
    }
}

/// A word by which a key names certificates, in its one spelling: 64 digits of hex, `uri:…`, or `dns:…`.
#[must_use]
pub fn word(text: &str) -> Option<Box<str>> {
    let sound = text.len() <= LONGEST_NAME && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound {
        return None;
    }
    if let Some(host) = text.strip_prefix(DNS) {
        let is_one = !host.is_empty() && !host.contains('*');
        return is_one.then(|| text.to_ascii_lowercase().into());
    }
    if let Some(uri) = text.strip_prefix(URI) {
        return (!uri.is_empty()).then(|| text.into());
    }
    from_hex(text).map(|digest| to_hex(&digest).into())
}

/// Who sends a request: from where, and with which certificate.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    /// The client's address, if it is known.
    pub address: Option<std::net::IpAddr>,
    /// The certificate that it has shown.
    pub certificate: Option<Arc<Certificate>>,
}

impl From<Option<std::net::IpAddr>> for Sender {
    fn from(address: Option<std::net::IpAddr>) -> Self {
        Sender { address, certificate: None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    fn certificate(uri: &str, host: &str) -> Certificate {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::new(made.der())
    }

    #[test]
    fn a_certificate_is_known_by_its_digest_and_its_names() {
        let one = certificate("spiffe://acme/app", "App.acme.example");
        assert_eq!(&*one.words()[0], &*one.words()[0].to_lowercase());
        assert_eq!(one.words()[0].len(), 64);
        let names: Vec<&str> = one.words()[1..].iter().map(|word| &**word).collect();
        assert_eq!(names, ["uri:spiffe://acme/app", "dns:app.acme.example"]);
        assert_eq!(Certificate::from_text(&one.to_text()), Some(one));
    }

    #[test]
    fn names_that_would_be_two_or_many_are_none() {
        for text in
            ["", "uri:", "dns:", "dns:*.acme.example", "uri:a b", "00", "uri:\u{e9}", "cn:a"]
        {
            assert_eq!(word(text), None, "{text}");
        }
        let hex = "AB".repeat(32);
        assert_eq!(word(&hex).as_deref(), Some(&*hex.to_lowercase()));
    }
}
