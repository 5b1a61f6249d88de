//! Tokens that were found genuine, so that a signature is checked once and not with every request.
//!
//! An entry is found by the SHA-256 of the whole token. Anything shorter, a prefix say, would let one token be taken
//! for another that begins alike: all tokens of an issuer do.

use std::collections::HashMap;

/// The SHA-256 of a whole token.
pub type Digest = [u8; 32];

/// A bounded cache of what tokens lead to; each entry lasts no longer than its token.
pub struct Cache<T> {
    entries: HashMap<Digest, (T, u64), foldhash::fast::RandomState>,
    room: usize,
}

impl<T: Clone> Cache<T> {
    /// Room for so many tokens.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Cache { entries: HashMap::default(), room }
    }

    /// The digest by which a token is found.
    #[must_use]
    pub fn digest(token: &[u8]) -> Digest {
        let mut out = [0; 32];
        out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token).as_ref());
        out
    }

    /// What the token leads to, if it was seen before and still counts at `now` (Unix seconds).
    #[must_use]
    pub fn get(&self, token: &Digest, now: u64) -> Option<&T> {
        self.entries.get(token).filter(|(_, until)| now < *until).map(|(value, _)| value)
    }

    /// Remembers what a token leads to until `until`. If there is no room, what has expired goes first, then all:
    /// whoever is still there is checked once more.
    pub fn put(&mut self, token: Digest, value: T, until: u64, now: u64) {
        if self.entries.len() >= self.room {
            self.entries.retain(|_, (_, until)| now < *until);
        }
        if self.entries.len() >= self.room {
            self.entries.clear();
        }
        self.entries.insert(token, (value, until));
    }

    /// Forgets everything: keys or rules have changed.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many tokens are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
