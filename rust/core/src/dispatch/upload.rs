//! Attempts with a body that is still coming from the client: what was held is sent again, the rest as it comes.

use super::prepared::unable;
use super::reading::Reading;
use super::{Failure, Outcome, refusal, unsent};
use crate::connection::{Connection, Incoming};
use crate::error::{Class, Error};
use crate::h1::{Patience, Source};
use crate::ledger::Attempt;
use crate::plan::Deployment;
use crate::translate::Chat;
use crate::upload::{Edits, Passing};
use crate::upstream::{Upload, UploadFailure};
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// What a [`Coming`] waits for.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A request whose body is still coming.
pub trait Coming {
    /// One send to one deployment, which has been written down.
    fn attempt<'a>(
        &'a mut self,
        chat: &'a Chat<'_>,
        deployment: &'a Deployment,
        booked: &'a Attempt,
    ) -> Boxed<'a, Result<Outcome, Failure>>;

    /// Whether it can be sent once more.
    fn may_repeat(&self) -> bool;

    /// Waits, unless the client leaves.
    fn pause(&mut self, wait: Duration) -> Boxed<'_, ()>;
}

/// Why there will be no more of a body.
#[derive(Debug)]
pub enum Trouble {
    /// The client has left.
    Gone,
    /// What came cannot be used.
    Faulty(Error),
}

/// A form on its way from a client's connection to its upstream.
pub struct Uploading<'a, S> {
    /// Where it comes from.
    pub connection: &'a mut Connection<S>,
    /// How far it has come.
    pub incoming: Incoming,
    /// What is known and held of it.
    pub passing: Passing,
    /// What is changed in it besides the model.
    pub edits: Edits,
    /// Headers of this request alone, its `content-type` among them.
    pub extra: &'a [(&'a str, &'a [u8])],
    /// Why it broke off, if it did.
    pub trouble: Option<Trouble>,
    /// When the last byte had come.
    pub arrived: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Uploading<'_, S> {
    /// Bytes of the body as it is sent on, if the client said how many it sends.
    fn length(&self, model: &str) -> Option<u64> {
        let growth = self.passing.growth(model, &self.edits);
        self.incoming.length().and_then(|length| length.checked_add_signed(growth))
    }

    async fn send(
        &mut self,
        chat: &Chat<'_>,
        to: &Deployment,
        booked: &Attempt,
    ) -> Result<Outcome, Failure> {
        let call = chat.call;
        let fail =
            |class, what: &str| Failure::new(class, format!("Deployment `{}` {what}.", to.id));
        let model = to.routed_model(&call.matched);
        let path = to.path(call.operation, false, &model).ok_or_else(|| unable(to))?;
        let deadline = Instant::now() + to.total;
        let patience = Patience { idle: to.idle, first_byte: to.first_byte, deadline };
        let (extra, fixed) = (self.extra, to.headers_but_type());
        let length = self.length(&model);
        let upload =
            Upload { method: "POST", path: &path, fixed, extra, length, sent: Some(booked.sent()) };
        let held = Some(self.passing.edited(&model, &self.edits)).filter(|held| !held.is_empty());
        let mut pieces = Pieces { held, upload: self };
        let sent = to.origin.upload(&upload, &mut pieces, patience).await;
        let response = sent.map_err(|failure| match failure {
            UploadFailure::Send(error) => unsent(error, &fail),
            UploadFailure::Late => fail(Class::UpstreamTimeout, "did not answer in time"),
            UploadFailure::Client => self.clients_failure(),
        })?;
        booked.sent().set(true);
        let until = (Instant::now() + to.first_byte).min(deadline);
        let connection = &mut *self.connection;
        let read = async {
            if (200..300).contains(&response.status) {
                let (lane, hide_usage, deployment) = (None, false, to);
                let first_byte = until;
                let reading = Reading { chat, lane, hide_usage, deployment, first_byte, deadline };
                reading.begin(response, &fail).await
            } else {
                Err(refusal::read(response, chat, None, until, &fail).await)
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = read => Some(outcome),
            () = connection.gone() => None,
        };
        outcome.unwrap_or_else(|| {
            self.trouble = Some(Trouble::Gone);
            Err(self.clients_failure())
        })
    }

    fn clients_failure(&self) -> Failure {
        let error = match &self.trouble {
            Some(Trouble::Faulty(error)) => error.clone(),
            _ => Error::new(Class::InvalidRequest, "The client left."),
        };
        Failure { is_clients: true, ..Failure::new(error.class, error.message) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Coming for Uploading<'_, S> {
    fn attempt<'a>(
        &'a mut self,
        chat: &'a Chat<'_>,
        deployment: &'a Deployment,
        booked: &'a Attempt,
    ) -> Boxed<'a, Result<Outcome, Failure>> {
        Box::pin(self.send(chat, deployment, booked))
    }

    fn may_repeat(&self) -> bool {
        self.passing.is_held() && self.trouble.is_none()
    }

    fn pause(&mut self, wait: Duration) -> Boxed<'_, ()> {
        Box::pin(async move {
            let left = tokio::time::timeout(wait, self.connection.gone()).await;
            if left.is_ok() {
                self.trouble = Some(Trouble::Gone);
            }
        })
    }
}

/// What one attempt sends: what is held, then what comes.
struct Pieces<'u, 'a, S> {
    held: Option<Bytes>,
    upload: &'u mut Uploading<'a, S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Source for Pieces<'_, '_, S> {
    async fn next(&mut self) -> Option<Result<Bytes, ()>> {
        if let Some(held) = self.held.take() {
            return Some(Ok(held));
        }
        let Uploading { connection, incoming, passing, trouble, arrived, .. } = &mut *self.upload;
        let read = match connection.piece(incoming).await {
            Ok(Some(piece)) => passing.push(&piece).map(|()| Some(piece)),
            Ok(None) => passing.form().finish().map(|()| None),
            Err(error) => Err(error),
        };
        match read {
            Ok(Some(piece)) => Some(Ok(piece)),
            Ok(None) => {
                arrived.get_or_insert_with(Instant::now);
                None
            }
            Err(error) => {
                *trouble = Some(Trouble::Faulty(error));
                Some(Err(()))
            }
        }
    }

    async fn gone(&mut self) {
        self.upload.connection.gone().await;
        self.upload.trouble = Some(Trouble::Gone);
    }
}
