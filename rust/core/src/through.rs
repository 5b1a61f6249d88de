//! Providers' own APIs, passed through: a client of theirs keeps its paths, bodies and replies, and the
//! gateway checks, limits, counts, and shows its own credential.
//!
//! What is passed and why it is safe: docs/decisions/0014.

mod booking;
mod door;
mod headers;
mod known;
pub mod naming;
mod relay;
mod send;
mod target;
mod visit;
mod watch;

use crate::access;
use crate::caller::Caller;
use crate::connection::Incoming;
use crate::error::{Class, Error, Result};
use crate::gate::{Admitted, Bid, Body, Payer, check_endpoint, check_region};
use crate::http1::{Framing, Head};
use crate::ledger::Attempt;
use crate::plan::endpoints::PASS_THROUGH;
use crate::plan::{Key, Plan};
use crate::session::{After, Asked, CLIENT_GONE, Session};
use crate::upstream::Response;
use bytes::Bytes;
pub use door::Door;
use headers::Sent;
use send::{Envelope, Failed, Pieces};
use std::sync::Arc;
use std::time::Instant;
use target::Target;
use tokio::io::{AsyncRead, AsyncWrite};
use visit::Visit;
use watch::Watch;

/// Which way a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Index of the door.
    door: usize,
    /// Where in the path the host's own begins.
    rest: usize,
}

/// The pass-through that a request is for.
#[must_use]
pub fn route(plan: &Plan, head: &Head) -> Option<Way> {
    let path = head.path();
    let found = |(door, one): (usize, &Door)| {
        let rest = one.rest(path)?;
        Some(Way { door, rest: path.len() - rest.len() })
    };
    plan.doors.iter().enumerate().find_map(found)
}

/// Passes a request through, and its reply back.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    plan: Arc<Plan>,
    head: &Head,
    way: &Way,
    asked: &mut Asked,
) -> After {
    let mut visit = Visit::new(plan, way.door);
    let rest = &head.path()[way.rest..];
    asked.dialect = visit.door().dialect(rest);
    let edge = session.edge.clone();
    let (key, target, mut incoming) = match visit.let_in(session, head, rest, asked) {
        Ok(let_in) => let_in,
        Err(error) => {
            visit.refuse(&edge, asked, &error);
            return session.refuse_unread(asked, head, &error).await;
        }
    };
    visit.learn(head, rest);
    let held = if visit.must_hold(&key, head) {
        match send::hold(&mut session.connection, &mut incoming).await {
            Ok(body) => Some(body),
            Err(error) => {
                visit.refuse(&edge, asked, &error);
                return session.refuse_and_close(asked, &error).await;
            }
        }
    } else {
        None
    };
    asked.started = Instant::now();
    asked.keep_alive &= !edge.is_stopping();
    let _in_flight = edge.in_flight();
    if let Err(error) = visit.admit(&edge, &key, head, &target, held.as_ref()) {
        visit.refuse(&edge, asked, &error);
        return refuse(session, asked, &incoming, &error).await;
    }
    let request_id = asked.request_id.clone();
    let json = held.as_deref().filter(|body| !body.is_empty() && is_json(head));
    if let Err(error) = visit.book(&edge.shop, &key, &target, json, &request_id) {
        visit.finish(&edge, asked, error.class.row().status, &mut Watch::blind());
        return refuse(session, asked, &incoming, &error).await;
    }
    let result = visit.send(session, head, &target, held, &mut incoming, &request_id).await;
    // Time is counted from the last byte, as with every other request.
    asked.started = visit.arrived.unwrap_or(asked.started);
    asked.keep_alive &= incoming.is_complete();
    let after = match result {
        Ok(response) => visit.pass(session, response, asked).await,
        Err(Failed::Gone) => {
            visit.finish(&edge, asked, CLIENT_GONE, &mut Watch::blind());
            return After::Cut;
        }
        Err(Failed::Client(error)) => {
            visit.finish(&edge, asked, error.class.row().status, &mut Watch::blind());
            return refuse(session, asked, &incoming, &error).await;
        }
        Err(Failed::Upstream(error, reason)) => {
            visit.warn(&edge, &error, &reason);
            visit.is_unreachable = error.class == Class::UpstreamUnreachable;
            visit.finish(&edge, asked, error.class.row().status, &mut Watch::blind());
            refuse(session, asked, &incoming, &error).await
        }
    };
    // What the client is still sending is no request.
    if after == After::Close && !incoming.is_complete() { After::CloseUnread } else { after }
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    asked: &Asked,
    incoming: &Incoming,
    error: &Error,
) -> After {
    if incoming.is_complete() {
        return session.refuse(asked, error).await;
    }
    session.refuse_and_close(asked, error).await
}

