//! One client connection: every request on it is admitted, dispatched and answered here, or handed to
//! the control plane.

mod upload;

use crate::cache::{CachedHead, Entry};
use crate::call::{Call, Ticket};
use crate::connection::Connection;
use crate::dispatch::{self, Extra, Failure, Outcome, Partial, Trail, Whole};
use crate::edge::Edge;
use crate::error::Error;
use crate::gate::{Admission, Arrival};
use crate::headers::Headers;
use crate::http1::{Framing, Head};
use crate::json;
use crate::metrics::{Counter, Labels, Sample};
use crate::plan::{Key, Plan};
use crate::reply::{Body, HeadWriter, LIMIT_HEADERS, error_headers};
use crate::snapshot::Operation;
use crate::stream;
use crate::usage::{self, Usage};
use crate::{access, control};
use bytes::Bytes;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};

/// What a token of output is taken for where a whole reply says nothing of usage: English and JSON alike.
const BYTES_PER_TOKEN: u64 = 4;
/// The status that metrics show for a client that left: nginx's.
pub const CLIENT_GONE: u16 = 499;

/// What becomes of the connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The next request may follow.
    Keep,
    /// Close.
    Close,
    /// Drop it: the client has gone, or must see that its reply is not whole.
    Cut,
    /// Close, reading off what the client is still sending.
    CloseUnread,
}

