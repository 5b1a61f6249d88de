//! Responses asked for again: retrieve, delete, cancel, and list what they answer.

use super::relay::Kept;
use super::{account, shown};
use crate::access::{self, query_field};
use crate::edge::Edge;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::metrics::Counter;
use crate::plan::{Key, Plan};
use crate::session::{After, Asked, CLIENT_GONE, Session};
use crate::snapshot::Operation;
use crate::store::entry::{Content, Entry};
use crate::visit::Answer;
use llmgw_formats::Kind;
use llmgw_formats::openai_responses::stored::{self, Page};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// How many items a page has, at most.
const MOST_ITEMS: usize = 100;

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
    let key = match visit.own.let_in(&edge.shop, head) {
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
        Ok(answer) => {
            visit.own.record(&edge, asked, answer.status);
            visit.own.begin(session, answer.status, &answer.headers, asked);
            session.write_body(asked, &answer.body).await
        }
        Err(error) => {
            visit.own.record(&edge, asked, error.class.row().status);
            session.refuse(asked, &error).await
        }
    }
}

/// One request for a response.
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
        if query_field(head, "stream").is_some_and(|value| value != "false") {
            let message = "A response that is kept is not streamed: ask without `stream`.";
            return Err(Error::new(Class::NotSupported, message).with_param("stream"));
        }
        let id = &self.lookup.id;
        let found = edge.store.find(&self.own.plan, &key.alias, id).await;
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
            Some(content) => self.of_store(edge, key, content, head).await,
            None => self.of_upstream(edge, key, &origin.model, head, request_id).await,
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
            Verb::InputItems => input_items(content, id.clone(), Wanted::of(head)?).await,
            Verb::Cancel => {
                let message = "Cannot cancel a synchronous response.";
                Err(Error::new(Class::InvalidRequest, message))
            }
            Verb::Delete => {
                if !edge.store.remove(&self.own.plan, &key.alias, id).await {
                    let message = "The response could not be deleted.";
                    return Err(Error::new(Class::InternalError, message));
                }
                let body = serde_json::json!({"id": id, "object": "response", "deleted": true});
                Ok(Answer::json(body.to_string()))
            }
        }
    }

    /// Asks the upstream that keeps the response.
    async fn of_upstream(
        &mut self,
        edge: &Edge,
        key: &Key,
        model: &str,
        head: &Head,
        request_id: &str,
    ) -> Result<Answer> {
        let Lookup { verb, id } = self.lookup;
        let Some(deployment) = self.own.target() else {
            let id = shown(id);
            let message = format!(
                "Response with id '{id}' not found: the deployment that made it is not configured any more."
            );
            return Err(Error::new(Class::NotFound, message));
        };
        let extra = access::passed_on(head, request_id, Kind::OpenaiResponses);
        let started = Instant::now();
        let said = Kept { deployment, model, id }.ask(*verb, head.query(), &extra).await;
        self.own.upstream = started.elapsed();
        let said = said?;
        if *verb == Verb::Delete && said.is_well() {
            // What is left of it leads nowhere, should it not go.
            edge.store.remove(&self.own.plan, &key.alias, id).await;
        }
        Ok(Answer { status: said.status, headers: said.headers, body: said.body })
    }

    fn not_found(&self) -> Error {
        let message = format!("Response with id '{}' not found.", shown(&self.lookup.id));
        Error::new(Class::NotFound, message)
    }
}

/// A page of items, as it is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    after: Option<String>,
    ascending: bool,
    limit: usize,
}

impl Wanted {
    fn of(head: &Head) -> Result<Self> {
        let wrong = |name: &'static str, what: &str| {
            let message = format!("The parameter `{name}` must be {what}.");
            Error::new(Class::InvalidRequest, message).with_param(name)
        };
        let Page { ascending, limit, .. } = Page::default();
        let ascending = match query_field(head, "order").as_deref() {
            None => ascending,
            Some("asc") => true,
            Some("desc") => false,
            Some(_) => return Err(wrong("order", "`asc` or `desc`")),
        };
        let limit = match query_field(head, "limit") {
            None => limit,
            Some(text) => {
                let number = text.parse().ok().filter(|number| (1..=MOST_ITEMS).contains(number));
                number.ok_or_else(|| wrong("limit", "a number from 1 to 100"))?
            }
        };
        Ok(Wanted { after: query_field(head, "after"), ascending, limit })
    }
}

/// Lists what a response answers. A long list takes its time: not on the thread that serves.
async fn input_items(content: Content, id: String, wanted: Wanted) -> Result<Answer> {
    let list = move || {
        let request = content.request();
        let request = simdutf8::basic::from_utf8(&request).unwrap_or_default();
        let Wanted { after, ascending, limit } = wanted;
        stored::input_items(request, &id, Page { after: after.as_deref(), ascending, limit })
    };
    let ending = |_| Error::new(Class::Draining, "The gateway is shutting down.");
    let items = tokio::task::spawn_blocking(list).await.map_err(ending)?.map_err(|fault| {
        let error = Error::new(Class::InvalidRequest, fault.message);
        fault.param.into_iter().fold(error, Error::with_param)
    })?;
    Ok(Answer::json(items))
}

#[cfg(test)]
mod tests;
