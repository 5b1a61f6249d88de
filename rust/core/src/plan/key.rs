//! A virtual key, and which models and providers' own APIs it may use.

use crate::keys::{self, Digest};
use crate::limiter::{Limit, bucket_id};
use crate::model_map::ModelMap;
use crate::snapshot;

/// A virtual key and what it may do.
pub struct Key {
    /// Name in logs and metrics.
    pub alias: String,
    pub(super) digest: Digest,
    /// May use the admin endpoints.
    pub admin: bool,
    models: Option<Vec<Pattern>>,
    /// Names that mean other models when this key uses them.
    pub map: ModelMap,
    pass_through: Option<Vec<String>>,
    /// Unix seconds after which it is refused.
    pub expires_at: Option<u64>,
    /// Refused until unblocked.
    pub blocked: bool,
    /// Bucket and limit of requests per minute.
    pub requests: Option<(u128, Limit)>,
    /// Bucket and limit of tokens per minute.
    pub tokens: Option<(u128, Limit)>,
}

/// A model name, or one with a `*` in it.
struct Pattern {
    prefix: String,
    suffix: Option<String>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        match text.split_once('*') {
            Some((prefix, suffix)) => {
                Pattern { prefix: prefix.into(), suffix: Some(suffix.into()) }
            }
            None => Pattern { prefix: text.into(), suffix: None },
        }
    }

    fn matches(&self, name: &str) -> bool {
        match &self.suffix {
            Some(suffix) => star(name, &self.prefix, suffix).is_some(),
            None => name == self.prefix,
        }
    }
}

/// What the `*` stands for in `name`.
pub(crate) fn star<'a>(name: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_suffix(suffix)
}

impl Key {
    pub(super) fn new(key: snapshot::VirtualKey) -> Result<Self, String> {
        let digest = keys::from_hex(&key.digest)
            .ok_or_else(|| format!("the digest of key {} is not 32 bytes of hex", key.alias))?;
        let per_minute = |kind: &str, amount: Option<u64>| {
            amount.map(|amount| (bucket_id(kind, &key.alias), Limit::per_minute(amount)))
        };
        Ok(Key {
            requests: per_minute("key-requests", key.rpm),
            tokens: per_minute("key-tokens", key.tpm),
            map: ModelMap::new(key.model_map),
            pass_through: key.pass_through,
            models: key.models.map(|models| models.iter().map(|text| Pattern::new(text)).collect()),
            alias: key.alias,
            digest,
            admin: key.admin,
            expires_at: key.expires_at,
            blocked: key.blocked,
        })
    }

    /// Whether the key may use the public model `name`.
    #[must_use]
    pub fn may_use(&self, name: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|one| one.matches(name)))
    }

    /// Whether the key may use certain models only.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.models.is_some()
    }

    /// The models that it names in full; none where it may use all.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        let whole = |one: &&Pattern| one.suffix.is_none();
        self.models.iter().flatten().filter(whole).map(|one| &one.prefix)
    }

    /// Whether the key may use the pass-through of that name.
    #[must_use]
    pub fn may_pass(&self, name: &str) -> bool {
        match &self.pass_through {
            Some(names) => names.iter().any(|one| one == name || one == "*"),
            None => !self.is_limited(),
        }
    }
}
