//! Attempts to open a WebSocket: the upstream's answer is all that is waited for.

use super::prepared::unable;
use super::upload::{Boxed, Coming};
use super::{Extra, Failure, Outcome, Whole, refusal, unsent};
use crate::error::Class;
use crate::ledger::Attempt;
use crate::plan::Deployment;
use crate::realtime::handshake::Asking;
use crate::translate::Chat;
use crate::upstream::{Opened, Socket};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A session that looks for its upstream.
pub struct Opening<'a> {
    /// Headers of this request alone.
    pub extra: &'a Extra<'a>,
    /// The connection, once an upstream has agreed.
    pub socket: Option<Socket>,
}

impl Opening<'_> {
    async fn open(
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
        let asking = Asking::new();
        let own = asking.headers();
        let extra: Vec<_> = self.extra.iter().copied().chain(own).collect();
        let until = Instant::now() + to.first_byte.min(to.total);
        let sent = timeout_at(until, to.origin.open(&path, to.headers_but_type(), &extra)).await;
        let late = |_| fail(Class::UpstreamTimeout, "did not answer in time");
        let headers = match sent.map_err(late)?.map_err(|error| unsent(error, &fail))? {
            Opened::Reply(reply) => {
                return Err(refusal::read(reply, chat, None, until, &fail).await);
            }
            Opened::Socket(socket) if !asking.is_met(&socket.headers) => {
                return Err(fail(Class::UpstreamProtocol, "did not answer as a WebSocket"));
            }
            // Opening costs nothing; what is said from here on may.
            Opened::Socket(socket) => self.socket.insert(socket).headers.clone(),
        };
        booked.sent().set(true);
        Ok(Outcome::Whole(Whole { status: 101, headers, body: Bytes::new(), translated: None }))
    }
}

impl Coming for Opening<'_> {
    fn attempt<'a>(
        &'a mut self,
        chat: &'a Chat<'_>,
        deployment: &'a Deployment,
        booked: &'a Attempt,
    ) -> Boxed<'a, Result<Outcome, Failure>> {
        Box::pin(self.open(chat, deployment, booked))
    }

    fn may_repeat(&self) -> bool {
        true
    }

    fn pause(&mut self, wait: Duration) -> Boxed<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}
