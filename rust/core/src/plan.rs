//! A snapshot made ready to run: digests decoded, URLs parsed, headers built, pools opened.

mod deployment;
pub mod endpoints;
mod key;
mod node;
mod pattern;
mod policy;
mod pools;
mod retry;
mod text;

use crate::balancer::Candidate;
use crate::fetch::Fetcher;
use crate::jwt::Issuers;
use crate::keys::{self, Digest, Digester};
use crate::limits::{self, SharedLimits};
use crate::snapshot::{self, Operation, Snapshot};
use crate::store::Terms;
use crate::through::Door;
use crate::tokens::Family;
pub use deployment::Deployment;
pub use key::{Key, KeyParts, MASTER, Shown};
pub use node::{Barred, Node, NodeKind, Nodes, Slot};
pub(crate) use pattern::star;
pub use pattern::{Pattern, Patterns};
pub use policy::{Grants, Policy, Priority, mark_of};
use pools::Pools;
pub use retry::Retry;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
pub use text::encode_segment;

/// A configuration in force. Immutable; a running call keeps the one it began with.
pub struct Plan {
    /// Digest of the settings.
    pub version: String,
    /// Makes the digests that `keys` is indexed by.
    pub digester: Digester,
    keys: HashMap<Digest, Arc<Key>>,
    certified: HashMap<Box<str>, Vec<Arc<Key>>>,
    /// Exact paths of the native endpoints.
    pub routes: HashMap<String, Operation>,
    models: HashMap<String, usize>,
    wildcards: Vec<snapshot::Wildcard>,
    /// Model groups.
    pub groups: Vec<Group>,
    /// Deployments, referred to by index.
    pub deployments: Vec<Deployment>,
    /// How failures are met.
    pub retry: Retry,
    /// The exact cache, if switched on.
    pub cache: Option<snapshot::CachePolicy>,
    /// What a PII finding leads to, if the scan is on.
    pub pii: Option<snapshot::PiiMode>,
    /// Providers' own APIs that are passed through.
    pub doors: Vec<Door>,
    /// On which terms responses are stored, if they are.
    pub responses: Option<Terms>,
    /// On which terms files and batches are remembered, if they are served.
    pub files: Option<Terms>,
    /// Requests name such files only that their key has brought.
    pub own_files_only: bool,
    /// Fetches media for upstreams that take bytes only, if that is allowed.
    pub fetcher: Option<Fetcher>,
    /// What a request at a model of unknown price comes to.
    pub pricing: snapshot::PricingPolicy,
    /// Limits that all of a kind have, each for itself.
    pub shared_limits: SharedLimits,
    /// Whose tokens are taken instead of a key.
    pub issuers: Issuers,
    pools: Pools,
}

/// A model group, ready for the balancer.
pub struct Group {
    /// The public name.
    pub name: String,
    candidates: Vec<Candidate>,
    /// Groups tried when this one fails.
    pub fallbacks: Vec<usize>,
    /// Groups tried when the prompt is too long.
    pub context_window_fallbacks: Vec<usize>,
    /// How its input is counted (its first deployment's way).
    pub tokenizer: Family,
    /// Deployments that a request may come to, here or by falling back; of those that cost the same, one.
    pub reach: Vec<usize>,
}

/// A model name resolved.
pub struct Resolved<'a> {
    /// Index of the group.
    pub group: usize,
    /// What the wildcard matched, or the name itself.
    pub matched: &'a str,
}

