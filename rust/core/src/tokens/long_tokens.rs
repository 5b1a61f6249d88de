//! The long tokens of a vocabulary: an open-addressed table that points into the packed bytes.

use super::vocabulary::{RANK_BITS, Rank};

const LEN_BITS: u32 = 8;
const TAG_BITS: u32 = 17;
const RANK_SHIFT: u32 = LEN_BITS + TAG_BITS;
const OFFSET_SHIFT: u32 = RANK_SHIFT + RANK_BITS;
const LABEL: u64 = (1 << RANK_SHIFT) - 1;

/// A map from bytes, at most 255 of them, to a rank.
pub(super) struct LongTokens {
    bytes: &'static [u8],
    /// From below: a token's length, a tag from its hash, its rank, its place in the bytes; 0 if empty.
    slots: Box<[u64]>,
    shift: u32,
    longest: usize,
}

impl LongTokens {
    /// An empty table with room for so many tokens, which lie in `bytes`.
    pub(super) fn with_room(tokens: usize, bytes: &'static [u8]) -> Self {
        let slots = (2 * tokens).next_power_of_two().max(2);
        LongTokens { bytes, slots: vec![0; slots].into(), shift: 64 - slots.ilog2(), longest: 0 }
    }

    pub(super) fn insert(&mut self, hash: u64, start: usize, len: usize, rank: Rank) {
        let mut at = self.home(hash);
        while self.slots[at] != 0 {
            at = self.next(at);
        }
        let place = (start as u64) << OFFSET_SHIFT | u64::from(rank) << RANK_SHIFT;
        self.slots[at] = place | label(hash, len);
        self.longest = self.longest.max(len);
    }

    /// The rank of `piece`, or 0.
    pub(super) fn rank(&self, hash: u64, piece: &[u8]) -> Rank {
        if piece.len() > self.longest {
            return 0;
        }
        let label = label(hash, piece.len());
        let mut at = self.home(hash);
        while self.slots[at] != 0 {
            let slot = self.slots[at];
            let start = (slot >> OFFSET_SHIFT) as usize;
            if slot & LABEL == label && self.bytes.get(start..start + piece.len()) == Some(piece) {
                return (slot >> RANK_SHIFT) as Rank & ((1 << RANK_BITS) - 1);
            }
            at = self.next(at);
        }
        0
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}

#[inline]
fn label(hash: u64, len: usize) -> u64 {
    (hash << LEN_BITS | len as u64) & LABEL
}