impl Visit {
    /// Checks what the head alone tells.
    fn let_in<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &Session<S>,
        head: &Head,
        rest: &str,
        asked: &Asked,
    ) -> Result<(Arc<Key>, Target, Incoming)> {
        let shown = access::credential_in(head, asked.dialect)?;
        let key = session.edge.shop.authenticate(&self.plan, shown, asked.sender())?;
        self.key = Some(key.clone());
        self.caller = Caller::new(asked.address, head)?;
        check_endpoint(&key, PASS_THROUGH)?;
        check_region(&key, self.deployment().region.as_deref())?;
        let door = self.door();
        if !key.may_pass(&door.name) {
            let message = format!("The key may not use the pass-through `{}`.", door.name);
            return Err(Error::new(Class::PermissionDenied, message));
        }
        let target = Target::new(door, rest, head.query())?;
        if !door.takes(head.method()) {
            let message = format!("`{}` does not take this method.", door.name);
            return Err(Error::new(Class::MethodNotAllowed, message));
        }
        if head.header("upgrade").is_some() {
            let message = "A connection that is passed through cannot become another protocol's.";
            return Err(Error::new(Class::NotSupported, message));
        }
        let types =
            head.headers().iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        if types.count() > 1 {
            // Which of them the host believes would be a guess.
            let message = "A request has one Content-Type.";
            return Err(Error::new(Class::InvalidRequest, message));
        }
        let bodiless = matches!(head.method(), "GET" | "HEAD");
        if bodiless && head.framing != Framing::Length(0) {
            let message = "A request of this method has no body.";
            return Err(Error::new(Class::InvalidRequest, message));
        }
        let limits = session.connection.limits();
        let holds = self.must_hold(&key, head);
        let most = if holds { limits.max_held_bytes } else { limits.max_upload_bytes };
        Ok((key, target, Incoming::new(head, most)?))
    }

    /// Whether the body has to be at hand before it is sent: something in it counts, or it is signed.
    fn must_hold(&self, key: &Key, head: &Head) -> bool {
        let reads = key.is_limited() || self.plan.reads_for(key) || self.plan.pii.is_some();
        let bodiless = head.framing == Framing::Length(0);
        bodiless || self.deployment().signer.is_some() || (reads && is_json(head))
    }

    /// Asks the gate.
    fn admit(
        &mut self,
        edge: &crate::edge::Edge,
        key: &Key,
        head: &Head,
        target: &Target,
        held: Option<&Bytes>,
    ) -> Result<()> {
        let body = match held {
            Some(body) if body.is_empty() => Body::None,
            Some(body) if is_json(head) => Body::Json(body),
            _ => Body::Other,
        };
        let (method, models) = (head.method(), &target.models[..]);
        let plan = self.plan.clone();
        let door = &plan.doors[self.door];
        let bid = Bid { door, method, models, operation: self.operation, body };
        let desk = &mut edge.desk.borrow_mut();
        let payer = Payer { plan: &plan, key, caller: &self.caller };
        let Admitted { held, input_tokens, allowed } =
            edge.shop.admit_through(payer, desk, &bid)?;
        (self.held, self.input_tokens, self.allowed) = (held, input_tokens, allowed);
        Ok(())
    }

    /// Sends the request to the host.
    async fn send<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        head: &Head,
        target: &Target,
        held: Option<Bytes>,
        incoming: &mut Incoming,
        request_id: &str,
    ) -> Result<Response, Failed> {
        let plan = self.plan.clone();
        let to = self.deployment_of(&plan);
        let sent = Sent::new(head.headers(), &plan.doors[self.door], to);
        let deadline = tokio::time::Instant::now() + to.total;
        self.deadline = Some(deadline);
        let (method, path) = (head.method(), &*target.path);
        let attempt = self.attempt.as_ref();
        let handed = attempt.map(Attempt::sent);
        let envelope = Envelope { method, path, sent, request_id, deadline, handed };
        let started = Instant::now();
        let result = match held {
            Some(body) => {
                self.received = body.len() as u64;
                envelope.with_body(to, body, &mut session.connection).await
            }
            None => {
                let connection = &mut session.connection;
                let mut pieces =
                    Pieces { connection, incoming, bytes: 0, arrived: None, fault: None };
                let result = envelope.with_pieces(to, &mut pieces).await;
                self.received = pieces.bytes;
                self.arrived = pieces.arrived.map(Into::into);
                result
            }
        };
        self.upstream = self.arrived.unwrap_or(started).elapsed();
        result
    }

    /// Passes the reply on.
    async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        response: Response,
        asked: &Asked,
    ) -> After {
        let (edge, plan) = (session.edge.clone(), self.plan.clone());
        let (door, deployment) = (&plan.doors[self.door], self.deployment_of(&plan));
        let status = response.status;
        self.replied = Some(status);
        if let Some(attempt) = &self.attempt {
            attempt.sent().set(true);
        }
        if let Some(class) = relay::refused(&response, door, deployment) {
            let what = match class {
                Class::UpstreamAuth => "was refused by its provider: its credential does not work",
                _ => "answered with what is not passed on: a redirect, most likely",
            };
            let error = send::fail(deployment, class, what);
            self.warn(&edge, &error, &format!("status {status}"));
            self.finish(&edge, asked, class.row().status, &mut Watch::blind());
            return session.refuse(asked, &error).await;
        }
        let mut watch = self.watch(&response, asked.dialect);
        self.begin(session, status, asked);
        let own_limits = self.held.is_limited();
        relay::add_headers(session, &response.headers, own_limits, door, deployment);
        let deadline =
            self.deadline.unwrap_or_else(|| tokio::time::Instant::now() + deployment.total);
        let passed = relay::pass(session, response, &mut watch, deployment, deadline, asked).await;
        self.upstream += passed.waited;
        (self.sent, self.first_byte) = (passed.bytes, Some(passed.first_byte));
        (self.is_stream, self.is_broken) = (passed.is_stream, passed.broken.is_some());
        let status = match passed.broken {
            _ if passed.client_gone => CLIENT_GONE,
            Some(class) => {
                self.warn(&edge, &relay::midway(class, deployment), "");
                class.row().status
            }
            None => status,
        };
        self.finish(&edge, asked, status, &mut watch);
        passed.after
    }
}

/// Whether the body says that it is JSON, in the one encoding that JSON has.
fn is_json(head: &Head) -> bool {
    let Some(kind) = access::media_type(head) else { return false };
    let value = head.header("content-type").unwrap_or_default();
    let parameters = value.split(|&byte| byte == b';').skip(1).map(<[u8]>::trim_ascii);
    let mut charsets = parameters.filter_map(|one| {
        let (name, value) = one.split_at_checked(b"charset=".len())?;
        name.eq_ignore_ascii_case(b"charset=").then_some(value)
    });
    let is_utf8 = |value: &[u8]| {
        let value =
            value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        value.eq_ignore_ascii_case(b"utf-8")
    };
    kind.eq_ignore_ascii_case(b"application/json") && charsets.all(is_utf8)
}
