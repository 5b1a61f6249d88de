//! Responses asked for again: retrieve, delete, cancel, and list what they answer.

mod events;
mod items;

use super::relay::{Kept, Said};
use super::{account, shown};
use crate::access;
use crate::dispatch::Partial;
use crate::edge::Edge;
use crate::error::{Class, Error, Result};
use crate::gate::check_region;
use crate::headers::Headers;
use crate::http1::Head;
use crate::metrics::Counter;
use crate::plan::{Key, Plan};
use crate::session::{After, Asked, CLIENT_GONE, Session};
use crate::snapshot::Operation;
use crate::store::entry::{Content, Entry};
use crate::stream;
use bytes::Bytes;
use llmgw_formats::Kind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// What is wanted of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The response.
    Retrieve,
    /// That it is gone.
    Delete,
    /// That it is not gone on with.
    Cancel,
    /// What it answers.
    InputItems,
}

impl Verb {
    /// The HTTP method.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Verb::Retrieve | Verb::InputItems => "GET",
            Verb::Delete => "DELETE",
            Verb::Cancel => "POST",
        }
    }

    /// What stands behind the id in a path.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Verb::Retrieve | Verb::Delete => "",
            Verb::Cancel => "/cancel",
            Verb::InputItems => "/input_items",
        }
    }

    /// The endpoint's name in metrics.
    fn name(self) -> &'static str {
        match self {
            Verb::Retrieve => "responses_retrieve",
            Verb::Delete => "responses_delete",
            Verb::Cancel => "responses_cancel",
            Verb::InputItems => "responses_input_items",
        }
    }
}

/// Which response is asked for, and what for.
#[derive(Debug, PartialEq, Eq)]
pub struct Lookup {
    verb: Verb,
    id: String,
}

/// What a request asks of a response, if it does.
#[must_use]
pub fn route(plan: &Plan, head: &Head) -> Option<Lookup> {
    let path = head.path();
    let (rest, verb) = match head.method() {
        "GET" | "HEAD" => match path.strip_suffix(Verb::InputItems.suffix()) {
            Some(rest) => (rest, Verb::InputItems),
            None => (path, Verb::Retrieve),
        },
        "DELETE" => (path, Verb::Delete),
        "POST" => (path.strip_suffix(Verb::Cancel.suffix())?, Verb::Cancel),
        _ => return None,
    };
    let (all, id) = rest.rsplit_once('/')?;
    let id = access::percent_decode(id).filter(|id| !id.is_empty())?;
    (plan.routes.get(all) == Some(&Operation::Responses)).then_some(Lookup { verb, id })
}

/// Answers a request for a response.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    plan: Arc<Plan>,
    head: &Head,
    lookup: &Lookup,
    asked: &mut Asked,
) -> After {
    let edge = session.edge.clone();
    let mut visit = Visit { lookup, own: crate::visit::Visit::new(lookup.verb.name(), plan) };
    let key = match visit.own.let_in(&edge.shop, head, asked) {
        Ok(key) => key,
        Err(error) => {
            visit.own.record(&edge, asked, error.class.row().status);
            return session.refuse_unread(asked, head, &error).await;
        }
    };
    // Whatever is in it: none of these has a body that says anything.
    if let Err(error) = session.connection.body(head).await {
        visit.own.record(&edge, asked, error.class.row().status);
        return session.refuse_and_close(asked, &error).await;
    }
    asked.started = Instant::now();
    asked.keep_alive &= !edge.is_stopping();
    let _in_flight = edge.in_flight();
    let request_id = asked.request_id.clone();
    let answer = tokio::select! {
        biased;
        answer = visit.answer(&edge, &key, head, &request_id) => answer,
        () = session.connection.gone() => {
            edge.shop.metrics.count(Counter::ClientDisconnect);
            visit.own.record(&edge, asked, CLIENT_GONE);
            return After::Cut;
        }
    };
    match answer {
        Ok(answer) => visit.reply(session, answer, asked).await,
        Err(error) => {
            visit.own.record(&edge, asked, error.class.row().status);
            session.refuse(asked, &error).await
        }
    }
}

/// A reply.
struct Answer {
    status: u16,
    headers: Headers,
    rest: Rest,
}

/// What a reply has beside its head.
enum Rest {
    /// All of its body.
    Whole(Bytes),
    /// Events that are still to come, the first of them with this number.
    Events(Box<Partial>, u64),
}

impl Answer {
    fn json(body: impl Into<Bytes>) -> Self {
        let rest = Rest::Whole(body.into());
        Answer { status: 200, headers: Headers::of_type("application/json"), rest }
    }
}

/// How an upstream is asked.
struct Asking<'a> {
    /// The model's name there.
    model: &'a str,
    query: Option<&'a str>,
    extra: Vec<(&'static str, &'a [u8])>,
    events: Option<events::Wanted>,
}

