//! Byte pair merging of a piece of at most `N` bytes, on the stack.

use super::recent::Pairs;
use super::vocabulary::{Rank, Vocabulary};

/// The number of tokens of `text[start..end]`, of 2 to `N` bytes; `N` is at most 128 and a multiple of
/// [`LANES`].
pub(super) fn tokens<const N: usize>(
    vocabulary: &Vocabulary,
    pairs: &mut Pairs,
    text: &[u8],
    start: usize,
    end: usize,
) -> usize {
    let mut parts = Parts::<N>::new(vocabulary, pairs, text, start, end);
    let mut tokens = end - start;
    while let Some(at) = parts.lowest() {
        parts.merge(at);
        tokens -= 1;
    }
    tokens
}

/// How many pairs are compared at a time.
const LANES: usize = 16;

/// The low bits of a candidate: the place of its left part.
const PLACE_BITS: u32 = 7;

const NONE: u32 = u32::MAX;

/// A piece in parts, each known by the place of its first byte.
struct Parts<'a, const N: usize> {
    vocabulary: &'a Vocabulary,
    pairs: &'a mut Pairs,
    /// The text the piece lies in: a look-up near the end of the piece may load what follows.
    text: &'a [u8],
    start: usize,
    len: usize,
    /// The rank of each part.
    ranks: [Rank; N],
    /// For each part the rank of it and the next together, then its place; [`NONE`] if that is no
    /// token. The smallest is the leftmost pair of the lowest rank.
    candidates: [u32; N],
    /// Where each part ends, which is where the next begins.
    ends: [u8; N],
    /// Where the part before begins.
    previous: [u8; N],
}

impl<'a, const N: usize> Parts<'a, N> {
    fn new(
        vocabulary: &'a Vocabulary,
        pairs: &'a mut Pairs,
        text: &'a [u8],
        start: usize,
        end: usize,
    ) -> Self {
        let piece = &text[start..end];
        let mut parts = Parts {
            vocabulary,
            pairs,
            text,
            start,
            len: piece.len(),
            ranks: [0; N],
            candidates: [NONE; N],
            ends: std::array::from_fn(|at| at as u8 + 1),
            previous: std::array::from_fn(|at| (at as u8).wrapping_sub(1)),
        };
        for (rank, &byte) in parts.ranks.iter_mut().zip(piece) {
            *rank = vocabulary.byte_rank(byte);
        }
        for (at, pair) in piece.windows(2).enumerate() {
            parts.candidates[at] = candidate(vocabulary.two_bytes_rank(pair[0], pair[1]), at);
        }
        parts
    }

    /// The place of the pair to merge next.
    #[inline]
    fn lowest(&self) -> Option<usize> {
        let used = self.len.next_multiple_of(LANES).min(N);
        let mut lowest = [NONE; LANES];
        for lanes in self.candidates[..used].chunks_exact(LANES) {
            for (lowest, &candidate) in lowest.iter_mut().zip(lanes) {
                *lowest = candidate.min(*lowest);
            }
        }
        let lowest = lowest.into_iter().min().unwrap_or(NONE);
        (lowest != NONE).then_some(lowest as usize & ((1 << PLACE_BITS) - 1))
    }

    /// Makes one part of the part at `at` and the next.
    #[inline]
    fn merge(&mut self, at: usize) {
        let next = usize::from(self.ends[at]);
        let end = usize::from(self.ends[next]);
        self.ranks[at] = self.candidates[at] >> PLACE_BITS;
        self.ends[at] = end as u8;
        self.candidates[next] = NONE;
        if end < self.len {
            self.previous[end] = at as u8;
        }
        self.rate(at);
        if at > 0 {
            self.rate(usize::from(self.previous[at]));
        }
    }

    /// Looks up the part at `at` together with the next.
    #[inline]
    fn rate(&mut self, at: usize) {
        let next = usize::from(self.ends[at]);
        if next >= self.len {
            self.candidates[at] = NONE;
            return;
        }
        let end = usize::from(self.ends[next]);
        let (vocabulary, text, start) = (self.vocabulary, self.text, self.start);
        let rank = self.pairs.rank(self.ranks[at], self.ranks[next], || {
            vocabulary.unlikely_rank(text, start + at, start + end)
        });
        self.candidates[at] = candidate(rank, at);
    }
}

#[inline]
fn candidate(rank: Rank, at: usize) -> u32 {
    if rank == 0 { NONE } else { rank << PLACE_BITS | at as u32 }
}
