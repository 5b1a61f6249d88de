//! A request as one deployment gets it: where to, in which dialect, with which headers.

use super::{Extra, Failure};
use crate::call::for_vertex;
use crate::error::Class;
use crate::gate::Shop;
use crate::plan::Deployment;
use crate::responses::previous::Past;
use crate::snapshot::{BodyStyle, Operation};
use crate::translate::{Asking, Chat, Lane};
use bytes::Bytes;
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// The deployment does not serve what is asked for.
pub(super) fn unable(deployment: &Deployment) -> Failure {
    let message = format!("Deployment `{}` does not serve this endpoint.", deployment.id);
    Failure::new(Class::NotSupported, message)
}

/// Whether a refusal may mean that the host has no such endpoint. Not every host of a dialect has all of
/// it; of who invented the dialect a 404 means what it says.
pub(super) fn seems_to_lack(
    deployment: &Deployment,
    operation: Operation,
    failure: &Failure,
) -> bool {
    let rare =
        matches!(operation, Operation::Responses | Operation::Messages) || operation.counts();
    rare && !deployment.original && matches!(failure.status, Some(404 | 405 | 501))
}

/// A request as one deployment gets it.
pub(super) struct Prepared<'d> {
    /// Path and query.
    pub(super) path: Cow<'d, str>,
    /// The body.
    pub(super) body: Bytes,
    /// The usage in the stream is asked for on our own account.
    pub(super) hide_usage: bool,
    /// How it is translated, if it is.
    pub(super) lane: Option<Lane>,
}

impl<'d> Prepared<'d> {
    /// For the deployment's own way of serving it.
    pub(super) async fn new(
        shop: &Shop,
        chat: &Chat<'_>,
        deployment: &'d Deployment,
    ) -> Result<Self, Failure> {
        let operation = deployment.serves(chat.call.operation);
        Self::by(shop, chat, deployment, operation.ok_or_else(|| unable(deployment))?).await
    }

    /// The same request by another chat, for a host that seems to lack this one; not of a host that has
    /// made what the request goes on from.
    pub(super) async fn otherwise(
        shop: &Shop,
        chat: &Chat<'_>,
        deployment: &'d Deployment,
        failure: &Failure,
    ) -> Option<Result<Self, Failure>> {
        let operation = chat.call.operation;
        let is_free = !matches!(chat.call.past, Past::At(_));
        if !is_free
            || !seems_to_lack(deployment, operation, failure)
            || deployment.serves(operation) != Some(operation)
        {
            return None;
        }
        Some(Self::by(shop, chat, deployment, deployment.instead_of(operation)?).await)
    }

    async fn by(
        shop: &Shop,
        chat: &Chat<'_>,
        deployment: &'d Deployment,
        operation: Operation,
    ) -> Result<Self, Failure> {
        let call = chat.call;
        let model = deployment.routed_model(&call.matched);
        let as_it_came = operation == call.operation && !call.is_mixed();
        let asking = Asking { operation, to: deployment, model: &model, as_it_came };
        let has_media = chat.fetch(shop, asking).await?;
        let (mut body, hide_usage, lane) = if as_it_came && !has_media {
            let (body, hide_usage) = call.body_for(&model, deployment.stream_usage);
            (body, hide_usage, None)
        } else {
            let mut lane = chat.lane(operation, deployment, &model)?;
            (std::mem::take(&mut lane.sent.body).into(), false, Some(lane))
        };
        let operation = lane.as_ref().map_or(operation, |lane| lane.operation);
        let path = deployment.path(operation, call.streams(), &model);
        let path = path.ok_or_else(|| unable(deployment))?;
        if deployment.body_style == BodyStyle::VertexAnthropic {
            body = for_vertex(&body, operation);
        }
        Ok(Prepared { path, body, hide_usage, lane })
    }
}

impl Prepared<'_> {
    /// What this request adds to its deployment's headers: what its translation needs, and its signature.
    pub(super) fn headers(&self, deployment: &Deployment) -> Vec<(&'static str, String)> {
        let mut headers = match &self.lane {
            Some(lane) => lane.sent.headers.clone(),
            None => Vec::new(),
        };
        if let Some(signer) = &deployment.signer {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            let signed = [("content-type", "application/json")];
            let host = deployment.origin.authority();
            headers.extend(signer.sign("POST", host, &self.path, &signed, &self.body, now));
        }
        headers
    }

    /// Whether a client's header says something to this upstream: one of its dialect does not to
    /// another's.
    pub(super) fn understands(&self, name: &str) -> bool {
        let own = self.lane.as_ref().is_none_or(|lane| lane.keeps_dialect);
        own || !(name.starts_with("openai-") || name.starts_with("anthropic-"))
    }

    /// The deployment's header lines; a client that speaks the upstream's dialect says which version of
    /// it itself.
    pub(super) fn fixed<'l>(deployment: &'l Deployment, extra: &Extra<'_>) -> Cow<'l, str> {
        const VERSION: &str = "anthropic-version";
        if !extra.iter().any(|(name, _)| *name == VERSION) {
            return Cow::Borrowed(&deployment.headers);
        }
        let lines = deployment.headers.split_inclusive("\r\n");
        Cow::Owned(lines.filter(|line| !line.starts_with(VERSION)).collect())
    }
}
