//! Token counting: exact for OpenAI's two vocabularies, a labelled estimate for every other family.
//!
//! A text is cut into pieces as the vocabulary's published pattern would cut it, each piece is looked
//! up whole, and the few that are no token by themselves are merged pair by pair. Nothing is
//! allocated per token. Special tokens in a text are counted as the ordinary text they are.

mod cl100k;
mod classes;
mod counter;
mod estimate;
mod family;
mod long_piece;
mod long_tokens;
mod memo;
mod merge;
mod o200k;
mod pieces;
mod recent;
mod short_tokens;
mod vocabulary;
mod words;

pub use estimate::Estimate;
pub use family::Family;
pub use memo::Memo;

use counter::Counter;
use pieces::Pattern;
use words::plain_word;

/// The number of tokens of `text`, exact or estimated as [`Family::is_exact`] tells.
///
/// The first call for a vocabulary builds its table, see [`warm`].
#[must_use]
pub fn count(family: Family, text: &str) -> usize {
    match family {
        Family::O200k => counter::with_o200k(|counter| total::<o200k::O200k>(counter, text)),
        Family::Cl100k => counter::with_cl100k(|counter| total::<cl100k::Cl100k>(counter, text)),
        Family::Estimate(estimate) => estimate.of_o200k(count(Family::O200k, text), text),
    }
}

/// Builds the table `family` counts with, a few milliseconds of work, unless it is there already.
pub fn warm(family: Family) {
    match family {
        Family::Cl100k => vocabulary::cl100k(),
        Family::O200k | Family::Estimate(_) => vocabulary::o200k(),
    };
}

fn total<P: Pattern>(counter: &mut Counter, text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut start, mut tokens) = (0, 0);
    while start < bytes.len() {
        let end = if let Some((key, width)) = plain_word(bytes, start) {
            tokens += counter.short_piece(key, bytes, start, start + width);
            start + width
        } else {
            let end = P::piece_end(bytes, start);
            tokens += counter.piece(bytes, start, end);
            end
        };
        start = end;
    }
    tokens
}

#[cfg(test)]
mod tests;
