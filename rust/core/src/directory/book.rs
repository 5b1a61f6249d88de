//! The keys of the directory, by digest and by id.

use super::names::Names;
use crate::jwt::Jwks;
use crate::keys::Digest;
use crate::plan::{Key, Node, Slot};
use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// An issuer of tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its public keys.
    pub keys: Arc<Jwks>,
    /// When they were fetched, in Unix microseconds.
    pub fetched_at: u64,
}

/// What is known.
#[derive(Clone, Default)]
pub(super) struct Book {
    /// By what clients show: the digests themselves lie in the keys.
    shown: HashSet<ByDigest, foldhash::fast::RandomState>,
    ids: HashSet<ById, foldhash::fast::RandomState>,
    /// Keys by the words for their certificates.
    certified: HashMap<Box<str>, Vec<Arc<Key>>, foldhash::fast::RandomState>,
    issuers: HashMap<Box<str>, Arc<Issuer>>,
    /// The nodes, by what they are called.
    pub(super) names: Names,
    /// The number of the file that it was begun from: places of nodes are the same as long as this is.
    pub(super) epoch: u64,
    nodes: usize,
}

/// Something that has become known.
pub(super) enum Change {
    /// A key is there, or is another.
    Key(Arc<Key>),
    /// A node is there, or is another; `None`: it is gone.
    Node(Arc<Slot>, Option<Arc<Node>>),
    /// An issuer is there, or has other keys.
    Issuer(Box<str>, Arc<Issuer>),
    /// The key or the issuer of this id is gone.
    Drop(Box<str>),
}

impl Book {
    /// An empty one, that is going to be read from this file.
    pub(super) fn begun(epoch: u64) -> Self {
        Book { epoch, ..Book::default() }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.nodes
    }

    /// The key of this digest.
    pub(super) fn key(&self, digest: &Digest) -> Option<&Arc<Key>> {
        let found = self.shown.get(digest)?;
        bool::from(found.digest().ct_eq(digest)).then_some(&found.key)
    }

    /// The keys that name a certificate by this word.
    pub(super) fn certified(&self, word: &str) -> Vec<Arc<Key>> {
        self.certified.get(word).cloned().unwrap_or_default()
    }

    /// The issuer of this URL.
    pub(super) fn issuer(&self, url: &str) -> Option<&Arc<Issuer>> {
        self.issuers.get(url)
    }

    /// Takes changes in.
    pub(super) fn apply(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            match change {
                Change::Key(key) => self.put(key),
                Change::Node(slot, node) => {
                    self.names.put(&slot, node.as_deref());
                    self.nodes += usize::from(node.is_some());
                    self.nodes -= usize::from(slot.now.swap(node).is_some());
                }
                Change::Issuer(url, issuer) => {
                    self.issuers.insert(url, issuer);
                }
                Change::Drop(id) => {
                    self.issuers.remove(&id);
                    if let Some(ById(key)) = self.ids.take(&*id) {
                        self.forget(&key);
                    }
                }
            }
        }
    }

    fn put(&mut self, key: Arc<Key>) {
        if let Some(ById(before)) = self.ids.take(key.id()) {
            self.forget(&before);
        }
        for at in 0..key.shown().len() {
            self.shown.replace(ByDigest { key: key.clone(), at });
        }
        for word in key.policy.certificates.iter().flatten() {
            self.certified.entry(word.clone()).or_default().push(key.clone());
        }
        self.ids.insert(ById(key));
    }

    /// Forgets what a key was shown by, as far as that is not another's by now.
    fn forget(&mut self, key: &Arc<Key>) {
        for word in key.policy.certificates.iter().flatten() {
            if let Some(alike) = self.certified.get_mut(word) {
                alike.retain(|one| !Arc::ptr_eq(one, key));
                if alike.is_empty() {
                    self.certified.remove(word);
                }
            }
        }
        for one in key.shown() {
            if self.shown.get(&one.digest).is_some_and(|found| Arc::ptr_eq(&found.key, key)) {
                self.shown.remove(&one.digest);
            }
        }
    }
}

/// A key that is told from others by its id.
#[derive(Clone)]
struct ById(Arc<Key>);

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl Eq for ById {}

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        self.0.id()
    }
}

/// A key that is told from others by one of the digests of what clients show of it.
#[derive(Clone)]
struct ByDigest {
    key: Arc<Key>,
    at: usize,
}

impl ByDigest {
    fn digest(&self) -> &Digest {
        &self.key.shown()[self.at].digest
    }
}

impl Hash for ByDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest().hash(state);
    }
}

impl PartialEq for ByDigest {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for ByDigest {}

impl Borrow<Digest> for ByDigest {
    fn borrow(&self) -> &Digest {
        self.digest()
    }
}
