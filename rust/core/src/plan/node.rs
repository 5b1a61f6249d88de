//! What keys belong to: organisations, teams, projects, users and service accounts.
//!
//! Keys hold the places where nodes stand, not the nodes: a node that changes is put into its place, and
//! holds for all of its keys with the next request.

use super::policy::Policy;
use crate::limits::Charges;
use arc_swap::ArcSwapOption;
use serde::Deserialize;
use std::sync::Arc;

/// How far a node can be below another one.
const DEEPEST: usize = 5;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum NodeKind {
    Organisation,
    Team,
    Project,
    User,
    ServiceAccount,
}

impl NodeKind {
    /// The kinds, in the order in which [`Nodes`] has them.
    pub const ALL: [NodeKind; 5] = [
        NodeKind::Organisation,
        NodeKind::Team,
        NodeKind::Project,
        NodeKind::User,
        NodeKind::ServiceAccount,
    ];

    /// Its name in sentences.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            NodeKind::Organisation => "organisation",
            NodeKind::Team => "team",
            NodeKind::Project => "project",
            NodeKind::User => "user",
            NodeKind::ServiceAccount => "service account",
        }
    }
}

/// A node as it is now.
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name, for people.
    pub name: Box<str>,
    /// The id that an identity provider gave it.
    pub external_id: Option<Box<str>>,
    /// What it belongs to.
    pub parent: Option<Arc<Slot>>,
    /// Refused, with all that belongs to it.
    pub blocked: bool,
    /// What it allows.
    pub policy: Arc<Policy>,
    /// Its limits and budgets.
    pub charges: Arc<Charges>,
    /// What is added to costs, in millionths of them; less than nothing is a discount.
    pub margin_ppm: i64,
}

/// The place of a node.
pub struct Slot {
    /// The node's id.
    pub id: Box<str>,
    /// The node; none if it is gone, or was not told of yet.
    pub now: ArcSwapOption<Node>,
}

impl Slot {
    /// A place in which nothing stands yet.
    #[must_use]
    pub fn empty(id: &str) -> Arc<Self> {
        Arc::new(Slot { id: id.into(), now: ArcSwapOption::empty() })
    }
}

/// The nodes of a key, by their kinds.
#[derive(Clone, Default)]
pub struct Nodes(pub [Option<Arc<Slot>>; 5]);

/// Why the nodes of a key do not let it be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// One of them is blocked.
    Blocked(NodeKind),
    /// One of them is gone.
    Gone,
}

impl Nodes {
    /// The id of the node of that kind.
    #[must_use]
    pub fn id(&self, kind: NodeKind) -> Option<&str> {
        self.0[kind as usize].as_ref().map(|slot| &*slot.id)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Whether something holds for each of the nodes, and for what they belong to. It holds for none that
    /// is gone.
    pub fn all(&self, mut holds: impl FnMut(&Node) -> bool) -> bool {
        self.visit(&mut |_, node| node.is_some_and(&mut holds))
    }

    /// Shows each node, and what they belong to; those that are gone are left out.
    pub fn each(&self, mut see: impl FnMut(&Node)) {
        self.each_named(|_, node| see(node));
    }

    /// The same, with their ids.
    pub fn each_named(&self, mut see: impl FnMut(&str, &Node)) {
        self.visit(&mut |slot, node| {
            if let Some(node) = node {
                see(&slot.id, node);
            }
            true
        });
    }

    /// Why they do not let the key be used, if they do not.
    #[must_use]
    pub fn barred(&self) -> Option<Barred> {
        let mut found = None;
        self.visit(&mut |_, node| {
            found = match node {
                None => Some(Barred::Gone),
                Some(node) => node.blocked.then_some(Barred::Blocked(node.kind)),
            };
            found.is_none()
        });
        found
    }

    fn visit(&self, holds: &mut dyn FnMut(&Slot, Option<&Node>) -> bool) -> bool {
        self.0.iter().flatten().all(|slot| self.climb(slot, DEEPEST, holds))
    }

    /// One node, and what it belongs to, as far as that is not among the key's own nodes.
    fn climb(
        &self,
        slot: &Arc<Slot>,
        steps: usize,
        holds: &mut dyn FnMut(&Slot, Option<&Node>) -> bool,
    ) -> bool {
        let now = slot.now.load();
        if !holds(slot, now.as_deref()) {
            return false;
        }
        match now.as_ref().and_then(|node| node.parent.as_ref()) {
            Some(parent) if steps > 0 && !self.holds(parent) => {
                self.climb(parent, steps - 1, holds)
            }
            _ => true,
        }
    }

    fn holds(&self, slot: &Arc<Slot>) -> bool {
        self.0.iter().flatten().any(|own| Arc::ptr_eq(own, slot))
    }
}