/// One connection with what its replies are written with.
pub struct Session<S> {
    /// The connection.
    pub connection: Connection<S>,
    /// Formats heads.
    pub head: HeadWriter,
    /// What this edge serves with.
    pub edge: Rc<Edge>,
}

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
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Serves requests until the client or the edge closes.
    pub async fn serve(mut self) {
        loop {
            let stop = self.edge.stopped();
            let after = match self.connection.next_head(stop).await {
                Ok(Some(head)) => self.answer(&head).await,
                Ok(None) => return self.connection.close().await,
                Err(error) => {
                    let asked = Asked::unreadable(&mut self.edge.desk.borrow_mut().rng);
                    self.refuse_and_close(&asked, &error).await
                }
            };
            match after {
                After::Keep if !self.edge.is_stopping() => {}
                After::CloseUnread => return self.connection.close_politely().await,
                After::Cut => return,
                After::Keep | After::Close => return self.connection.close().await,
            }
        }
    }

    async fn answer(&mut self, head: &Head) -> After {
        let mut asked = Asked::new(head, &mut self.edge.desk.borrow_mut().rng);
        let plan = match self.edge.shop.plan() {
            Ok(plan) => plan,
            Err(error) => return self.refuse_unread(&asked, head, &error).await,
        };
        let route = (head.method() == "POST").then(|| access::route(&plan, head.path())).flatten();
        let Some((operation, path_model)) = route else {
            return control::forward(self, head, &asked).await;
        };
        if operation.takes_forms(access::media_type(head)) {
            let route = upload::FormRoute { operation, path_model };
            return self.upload(plan, head, &route, &mut asked).await;
        }
        let key = match self.let_in(&plan, head) {
            Ok(key) => key,
            Err(error) => {
                self.record_refusal(operation, "", &error, &asked);
                return self.refuse_unread(&asked, head, &error).await;
            }
        };
        let body = match self.connection.body(head).await {
            Ok(body) => body,
            Err(error) => {
                self.record_refusal(operation, &key.alias, &error, &asked);
                return self.refuse_and_close(&asked, &error).await;
            }
        };
        asked.started = Instant::now();
        asked.keep_alive &= !self.edge.is_stopping();
        let arrival = Arrival {
            operation,
            path_model: path_model.as_deref(),
            body,
            // A beta changes what a reply may look like, and is not part of the body.
            no_cache: access::refuses_cache(head) || head.header("openai-beta").is_some(),
        };
        let extra = access::passed_on(head, &asked.request_id);
        self.call(plan, key, arrival, &extra, &asked).await
    }

    /// Checks what the head alone tells: the key and the media type.
    fn let_in(&self, plan: &Plan, head: &Head) -> Result<Arc<Key>, Error> {
        let key = self.edge.shop.authenticate(plan, access::credential(head)?)?;
        access::check_media_type(head)?;
        Ok(key)
    }

    async fn call(
        &mut self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        arrival: Arrival<'_>,
        extra: &Extra<'_>,
        asked: &Asked,
    ) -> After {
        let edge = self.edge.clone();
        let _in_flight = edge.in_flight();
        let operation = arrival.operation;
        let alias = key.clone();
        let admitted = edge.shop.admit(plan, key, &mut edge.desk.borrow_mut(), arrival);
        let call = match admitted {
            Ok(Admission::Call(call)) => call,
            Ok(Admission::Hit(ticket, entry)) => {
                return self.answer_hit(&ticket, &entry, asked).await;
            }
            Err(error) => {
                self.record_refusal(operation, &alias.alias, &error, asked);
                return self.refuse(asked, &error).await;
            }
        };
        let counter =
            if call.cache_key.is_some() { Counter::CacheMiss } else { Counter::CacheBypass };
        if call.plan.cache.is_some() {
            edge.shop.metrics.count(counter);
        }
        let mut trail = Trail::default();
        let mut rng = edge.desk.borrow_mut().rng.fork();
        let outcome = tokio::select! {
            biased;
            outcome = dispatch::dispatch(&edge.shop, &call, extra, &mut rng, &mut trail) => outcome,
            () = self.connection.gone() => {
                // All of it was waiting for an upstream.
                trail.upstream = asked.started.elapsed();
                self.finish(&call, &trail, asked, Ending { status: CLIENT_GONE, ..Ending::default() });
                return After::Cut;
            }
        };
        self.conclude(&call, outcome, &mut trail, asked).await
    }

    /// Answers with what dispatch brought.
    async fn conclude(
        &mut self,
        call: &Call,
        outcome: Result<Outcome, Failure>,
        trail: &mut Trail,
        asked: &Asked,
    ) -> After {
        match outcome {
            Ok(Outcome::Whole(whole)) => self.answer_whole(call, whole, trail, asked).await,
            Ok(Outcome::Partial(partial)) => self.answer_partial(call, partial, trail, asked).await,
            Err(failure) => match failure.into_reply() {
                Ok(whole) => self.answer_whole(call, whole, trail, asked).await,
                Err(error) => {
                    let status = error.class.row().status;
                    self.finish(call, trail, asked, Ending { status, ..Ending::default() });
                    self.begin(call, trail, status, asked);
                    error_headers(&mut self.head, &error);
                    self.write_body(asked, &error.to_openai_json()).await
                }
            },
        }
    }

    async fn answer_hit(&mut self, ticket: &Ticket, entry: &Entry, asked: &Asked) -> After {
        self.edge.shop.metrics.count(Counter::CacheHit);
        let trail = Trail { deployment: Some(entry.deployment), ..Trail::default() };
        self.record(ticket, &trail, asked, entry.head.status, Usage::default(), None);
        self.head.begin(entry.head.status, &asked.request_id);
        self.call_headers(ticket, &trail);
        self.head.header("x-llmgw-cache", b"hit").header("content-type", &entry.head.content_type);
        self.write_body(asked, &entry.body).await
    }

    async fn answer_whole(
        &mut self,
        call: &Call,
        whole: Whole,
        trail: &Trail,
        asked: &Asked,
    ) -> After {
        let usage = usage::of_reply(&whole.body);
        let text = if call.operation.writes_text() { whole.body.len() } else { 0 };
        let output_estimate = text as u64 / BYTES_PER_TOKEN;
        let ending = Ending { status: whole.status, usage, output_estimate, first_byte: None };
        self.finish(call, trail, asked, ending);
        self.begin(call, trail, whole.status, asked);
        stream::upstream_headers(
            &mut self.head,
            &whole.headers,
            call.limits.iter().any(Option::is_some),
        );
        if whole.status >= 400 {
            self.head.header("x-should-retry", b"false");
        }
        if whole.status == 200 && is_final(call.operation, &whole.body) {
            self.remember(call, trail, &whole.headers, &whole.body);
        }
        self.write_body(asked, &whole.body).await
    }

    async fn answer_partial(
        &mut self,
        call: &Call,
        partial: Partial,
        trail: &mut Trail,
        asked: &Asked,
    ) -> After {
        self.begin(call, trail, partial.status, asked);
        let headers = partial.headers.clone();
        let status = partial.status;
        stream::upstream_headers(&mut self.head, &headers, call.limits.iter().any(Option::is_some));
        let deployment = trail.deployment.map_or("", |index| &call.plan.deployments[index].id);
        let passed = stream::pass(self, call, partial, deployment, asked).await;
        trail.upstream += passed.waited;
        if let (Some(class), Some(index)) = (passed.broken, trail.deployment) {
            dispatch::note_midway(&self.edge.shop, call, index, class);
        }
        let status = match passed.broken {
            _ if passed.client_gone => CLIENT_GONE,
            Some(class) => class.row().status,
            None => status,
        };
        let ending = Ending {
            status,
            usage: passed.usage,
            output_estimate: passed.events,
            first_byte: Some(passed.first_byte),
        };
        self.finish(call, trail, asked, ending);
        if let (true, Some(body)) = (passed.cacheable, passed.kept) {
            self.remember(call, trail, &headers, &body);
        }
        passed.after
    }

    /// Begins the head of a reply to an admitted call.
    fn begin(&mut self, call: &Call, trail: &Trail, status: u16, asked: &Asked) {
        self.head.begin(status, &asked.request_id);
        self.call_headers(call, trail);
        let state: &[u8] = match (&call.plan.cache, call.cache_key) {
            (None, _) => b"disabled",
            (Some(_), Some(_)) => b"miss",
            (Some(_), None) => b"bypass",
        };
        self.head.header("x-llmgw-cache", state);
    }

    fn call_headers(&mut self, call: &Ticket, trail: &Trail) {
        self.head.header("x-llmgw-model-group", call.model_label().as_bytes());
        if let Some(index) = trail.deployment {
            // A cache entry's deployment is of the same plan: the version is part of its key.
            if let Some(deployment) = call.plan.deployments.get(index) {
                self.head.header("x-llmgw-deployment", deployment.id.as_bytes());
            }
        }
        self.head.number("x-llmgw-attempts", u64::from(trail.attempts));
        for (names, decision) in LIMIT_HEADERS.iter().zip(&call.limits) {
            if let Some(decision) = decision {
                self.head.rate_limit(names, decision);
            }
        }
    }

    fn remember(&self, call: &Call, trail: &Trail, headers: &Headers, body: &Bytes) {
        let (Some(key), Some(deployment)) = (call.cache_key, trail.deployment) else { return };
        let content_type = headers.get("content-type").unwrap_or(b"application/json");
        if headers.get("content-encoding").is_some() {
            return;
        }
        let entry = Entry {
            head: CachedHead { status: 200, content_type: Bytes::copy_from_slice(content_type) },
            body: Bytes::copy_from_slice(body),
            deployment,
        };
        self.edge.desk.borrow_mut().answers.put(&call.plan, key, entry);
    }

    /// Settles the reservation and notes the call in the metrics.
    fn finish(&self, call: &Call, trail: &Trail, asked: &Asked, ending: Ending) {
        let shop = &self.edge.shop;
        if ending.status == CLIENT_GONE {
            shop.metrics.count(Counter::ClientDisconnect);
        }
        let began = ending.status < 400 || ending.first_byte.is_some();
        let reached = trail.attempts > 0 && (began || ending.status == CLIENT_GONE);
        // Where nothing was said of usage, what was counted stands in for it.
        let counted =
            Usage { input: call.input_tokens, output: ending.output_estimate, ..Usage::default() };
        let usage = ending.usage.or(reached.then_some(counted));
        shop.settle(call, usage.map(|usage| usage.input + usage.output));
        self.record(
            call,
            trail,
            asked,
            ending.status,
            usage.unwrap_or_default(),
            ending.first_byte,
        );
    }

    fn record(
        &self,
        ticket: &Ticket,
        trail: &Trail,
        asked: &Asked,
        status: u16,
        usage: Usage,
        first_byte: Option<Duration>,
    ) {
        let deployment = trail.deployment.and_then(|index| ticket.plan.deployments.get(index));
        let labels = Labels {
            endpoint: ticket.operation.name(),
            model: ticket.model_label(),
            provider: deployment.map_or("", |one| &one.provider),
            deployment: deployment.map_or("", |one| &one.id),
            key: &ticket.key.alias,
            status,
        };
        let sample = Sample {
            total_ns: nanoseconds(asked.started.elapsed()),
            upstream_ns: nanoseconds(trail.upstream),
            first_byte_ns: first_byte.map(nanoseconds),
            input_tokens: usage.input,
            output_tokens: usage.output,
            cache_read_tokens: usage.cache_read,
            reasoning_tokens: usage.reasoning,
        };
        self.edge.shop.metrics.record(&labels, &sample);
    }

    fn record_refusal(&self, operation: Operation, key: &str, error: &Error, asked: &Asked) {
        let labels = Labels {
            endpoint: operation.name(),
            model: "",
            provider: "",
            deployment: "",
            key,
            status: error.class.row().status,
        };
        let sample = Sample { total_ns: nanoseconds(asked.started.elapsed()), ..Sample::default() };
        self.edge.shop.metrics.record(&labels, &sample);
    }

    /// Answers with an error before the body was read; keeps the connection if the body is already here.
    pub async fn refuse_unread(&mut self, asked: &Asked, head: &Head, error: &Error) -> After {
        if head.framing == Framing::Length(0) {
            return self.refuse(asked, error).await;
        }
        self.refuse_and_close(asked, error).await
    }

    /// Answers with an error, after which the connection cannot be used: what still comes is no request.
    pub async fn refuse_and_close(&mut self, asked: &Asked, error: &Error) -> After {
        let request_id = asked.request_id.clone();
        self.refuse(&Asked { keep_alive: false, request_id, ..*asked }, error).await;
        After::CloseUnread
    }

    /// Answers with an error in the OpenAI dialect.
    pub async fn refuse(&mut self, asked: &Asked, error: &Error) -> After {
        self.head.begin(error.class.row().status, &asked.request_id);
        error_headers(&mut self.head, error);
        self.write_body(asked, &error.to_openai_json()).await
    }

    /// Ends the head with the body's length and writes both.
    pub async fn write_body(&mut self, asked: &Asked, body: &[u8]) -> After {
        let head = self.head.end(Body::Length(body.len()), asked.keep_alive);
        let sent: &[u8] = if asked.head_only { &[] } else { body };
        let wrote = self.connection.write(head, sent).await.is_ok();
        let flushed = wrote && self.connection.flush().await.is_ok();
        if flushed && asked.keep_alive { After::Keep } else { After::Close }
    }
}

