//! Who shows a token of an issuer instead of a key.

use super::Shop;
use crate::error::{Class, Error, Result};
use crate::jwt::{self, Cache, Jwks, Verified};
use crate::log::Log;
use crate::plan::{Key, NodeKind, Plan, Slot};
use crate::shm::{Shared, Word};
use crate::snapshot::JwtFindBy;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

/// Tokens that are remembered per worker; some 1 KB each.
const REMEMBERED: usize = 16_384;

/// What a token led to, and what that stood on.
#[derive(Clone)]
struct Known {
    key: Arc<Key>,
    /// The keys of its issuer that it was checked by.
    keys: Arc<Jwks>,
    /// The version of the configuration.
    version: Arc<str>,
    /// The directory's epoch in which its nodes were looked for.
    epoch: u64,
}

/// The tokens that a worker has seen and found genuine.
pub struct Tokens {
    known: Mutex<Cache<Known>>,
    shared: Arc<Shared>,
}

impl Tokens {
    /// None yet.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Tokens { known: Mutex::new(Cache::new(REMEMBERED)), shared }
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How often keys were wanted that are not known, by all workers.
    #[cfg(test)]
    pub fn wanted_keys(&self) -> u64 {
        self.shared.word(Word::WantedIssuerKeys).load(Relaxed)
    }

    /// Tells the bookkeeper that a token names a key which is not known: the issuer may have new ones.
    fn want_keys(&self, log: &Log) {
        self.shared.word(Word::WantedIssuerKeys).fetch_add(1, Relaxed);
        log.warn("a token names a signing key that is not known", &[]);
    }
}

impl Shop {
    /// Who shows this token, at this time (Unix microseconds).
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is not genuine or counts no more, `PermissionDenied` for one whose
    /// holder is nobody here or is blocked.
    pub(super) fn principal(&self, plan: &Plan, shown: &[u8], now: u64) -> Result<Arc<Key>> {
        if plan.issuers.is_empty() {
            let message = "Tokens of issuers are not taken here.";
            return Err(Error::new(Class::Unauthenticated, message));
        }
        if shown.len() > jwt::MAX_BYTES {
            return Err(Error::new(Class::Unauthenticated, "The token is too long."));
        }
        let (digest, seconds) = (Cache::<Known>::digest(shown), now / 1_000_000);
        if let Some(key) = self.remembered(plan, &digest, seconds) {
            return Ok(key);
        }
        let (verified, keys) = self.verify(plan, shown, seconds)?;
        let epoch = self.directory.epoch();
        let key = Arc::new(jwt::principal(&verified, &self.directory)?);
        if key.nodes.barred().is_some() {
            let message = "What the token names is blocked.";
            return Err(Error::new(Class::PermissionDenied, message));
        }
        let version = plan.version.as_str().into();
        let known = Known { key: key.clone(), keys, version, epoch };
        let mut cache = self.tokens.known.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(digest, known, verified.until, seconds);
        Ok(key)
    }

    /// Whom a token names, in the issuer's own words, and the keys that it was checked by.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn verify(&self, plan: &Plan, shown: &[u8], now: u64) -> Result<(Verified, Arc<Jwks>)> {
        let of_issuer = |url: &str| self.directory.issuer(url).map(|issuer| issuer.keys.clone());
        plan.issuers.verify(shown, &of_issuer, now).map_err(|refusal| {
            if refusal.may_be_cured_by_new_keys() {
                self.tokens.want_keys(&self.log);
            }
            refusal.into()
        })
    }

    /// What a token led to before, if all of that still stands.
    fn remembered(&self, plan: &Plan, token: &jwt::Digest, now: u64) -> Option<Arc<Key>> {
        let known = {
            let cache = self.tokens.known.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(token, now)?.clone()
        };
        let stands = *known.version == *plan.version
            && known.epoch == self.directory.epoch()
            && plan.issuers.still_has(&known.keys, |url| {
                self.directory.issuer(url).map(|issuer| issuer.keys.clone())
            })
            && known.key.nodes.barred().is_none();
        stands.then_some(known.key)
    }
}

impl jwt::Find for crate::directory::Directory {
    fn find(&self, kind: NodeKind, by: JwtFindBy, word: &str) -> Vec<Arc<Slot>> {
        self.nodes_named(kind, by, word)
    }
}
