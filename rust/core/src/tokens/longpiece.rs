//! Byte pair merging of a long piece: a heap of pairs over a linked list of parts, `n log n`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::Vocabulary;

/// The buffers of one thread, kept between pieces up to a bound.
#[derive(Default)]
pub(super) struct LongPiece {
    /// Rank in the upper, place in the lower half: the lowest is the leftmost pair of the lowest rank.
    pairs: BinaryHeap<Reverse<u64>>,
    parts: Vec<Part>,
}

/// A part by the place of its first byte. A part that was merged into another has no `end`.
#[derive(Clone, Copy)]
struct Part {
    previous: u32,
    end: u32,
    /// The rank of this part and the next together as last pushed; a pair in the heap that says
    /// otherwise is out of date.
    rank: u32,
}

const NONE: u32 = u32::MAX;

/// More than this many parts are not worth keeping room for.
const KEPT: usize = 1 << 14;

impl LongPiece {
    /// The number of tokens of `piece`.
    pub(super) fn count(&mut self, vocabulary: &Vocabulary, piece: &[u8]) -> usize {
        self.split(piece.len() as u32);
        for at in 0..piece.len() {
            self.rate(vocabulary, piece, at);
        }
        let mut count = piece.len();
        while let Some(Reverse(pair)) = self.pairs.pop() {
            let at = (pair & u64::from(NONE)) as usize;
            if self.parts[at].rank == (pair >> 32) as u32 {
                self.merge(vocabulary, piece, at);
                count -= 1;
            }
        }
        self.shrink();
        count
    }

    fn split(&mut self, len: u32) {
        self.parts.clear();
        self.parts.extend((0..len).map(|at| Part {
            previous: at.checked_sub(1).unwrap_or(NONE),
            end: at + 1,
            rank: NONE,
        }));
    }

    /// Makes one part of the part at `at` and the next.
    fn merge(&mut self, vocabulary: &Vocabulary, piece: &[u8], at: usize) {
        let next = self.parts[at].end as usize;
        let end = self.parts[next].end;
        self.parts[next].rank = NONE;
        self.parts[at].end = end;
        if let Some(after) = self.parts.get_mut(end as usize) {
            after.previous = at as u32;
        }
        self.rate(vocabulary, piece, at);
        if self.parts[at].previous != NONE {
            self.rate(vocabulary, piece, self.parts[at].previous as usize);
        }
    }

    /// Looks up the part at `at` together with the next, and remembers the pair if it is a token.
    fn rate(&mut self, vocabulary: &Vocabulary, piece: &[u8], at: usize) {
        let next = self.parts.get(self.parts[at].end as usize).map(|next| next.end as usize);
        let rank = next.and_then(|end| vocabulary.rank(piece, at, end)).map_or(NONE, |r| r.get());
        self.parts[at].rank = rank;
        if rank != NONE {
            self.pairs.push(Reverse(u64::from(rank) << 32 | at as u64));
        }
    }

    fn shrink(&mut self) {
        self.parts.clear();
        self.parts.shrink_to(KEPT);
        self.pairs.shrink_to(KEPT);
    }
}
