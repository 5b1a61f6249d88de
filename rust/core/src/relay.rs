//! Asks an upstream for something that it keeps: a request with a small body or none, and its reply.

use crate::dispatch::Extra;
use crate::error::{Class, Error, Result};
use crate::headers::Headers;
use crate::plan::Deployment;
use crate::store::unix_seconds;
use crate::upstream::{self, Outgoing, Response, SendError};
use bytes::{Bytes, BytesMut};
use std::future::Future;
use tokio::time::{Instant, timeout_at};

/// The largest reply that is passed on whole.
const MOST: usize = 64 * 1024 * 1024;

/// What an upstream said.
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// Headers as received.
    pub headers: Headers,
    /// The body, whole.
    pub body: Bytes,
}

impl Said {
    /// Whether it did what it was asked for.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.status < 300
    }
}

/// A request for an upstream.
pub struct Question<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// A body of JSON, if there is one.
    pub body: Option<Bytes>,
    /// Headers of this request alone.
    pub extra: &'a Extra<'a>,
}

/// A deployment that is asked.
#[derive(Clone, Copy)]
pub struct Asking<'a>(pub &'a Deployment);

impl Asking<'_> {
    /// Asks and reads the whole reply. What the upstream says of the thing itself, also that it is gone,
    /// is for the client.
    ///
    /// # Errors
    /// Any class of an upstream that failed.
    pub async fn ask(self, question: Question<'_>) -> Result<Said> {
        let deadline = Instant::now() + self.0.total;
        let response = self.open(question).await?;
        self.settle(response, deadline).await
    }

    /// Asks; the reply's head has come when this returns.
    ///
    /// # Errors
    /// Any class of an upstream that failed.
    pub async fn open(self, question: Question<'_>) -> Result<Response> {
        let to = self.0;
        let Question { method, path, body, extra } = question;
        let sent = body.as_deref().unwrap_or_default();
        let signed = to.signer.as_ref().map(|signer| {
            signer.sign(method, to.origin.authority(), path, &[], sent, unix_seconds())
        });
        let signed = signed.iter().flatten().map(|(name, value)| (*name, value.as_bytes()));
        let extra: Vec<_> = extra.iter().copied().chain(signed).collect();
        let fixed = if body.is_some() { &to.headers } else { to.headers_but_type() };
        let body = body.unwrap_or_default();
        let request = Outgoing { method, path, fixed, extra: &extra, body, sent: None };
        let until = Instant::now() + to.first_byte.min(to.total);
        let sent = self.in_time(until, to.origin.send(request)).await?;
        sent.map_err(|error| self.unsent(&error))
    }

    /// Reads the rest of a reply, and lets a client see what is meant for it.
    ///
    /// # Errors
    /// As of [`Asking::ask`].
    pub async fn settle(self, response: Response, deadline: Instant) -> Result<Said> {
        let Response { status, headers, body } = response;
        let body = self.in_time(deadline, read(body)).await?;
        let body = body.ok_or_else(|| self.fail(Class::UpstreamProtocol, "broke off its reply"))?;
        self.judged(Said { status, headers, body })
    }

    async fn in_time<T>(self, until: Instant, what: impl Future<Output = T>) -> Result<T> {
        let late = |_| self.fail(Class::UpstreamTimeout, "did not answer in time");
        timeout_at(until, what).await.map_err(late)
    }

    fn judged(self, said: Said) -> Result<Said> {
        let is_json = said.headers.is_of_type("application/json");
        let class = match said.status {
            200..=299 if is_json || said.body.is_empty() => return Ok(said),
            401 | 403 => Class::UpstreamAuth,
            408 | 504 => Class::UpstreamTimeout,
            429 => Class::UpstreamRateLimited,
            400..=499 if is_json => return Ok(said),
            404 => Class::NotFound,
            400..=499 => Class::UpstreamRejected,
            500..=599 => Class::UpstreamOverloaded,
            _ => Class::UpstreamProtocol,
        };
        Err(self.fail(class, &format!("answered with status {}", said.status)))
    }

    /// Why nothing came back.
    #[must_use]
    pub fn unsent(self, error: &SendError) -> Error {
        match error {
            SendError::Protocol => self.fail(Class::UpstreamProtocol, "did not answer in HTTP"),
            SendError::Unreachable(_) => {
                self.fail(Class::UpstreamUnreachable, "could not be reached")
            }
            SendError::Broken => {
                let what = "closed the connection without an answer";
                self.fail(Class::UpstreamUnreachable, what)
            }
        }
    }

    /// An error that names the deployment.
    #[must_use]
    pub fn fail(self, class: Class, what: &str) -> Error {
        Error::new(class, format!("Deployment `{}` {what}.", self.0.id))
    }
}

/// All of a body; `None` if it ends early, or is too large.
async fn read(mut rest: upstream::Body) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = rest.chunk().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > MOST {
            return None;
        }
    }
    Some(body.freeze())
}
