//! Counting the tokens of one piece, with what a thread remembers of the pieces before.

use std::cell::RefCell;

use super::long_piece::LongPiece;
use super::merge;
use super::recent::{Pairs, Pieces};
use super::vocabulary::{self, Vocabulary};
use super::words::Key;

/// A vocabulary, and one thread's memory of the pieces and pairs met lately.
pub(super) struct Counter {
    vocabulary: &'static Vocabulary,
    short: Pieces<2>,
    middling: Pieces<4>,
    pairs: Pairs,
    long: LongPiece,
}

/// Runs `work` with this thread's counter for o200k_base.
pub(super) fn with_o200k<T>(work: impl FnOnce(&mut Counter) -> T) -> T {
    thread_local! {
        static COUNTER: RefCell<Counter> = RefCell::new(Counter::new(vocabulary::o200k()));
    }
    COUNTER.with_borrow_mut(work)
}

/// Runs `work` with this thread's counter for cl100k_base.
pub(super) fn with_cl100k<T>(work: impl FnOnce(&mut Counter) -> T) -> T {
    thread_local! {
        static COUNTER: RefCell<Counter> = RefCell::new(Counter::new(vocabulary::cl100k()));
    }
    COUNTER.with_borrow_mut(work)
}

impl Counter {
    fn new(vocabulary: &'static Vocabulary) -> Self {
        Counter {
            vocabulary,
            short: Pieces::new(16384),
            middling: Pieces::new(4096),
            pairs: Pairs::new(),
            long: LongPiece::default(),
        }
    }

    /// The number of tokens of the piece `text[start..end]`.
    #[inline]
    pub(super) fn piece(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        match end - start {
            len if len <= Pieces::<2>::LONGEST => {
                self.short_piece(Key::of(text, start, len), text, start, end)
            }
            len if len <= Pieces::<4>::LONGEST => {
                let (vocabulary, pairs) = (self.vocabulary, &mut self.pairs);
                let count = || merged(vocabulary, pairs, text, start, end);
                self.middling.tokens(Key::of(text, start, len), len, count)
            }
            _ => self.long_piece(text, start, end),
        }
    }

    /// The same for a piece whose key is at hand already.
    #[inline]
    pub(super) fn short_piece(
        &mut self,
        key: Key<2>,
        text: &[u8],
        start: usize,
        end: usize,
    ) -> usize {
        let (vocabulary, pairs) = (self.vocabulary, &mut self.pairs);
        self.short.tokens(key, end - start, || merged(vocabulary, pairs, text, start, end))
    }

    #[inline(never)]
    fn long_piece(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let (vocabulary, pairs) = (self.vocabulary, &mut self.pairs);
        if vocabulary.rank(text, start, end) != 0 {
            return 1;
        }
        match end - start {
            ..=128 => merge::tokens::<128>(vocabulary, pairs, text, start, end),
            _ => self.long.tokens(vocabulary, pairs, &text[start..end]),
        }
    }

    #[cfg(test)]
    pub(super) fn merged_as_long(&mut self, piece: &[u8]) -> usize {
        self.long.tokens(self.vocabulary, &mut self.pairs, piece)
    }

    #[cfg(test)]
    pub(super) fn merged_on_the_stack(&mut self, piece: &[u8]) -> usize {
        merge::tokens::<128>(self.vocabulary, &mut self.pairs, piece, 0, piece.len())
    }
}

#[inline(never)]
fn merged(
    vocabulary: &Vocabulary,
    pairs: &mut Pairs,
    text: &[u8],
    start: usize,
    end: usize,
) -> usize {
    if vocabulary.rank(text, start, end) != 0 {
        return 1;
    }
    merge::tokens::<32>(vocabulary, pairs, text, start, end)
}
