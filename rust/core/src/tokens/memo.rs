//! Remembered counts of whole texts: a chat sends its history again with every turn.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::{Family, count};

/// Shorter texts are counted faster than they are looked up and kept.
const SHORTEST: usize = 256;

/// Sets of four, the most recent first.
const WAYS: usize = 4;

/// A bounded memory of token counts, keyed by 128 bits of hash under two seeds of its own.
///
/// It belongs to one thread. What falls out is the least recently used of four texts that share a set.
pub struct Memo {
    seeds: [RandomState; 2],
    sets: Box<[[Entry; WAYS]]>,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Entry {
    hash: [u64; 2],
    tokens: u32,
}

impl Memo {
    /// A memory for at least `entries` texts, of 24 bytes each, rounded up to a power of two.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        let sets = entries.div_ceil(WAYS).next_power_of_two();
        let seeds = [RandomState::default(), RandomState::default()];
        Memo { seeds, sets: vec![[Entry::default(); WAYS]; sets].into() }
    }

    /// The same as [`count`], from memory if this text was counted lately.
    pub fn count(&mut self, family: Family, text: &str) -> usize {
        if text.len() < SHORTEST || text.len() > u32::MAX as usize {
            return count(family, text);
        }
        let hash = self.hash(family, text);
        let set = hash[0] as usize & (self.sets.len() - 1);
        let set = &mut self.sets[set];
        let way = set.iter().position(|entry| entry.hash == hash);
        if let Some(way) = way {
            set[..=way].rotate_right(1);
        } else {
            let tokens = count(family, text) as u32; // at most one a byte, but for a wild estimate
            set.rotate_right(1);
            set[0] = Entry { hash, tokens };
        }
        set[0].tokens as usize
    }

    fn hash(&self, family: Family, text: &str) -> [u64; 2] {
        self.seeds.each_ref().map(|seed| {
            let mut hasher = seed.build_hasher();
            hasher.write(text.as_bytes());
            hasher.write(family.name().as_bytes());
            hasher.finish()
        })
    }
}
