//! The exact cache: a store bounded in bytes with a time to live, least recently used out first.
//!
//! It belongs to one thread. Everything is O(1): a hash map from key to a slot of a slab, and a
//! list through the slab from the most to the least recently used.

mod canonical;
mod list;

use bytes::Bytes;
use list::{Linked, List};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::mem::size_of;
use std::time::Duration;

pub use canonical::request_key;

/// Identifies a request, see [`request_key`].
pub type CacheKey = [u8; 32];

/// What a cached value occupies.
pub trait Weigh {
    /// Bytes held on the heap, `size_of_val(self)` left out.
    fn weight(&self) -> usize;
}

impl Weigh for Bytes {
    /// The length: a slice of a larger buffer keeps all of that buffer alive, so store owned ones.
    fn weight(&self) -> usize {
        self.len()
    }
}

/// The head of a cached reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedHead {
    /// HTTP status.
    pub status: u16,
    /// `content-type`, as received.
    pub content_type: Bytes,
    /// What of the request could not be carried; mostly empty.
    pub dropped: Box<str>,
}

/// A reply as it went to the client, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Status and content type.
    pub head: CachedHead,
    /// The whole body; of a stream, all its events.
    pub body: Bytes,
    /// Index of the deployment that gave it, in the snapshot whose version is in the key's scope.
    pub deployment: usize,
    /// What it cost, in nano-dollars: what is saved each time it is given again.
    pub saved: u64,
}

impl Weigh for Entry {
    fn weight(&self) -> usize {
        self.head.content_type.len() + self.head.dropped.len() + self.body.len()
    }
}

/// A bounded store. Times are monotonic nanoseconds.
pub struct Cache<V> {
    slots: HashMap<Slotted, u32, BuildHasherDefault<FirstWord>>,
    list: List<Stored<V>>,
    bytes: usize,
    max_bytes: usize,
    ttl_ns: u64,
}

struct Stored<V> {
    key: CacheKey,
    expires_at: u64,
    value: V,
}

impl<V: Weigh> Cache<V> {
    /// An empty cache of at most `max_bytes`, in which an entry lives for `ttl`.
    #[must_use]
    pub fn new(max_bytes: usize, ttl: Duration) -> Self {
        Cache {
            slots: HashMap::default(),
            list: List::new(),
            bytes: 0,
            max_bytes,
            ttl_ns: u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// The value under `key`, unless it has expired; makes it the most recently used.
    pub fn get(&mut self, key: &CacheKey, now_ns: u64) -> Option<&V> {
        let slot = *self.slots.get(&Slotted(*key))?;
        if self.list.get(slot)?.expires_at <= now_ns {
            self.drop_slot(slot);
            return None;
        }
        self.list.move_to_front(slot);
        self.list.get(slot).map(|stored| &stored.value)
    }

    /// Keeps `value`, dropping the least recently used ones to make room. False, and nothing kept
    /// under `key`, when the value alone is larger than the cache.
    pub fn put(&mut self, key: CacheKey, value: V, now_ns: u64) -> bool {
        self.remove(&key);
        let weight = Self::weigh(&value);
        if weight > self.max_bytes {
            return false;
        }
        while self.bytes + weight > self.max_bytes {
            let Some(last) = self.list.last() else { break };
            self.drop_slot(last);
        }
        let expires_at = now_ns.saturating_add(self.ttl_ns);
        let slot = self.list.push_front(Stored { key, expires_at, value });
        self.slots.insert(Slotted(key), slot);
        self.bytes += weight;
        true
    }

    /// Forgets `key`; true when it was there.
    pub fn remove(&mut self, key: &CacheKey) -> bool {
        match self.slots.get(&Slotted(*key)) {
            Some(&slot) => {
                self.drop_slot(slot);
                true
            }
            None => false,
        }
    }

    /// Forgets everything and gives the memory back.
    pub fn clear(&mut self) {
        self.slots = HashMap::default();
        self.list = List::new();
        self.bytes = 0;
    }

    /// Entries held, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True when nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Bytes held: values, keys and the tables' own share.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_slot(&mut self, slot: u32) {
        if let Some(stored) = self.list.remove(slot) {
            self.slots.remove(&Slotted(stored.key));
            self.bytes -= Self::weigh(&stored.value);
        }
    }

    fn weigh(value: &V) -> usize {
        // A hash map grows by doubling: between one and two places, each with a control byte, per
        // entry; the slab grows alike.
        let place = size_of::<(Slotted, u32)>() + 1;
        value.weight() + 2 * (place + size_of::<Linked<Stored<V>>>())
    }
}

/// A key as the hash map sees it: it is a hash already, so its first word is its hash.
#[derive(PartialEq, Eq)]
struct Slotted(CacheKey);

impl Hash for Slotted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.first_chunk().map_or(0, |word| u64::from_ne_bytes(*word)));
    }
}

#[derive(Default)]
struct FirstWord(u64);

impl Hasher for FirstWord {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |word, byte| word.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

#[cfg(test)]
mod tests;