impl Plan {
    /// Makes a snapshot ready. `mock_port`: where this process's own mock upstream listens.
    ///
    /// # Errors
    /// What in the snapshot cannot be used, in one sentence.
    pub fn new(snapshot: Snapshot, mock_port: u16, before: Option<&Plan>) -> Result<Self, String> {
        let pepper =
            keys::from_hex(&snapshot.auth.pepper).ok_or("the pepper is not 32 bytes of hex")?;
        let mut pools = Pools::for_policy(&snapshot.egress, before.map(|plan| &plan.pools))?;
        let mut used = Vec::new();
        let mut deployments = Vec::with_capacity(snapshot.deployments.len());
        for one in snapshot.deployments {
            deployments.push(Deployment::new(one, mock_port, &mut pools, &mut used)?);
        }
        pools.keep_only(&used);
        let fetcher = snapshot.media.map(|policy| pools.fetcher(&policy)).transpose()?;
        let groups = snapshot.groups.into_iter().map(|group| Group::new(group, &deployments));
        let mut groups = groups.collect::<Result<Vec<_>, _>>()?;
        let known = |index: &usize| *index < groups.len();
        let linked =
            groups.iter().flat_map(|g| g.fallbacks.iter().chain(&g.context_window_fallbacks));
        let named = snapshot.models.values().chain(snapshot.wildcards.iter().map(|w| &w.group));
        if !linked.chain(named).all(known) {
            return Err("a name refers to a model group that does not exist".into());
        }
        for index in 0..groups.len() {
            groups[index].reach = limits::reach(&groups, &deployments, index);
        }
        let doors = snapshot.pass_through.into_iter().map(|one| Door::new(one, &deployments));
        let doors = doors.collect::<Result<Vec<_>, _>>()?;
        let mut keys = HashMap::with_capacity(snapshot.auth.keys.len());
        let mut certified: HashMap<Box<str>, Vec<Arc<Key>>> = HashMap::new();
        for key in snapshot.auth.keys {
            let key = Arc::new(Key::of_file(key)?);
            for word in key.policy.certificates.iter().flatten() {
                certified.entry(word.clone()).or_default().push(key.clone());
            }
            keys.extend(key.shown().iter().map(|one| (one.digest, key.clone())));
        }
        Ok(Plan {
            version: snapshot.version,
            digester: Digester::new(&pepper),
            keys,
            certified,
            routes: snapshot.routes,
            models: snapshot.models,
            wildcards: snapshot.wildcards,
            groups,
            deployments,
            retry: Retry::new(snapshot.retry),
            cache: snapshot.cache,
            pii: snapshot.pii.map(|policy| policy.mode),
            doors,
            responses: snapshot.responses.map(|policy| Terms::new(&policy, &pepper)),
            own_files_only: !snapshot.any_file_id,
            files: snapshot.files.map(|policy| Terms::of_files(&policy, &pepper)),
            fetcher,
            pricing: snapshot.pricing,
            shared_limits: SharedLimits::new(&snapshot.limits)?,
            issuers: Issuers::new(snapshot.jwt)?,
            pools,
        })
    }

    /// The key of this digest, found by hash and confirmed in constant time.
    #[must_use]
    pub fn key(&self, digest: &Digest) -> Option<&Arc<Key>> {
        use subtle::ConstantTimeEq;
        let is_it =
            |key: &&Arc<Key>| key.shown().iter().any(|one| bool::from(one.digest.ct_eq(digest)));
        self.keys.get(digest).filter(is_it)
    }

    /// The keys that name a certificate by this word.
    #[must_use]
    pub fn certified(&self, word: &str) -> Vec<Arc<Key>> {
        self.certified.get(word).cloned().unwrap_or_default()
    }

