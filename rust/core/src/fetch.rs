//! Fetches pictures, documents and recordings that clients name by URL, for upstreams that take bytes only.
//!
//! A client must not reach anything through us that it could not reach itself: only `https`, only hosts and
//! ports that are allowed, only addresses that the egress rule lets clients name (looked up once, checked,
//! and dialled as checked), again for each redirect. Nothing of the client's request goes along. What
//! comes has to be of a kind that models see or hear, by its own first bytes, so that nobody reads texts of
//! inner services this way.

mod hosts;
mod kinds;
mod url;

use crate::dial::Address;
use crate::egress::{Egress, Network};
use crate::headers::Headers;
use crate::plan::seconds;
use crate::snapshot::MediaPolicy;
use crate::upstream::{Body, Origin, Outgoing, Response, SendError};
use bytes::Bytes;
use hosts::{Hosts, Standing};
use llmgw_formats::base64::Encoder;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;
use url::Url;

pub use kinds::Kind;
pub use url::{host_of, is_web};

/// Redirects that are followed.
const MOST_REDIRECTS: u32 = 3;
/// Bytes of the beginning that tell what it is.
const TELLING: usize = 16;
/// What every request says, and nothing else.
const HEADERS: &str = "accept: image/*, application/pdf, audio/*\r\n\
                       accept-encoding: identity\r\nuser-agent: llmgw\r\n";

/// Fetches under one configuration.
pub struct Fetcher {
    hosts: Hosts,
    /// For hosts that the configuration names.
    named: Arc<Egress>,
    /// For all others: public addresses only.
    others: Arc<Egress>,
    tls: TlsConnector,
    /// Bytes of all that is fetched for one request.
    pub max_bytes: u64,
    /// How many things are fetched for one request.
    pub max_items: usize,
    /// Until when all of them have to be here.
    pub timeout: Duration,
}

/// Something that was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Its media type, by its first bytes.
    pub media_type: &'static str,
    /// The thing itself, in base64.
    pub data: String,
}

/// Why something was not fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The URL is none that is fetched; why, for the client.
    Url(&'static str),
    /// No connection; why, for the operator alone: clients are not told what is where in our networks.
    Unreachable(String),
    /// It was answered otherwise than with the thing.
    Status(u16),
    /// One redirect after the other.
    Redirects,
    /// It is not what was to be fetched.
    Kind(Kind),
    /// All that is fetched for the request would be larger than so many bytes.
    TooLarge(u64),
    /// The reply broke off, or was none.
    Broken,
    /// It took too long.
    Late,
}

impl Refusal {
    /// What the client is told, as the end of a sentence.
    #[must_use]
    pub fn told(&self) -> Cow<'static, str> {
        match self {
            Refusal::Url(why) => Cow::Borrowed(why),
            Refusal::Unreachable(_) => Cow::Borrowed("its host could not be reached"),
            Refusal::Status(status) => format!("its host answered with status {status}").into(),
            Refusal::Redirects => Cow::Borrowed("it leads from one place to the next"),
            Refusal::Kind(kind) => Cow::Borrowed(kind.wanted()),
            Refusal::TooLarge(most) => {
                format!("more than {most} bytes are not fetched for one request").into()
            }
            Refusal::Broken => Cow::Borrowed("its host broke off the reply"),
            Refusal::Late => Cow::Borrowed("it took too long"),
        }
    }

    /// What the operator's log says.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        match self {
            Refusal::Unreachable(why) => Cow::Borrowed(why),
            other => other.told(),
        }
    }
}

impl Fetcher {
    /// Under this policy; `networks` are private ones where named hosts may be.
    ///
    /// # Errors
    /// The entry of `allow_hosts` that is no host.
    pub fn new(
        policy: &MediaPolicy,
        networks: Vec<Network>,
        tls: TlsConnector,
    ) -> Result<Self, String> {
        Ok(Fetcher {
            hosts: Hosts::new(&policy.allow_hosts)?,
            named: Arc::new(Egress::of_clients(networks)),
            others: Arc::new(Egress::of_clients(Vec::new())),
            tls,
            max_bytes: policy.max_bytes,
            max_items: policy.max_items,
            timeout: seconds(policy.timeout),
        })
    }

    /// Fetches one thing of that kind. `room`: bytes that may still come, of all things together. The
    /// caller holds the deadline; dropping cancels.
    ///
    /// # Errors
    /// Why it is not had.
    pub async fn fetch(
        &self,
        text: &str,
        kind: Kind,
        room: &Cell<u64>,
    ) -> Result<Fetched, Refusal> {
        let mut url = Url::parse(text).map_err(Refusal::Url)?;
        for _ in 0..=MOST_REDIRECTS {
            let Response { status, headers, body } = self.ask(&url).await?;
            match status {
                200 => return self.read(&headers, body, kind, room).await,
                301 | 302 | 303 | 307 | 308 => {
                    let place = headers.text("location").ok_or(Refusal::Status(status))?;
                    url = url.join(place).map_err(Refusal::Url)?;
                }
                _ => return Err(Refusal::Status(status)),
            }
        }
        Err(Refusal::Redirects)
    }

    /// Sends the request for one URL over a connection of its own.
    async fn ask(&self, url: &Url) -> Result<Response, Refusal> {
        let egress = match self.hosts.standing(url).map_err(Refusal::Url)? {
            Standing::Named => self.named.clone(),
            Standing::Public => self.others.clone(),
        };
        let tls = Some(self.tls.clone());
        let address = Address::Network { host: url.host.clone(), port: url.port, tls, egress };
        let origin = Origin::new(address, url.authority(), self.timeout);
        let request = Outgoing {
            method: "GET",
            path: &url.target,
            fixed: HEADERS,
            extra: &[],
            body: Bytes::new(),
            sent: None,
        };
        origin.send(request).await.map_err(|error| match error {
            SendError::Unreachable(why) => Refusal::Unreachable(why),
            SendError::Broken | SendError::Protocol => Refusal::Broken,
        })
    }

    async fn read(
        &self,
        headers: &Headers,
        mut body: Body,
        kind: Kind,
        room: &Cell<u64>,
    ) -> Result<Fetched, Refusal> {
        let plain = headers.get("content-encoding").is_none_or(|coding| coding == b"identity");
        if !plain || !kind.may_be_called(headers.text("content-type")) {
            return Err(Refusal::Kind(kind));
        }
        let too_large = || Refusal::TooLarge(self.max_bytes);
        if body.remaining().is_some_and(|length| length > room.get()) {
            return Err(too_large());
        }
        let (mut head, mut encoder) = (Vec::with_capacity(TELLING), Encoder::default());
        let mut media_type = None;
        while let Some(chunk) = body.chunk().await {
            let chunk = chunk.map_err(|()| Refusal::Broken)?;
            room.set(room.get().checked_sub(chunk.len() as u64).ok_or_else(too_large)?);
            encoder.push(&chunk);
            if media_type.is_none() {
                head.extend_from_slice(&chunk[..chunk.len().min(TELLING - head.len())]);
                if head.len() == TELLING {
                    media_type = Some(kind.told_by(&head).ok_or(Refusal::Kind(kind))?);
                }
            }
        }
        let media_type = media_type.or_else(|| kind.told_by(&head)).ok_or(Refusal::Kind(kind))?;
        Ok(Fetched { media_type, data: encoder.finish() })
    }
}

#[cfg(test)]
mod tests;
