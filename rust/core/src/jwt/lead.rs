//! From what a token names to what stands in the directory: the nodes that its holder belongs to.

use super::Verified;
use crate::error::{Class, Error, Result};
use crate::plan::{Grants, Key, KeyParts, NodeKind, Nodes, Policy, Slot};
use crate::snapshot::JwtFindBy;
use std::sync::Arc;

/// How far a node can be below another one.
const DEEPEST: usize = 5;
const MICROSECONDS: u64 = 1_000_000;

/// Finds nodes of a kind by what they are called.
pub trait Find {
    /// All of that name.
    fn find(&self, kind: NodeKind, by: JwtFindBy, word: &str) -> Vec<Arc<Slot>>;
}

/// The principal that a genuine token stands for: like a key, with the nodes that the token names.
///
/// # Errors
/// `PermissionDenied` if something that it names is not known, is one of several, or belongs elsewhere.
pub fn principal(verified: &Verified, directory: &dyn Find) -> Result<Key> {
    let named = &verified.named;
    let mut nodes = Nodes::default();
    for (kind, words) in [
        (NodeKind::Organisation, &named.organisation),
        (NodeKind::Team, &named.team),
        (NodeKind::Project, &named.project),
        (NodeKind::User, &named.user),
        (NodeKind::ServiceAccount, &named.service_account),
    ] {
        if !words.is_empty() {
            let found = one(kind, words, verified.find_by, &nodes, directory)?;
            nodes.0[kind as usize] = Some(found);
        }
    }
    let alias = alias(&nodes).ok_or_else(|| {
        denied("The token names no organisation, team, project, user or service account.".into())
    })?;
    let (models, tags) = (named.models.clone(), named.tags.clone());
    let policy = Policy::new(Grants { models, tags, ..Grants::default() });
    let policy = policy.map_err(|_| denied("The token's claims cannot be used.".into()))?;
    Ok(Key::of_directory(KeyParts {
        id: &verified.id,
        alias: &alias,
        shown: Vec::new(),
        nodes,
        policy: Arc::new(policy),
        charges: Arc::default(),
        admin: false,
        blocked: false,
        expires_at: Some(verified.until.saturating_mul(MICROSECONDS)),
    }))
}

/// The node that the first of these words means that means one.
fn one(
    kind: NodeKind,
    words: &[String],
    by: JwtFindBy,
    above: &Nodes,
    directory: &dyn Find,
) -> Result<Arc<Slot>> {
    // Issuers have ids of their own for people only.
    let by = match (by, kind) {
        (JwtFindBy::ExternalId, NodeKind::User | NodeKind::Team) => JwtFindBy::ExternalId,
        (JwtFindBy::ExternalId, _) => JwtFindBy::Name,
        (by, _) => by,
    };
    for word in words {
        let alike = directory.find(kind, by, word);
        let mut fitting = alike.iter().filter(|slot| belongs(slot, above));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => return Ok(only.clone()),
            (Some(_), Some(_)) => {
                let message =
                    format!("The token names a {} that there are several of.", kind.word());
                return Err(denied(message));
            }
            (None, _) => {}
        }
    }
    Err(denied(format!("The token names a {} that is not known here.", kind.word())))
}

/// Whether a node is below those that were found before it, as far as they are of kinds that hold others.
fn belongs(slot: &Arc<Slot>, above: &Nodes) -> bool {
    above.0.iter().flatten().all(|one| agrees(slot, one))
}

/// Whether two nodes can belong to one principal: what both are below has to be the same. A team or a project is
/// only below what it says; people and programs work for teams that they are not below.
fn agrees(slot: &Arc<Slot>, other: &Arc<Slot>) -> bool {
    let is_a_part = kind(slot).is_some_and(|kind| {
        matches!(kind, NodeKind::Organisation | NodeKind::Team | NodeKind::Project)
    });
    [NodeKind::Organisation, NodeKind::Team, NodeKind::Project].into_iter().all(|level| {
        match (above(slot, level), above(other, level)) {
            (Some(one), Some(two)) => Arc::ptr_eq(&one, &two),
            (None, Some(two)) => !(is_a_part && Arc::ptr_eq(&two, other)),
            _ => true,
        }
    })
}

/// The node of that kind that a node is, or is below.
fn above(slot: &Arc<Slot>, level: NodeKind) -> Option<Arc<Slot>> {
    let mut at = slot.clone();
    for _ in 0..=DEEPEST {
        let node = at.now.load_full()?;
        if node.kind == level {
            return Some(at);
        }
        at = node.parent.clone()?;
    }
    None
}

fn kind(slot: &Arc<Slot>) -> Option<NodeKind> {
    slot.now.load().as_ref().map(|node| node.kind)
}

/// What metrics and logs call the principal: by its innermost node, since subjects are without number.
fn alias(nodes: &Nodes) -> Option<String> {
    let kinds = [
        NodeKind::User,
        NodeKind::ServiceAccount,
        NodeKind::Project,
        NodeKind::Team,
        NodeKind::Organisation,
    ];
    let slot = kinds.iter().find_map(|&kind| nodes.0[kind as usize].as_ref())?;
    let name = slot.now.load().as_ref().map(|node| format!("jwt:{}", node.name));
    Some(name.unwrap_or_else(|| "jwt".into()))
}

fn denied(message: String) -> Error {
    Error::new(Class::PermissionDenied, message)
}
