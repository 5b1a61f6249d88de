//! What many keys have in common, kept once.

use crate::plan::{Grants, Policy, Rules, mark_of};
use std::collections::HashMap;
use std::sync::Arc;

/// How many there are at least before those are looked for that nobody uses any more.
const FEWEST: usize = 1024;

/// Policies and rules by a digest of how they are written.
#[derive(Default)]
pub(super) struct Interner {
    policies: Pool<u64, Policy>,
    rules: Pool<[u8; 32], Rules>,
}

impl Interner {
    /// The policy that is written so.
    pub(super) fn policy(&mut self, grants: Grants) -> Result<Arc<Policy>, String> {
        self.policies.get(mark_of(&grants), || Policy::new(grants))
    }

    /// The same rules.
    pub(super) fn rules(&mut self, rules: Rules) -> Arc<Rules> {
        if rules.is_empty() {
            return self.rules.none.clone();
        }
        // Numbers and texts can always be written.
        let text = serde_json::to_vec(&rules).unwrap_or_default();
        let made = self.rules.get(*blake3::hash(&text).as_bytes(), || Ok(rules));
        made.unwrap_or_default()
    }
}

struct Pool<K, V> {
    held: HashMap<K, Arc<V>>,
    none: Arc<V>,
    sweep_at: usize,
}

impl<K, V: Default> Default for Pool<K, V> {
    fn default() -> Self {
        Pool { held: HashMap::new(), none: Arc::default(), sweep_at: FEWEST }
    }
}

impl<K: std::hash::Hash + Eq, V> Pool<K, V> {
    fn get(&mut self, key: K, make: impl FnOnce() -> Result<V, String>) -> Result<Arc<V>, String> {
        if let Some(found) = self.held.get(&key) {
            return Ok(found.clone());
        }
        if self.held.len() >= self.sweep_at {
            self.held.retain(|_, one| Arc::strong_count(one) > 1);
            self.sweep_at = (self.held.len() * 2).max(FEWEST);
        }
        let made = Arc::new(make()?);
        self.held.insert(key, made.clone());
        Ok(made)
    }
}
