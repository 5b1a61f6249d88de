//! A key, whether the settings file or the directory tells of it: who it is, and what it may do.
//!
//! What a key may do is what it allows itself and each of the nodes allows that it belongs to.

use super::node::{Barred, NodeKind, Nodes};
use super::policy::{Grants, Policy, Priority};
use crate::caller::Tags;
use crate::keys::{self, Digest};
use crate::ledger::Identity;
use crate::limits::Charges;
use crate::model_map::ModelMap;
use crate::snapshot::{self, Rules};
use std::net::IpAddr;
use std::sync::Arc;

/// The id, and the alias, of the admin key.
pub const MASTER: &str = "master";
/// What the ids of the settings file's keys begin with.
const OF_FILE: &str = "file:";
/// What stands before the ids of the directory's keys in the names of what they own: no alias begins so.
const OF_DIRECTORY: &str = "#";
const MICROSECONDS: u64 = 1_000_000;

/// A key and what it may do.
pub struct Key {
    /// The id, behind what tells where the key is from.
    name: Box<str>,
    /// Name in logs and metrics.
    pub alias: Box<str>,
    shown: Box<[Shown]>,
    /// What it belongs to.
    pub nodes: Nodes,
    /// What it allows itself.
    pub policy: Arc<Policy>,
    /// Its own limits and budgets.
    pub charges: Arc<Charges>,
    /// May use the admin endpoints.
    pub admin: bool,
    /// Refused until unblocked.
    pub blocked: bool,
    /// Unix microseconds from which it is refused.
    pub expires_at: Option<u64>,
}

/// What a client shows, as its keyed digest. A key that was rotated has several for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The digest.
    pub digest: Digest,
    /// Unix microseconds from which it is refused; `u64::MAX`: never.
    pub until: u64,
}

/// What the directory tells of a key.
pub struct KeyParts<'a> {
    /// Its id, which it keeps for ever.
    pub id: &'a str,
    /// Its name, for people.
    pub alias: &'a str,
    /// What clients show.
    pub shown: Vec<Shown>,
    /// What it belongs to.
    pub nodes: Nodes,
    /// What it allows.
    pub policy: Arc<Policy>,
    /// Its limits and budgets.
    pub charges: Arc<Charges>,
    /// May use the admin endpoints.
    pub admin: bool,
    /// Refused until unblocked.
    pub blocked: bool,
    /// Unix microseconds from which it is refused.
    pub expires_at: Option<u64>,
}

impl Key {
    /// A key of the settings file.
    pub(super) fn of_file(key: snapshot::VirtualKey) -> Result<Self, String> {
        let digest = keys::from_hex(&key.digest)
            .ok_or_else(|| format!("the digest of key {} is not 32 bytes of hex", key.alias))?;
        let name =
            if key.alias == MASTER { MASTER.to_owned() } else { [OF_FILE, &key.alias].concat() };
        let of_key = |what: String| format!("key {}: {what}", key.alias);
        let rules = Rules { limits: key.limits, budgets: key.budgets };
        let charges = Charges::with_per_minute(rules, key.rpm, key.tpm).map_err(of_key)?;
        let grants = Grants {
            models: key.models,
            model_map: key.model_map.into_iter().collect(),
            endpoints: key.endpoints,
            pass_through: key.pass_through,
            networks: key.networks,
            regions: key.regions,
            tags: key.tags,
            priority: key.priority,
            certificates: key.certificates,
        };
        let policy = Policy::new(grants).map_err(|what| format!("key {}: {what}", key.alias))?;
        Ok(Key {
            alias: key.alias.into(),
            shown: Box::new([Shown { digest, until: u64::MAX }]),
            nodes: Nodes::default(),
            policy: Arc::new(policy),
            charges: Arc::new(charges),
            admin: key.admin,
            blocked: key.blocked,
            expires_at: key.expires_at.map(|seconds| seconds.saturating_mul(MICROSECONDS)),
            name: name.into(),
        })
    }

    /// A key of the directory.
    #[must_use]
    pub fn of_directory(parts: KeyParts<'_>) -> Self {
        let KeyParts { id, alias, shown, nodes, policy, charges, admin, blocked, expires_at } =
            parts;
        Key {
            name: [OF_DIRECTORY, id].concat().into(),
            alias: alias.into(),
            shown: shown.into(),
            nodes,
            policy,
            charges,
            admin,
            blocked,
            expires_at,
        }
    }

    // ── who it is ───────────────────────────────────────────────────────────────────────────────

    /// Its id: `master`, `file:ALIAS`, or the store's. No two keys have the same, and none has two.
    #[must_use]
    pub fn id(&self) -> &str {
        self.name.strip_prefix(OF_DIRECTORY).unwrap_or(&self.name)
    }

