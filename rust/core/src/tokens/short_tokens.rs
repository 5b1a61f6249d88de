//! The short tokens of a vocabulary, nineteen in twenty: an open-addressed table that holds their bytes
//! in its slots, four slots to a cache line, so that a look-up mostly touches one line.

use super::vocabulary::Rank;
use super::words::Key;

/// A map from at most [`ShortTokens::LONGEST`] bytes to a rank.
pub(super) struct ShortTokens {
    lines: Box<[Line]>,
    shift: u32,
}

/// Four slots, filled from the first on. A slot is a token's bytes, then its length (4 bits) and its
/// rank; an empty one is 0.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([[u64; 2]; 4]);

const LEN_SHIFT: u32 = 8 * (ShortTokens::LONGEST as u32 - 8);
const RANK_SHIFT: u32 = LEN_SHIFT + 4;
const LABEL: u64 = (1 << RANK_SHIFT) - 1;

impl ShortTokens {
    /// In bytes: what is left of a slot's 16 beside length and rank.
    pub(super) const LONGEST: usize = 13;

    /// An empty table with room for so many, at most seven eighths full.
    pub(super) fn with_room(tokens: usize) -> Self {
        let lines = (tokens * 8 / 7).next_power_of_two().max(8) / 4;
        ShortTokens { lines: vec![Line([[0; 2]; 4]); lines].into(), shift: 64 - lines.ilog2() }
    }

    pub(super) fn insert(&mut self, hash: u64, key: Key<2>, len: usize, rank: Rank) {
        let mut at = self.home(hash);
        loop {
            if let Some(free) = self.lines[at].0.iter_mut().find(|slot| slot[1] == 0) {
                let [first, label] = labelled(key, len);
                *free = [first, label | u64::from(rank) << RANK_SHIFT];
                return;
            }
            at = self.next(at);
        }
    }

    /// The rank of the `len` bytes of `key`, or 0.
    #[inline]
    pub(super) fn rank(&self, hash: u64, key: Key<2>, len: usize) -> Rank {
        let [first, label] = labelled(key, len);
        let mut at = self.home(hash);
        loop {
            for slot in &self.lines[at].0 {
                if slot[0] == first && slot[1] & LABEL == label {
                    return (slot[1] >> RANK_SHIFT) as Rank;
                }
            }
            if self.lines[at].0[3][1] == 0 {
                return 0;
            }
            at = self.next(at);
        }
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.lines.len() - 1)
    }
}

#[inline]
fn labelled(key: Key<2>, len: usize) -> [u64; 2] {
    [key.0[0], key.0[1] | (len as u64) << LEN_SHIFT]
}
