//! One client's files and batches, as far as they are remembered.

use super::whereabouts;
use crate::edge::Edge;
use crate::error::{Class, Error, Result};
use crate::gate::check_region;
use crate::json;
use crate::plan::{Deployment, Key, Plan};
use crate::relay::{Asking, Said};
use crate::responses::{is_id, shown};
use crate::snapshot::Operation;
use crate::store::shelf::{Kind, Record, Requests, Slot};
use crate::store::unix_seconds;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of the largest object that is remembered.
const LARGEST: usize = 1024 * 1024;
/// How old a memory may be, in seconds, that is not written anew for being the same.
const FRESH: u64 = 3600;

/// What one key has, under one configuration.
pub(super) struct Remembered {
    pub(super) edge: Rc<Edge>,
    pub(super) plan: Arc<Plan>,
    pub(super) key: Arc<Key>,
}

impl Remembered {
    fn slot<'a>(&'a self, kind: Kind, id: &'a str) -> Slot<'a> {
        Slot { owner: self.key.owner(), kind, id }
    }

    /// What is remembered of this one.
    ///
    /// # Errors
    /// `NotFound`, the same for what nobody made and for what another key made.
    pub(super) async fn find(&self, kind: Kind, id: &str) -> Result<Record> {
        let found = self.edge.store.shelf.get(&self.plan, self.slot(kind, id)).await;
        found.ok_or_else(|| not_found(kind, id))
    }

    /// The deployment through which it can be reached.
    ///
    /// # Errors
    /// `NotFound` if none is configured any more, `RegionDenied` if the key may not be served there.
    pub(super) fn whereabouts(&self, kind: Kind, id: &str, record: &Record) -> Result<usize> {
        let found = whereabouts::find(&self.plan, &record.account, &record.deployment);
        let found = found.ok_or_else(|| {
            let Error { class, message, .. } = not_found(kind, id);
            let message = message.trim_end_matches('.');
            let why = "the deployment that made it is not configured any more";
            Error::new(class, format!("{message}: {why}."))
        })?;
        check_region(&self.key, self.plan.deployments[found].region.as_deref())?;
        Ok(found)
    }

    /// Remembers what an upstream has just made for this key, and says its id.
    ///
    /// # Errors
    /// `UpstreamProtocol` if that is no such object, `InternalError` if it cannot be remembered.
    pub(super) async fn add(
        &self,
        kind: Kind,
        to: &Deployment,
        said: &Said,
        requests: Option<Requests>,
    ) -> Result<String> {
        let odd = || Asking(to).fail(Class::UpstreamProtocol, "answered with something else");
        let (id, object) = object(&said.body).ok_or_else(odd)?;
        let account = to.files.clone().ok_or_else(odd)?;
        let record = Record::new(&to.id, account, requests, object);
        if self.edge.store.shelf.put(&self.plan, self.slot(kind, &id), record).await {
            return Ok(id);
        }
        let message = "It was made, and could not be remembered.";
        Err(Error::new(Class::InternalError, message))
    }

    /// Notes how one looks now. That this fails takes nothing from the client.
    pub(super) async fn update(&self, kind: Kind, id: &str, mut record: Record, said: &Said) {
        let Some((_, object)) = object(&said.body).filter(|(own, _)| own == id) else { return };
        let is_old = unix_seconds().saturating_sub(record.seen_at) > FRESH;
        if is_old || record.object != object {
            (record.seen_at, record.object) = (unix_seconds(), object);
            self.edge.store.shelf.put(&self.plan, self.slot(kind, id), record).await;
        }
    }

    /// Forgets one that is gone.
    pub(super) async fn forget(&self, kind: Kind, id: &str) {
        self.edge.store.shelf.remove(&self.plan, self.slot(kind, id)).await;
    }
}

/// A provider's object, if it is one that can be remembered, and its id.
fn object(body: &[u8]) -> Option<(String, String)> {
    let fields = json::parse_object(body).ok().filter(|_| body.len() <= LARGEST)?;
    let id: String = serde_json::from_slice(&body[fields.get(body, "id")?]).ok()?;
    let text = std::str::from_utf8(body).ok()?.trim();
    is_id(&id).then(|| (id, text.to_owned()))
}

/// What is said of one that the key does not have.
pub(super) fn not_found(kind: Kind, id: &str) -> Error {
    let id = shown(id);
    let message = match kind {
        Kind::File => format!("No such File object: {id}"),
        Kind::Batch => format!("No batch found with id '{id}'."),
    };
    Error::new(Class::NotFound, message).with_param("id")
}

/// Path and query of all that a deployment keeps of a kind.
///
/// # Errors
/// `NotSupported` if it keeps none.
pub(super) fn path_of(to: &Deployment, kind: Kind) -> Result<Cow<'_, str>> {
    let (operation, what) = match kind {
        Kind::File => (Operation::Files, "keeps no files"),
        Kind::Batch => (Operation::Batches, "takes no batches"),
    };
    let path = to.path(operation, false, "");
    path.ok_or_else(|| Asking(to).fail(Class::NotSupported, what))
}
