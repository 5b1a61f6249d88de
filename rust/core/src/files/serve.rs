//! The path of one request for files or batches: let in, taken from the limit, answered, recorded.

use super::content::{self, Flow};
use super::remembered::{Remembered, not_found, path_of};
use super::route::{Route, Verb};
use super::{batch, list, upload};
use crate::access;
use crate::dispatch::Extra;
use crate::edge::Edge;
use crate::error::{Class, Error, Result};
use crate::http1::Head;
use crate::metrics::Counter;
use crate::plan::{Plan, encode_segment};
use crate::relay::{Asking, Question, Said};
use crate::session::{After, Asked, CLIENT_GONE, Session};
use crate::store::shelf::{Kind, Record};
use crate::visit::{Answer, Visit};
use bytes::Bytes;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};

/// How a request is answered.
pub(super) enum Reply {
    /// Whole.
    Whole(Answer),
    /// As it comes.
    Flow(Flow),
}

/// Answers a request for files or batches.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    plan: Arc<Plan>,
    head: &Head,
    route: &Route,
    asked: &mut Asked,
) -> After {
    let edge = session.edge.clone();
    let mut visit = Visit::new(route.name(), plan);
    if let Err(error) = let_in(&mut visit, &edge, head, route, asked) {
        visit.record(&edge, asked, error.class.row().status);
        return session.refuse_unread(asked, head, &error).await;
    }
    if (route.kind, route.verb) == (Kind::File, Verb::Create) {
        return upload::answer(session, visit, head, asked).await;
    }
    let body = match session.connection.body(head).await {
        Ok(body) => body,
        Err(error) => {
            visit.record(&edge, asked, error.class.row().status);
            return session.refuse_and_close(asked, &error).await;
        }
    };
    asked.started = Instant::now();
    asked.keep_alive &= !edge.is_stopping();
    let _in_flight = edge.in_flight();
    let request_id = asked.request_id.clone();
    let extra = access::passed_on(head, &request_id, asked.dialect);
    let asking = Arrived { route, head, body, extra: &extra };
    let reply = tokio::select! {
        biased;
        reply = reply(&mut visit, &edge, asking) => reply,
        () = session.connection.gone() => return left(&visit, &edge, asked),
    };
    match reply {
        Ok(Reply::Whole(answer)) => send(session, &visit, &answer, asked).await,
        Ok(Reply::Flow(flow)) => content::pass(session, &mut visit, flow, asked).await,
        Err(error) => {
            visit.record(&edge, asked, error.class.row().status);
            session.refuse(asked, &error).await
        }
    }
}

/// Checks what the head alone tells, and takes a request from the key's limit.
fn let_in(visit: &mut Visit, edge: &Edge, head: &Head, route: &Route, asked: &Asked) -> Result<()> {
    let key = visit.let_in(&edge.shop, head, asked)?;
    if visit.plan.files.is_none() {
        let message = "Files and batches are switched off here (`files.keep`).";
        return Err(Error::new(Class::NotSupported, message));
    }
    if (route.kind, route.verb) == (Kind::Batch, Verb::Create) {
        access::check_media_type(head)?;
    }
    visit.take_request(&edge.shop, &key)?;
    Ok(())
}

/// Notes that the client has left.
pub(super) fn left(visit: &Visit, edge: &Edge, asked: &Asked) -> After {
    edge.shop.metrics.count(Counter::ClientDisconnect);
    visit.record(edge, asked, CLIENT_GONE);
    After::Cut
}

/// Sends a whole answer.
pub(super) async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    visit: &Visit,
    answer: &Answer,
    asked: &Asked,
) -> After {
    visit.held.note_bytes(answer.body.len() as u64);
    visit.record(&session.edge, asked, answer.status);
    visit.begin(session, answer.status, &answer.headers, asked);
    session.write_body(asked, &answer.body).await
}

/// What is asked, when all of it has come.
struct Arrived<'a> {
    route: &'a Route,
    head: &'a Head,
    body: Bytes,
    extra: &'a Extra<'a>,
}

async fn reply(visit: &mut Visit, edge: &Rc<Edge>, asked: Arrived<'_>) -> Result<Reply> {
    let Arrived { route, head, body, extra } = asked;
    let Route { kind, verb, id } = route;
    let Some(key) = visit.key.clone() else { return Err(not_found(*kind, id)) };
    let own = Remembered { edge: edge.clone(), plan: visit.plan.clone(), key };
    match verb {
        Verb::List => return list::answer(&own, *kind, head).await.map(Reply::Whole),
        Verb::Create => {
            return batch::create(&own, visit, &body, extra).await.map(Reply::Whole);
        }
        Verb::Retrieve | Verb::Delete | Verb::Content | Verb::Cancel => {}
    }
    let record = own.find(*kind, id).await?;
    let deployment = own.whereabouts(*kind, id, &record)?;
    visit.deployment = Some(deployment);
    let one = One { own: &own, route, record, deployment, extra };
    let started = Instant::now();
    let reply = match verb {
        Verb::Content => one.content().await.map(Reply::Flow),
        _ => one.ask().await.map(Reply::Whole),
    };
    visit.upstream = started.elapsed();
    reply
}

/// One file or batch of the key's, and the deployment that reaches it.
struct One<'a> {
    own: &'a Remembered,
    route: &'a Route,
    record: Record,
    deployment: usize,
    extra: &'a Extra<'a>,
}

impl One<'_> {
    /// Asks its upstream, and keeps in mind what that says.
    async fn ask(self) -> Result<Answer> {
        let One { own, route, record, deployment, extra } = self;
        let asking = Asking(&own.plan.deployments[deployment]);
        let (method, path) = target(asking, route)?;
        let said = asking.ask(Question { method, path: &path, body: None, extra }).await?;
        let Route { kind, verb, id } = route;
        if said.status == 404 {
            own.forget(*kind, id).await;
            return Err(not_found(*kind, id));
        }
        if said.is_well() {
            match verb {
                Verb::Delete => own.forget(*kind, id).await,
                _ => own.update(*kind, id, record, &said).await,
            }
            if *kind == Kind::Batch {
                batch::note_results(own, asking.0, &said, extra).await;
            }
        }
        Ok(answer_of(said))
    }

    /// Begins to fetch what is in it.
    async fn content(self) -> Result<Flow> {
        let asking = Asking(&self.own.plan.deployments[self.deployment]);
        let (method, path) = target(asking, self.route)?;
        let question = Question { method, path: &path, body: None, extra: self.extra };
        content::fetch(asking, question).await
    }
}

/// What an upstream said, for the client.
pub(super) fn answer_of(said: Said) -> Answer {
    Answer { status: said.status, headers: said.headers, body: said.body }
}

/// The method and the path, below those of all that the deployment keeps.
fn target(asking: Asking<'_>, route: &Route) -> Result<(&'static str, String)> {
    let all = path_of(asking.0, route.kind)?;
    let (path, query) = match all.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (&*all, String::new()),
    };
    let (method, suffix) = match route.verb {
        Verb::Delete => ("DELETE", ""),
        Verb::Content => ("GET", "/content"),
        Verb::Cancel => ("POST", "/cancel"),
        Verb::Create | Verb::List | Verb::Retrieve => ("GET", ""),
    };
    Ok((method, format!("{path}/{}{suffix}{query}", encode_segment(&route.id))))
}
