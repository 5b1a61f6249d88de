//! The request on its way to the host: held if something has to be known of it, else as it comes.

use super::headers::Sent;
use crate::connection::{Connection, Incoming};
use crate::error::{Class, Error};
use crate::h1::{Patience, Source};
use crate::plan::Deployment;
use crate::store::unix_seconds;
use crate::upstream::{Outgoing, Response, SendError, Upload, UploadFailure};
use bytes::{Bytes, BytesMut};
use std::cell::Cell;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

/// What is sent, but for its body.
pub(super) struct Envelope<'a> {
    pub(super) method: &'a str,
    /// Path and query at the host.
    pub(super) path: &'a str,
    pub(super) sent: Sent,
    pub(super) request_id: &'a str,
    /// When all of it has to be over.
    pub(super) deadline: Instant,
    /// Set once all of it has been handed over.
    pub(super) handed: Option<&'a Cell<bool>>,
}

/// Why a request brought no reply.
pub(super) enum Failed {
    /// The upstream failed; what the operator should know besides, if anything.
    Upstream(Error, String),
    /// The client sent what cannot be used.
    Client(Error),
    /// The client has left.
    Gone,
}

impl Envelope<'_> {
    fn extra<'e>(&'e self, signed: &'e [(&'static str, String)]) -> Vec<(&'e str, &'e [u8])> {
        let own = self.sent.own.iter().map(|(name, value)| (&**name, &**value));
        let id = [("x-request-id", self.request_id.as_bytes())];
        let signed = signed.iter().map(|(name, value)| (*name, value.as_bytes()));
        own.chain(id).chain(signed).collect()
    }

    /// The headers of a signature, if the deployment signs.
    fn signature(&self, to: &Deployment, body: &[u8]) -> Vec<(&'static str, String)> {
        let Some(signer) = &to.signer else { return Vec::new() };
        let signed = self.sent.signed();
        let signed: Vec<(&str, &str)> =
            signed.iter().map(|(name, value)| (*name, &**value)).collect();
        let host = to.origin.authority();
        signer.sign(self.method, host, self.path, &signed, body, unix_seconds())
    }

    /// Sends it with a body that is at hand, and waits for the reply's head.
    pub(super) async fn with_body<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        to: &Deployment,
        body: Bytes,
        connection: &mut Connection<S>,
    ) -> Result<Response, Failed> {
        let signature = self.signature(to, &body);
        let extra = self.extra(&signature);
        let fixed = &self.sent.fixed;
        let (method, path, sent) = (self.method, self.path, self.handed);
        let request = Outgoing { method, path, fixed, extra: &extra, body, sent };
        let until = (Instant::now() + to.first_byte).min(self.deadline);
        let sent = tokio::select! {
            biased;
            sent = timeout_at(until, to.origin.send(request)) => sent,
            () = connection.gone() => return Err(Failed::Gone),
        };
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(unsent(error, to)),
            Err(_) => Err(late(to)),
        }
    }

    /// Sends it with a body that is still coming, piece by piece.
    pub(super) async fn with_pieces<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        to: &Deployment,
        pieces: &mut Pieces<'_, S>,
    ) -> Result<Response, Failed> {
        let extra = self.extra(&[]);
        let length = pieces.incoming.length();
        let (method, path, fixed) = (self.method, self.path, &*self.sent.fixed);
        let upload = Upload { method, path, fixed, extra: &extra, length, sent: self.handed };
        let patience =
            Patience { idle: to.idle, first_byte: to.first_byte, deadline: self.deadline };
        let sent = to.origin.upload(&upload, pieces, patience).await;
        sent.map_err(|failure| match failure {
            UploadFailure::Send(error) => unsent(error, to),
            UploadFailure::Late => late(to),
            UploadFailure::Client => match pieces.fault.take() {
                Some(error) => Failed::Client(error),
                None => Failed::Gone,
            },
        })
    }
}

/// A body on its way from a client's connection.
pub(super) struct Pieces<'a, S> {
    pub(super) connection: &'a mut Connection<S>,
    pub(super) incoming: &'a mut Incoming,
    /// Bytes that have come.
    pub(super) bytes: u64,
    /// When the last of them had come.
    pub(super) arrived: Option<Instant>,
    /// What is wrong with it.
    pub(super) fault: Option<Error>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Source for Pieces<'_, S> {
    async fn next(&mut self) -> Option<Result<Bytes, ()>> {
        match self.connection.piece(self.incoming).await {
            Ok(Some(piece)) => {
                self.bytes += piece.len() as u64;
                Some(Ok(piece))
            }
            Ok(None) => {
                self.arrived.get_or_insert_with(Instant::now);
                None
            }
            Err(error) => {
                self.fault = Some(error);
                Some(Err(()))
            }
        }
    }

    async fn gone(&mut self) {
        self.connection.gone().await;
    }
}

/// All of a body.
///
/// # Errors
/// What is wrong with it; that it is larger than `most` among that.
pub(super) async fn hold<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    incoming: &mut Incoming,
) -> Result<Bytes, Error> {
    let mut body = BytesMut::new();
    while let Some(piece) = connection.piece(incoming).await? {
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn late(to: &Deployment) -> Failed {
    Failed::Upstream(fail(to, Class::UpstreamTimeout, "did not answer in time"), String::new())
}

fn unsent(error: SendError, to: &Deployment) -> Failed {
    let (class, what, reason) = match error {
        SendError::Protocol => (Class::UpstreamProtocol, "did not answer in HTTP", String::new()),
        SendError::Unreachable(reason) => {
            (Class::UpstreamUnreachable, "could not be reached", reason)
        }
        SendError::Broken => {
            let what = "closed the connection without an answer";
            (Class::UpstreamUnreachable, what, String::new())
        }
    };
    Failed::Upstream(fail(to, class, what), reason)
}

/// An error of a deployment.
pub(super) fn fail(to: &Deployment, class: Class, what: &str) -> Error {
    Error::new(class, format!("Deployment `{}` {what}.", to.id))
}
