//! Byte pair merging of a short piece, on the stack.

use super::vocabulary::Vocabulary;
use super::words::KEY_BYTES;

/// The longest piece merged here, in bytes: beyond it, searching the whole piece for the next pair
/// costs more than keeping the pairs in order.
pub(super) const SHORT: usize = 64;

const NO_PAIR: u32 = u32::MAX;

/// The number of tokens of `text[start..end]`, at most [`SHORT`] bytes.
pub(super) fn short(vocabulary: &Vocabulary, text: &[u8], start: usize, end: usize) -> usize {
    let mut parts = Parts::new(vocabulary, &text[start..end]);
    while let Some(at) = parts.lowest() {
        parts.merge(at);
    }
    parts.count
}

/// A piece in parts: part `i` is `bytes[borders[i]..borders[i + 1]]`, and `ranks[i]` is the rank of
/// parts `i` and `i + 1` together.
struct Parts<'a> {
    vocabulary: &'a Vocabulary,
    /// The piece, with room behind it so that every look-up may load whole words.
    bytes: [u8; SHORT + KEY_BYTES],
    borders: [u8; SHORT + 1],
    ranks: [u32; SHORT],
    count: usize,
}

impl<'a> Parts<'a> {
    fn new(vocabulary: &'a Vocabulary, piece: &[u8]) -> Self {
        let mut bytes = [0; SHORT + KEY_BYTES];
        bytes[..piece.len()].copy_from_slice(piece);
        let borders = std::array::from_fn(|at| at as u8);
        let ranks = [NO_PAIR; SHORT];
        let mut parts = Parts { vocabulary, bytes, borders, ranks, count: piece.len() };
        for at in 0..piece.len() - 1 {
            parts.rate(at);
        }
        parts
    }

    /// The leftmost pair of the lowest rank.
    fn lowest(&self) -> Option<usize> {
        let mut lowest = (NO_PAIR, 0);
        for (at, &rank) in self.ranks[..self.count - 1].iter().enumerate() {
            if rank < lowest.0 {
                lowest = (rank, at);
            }
        }
        (lowest.0 != NO_PAIR).then_some(lowest.1)
    }

    /// Makes one part of parts `at` and `at + 1`.
    fn merge(&mut self, at: usize) {
        self.borders.copy_within(at + 2..=self.count, at + 1);
        self.ranks.copy_within(at + 1..self.count, at);
        self.count -= 1;
        if at + 1 < self.count {
            self.rate(at);
        }
        if at > 0 {
            self.rate(at - 1);
        }
    }

    fn rate(&mut self, at: usize) {
        let (start, end) = (usize::from(self.borders[at]), usize::from(self.borders[at + 2]));
        let rank = self.vocabulary.rank(&self.bytes, start, end);
        self.ranks[at] = rank.map_or(NO_PAIR, |rank| rank.get());
    }
}
