//! A realtime session: let in, joined with an upstream that takes it, and left to the two of them.

use super::recording::Used;
use super::{After, Asked, CLIENT_GONE, Ending, Session};
use crate::access;
use crate::call::Call;
use crate::caller::Caller;
use crate::dispatch::{Extra, Opening, Trail, dispatch_upload};
use crate::error::{Class, Error, Result};
use crate::gate::check_endpoint;
use crate::http1::{Framing, Head};
use crate::ledger::{Attempt, How, Settlement, Why};
use crate::limits::Truth;
use crate::metrics::Counter;
use crate::plan::{Key, Plan};
use crate::price::Served;
use crate::realtime::frame::Side;
use crate::realtime::handshake::{self, Wanted};
use crate::realtime::policy::Policy;
use crate::realtime::relay::{Ended, Terms, relay};
use crate::realtime::{self, Place};
use crate::reply::Body;
use crate::snapshot::Operation;
use crate::translate::Chat;
use crate::upstream::Socket;
use crate::usage::Usage;
use std::cell::RefCell;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// The status of a session that was opened, in its reply and in metrics.
const SWITCHED: u16 = 101;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Answers a request for a session, and serves it to its end.
    pub(super) async fn realtime(
        &mut self,
        plan: Arc<Plan>,
        head: &Head,
        asked: &mut Asked,
    ) -> After {
        let shown = handshake::credential(head);
        let let_in = shown.and_then(|shown| self.identify(&plan, shown, head, asked));
        let (key, caller) = match let_in {
            Ok(let_in) => let_in,
            Err(error) => {
                self.record_refusal(Operation::Realtime, None, None, &error, asked);
                return self.refuse_unread(asked, head, &error).await;
            }
        };
        let holder = key.clone();
        match self.let_session_in(plan, key, caller, head) {
            Ok((call, wanted, place)) => self.open(&call, &wanted, place, head, asked).await,
            Err(error) => {
                let model = realtime::model(head).ok();
                self.record_refusal(
                    Operation::Realtime,
                    Some(&holder),
                    model.as_deref(),
                    &error,
                    asked,
                );
                self.refuse_unread(asked, head, &error).await
            }
        }
    }

    fn let_session_in<'h>(
        &self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        caller: Caller,
        head: &'h Head,
    ) -> Result<(Call, Wanted<'h>, Place)> {
        check_endpoint(&key, Operation::Realtime.name())?;
        let wanted = Wanted::of(head)?;
        if head.framing != Framing::Length(0) {
            return Err(Error::new(Class::InvalidRequest, "A WebSocket is opened without a body."));
        }
        let model = realtime::model(head)?;
        if self.edge.is_stopping() {
            return Err(Error::new(Class::Draining, "The gateway is shutting down."));
        }
        let place = self.edge.realtime.take(&self.edge.shop.metrics)?;
        Ok((self.edge.shop.admit_session(plan, key, caller, &model)?, wanted, place))
    }

    /// Looks for an upstream that takes the session, and tells the client what came of it.
    async fn open(
        &mut self,
        call: &Call,
        wanted: &Wanted<'_>,
        place: Place,
        head: &Head,
        asked: &mut Asked,
    ) -> After {
        let edge = self.edge.clone();
        let in_flight = edge.in_flight();
        let request_id = asked.request_id.clone();
        let mut extra = access::passed_on(head, &request_id, asked.dialect);
        let says_beta = extra.iter().any(|(name, _)| *name == "openai-beta");
        extra.extend(wanted.beta().filter(|_| !says_beta));
        let chat = Chat::new(call, &request_id);
        let (mut trail, mut rng) = (Trail::default(), edge.desk.borrow_mut().rng.fork());
        let mut opening = Opening { extra: &extra as &Extra<'_>, socket: None };
        let outcome = tokio::select! {
            biased;
            outcome = dispatch_upload(&edge.shop, &chat, &mut opening, &mut rng, &mut trail) => outcome,
            () = self.connection.gone() => {
                let ending = Ending { status: CLIENT_GONE, ..Ending::default() };
                self.finish(call, &mut trail, asked, ending);
                return After::Cut;
            }
        };
        drop(in_flight);
        match opening.socket {
            Some(socket) if outcome.is_ok() => {
                self.serve_session(call, wanted, socket, &mut trail, asked, rng).await
            }
            _ => {
                drop(place);
                self.conclude(&chat, outcome, &mut trail, asked).await
            }
        }
    }

    /// Tells the client that its session is open, and lets it run.
    async fn serve_session(
        &mut self,
        call: &Call,
        wanted: &Wanted<'_>,
        socket: Socket,
        trail: &mut Trail,
        asked: &Asked,
        rng: fastrand::Rng,
    ) -> After {
        let edge = self.edge.clone();
        let (Some(index), Some(attempt)) = (trail.deployment, trail.open.take()) else {
            return After::Cut;
        };
        let model = call.plan.deployments[index].routed_model(&call.matched);
        self.record(call, trail, asked, SWITCHED, Used::default(), None);
        if self.switch(call, wanted, trail, asked).await.is_err() {
            edge.shop.metrics.count(Counter::ClientDisconnect);
            attempt.void(Why::ClientGone, None);
            return After::Cut;
        }
        let terms = Terms {
            most: edge.realtime.max_message_bytes,
            idle: edge.realtime.idle_timeout,
            deadline: Instant::now() + edge.realtime.max_duration,
            patience: self.connection.limits().write_timeout,
        };
        let policy = Policy {
            shop: &edge.shop,
            ticket: call,
            model: &model,
            deployment: index,
            rng: RefCell::new(rng),
        };
        let labels = call.labels(trail.deployment, SWITCHED);
        let charge = |usage: Usage| {
            let cost = attempt.tariff().cost(Some(&usage), &usage, &Served::default());
            let nano = cost.nano_dollars;
            let more = Truth { input: usage.input, output: usage.output, bytes: 0, cost: nano };
            edge.shop.charge(&call.held, &more);
            edge.shop.metrics.charge(&labels, &usage, cost);
            attempt.charge(&usage, cost);
        };
        let client = self.connection.parts();
        let ended = relay(client, socket, &policy, charge, terms, edge.stopped()).await;
        // What was used is charged; what was held from the beginning is not, and the place is free.
        edge.shop.settle(&call.held, &Truth::default());
        match ended {
            Ended::Gone(Side::Client) => edge.shop.metrics.count(Counter::ClientDisconnect),
            Ended::Gone(Side::Upstream) | Ended::Faulty(Side::Upstream, _) => {
                let fields = [("deployment", labels.deployment)];
                edge.shop.log.warn("the upstream of a session broke off", &fields);
            }
            _ => {}
        }
        end(attempt, ended);
        After::CloseUnread
    }

    /// Writes the head after which HTTP is over.
    async fn switch(
        &mut self,
        call: &Call,
        wanted: &Wanted<'_>,
        trail: &Trail,
        asked: &Asked,
    ) -> std::io::Result<()> {
        self.head.begin(SWITCHED, &asked.request_id);
        self.call_headers(call, trail, asked);
        self.head.header("connection", b"Upgrade").header("upgrade", b"websocket");
        self.head.header("sec-websocket-accept", wanted.accept().as_bytes());
        if let Some(protocol) = wanted.protocol() {
            self.head.header("sec-websocket-protocol", protocol.as_bytes());
        }
        self.connection.write(self.head.end(Body::UntilClose, true), &[]).await?;
        self.connection.flush().await
    }
}

/// Ends the attempt that a session was: by the sum of what its replies were charged. Where a side was gone
/// without a word, one of them may have been under way.
fn end(attempt: Attempt, ended: Ended) {
    let how = match ended {
        Ended::Closed(..) | Ended::Idle => How::Stream,
        Ended::Gone(Side::Client) | Ended::Faulty(Side::Client, _) | Ended::Binary => {
            How::ClientGone
        }
        _ => How::Cut,
    };
    let (usage, cost) = attempt.so_far();
    let cost = if how == How::Stream { cost } else { cost.estimated() };
    let (status, served) = (SWITCHED, Served::default());
    let (upstream_id, reported) = (None, None);
    attempt.settle(&Settlement { status, how, usage, cost, served, upstream_id, reported });
}
