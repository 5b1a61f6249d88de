//! Token counting: exact for OpenAI's two vocabularies, a labelled estimate for every other family.
//!
//! A text is cut into pieces as the vocabulary's published pattern would cut it, each piece is looked
//! up whole, and the few that are no token by themselves are merged pair by pair. Nothing is
//! allocated per token. Special tokens in a text are counted as the ordinary text they are.

mod cl100k;
mod classes;
mod family;
mod longpiece;
mod memo;
mod merge;
mod o200k;
mod pieces;
mod scratch;
mod vocabulary;
mod words;

pub use family::{Estimate, Family};
pub use memo::Memo;

use pieces::Pattern;
use scratch::Scratch;
use vocabulary::Vocabulary;

/// The number of tokens of `text`, exact or estimated as [`Family::is_exact`] tells.
///
/// The first call for a vocabulary builds its table, see [`warm`].
#[must_use]
pub fn count(family: Family, text: &str) -> usize {
    match family {
        Family::O200k => count_exactly::<o200k::O200k>(vocabulary::o200k(), text),
        Family::Cl100k => count_exactly::<cl100k::Cl100k>(vocabulary::cl100k(), text),
        Family::Estimate(estimate) => estimate.from_o200k(count(Family::O200k, text)),
    }
}

/// Builds the table `family` counts with, a few milliseconds of work, unless it is there already.
pub fn warm(family: Family) {
    match family {
        Family::Cl100k => vocabulary::cl100k(),
        Family::O200k | Family::Estimate(_) => vocabulary::o200k(),
    };
}

fn count_exactly<P: Pattern>(vocabulary: &Vocabulary, text: &str) -> usize {
    Scratch::with(|scratch| {
        let bytes = text.as_bytes();
        let (mut start, mut tokens) = (0, 0);
        while start < bytes.len() {
            let end = P::piece_end(bytes, start);
            tokens += piece_tokens(vocabulary, scratch, bytes, start, end);
            start = end;
        }
        tokens
    })
}

#[inline]
fn piece_tokens(
    vocabulary: &Vocabulary,
    scratch: &mut Scratch,
    text: &[u8],
    start: usize,
    end: usize,
) -> usize {
    if vocabulary.rank(text, start, end).is_some() {
        return 1;
    }
    scratch.merged(vocabulary, text, start, end)
}

