//! One client connection: every request on it is admitted, dispatched and answered here, or handed to
//! the control plane.

mod asked;
mod door;
mod entry;
mod realtime;
mod recording;
mod refusing;
mod remembering;
mod upload;

use crate::cache::Entry;
use crate::call::{Call, Ticket, model_named};
use crate::caller::Caller;
use crate::certificate::Certificate;
use crate::connection::Connection;
use crate::dispatch::{self, Extra, Failure, Outcome, Partial, Trail, Whole};
use crate::edge::Edge;
use crate::error::Error;
use crate::files::named;
use crate::gate::{Admission, Arrival, Payer, Refusal};
use crate::http1::Head;
use crate::limits::Truth;
use crate::metrics::Counter;
use crate::plan::{Key, Plan};
use crate::price::{Cost, Status};
use crate::reply::{Body, HeadWriter, error_headers};
use crate::responses::keeping::{Keeper, Keeping};
use crate::responses::lookup;
use crate::responses::previous::{self, Past};
use crate::snapshot::Operation;
use crate::stream;
use crate::translate::Chat;
use crate::usage::{self, BYTES_PER_TOKEN};
use crate::{access, control, dialect, files, through};
pub use asked::Asked;
use bytes::Bytes;
pub use door::Door;
use llmgw_formats::Kind;
pub use recording::CLIENT_GONE;
use recording::{Ending, Used, measure, reported, upstream_id};
use remembering::is_final;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

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
    /// Where the client came in.
    pub door: Door,
    /// The address at the other end of the connection, if it has one.
    pub peer: Option<IpAddr>,
    /// The certificate that it has shown.
    pub certificate: Option<Arc<Certificate>>,
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
        let address = self.edge.proxies.client(self.peer, head);
        let mut asked =
            Asked::new(head, self.sender(address), &mut self.edge.desk.borrow_mut().rng);
        let plan = match self.edge.shop.plan() {
            Ok(plan) => plan,
            Err(error) => return self.refuse_unread(&asked, head, &error).await,
        };
        if self.door == Door::Admin {
            return Box::pin(control::forward(self, head, &asked)).await;
        }
        // What is rare waits in memory of its own: every connection has room for the longest of its waits.
        let route = (head.method() == "POST").then(|| access::route(&plan, head)).flatten();
        let Some(route) = route else {
            return Box::pin(self.answer_apart(plan, head, &mut asked)).await;
        };
        if route.operation.takes_forms(access::media_type(head)) {
            return Box::pin(self.upload(plan, head, &route, &mut asked)).await;
        }
        let operation = route.operation;
        asked.dialect = operation.format().unwrap_or(Kind::OpenaiChat);
        let (key, caller) = match self.let_in(&plan, head, operation, &asked) {
            Ok(let_in) => let_in,
            Err(error) => {
                self.record_refusal(operation, None, None, &error, &asked);
                return self.refuse_unread(&asked, head, &error).await;
            }
        };
        let body = match self.connection.body(head).await {
            Ok(body) => body,
            Err(error) => {
                self.record_refusal(operation, Some(&key), None, &error, &asked);
                return self.refuse_and_close(&asked, &error).await;
            }
        };
        asked.started = Instant::now();
        asked.keep_alive &= !self.edge.is_stopping();
        let (body, past, files_at) = match self.look_up(operation, &plan, &key, &caller, body).await
        {
            Ok(found) => found,
            Err(error) => {
                self.record_refusal(operation, Some(&key), None, &error, &asked);
                return self.refuse(&asked, &error).await;
            }
        };
        let arrival = Arrival {
            caller,
            route,
            body,
            // A beta changes what a reply may look like, and is not part of the body.
            no_cache: access::refuses_cache(head) || access::asks_for_beta(head),
            strict: access::is_strict(head),
            past,
            files_at,
        };
        let extra = access::passed_on(head, &asked.request_id, asked.dialect);
        self.call(plan, key, arrival, &extra, &asked).await
    }

    /// Looks up what the request goes on from, and the files that it, or what it goes on from, names.
    async fn look_up(
        &self,
        operation: Operation,
        plan: &Arc<Plan>,
        key: &Key,
        caller: &Caller,
        body: Bytes,
    ) -> Result<(Bytes, Past, Option<usize>), Error> {
        let (body, past) = match operation {
            Operation::Responses => previous::resolve(&self.edge.store, plan, key, body).await?,
            _ => (body, Past::None),
        };
        let named = if plan.own_files_only { named::ids(operation, &body) } else { Vec::new() };
        if named.is_empty() {
            return Ok((body, past, None));
        }
        // Who has no request left has no files looked up.
        self.edge.shop.check_requests(Payer { plan, key, caller })?;
        let files_at = Box::pin(named::resolve(&self.edge.store, plan, key, &named)).await?;
        Ok((body, past, Some(files_at)))
    }

    /// Answers what is no question for a model in one body.
    async fn answer_apart(&mut self, plan: Arc<Plan>, head: &Head, asked: &mut Asked) -> After {
        if let Some(route) = files::route(head) {
            return files::answer(self, plan, head, &route, asked).await;
        }
        if crate::realtime::is_wanted(head) {
            return self.realtime(plan, head, asked).await;
        }
        if let Some(lookup) = lookup::route(&plan, head) {
            return lookup::answer(self, plan, head, &lookup, asked).await;
        }
        if let Some(way) = through::route(&plan, head) {
            return through::answer(self, plan, head, &way, asked).await;
        }
        control::forward(self, head, asked).await
    }

    async fn call(
        &mut self,
        plan: Arc<Plan>,
        key: Arc<Key>,
        arrival: Arrival,
        extra: &Extra<'_>,
        asked: &Asked,
    ) -> After {
        let edge = self.edge.clone();
        let _in_flight = edge.in_flight();
        let operation = arrival.route.operation;
        let (holder, named, body) =
            (key.clone(), arrival.route.model.clone(), arrival.body.clone());
        let admitted = edge.shop.admit(plan, key, &mut edge.desk.borrow_mut(), arrival);
        let call = match admitted {
            Ok(Admission::Call(call)) => call,
            Ok(Admission::Hit(ticket, entry)) => {
                return self.answer_hit(&ticket, &entry, asked).await;
            }
            Err(error) => {
                let model = named.or_else(|| model_named(&body));
                self.record_refusal(operation, Some(&holder), model.as_deref(), &error, asked);
                return self.refuse(asked, &error).await;
            }
        };
        let counter =
            if call.cache_key.is_some() { Counter::CacheMiss } else { Counter::CacheBypass };
        if call.plan.cache.is_some() {
            edge.shop.metrics.count(counter);
        }
        let mut trail = Trail::default();
        if operation.counts() && call.plan.candidates(call.group, operation).is_empty() {
            return self.answer_count(&call, &mut trail, asked).await;
        }
        let mut chat = Chat::new(&call, &asked.request_id);
        let mut rng = edge.desk.borrow_mut().rng.fork();
        let outcome = tokio::select! {
            biased;
            outcome = dispatch::dispatch(&edge.shop, &chat, extra, &mut rng, &mut trail) => outcome,
            () = self.connection.gone() => {
                // All of it was waiting for an upstream.
                trail.upstream = asked.started.elapsed();
                let ending = Ending { status: CLIENT_GONE, ..Ending::default() };
                self.finish(&call, &mut trail, asked, ending);
                return After::Cut;
            }
        };
        chat.release_media();
        self.conclude(&chat, outcome, &mut trail, asked).await
    }

    /// Answers with what dispatch brought.
    async fn conclude(
        &mut self,
        chat: &Chat<'_>,
        outcome: Result<Outcome, Failure>,
        trail: &mut Trail,
        asked: &Asked,
    ) -> After {
        let call = chat.call;
        match outcome {
            Ok(Outcome::Whole(whole)) => self.answer_whole(call, whole, trail, asked).await,
            Ok(Outcome::Partial(partial)) => {
                self.answer_partial(call, *partial, trail, asked).await
            }
            Err(_) if call.operation.counts() && is_lacking(call, trail) => {
                self.answer_count(call, trail, asked).await
            }
            Err(failure) => match failure.into_reply() {
                Ok(whole) => self.answer_whole(call, whole, trail, asked).await,
                Err(error) => {
                    let status = error.class.row().status;
                    let (key, endpoint) = (&*call.key, call.operation.name());
                    let (request, model) = (&*asked.request_id, Some(&*call.asked));
                    let tags = &call.caller.tags;
                    let refusal = Refusal { key, tags, request, endpoint, model };
                    self.edge.shop.note_refusal(&refusal, &error);
                    self.finish(call, trail, asked, Ending { status, ..Ending::default() });
                    self.begin(call, trail, status, asked);
                    error_headers(&mut self.head, &error);
                    let body = dialect::error_body(asked.dialect, &error, &asked.request_id);
                    self.write_body(asked, &body).await
                }
            },
        }
    }

    /// Answers a request for a count of tokens that no upstream of the group can answer itself.
    async fn answer_count(&mut self, call: &Call, trail: &mut Trail, asked: &Asked) -> After {
        self.finish(call, trail, asked, Ending { status: 200, ..Ending::default() });
        self.begin(call, trail, 200, asked);
        let family = call.plan.groups[call.group].tokenizer;
        let how: &[u8] = if family.is_exact() { b"exact" } else { b"estimate" };
        self.head.header("x-llmgw-token-count", how).header("content-type", b"application/json");
        let body = dialect::count_body(asked.dialect, call.input_tokens);
        self.write_body(asked, &body).await
    }

    async fn answer_hit(&mut self, ticket: &Ticket, entry: &Entry, asked: &Asked) -> After {
        self.edge.shop.metrics.count(Counter::CacheHit);
        let trail = Trail { deployment: Some(entry.deployment), ..Trail::default() };
        let bytes = entry.body.len() as u64;
        self.edge.shop.settle(&ticket.held, &Truth { bytes, ..Truth::default() });
        self.record(ticket, &trail, asked, entry.head.status, Used::default(), None);
        self.edge.shop.note_hit(ticket, &asked.request_id, entry.head.status, entry.saved);
        self.head.begin(entry.head.status, &asked.request_id);
        self.anthropic_id(asked);
        self.call_headers(ticket, &trail, asked);
        self.head.header("x-llmgw-cache", b"hit").header("content-type", &entry.head.content_type);
        self.name_dropped(&entry.head.dropped);
        self.write_body(asked, &entry.body).await
    }

    async fn answer_whole(
        &mut self,
        call: &Call,
        whole: Whole,
        trail: &mut Trail,
        asked: &Asked,
    ) -> After {
        let usage = match &whole.translated {
            Some(translated) => translated.usage,
            None => usage::of_reply(call.operation.format(), &whole.body),
        };
        let text = if call.operation.writes_text() { whole.body.len() } else { 0 };
        let output_estimate = text as u64 / BYTES_PER_TOKEN;
        let served = measure(call, trail, Some(&whole.body));
        let (status, first_byte) = (whole.status, None);
        let (upstream_id, reported) = (upstream_id(&whole.headers), reported(&whole.body));
        let (bytes, is_cut) = (whole.body.len() as u64, false);
        let ending = Ending {
            status,
            usage,
            output_estimate,
            first_byte,
            served,
            bytes,
            is_cut,
            upstream_id,
            reported,
        };
        let cost = self.finish(call, trail, asked, ending);
        self.begin(call, trail, whole.status, asked);
        self.tell_cost(cost);
        if let Some(translated) = &whole.translated {
            self.name_dropped(&translated.dropped);
        }
        stream::upstream_headers(&mut self.head, &whole.headers, call.held.is_limited());
        if whole.status >= 400 {
            self.head.header("x-should-retry", b"false");
        }
        if whole.status == 200 && is_final(call.operation, &whole.body) {
            let dropped = whole.translated.as_ref().map_or("", |lost| &lost.dropped);
            let saved = cost.map_or(0, |cost| cost.nano_dollars);
            self.remember(call, trail, &whole.headers, &whole.body, dropped, saved);
        }
        let edge = self.edge.clone();
        let keeper = Keeper::of(whole.translated.as_ref().map(|lost| lost.kept_upstream));
        let keeping = Keeping::new(&edge.store, call, trail.deployment, keeper);
        if let Some(keeping) = keeping.filter(|_| whole.status == 200) {
            keeping.whole(&whole.body);
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
        let edge = self.edge.clone();
        let keeper = Keeper::of(partial.translated.as_ref().map(|midway| midway.kept_upstream));
        let keeping = Keeping::new(&edge.store, call, trail.deployment, keeper);
        let watch = keeping.and_then(|keeping| keeping.watch(&partial));
        let mut dropped = String::new();
        if let Some(midway) = &partial.translated {
            dropped.clone_from(&midway.dropped);
            self.name_dropped(&dropped);
        }
        let headers = partial.headers.clone();
        let status = partial.status;
        stream::upstream_headers(&mut self.head, &headers, call.held.is_limited());
        let reported = reported(&partial.first).map(str::to_owned);
        let passed = stream::pass(self, call, partial, watch, trail, asked).await;
        trail.upstream += passed.waited;
        if let (Some(class), Some(index), false) = (passed.broken, trail.deployment, passed.refused)
        {
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
            served: measure(call, trail, None),
            bytes: passed.bytes,
            is_cut: passed.client_gone || (passed.broken.is_some() && !passed.refused),
            upstream_id: upstream_id(&headers),
            reported: reported.as_deref(),
        };
        let cost = self.finish(call, trail, asked, ending);
        if let (true, Some(body)) = (passed.cacheable, passed.kept) {
            let saved = cost.map_or(0, |cost| cost.nano_dollars);
            self.remember(call, trail, &headers, &body, &dropped, saved);
        }
        passed.after
    }

    /// Begins the head of a reply to an admitted call.
    fn begin(&mut self, call: &Call, trail: &Trail, status: u16, asked: &Asked) {
        self.head.begin(status, &asked.request_id);
        self.anthropic_id(asked);
        self.call_headers(call, trail, asked);
        let state: &[u8] = match (&call.plan.cache, call.cache_key) {
            (None, _) => b"disabled",
            (Some(_), Some(_)) => b"miss",
            (Some(_), None) => b"bypass",
        };
        self.head.header("x-llmgw-cache", state);
    }

    /// Says what the reply cost; where nothing is known of it, only that.
    fn tell_cost(&mut self, cost: Option<Cost>) {
        let Some(Cost { nano_dollars, status }) = cost else { return };
        if status != Status::Unpriced {
            self.head.dollars("x-llmgw-response-cost", nano_dollars);
        }
        self.head.header("x-llmgw-price-status", status.name().as_bytes());
    }

    /// Names what the client asked for and its model's provider cannot be told.
    fn name_dropped(&mut self, dropped: &str) {
        if !dropped.is_empty() {
            self.head.header("x-llmgw-dropped", dropped.as_bytes());
        }
    }

    fn call_headers(&mut self, call: &Ticket, trail: &Trail, asked: &Asked) {
        self.head.header("x-llmgw-model-group", call.model_label().as_bytes());
        if let Some(index) = trail.deployment {
            // A cache entry's deployment is of the same plan: the version is part of its key.
            if let Some(deployment) = call.plan.deployments.get(index) {
                self.head.header("x-llmgw-deployment", deployment.id.as_bytes());
            }
        }
        self.head.number("x-llmgw-attempts", u64::from(trail.attempts));
        if let Some(from) = call.downgraded.and_then(|index| call.plan.groups.get(index)) {
            self.head.header("x-llmgw-downgraded", from.name.as_bytes());
        }
        self.head.rate_limits(&call.held.shown(), asked.dialect);
    }

    /// Anthropic's SDKs look for the request's id under a name of their own.
    fn anthropic_id(&mut self, asked: &Asked) {
        if asked.dialect == Kind::AnthropicMessages {
            self.head.header("request-id", asked.request_id.as_bytes());
        }
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

/// Whether the deployment asked last turned out to lack the operation.
fn is_lacking(call: &Call, trail: &Trail) -> bool {
    let asked = trail.deployment.and_then(|index| call.plan.deployments.get(index));
    asked.is_some_and(|deployment| deployment.serves(call.operation).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    /// Bytes that every connection has for its waits: with twice as many, a stream took 49 KB instead of 35.
    const MOST: usize = 10 * 1024;

    fn bytes_of<F>(_: impl Fn(Session<TcpStream>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn what_is_rare_takes_no_room_in_every_connection() {
        let bytes = bytes_of(Session::serve);
        assert!(bytes < MOST, "{bytes}");
    }
}
