//! Finds nodes by what others call them: by id, by name, or by the id that an identity provider gave them.

use crate::plan::{Node, NodeKind, Slot};
use crate::snapshot::JwtFindBy;
use std::collections::HashMap;
use std::sync::Arc;

/// Nodes of one name that are told apart by what they belong to.
const MOST_ALIKE: usize = 1000;

/// The places of all nodes.
#[derive(Clone, Default)]
pub(super) struct Names {
    ids: HashMap<Box<str>, Arc<Slot>, foldhash::fast::RandomState>,
    names: HashMap<(NodeKind, Box<str>), Vec<Arc<Slot>>, foldhash::fast::RandomState>,
    external: HashMap<(NodeKind, Box<str>), Vec<Arc<Slot>>, foldhash::fast::RandomState>,
}

impl Names {
    /// Notes what stands in a place now, instead of what stood there.
    pub(super) fn put(&mut self, slot: &Arc<Slot>, node: Option<&Node>) {
        if let Some(before) = slot.now.load().as_deref() {
            strike(&mut self.names, before.kind, &before.name, slot);
            let id = before.external_id.as_deref();
            id.into_iter().for_each(|id| strike(&mut self.external, before.kind, id, slot));
        }
        let Some(node) = node else {
            self.ids.remove(&slot.id);
            return;
        };
        self.ids.insert(slot.id.clone(), slot.clone());
        add(&mut self.names, node.kind, &node.name, slot);
        let id = node.external_id.as_deref();
        id.into_iter().for_each(|id| add(&mut self.external, node.kind, id, slot));
    }

    /// The nodes of that kind that are called so.
    pub(super) fn find(&self, kind: NodeKind, by: JwtFindBy, word: &str) -> Vec<Arc<Slot>> {
        let among = |all: &HashMap<(NodeKind, Box<str>), Vec<Arc<Slot>>, _>| {
            all.get(&(kind, word.into())).cloned().unwrap_or_default()
        };
        match by {
            JwtFindBy::Id => {
                let is_one = |slot: &&Arc<Slot>| {
                    slot.now.load().as_ref().is_some_and(|node| node.kind == kind)
                };
                self.ids.get(word).filter(is_one).cloned().into_iter().collect()
            }
            JwtFindBy::Name => among(&self.names),
            JwtFindBy::ExternalId => among(&self.external),
        }
    }
}

type Index = HashMap<(NodeKind, Box<str>), Vec<Arc<Slot>>, foldhash::fast::RandomState>;

fn add(index: &mut Index, kind: NodeKind, word: &str, slot: &Arc<Slot>) {
    let alike = index.entry((kind, word.into())).or_default();
    if alike.len() < MOST_ALIKE {
        alike.push(slot.clone());
    }
}

fn strike(index: &mut Index, kind: NodeKind, word: &str, slot: &Arc<Slot>) {
    let place = (kind, word.into());
    if let Some(alike) = index.get_mut(&place) {
        alike.retain(|one| !Arc::ptr_eq(one, slot));
        if alike.is_empty() {
            index.remove(&place);
        }
    }
}