impl Asked {
    fn new(head: &Head, rng: &mut fastrand::Rng) -> Self {
        Asked {
            request_id: access::request_id(head, rng),
            chunked: head.is_http11,
            head_only: head.method() == "HEAD",
            // HTTP/1.0 keeps alive only with a word of its own that our replies do not have.
            keep_alive: head.keep_alive && head.is_http11,
            started: Instant::now(),
        }
    }

    /// For a request whose head could not be read.
    fn unreadable(rng: &mut fastrand::Rng) -> Self {
        let request_id = access::new_request_id(rng);
        Asked {
            request_id,
            chunked: true,
            head_only: false,
            keep_alive: false,
            started: Instant::now(),
        }
    }
}

/// How a call ended, for settlement and metrics.
#[derive(Default)]
struct Ending {
    status: u16,
    usage: Option<Usage>,
    /// Output tokens if the provider does not say: events of a stream, or by the size of a whole reply.
    output_estimate: u64,
    first_byte: Option<Duration>,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether a whole reply is an answer that may be given again.
fn is_final(operation: Operation, body: &[u8]) -> bool {
    let says = |name: &str, word: &[u8]| {
        json::find_member(body, name).is_some_and(|field| &body[field.value] == word)
    };
    match operation {
        Operation::Responses => says("status", b"\"completed\""),
        _ => memchr::memmem::find(body, b"\"content_filter\"").is_none(),
    }
}