    /// Finds the group of a public model name.
    #[must_use]
    pub fn resolve<'a>(&self, name: &'a str) -> Option<Resolved<'a>> {
        if let Some(&group) = self.models.get(name) {
            return Some(Resolved { group, matched: name });
        }
        self.wildcards.iter().find_map(|wildcard| {
            let matched = star(name, &wildcard.prefix, &wildcard.suffix)?;
            (!matched.is_empty()).then_some(Resolved { group: wildcard.group, matched })
        })
    }

    /// The key of that alias.
    #[must_use]
    pub fn key_named(&self, alias: &str) -> Option<&Key> {
        self.keys.values().find(|key| *key.alias == *alias).map(|key| &**key)
    }

    /// Whether a key may use the model that the host of a deployment calls `model`, under any public name
    /// that leads there.
    #[must_use]
    pub fn may_reach(&self, key: &Key, host: &Deployment, model: &str) -> bool {
        let there = |index: &usize| {
            let one = &self.deployments[*index];
            (one.origin.authority() == host.origin.authority()).then_some(one)
        };
        let members = |group: usize| {
            self.groups[group].candidates.iter().filter_map(move |one| there(&one.index))
        };
        let named = self.models.iter().any(|(name, &group)| {
            key.may_use(name) && members(group).any(|one| one.model == model)
        });
        named
            || self.wildcards.iter().any(|wild| {
                members(wild.group).any(|one| match one.model.split_once('*') {
                    Some((before, after)) => star(model, before, after).is_some_and(|matched| {
                        key.may_use(&[&wild.prefix, matched, &wild.suffix].concat())
                    }),
                    None => one.model == model && key.may_use(&self.groups[wild.group].name),
                })
            })
    }

    /// A deployment of the model that the host of another calls `model`, if its price is known.
    #[must_use]
    pub fn priced_at(&self, host: &Deployment, model: &str) -> Option<usize> {
        self.deployments.iter().position(|one| {
            let is_it = one.model == model && one.price.is_some();
            is_it && one.origin.authority() == host.origin.authority()
        })
    }

    /// Whether a name leads a key to a model that it may use.
    #[must_use]
    pub fn leads(&self, key: &Key, name: &str) -> bool {
        let meaning = key.map().meaning(name);
        self.resolve(&meaning).is_some_and(|found| self.may_serve(found.group, key))
            && key.may_use(&meaning)
    }

    /// Whether a group, or one that it falls back to, has a deployment in a region that the key may use.
    fn may_serve(&self, group: usize, key: &Key) -> bool {
        let has_one = |group: usize| {
            let regions = self.members(group).map(|one| self.deployments[one].region.as_deref());
            regions.into_iter().any(|region| key.may_be_served_in(region))
        };
        let fallbacks = &self.groups[group].fallbacks;
        !key.has_regions() || has_one(group) || fallbacks.iter().any(|&next| has_one(next))
    }

    /// Whether a name leads a key to a model that chats.
    #[must_use]
    pub fn chats(&self, key: &Key, name: &str) -> bool {
        let Some(found) = self.resolve(&key.map().meaning(name)).map(|found| found.group) else {
            return false;
        };
        let serves = |one: &Candidate| {
            Operation::CHATS.iter().any(|&chat| self.deployments[one.index].serves(chat).is_some())
        };
        self.groups[found].candidates.iter().any(serves)
    }

    /// The public model names that a key may use, sorted; of wildcards the names the key lists, else
    /// the pattern. The names of its own map are among them.
    #[must_use]
    pub fn visible_models(&self, key: &Key) -> Vec<String> {
        let is_served = |name: &String| self.resolve(name).is_some() && key.may_use(name);
        let listed = key.named().into_iter().filter(is_served);
        let named = self.models.keys().filter(|name| key.may_use(name)).cloned();
        let patterns = self.wildcards.iter().map(|one| format!("{}*{}", one.prefix, one.suffix));
        let patterns = patterns.filter(|pattern| key.may_use(pattern));
        let mapped = key.map().names().filter(|name| self.leads(key, name));
        let names: std::collections::BTreeSet<String> =
            listed.chain(named).chain(patterns).chain(mapped).collect();
        let can_be_served = |name: &String| {
            let found = self.resolve(&key.map().meaning(name)).map(|found| found.group);
            found.is_some_and(|group| self.may_serve(group, key))
        };
        names.into_iter().filter(can_be_served).collect()
    }

    /// Lets go of idle connections that are no longer good.
    pub fn sweep(&self) {
        self.pools.origins.values().for_each(|origin| origin.sweep());
    }

    /// The deployments of a group, those first that are tried first.
    pub fn members(&self, group: usize) -> impl Iterator<Item = usize> {
        let mut all: Vec<Candidate> = self.groups[group].candidates.clone();
        all.sort_by_key(|one| one.order);
        all.into_iter().map(|one| one.index)
    }

    /// Whether what a request of this key says counts for some limit or budget.
    #[must_use]
    pub fn reads_for(&self, key: &Key) -> bool {
        let mut reads = key.charges.depend_on_content() || self.shared_limits.depend_on_content();
        key.nodes.each(|node| reads |= node.charges.depend_on_content());
        reads
    }

    /// Whether a model of unknown price may not be asked for this. Counting tokens costs nothing.
    #[must_use]
    pub fn refuses_unpriced(&self, operation: Operation) -> bool {
        self.pricing.unknown == snapshot::UnknownPrice::Block && !operation.counts()
    }

    /// The candidates of a group that serve the operation.
    #[must_use]
    pub fn candidates(&self, group: usize, operation: Operation) -> Vec<Candidate> {
        let all = self.groups[group].candidates.iter().copied();
        all.filter(|one| self.deployments[one.index].serves(operation).is_some()).collect()
    }
}

impl Group {
    /// Its deployments.
    pub fn members(&self) -> impl Iterator<Item = usize> {
        self.candidates.iter().map(|one| one.index)
    }

    fn new(group: snapshot::Group, deployments: &[Deployment]) -> Result<Self, String> {
        let mut candidates = Vec::with_capacity(group.deployments.len());
        for &index in &group.deployments {
            let deployment = deployments.get(index).ok_or_else(|| {
                format!("group {} names a deployment that does not exist", group.name)
            })?;
            candidates.push(deployment.candidate(index));
        }
        let first = group.deployments.first().map(|&index| deployments[index].tokenizer);
        Ok(Group {
            name: group.name,
            candidates,
            fallbacks: group.fallbacks,
            context_window_fallbacks: group.context_window_fallbacks,
            tokenizer: first.unwrap_or(Family::O200k),
            reach: Vec::new(),
        })
    }
}

pub(crate) fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX / 4)
}