    /// The name under which what it owns lies on the disk. Keys of the settings file own what their alias
    /// owns.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.name.strip_prefix(OF_FILE).unwrap_or(&self.name)
    }

    /// Who it is, with the tags of one of its requests.
    #[must_use]
    pub fn identity(&self, request: &Tags) -> Identity<'_> {
        Identity {
            id: self.id(),
            alias: &self.alias,
            organisation: self.nodes.id(NodeKind::Organisation),
            team: self.nodes.id(NodeKind::Team),
            project: self.nodes.id(NodeKind::Project),
            user: self.nodes.id(NodeKind::User),
            service_account: self.nodes.id(NodeKind::ServiceAccount),
            tags: self.tags(request),
        }
    }

    /// The tags of the key, of its nodes and of a request, each once.
    #[must_use]
    pub fn tags(&self, request: &Tags) -> Vec<Arc<str>> {
        let mut tags: Vec<Arc<str>> = Vec::new();
        let mut add = |more: &[Arc<str>]| {
            for tag in more {
                if !tags.contains(tag) {
                    tags.push(tag.clone());
                }
            }
        };
        add(&self.policy.tags);
        self.nodes.each(|node| add(&node.policy.tags));
        add(request.all());
        tags
    }

    /// What clients show of it.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Tells what it allows, with all its nodes, from what it allowed at another time.
    #[must_use]
    pub fn mark(&self) -> u64 {
        let mut mark = self.policy.mark;
        self.nodes.each(|node| mark = mark.rotate_left(7) ^ node.policy.mark);
        mark
    }

    // ── whether it may be used ──────────────────────────────────────────────────────────────────

    /// Whether it may be used at this time (Unix microseconds) by who shows what has this digest.
    ///
    /// # Errors
    /// Why not, as a sentence for the client.
    pub fn check_standing(&self, digest: &Digest, now: u64) -> Result<(), String> {
        if self.blocked {
            return Err("The API key is blocked.".into());
        }
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err("The API key has expired.".into());
        }
        let shown = self.shown.iter().find(|one| one.digest == *digest);
        if shown.is_some_and(|shown| now >= shown.until) {
            return Err("The API key was replaced by a newer one.".into());
        }
        match self.nodes.barred() {
            None => Ok(()),
            Some(Barred::Blocked(kind)) => {
                Err(format!("The API key's {} is blocked.", kind.word()))
            }
            Some(Barred::Gone) => Err("What the API key belongs to does not exist here.".into()),
        }
    }

    /// Whether a client at this address may use it.
    #[must_use]
    pub fn is_open_to(&self, address: Option<IpAddr>) -> bool {
        self.all(|policy| policy.allows_address(address))
    }

    // ── what it may do ──────────────────────────────────────────────────────────────────────────

    /// Whether the key may use the endpoint that metrics call by this name.
    #[must_use]
    pub fn may_call(&self, endpoint: &str) -> bool {
        self.all(|policy| policy.allows_endpoint(endpoint))
    }

    /// Whether the key may use the public model `name`.
    #[must_use]
    pub fn may_use(&self, name: &str) -> bool {
        self.all(|policy| policy.allows_model(name))
    }

    /// Whether the key may use certain models only.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.all(|policy| policy.models.is_none())
    }

    /// The models that it and its nodes name in full; none where it may use all.
    pub(super) fn named(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut add = |policy: &Policy| {
            names.extend(policy.models.iter().flat_map(|all| all.whole()).map(str::to_owned));
        };
        add(&self.policy);
        self.nodes.each(|node| add(&node.policy));
        names
    }

    /// Names that mean other models when this key uses them.
    #[must_use]
    pub fn map(&self) -> &ModelMap {
        &self.policy.map
    }

    /// Whether the key may use the pass-through of that name.
    #[must_use]
    pub fn may_pass(&self, name: &str) -> bool {
        match &self.policy.pass_through {
            Some(names) => names.allow(name),
            None => !self.is_limited(),
        }
    }

    /// Whether the key may be served in this region. Where that is not known, it may if all regions are allowed.
    #[must_use]
    pub fn may_be_served_in(&self, region: Option<&str>) -> bool {
        self.all(|policy| policy.allows_region(region))
    }

    /// Whether there are regions in which the key may not be served.
    #[must_use]
    pub fn has_regions(&self) -> bool {
        !self.all(|policy| !policy.has_regions())
    }

    /// Which of its requests go first: the least that the key and its nodes say.
    #[must_use]
    pub fn priority(&self) -> Priority {
        let mut least = self.policy.priority;
        self.nodes.each(|node| {
            least = match (least, node.policy.priority) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        });
        least.unwrap_or_default()
    }

    /// Whether the key's own policy and those of all its nodes allow something.
    fn all(&self, mut allows: impl FnMut(&Policy) -> bool) -> bool {
        allows(&self.policy) && self.nodes.all(|node| allows(&node.policy))
    }
}

#[cfg(test)]
mod tests;
