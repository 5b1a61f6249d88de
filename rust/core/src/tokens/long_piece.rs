//! Byte pair merging of a long piece: a heap of pairs over a linked list of parts, `n log n`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::recent::Pairs;
use super::vocabulary::{Rank, Vocabulary};

/// The buffers of one thread, kept between pieces up to a bound.
#[derive(Default)]
pub(super) struct LongPiece {
    /// Rank in the upper, place in the lower half: the lowest is the leftmost pair of the lowest rank.
    pairs: BinaryHeap<Reverse<u64>>,
    parts: Vec<Part>,
}

/// A part by the place of its first byte.
#[derive(Clone, Copy)]
struct Part {
    previous: u32,
    end: u32,
    rank: Rank,
    /// The rank of this part and the next together, or 0; a pair in the heap that says otherwise is
    /// out of date.
    pair: Rank,
}

/// More than this many parts are not worth keeping room for.
const KEPT: usize = 1 << 14;

impl LongPiece {
    /// The number of tokens of `piece`.
    pub(super) fn tokens(
        &mut self,
        vocabulary: &Vocabulary,
        pairs: &mut Pairs,
        piece: &[u8],
    ) -> usize {
        self.split(vocabulary, piece);
        for at in 0..piece.len() {
            self.rate(vocabulary, pairs, piece, at);
        }
        let mut count = piece.len();
        while let Some(Reverse(pair)) = self.pairs.pop() {
            let at = (pair & u64::from(u32::MAX)) as usize;
            if self.parts[at].pair == (pair >> 32) as Rank {
                self.merge(vocabulary, pairs, piece, at);
                count -= 1;
            }
        }
        self.shrink();
        count
    }

    fn split(&mut self, vocabulary: &Vocabulary, piece: &[u8]) {
        self.parts.clear();
        self.parts.extend((0..).zip(piece).map(|(at, &byte): (u32, _)| Part {
            previous: at.wrapping_sub(1),
            end: at + 1,
            rank: vocabulary.byte_rank(byte),
            pair: 0,
        }));
    }

    /// Makes one part of the part at `at` and the next.
    fn merge(&mut self, vocabulary: &Vocabulary, pairs: &mut Pairs, piece: &[u8], at: usize) {
        let next = self.parts[at].end as usize;
        let end = self.parts[next].end;
        self.parts[next].pair = 0;
        self.parts[at].rank = self.parts[at].pair;
        self.parts[at].end = end;
        if let Some(after) = self.parts.get_mut(end as usize) {
            after.previous = at as u32;
        }
        self.rate(vocabulary, pairs, piece, at);
        if at > 0 {
            self.rate(vocabulary, pairs, piece, self.parts[at].previous as usize);
        }
    }

    /// Looks up the part at `at` together with the next, and remembers the pair if it is a token.
    fn rate(&mut self, vocabulary: &Vocabulary, pairs: &mut Pairs, piece: &[u8], at: usize) {
        let part = self.parts[at];
        let rank = self.parts.get(part.end as usize).map_or(0, |next| {
            let look_up = || vocabulary.unlikely_rank(piece, at, next.end as usize);
            pairs.rank(part.rank, next.rank, look_up)
        });
        self.parts[at].pair = rank;
        if rank != 0 {
            self.pairs.push(Reverse(u64::from(rank) << 32 | at as u64));
        }
    }

    fn shrink(&mut self) {
        self.parts.clear();
        self.parts.shrink_to(KEPT);
        self.pairs.shrink_to(KEPT);
    }
}
