//! What of a reply is kept, so that its client may ask for it again.

use super::is_id;
use super::previous::Past;
use crate::call::Call;
use crate::dispatch::Partial;
use crate::json;
use crate::store::entry::{Content, Entry, Origin};
use crate::store::{Store, unix_seconds};
use bytes::Bytes;
use llmgw_formats::format::Frame;
use llmgw_formats::frames::Frames;

/// The events that end a stream with a response that is worth keeping.
const ENDS: [&str; 2] = ["response.completed", "response.incomplete"];

/// Who keeps a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The upstream, unless its reply says that it does not: it was asked as the client had asked.
    AsToldByReply,
    /// The upstream: it was asked to.
    Upstream,
    /// The gateway.
    Gateway,
}

impl Keeper {
    /// By how a request was translated, if it was: whether its upstream keeps the reply.
    #[must_use]
    pub fn of(translated: Option<bool>) -> Self {
        match translated {
            None => Keeper::AsToldByReply,
            Some(true) => Keeper::Upstream,
            Some(false) => Keeper::Gateway,
        }
    }
}

/// A reply that is to be kept.
pub struct Keeping<'a> {
    store: &'a Store,
    call: &'a Call,
    deployment: usize,
    keeper: Keeper,
}

impl<'a> Keeping<'a> {
    /// A reply of this deployment, if its client wants it kept.
    #[must_use]
    pub fn new(
        store: &'a Store,
        call: &'a Call,
        deployment: Option<usize>,
        keeper: Keeper,
    ) -> Option<Self> {
        let deployment = deployment.filter(|_| call.keep.is_wanted())?;
        Some(Keeping { store, call, deployment, keeper })
    }

    /// Keeps a whole reply.
    pub fn whole(&self, body: &Bytes) {
        let Some(id) = text(body, "id") else { return };
        if !self.is_gateways(body) {
            return self.keep(&id, None);
        }
        if matches!(text(body, "status").as_deref(), Some("completed" | "incomplete")) {
            self.keep(&id, Some(body.clone()));
        }
    }

    /// Remembers where a reply is that is too large to be held; `beginning` has its id, most likely.
    fn large(&self, beginning: &[u8]) {
        if let Some(id) = text(beginning, "id") {
            self.keep(&id, None);
        }
    }

    /// Watches a reply that is still coming for what is to be kept of it.
    #[must_use]
    pub fn watch(self, partial: &Partial) -> Option<Watch<'a>> {
        if !partial.headers.is_of_type("text/event-stream") {
            self.large(&partial.first);
            return None;
        }
        let stage = match self.keeper {
            Keeper::Gateway => Stage::End,
            Keeper::AsToldByReply | Keeper::Upstream => Stage::Beginning,
        };
        Some(Watch { keeping: self, frames: Frames::default(), stage })
    }

    /// Whether it is the gateway that keeps this response.
    fn is_gateways(&self, response: &[u8]) -> bool {
        let disowned = || {
            let store = json::find_member(response, "store");
            store.is_some_and(|field| &response[field.value] == b"false")
        };
        match self.keeper {
            Keeper::AsToldByReply => disowned(),
            Keeper::Upstream => false,
            Keeper::Gateway => true,
        }
    }

    fn keep(&self, id: &str, response: Option<Bytes>) {
        let call = self.call;
        if response.is_some() && matches!(call.past, Past::At(_)) {
            // What it goes on from is not ours: a conversation without its beginning is none.
            return;
        }
        let deployment = call.plan.deployments.get(self.deployment).filter(|_| is_id(id));
        let Some(deployment) = deployment else { return };
        let account = deployment.account.clone().filter(|_| response.is_none());
        let content = response.map(|response| Content { input: input(&call.body), response });
        let origin = Origin {
            kept_at: unix_seconds(),
            group: call.model_label().to_owned(),
            deployment: deployment.id.clone(),
            model: deployment.routed_model(&call.matched),
            account,
        };
        self.store.keep(&call.plan, call.key.owner(), id, Entry { origin, content });
    }
}

/// A stream that is watched for what is to be kept of it.
pub struct Watch<'a> {
    keeping: Keeping<'a>,
    frames: Frames,
    stage: Stage,
}

/// What is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first event with the response: it tells the id, and who keeps it.
    Beginning,
    /// The event that has all of the response.
    End,
    /// There is nothing more to see.
    Done,
}

impl Watch<'_> {
    /// Looks at what the client is about to get: by the time it has all of it, the response is being kept.
    pub fn see(&mut self, piece: &[u8]) {
        if self.stage == Stage::Done {
            return;
        }
        let Watch { keeping, frames, stage } = self;
        let seen = frames.push(piece, &mut |frame| {
            *stage = look(keeping, *stage, frame);
            Ok(())
        });
        if seen.is_err() {
            keeping.store.lose("an event of its stream is too large");
            *stage = Stage::Done;
        }
    }
}

/// Looks at one event; what is watched for after it.
fn look(keeping: &Keeping<'_>, stage: Stage, frame: Frame<'_>) -> Stage {
    let data = frame.data.as_bytes();
    let response = || json::find_member(data, "response").map(|field| &data[field.value]);
    match stage {
        Stage::Beginning => {
            let Some(response) = response() else { return stage };
            if keeping.is_gateways(response) {
                // The same event may be the last one, too.
                return look(keeping, Stage::End, frame);
            }
            if let Some(id) = text(response, "id") {
                keeping.keep(&id, None);
            }
            Stage::Done
        }
        Stage::End if frame.event.is_some_and(|name| ENDS.contains(&name)) => {
            if let Some(response) = response()
                && let Some(id) = text(response, "id")
            {
                keeping.keep(&id, Some(Bytes::copy_from_slice(response)));
            }
            Stage::Done
        }
        Stage::End | Stage::Done => stage,
    }
}

fn text(object: &[u8], name: &str) -> Option<String> {
    let field = json::find_member(object, name)?;
    serde_json::from_slice(&object[field.value]).ok()
}

/// The `input` of a request; empty if it has none.
fn input(body: &Bytes) -> Bytes {
    json::find_member(body, "input").map(|field| body.slice(field.value)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
