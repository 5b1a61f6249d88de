//! Two small memories of what a vocabulary answered lately, each far closer to the processor than the
//! vocabulary itself.
//!
//! Both are direct-mapped (a thing has one slot, and the latest comer keeps it) and both hold the whole
//! of what they were asked, so that a hit is certain.

use super::vocabulary::{RANK_BITS, Rank};
use super::words::Key;

/// The token counts of recent pieces of at most [`Pieces::LONGEST`] bytes.
pub(super) struct Pieces<const W: usize> {
    /// A piece's bytes, but for the last two, which hold its length and its token count.
    slots: Box<[[u64; W]]>,
    shift: u32,
}

impl<const W: usize> Pieces<W> {
    /// In bytes.
    pub(super) const LONGEST: usize = 8 * W - 2;

    /// A memory of so many pieces, a power of two.
    pub(super) fn new(slots: usize) -> Self {
        Pieces { slots: vec![[0; W]; slots].into(), shift: 64 - slots.trailing_zeros() }
    }

    /// The token count of the piece of `len` bytes with this key, from memory or else from `count`.
    #[inline]
    pub(super) fn tokens(
        &mut self,
        key: Key<W>,
        len: usize,
        count: impl FnOnce() -> usize,
    ) -> usize {
        let slot = &mut self.slots[(key.hash() >> self.shift) as usize];
        let mut wanted = key.0;
        wanted[W - 1] |= (len as u64) << 48;
        let tokens = slot[W - 1] >> 56;
        wanted[W - 1] |= tokens << 56;
        if *slot == wanted {
            return tokens as usize;
        }
        let tokens = count();
        wanted[W - 1] = wanted[W - 1] << 8 >> 8 | (tokens as u64) << 56;
        *slot = wanted;
        tokens
    }
}

/// The ranks of recent pairs of neighbouring tokens.
pub(super) struct Pairs {
    /// The left token's rank, the right one's, and that of both together.
    slots: Box<[u64]>,
}

const PAIR_SLOT_BITS: u32 = 14;

impl Pairs {
    /// An empty memory, of 128 KB.
    pub(super) fn new() -> Self {
        Pairs { slots: vec![0; 1 << PAIR_SLOT_BITS].into() }
    }

    /// The rank of tokens `left` and `right` together, or 0, from memory or else from `look_up`.
    #[inline]
    pub(super) fn rank(&mut self, left: Rank, right: Rank, look_up: impl FnOnce() -> Rank) -> Rank {
        let pair = u64::from(left) << RANK_BITS | u64::from(right);
        let hash = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = &mut self.slots[(hash >> (64 - PAIR_SLOT_BITS)) as usize];
        if *slot >> RANK_BITS != pair {
            *slot = pair << RANK_BITS | u64::from(look_up());
        }
        *slot as Rank & ((1 << RANK_BITS) - 1)
    }
}
