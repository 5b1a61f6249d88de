//! One request's identity and framing.

use crate::access;
use crate::caller::Tags;
use crate::certificate::{Certificate, Sender};
use crate::http1::Head;
use llmgw_formats::Kind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// What the admin API's paths begin with.
const ADMIN_PREFIX: &str = "/api/";

/// One request's identity and framing, as far as replies need it.
pub struct Asked {
    /// Echoed in `x-request-id`.
    pub request_id: String,
    /// The client understands chunked replies (HTTP/1.1).
    pub chunked: bool,
    /// A HEAD request: the reply has no body, whatever its length says.
    pub head_only: bool,
    /// The client lets the connection live on.
    pub keep_alive: bool,
    /// When the request was complete.
    pub started: Instant,
    /// What it is to be filed under; none where it cannot be told.
    pub tags: Tags,
    /// How the client expects to be answered.
    pub dialect: Kind,
    /// The admin API's path: errors are problems, whatever the dialect.
    pub is_admin: bool,
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// The certificate that it has shown.
    pub certificate: Option<Arc<Certificate>>,
}

impl Asked {
    /// Of a head that was read.
    pub fn new(head: &Head, sender: Sender, rng: &mut fastrand::Rng) -> Self {
        Asked {
            request_id: access::request_id(head, rng),
            chunked: head.is_http11,
            head_only: head.method() == "HEAD",
            // HTTP/1.0 keeps alive only with a word of its own that our replies do not have.
            keep_alive: head.keep_alive && head.is_http11,
            started: Instant::now(),
            tags: Tags::of(head).unwrap_or_default(),
            dialect: access::dialect(head.path()),
            is_admin: head.path().starts_with(ADMIN_PREFIX),
            address: sender.address,
            certificate: sender.certificate,
        }
    }

    /// For a request whose head could not be read.
    pub fn unreadable(rng: &mut fastrand::Rng) -> Self {
        let request_id = access::new_request_id(rng);
        Asked {
            request_id,
            chunked: true,
            head_only: false,
            keep_alive: false,
            started: Instant::now(),
            tags: Tags::default(),
            dialect: Kind::OpenaiChat,
            is_admin: false,
            address: None,
            certificate: None,
        }
    }

    /// Who sent it, as far as the connection tells.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender { address: self.address, certificate: self.certificate.clone() }
    }
}