/// One request for a response, and what has become known of it.
struct Visit<'a> {
    lookup: &'a Lookup,
    own: crate::visit::Visit,
}

impl Visit<'_> {
    async fn answer(
        &mut self,
        edge: &Rc<Edge>,
        key: &Key,
        head: &Head,
        request_id: &str,
    ) -> Result<Answer> {
        self.own.limits = edge.shop.take_request(key)?;
        let events = events::Wanted::of(head, self.lookup.verb)?;
        let id = &self.lookup.id;
        let found = edge.store.find(&self.own.plan, key.owner(), id).await;
        let Entry { origin, content } = found.ok_or_else(|| self.not_found())?;
        let plan = &self.own.plan;
        self.own.deployment = match &content {
            Some(_) => plan.deployments.iter().position(|one| one.id == origin.deployment),
            None => account::find(plan, &origin),
        };
        if plan.groups.iter().any(|group| group.name == origin.group) {
            self.own.group = origin.group;
        }
        match content {
            Some(content) => match events {
                Some(wanted) => events::replay(content, wanted).await,
                None => self.of_store(edge, key, content, head).await,
            },
            None => {
                let extra = access::passed_on(head, request_id, Kind::OpenaiResponses);
                let asking = Asking { model: &origin.model, query: head.query(), extra, events };
                self.of_upstream(edge, key, asking).await
            }
        }
    }

    /// Answers for a response that the gateway keeps.
    async fn of_store(
        &self,
        edge: &Edge,
        key: &Key,
        content: Content,
        head: &Head,
    ) -> Result<Answer> {
        let id = &self.lookup.id;
        match self.lookup.verb {
            Verb::Retrieve => Ok(Answer::json(content.response)),
            Verb::InputItems => items::list(content, id.clone(), items::Wanted::of(head)?).await,
            Verb::Cancel => {
                let message = "Cannot cancel a synchronous response.";
                Err(Error::new(Class::InvalidRequest, message))
            }
            Verb::Delete => {
                if !edge.store.remove(&self.own.plan, key.owner(), id).await {
                    let message = "The response could not be deleted.";
                    return Err(Error::new(Class::InternalError, message));
                }
                let body = serde_json::json!({"id": id, "object": "response", "deleted": true});
                Ok(Answer::json(body.to_string()))
            }
        }
    }

    /// Asks the upstream that keeps the response.
    async fn of_upstream(&mut self, edge: &Edge, key: &Key, asking: Asking<'_>) -> Result<Answer> {
        let Lookup { verb, id } = self.lookup;
        let Some(deployment) = self.own.target() else {
            let id = shown(id);
            let message = format!(
                "Response with id '{id}' not found: the deployment that made it is not configured any more."
            );
            return Err(Error::new(Class::NotFound, message));
        };
        check_region(key, deployment.region.as_deref())?;
        let Asking { model, query, extra, events } = asking;
        let kept = Kept { deployment, model, id, streams: events.is_some() };
        let started = Instant::now();
        let said = kept.ask(*verb, query, &extra).await;
        self.own.upstream = started.elapsed();
        match said? {
            Said::Events(partial) => {
                let first = events.map_or(0, events::Wanted::first);
                let (status, headers) = (partial.status, partial.headers.clone());
                Ok(Answer { status, headers, rest: Rest::Events(partial, first) })
            }
            Said::Whole { status, headers, body } => {
                if *verb == Verb::Delete && status < 300 {
                    // What is left of it leads nowhere, should it not go.
                    edge.store.remove(&self.own.plan, key.owner(), id).await;
                }
                Ok(Answer { status, headers, rest: Rest::Whole(body) })
            }
        }
    }

    fn not_found(&self) -> Error {
        let message = format!("Response with id '{}' not found.", shown(&self.lookup.id));
        Error::new(Class::NotFound, message)
    }

    /// Writes the reply, as it comes if it does.
    async fn reply<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        session: &mut Session<S>,
        answer: Answer,
        asked: &Asked,
    ) -> After {
        let Answer { status, headers, rest } = answer;
        let edge = session.edge.clone();
        self.own.begin(session, status, &headers, asked);
        match rest {
            Rest::Whole(body) => {
                self.own.record(&edge, asked, status);
                session.write_body(asked, &body).await
            }
            Rest::Events(partial, first) => {
                let deployment = self.own.target().map_or("", |one| &one.id);
                let followed = stream::follow(session, *partial, first, deployment, asked).await;
                let status = match followed.broken {
                    _ if followed.client_gone => CLIENT_GONE,
                    Some(class) => class.row().status,
                    None => status,
                };
                if followed.client_gone {
                    edge.shop.metrics.count(Counter::ClientDisconnect);
                }
                self.own.record(&edge, asked, status);
                followed.after
            }
        }
    }
}

#[cfg(test)]
mod tests;
