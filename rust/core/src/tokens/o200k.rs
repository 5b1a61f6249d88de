//! How o200k_base cuts a text: words by the case of their letters, with the sign before them.
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
//! ```

use super::classes::{self, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, UNCASED, UPPER};
use super::pieces::{Blank, Pattern, contraction_end, number_end, symbols_end};
use super::words::ascii_lower_end;

/// The pattern of o200k_base.
pub(super) struct O200k;

impl Pattern for O200k {
    #[inline]
    fn piece_end(text: &[u8], start: usize) -> usize {
        let (class, width) = classes::at(text, start);
        match class {
            // A mark counts as a letter here: it may be the sign before a word, but a word with it as
            // its first letter is cut at the same place.
            UPPER | LOWER | UNCASED | MARK => contraction_end(text, word_end(text, start)),
            NUMBER => number_end(text, start),
            NEWLINE => Blank::at(text, start).piece_end(text, start),
            _ => signed_end(text, start, class, start + width),
        }
    }
}

/// The end of the piece at `start`, where a space or a symbol of that class is, up to `behind`.
#[inline]
fn signed_end(text: &[u8], start: usize, class: u8, behind: usize) -> usize {
    let (next, _) = classes::at(text, behind);
    if next & (LETTER | MARK) != 0 {
        contraction_end(text, word_end(text, behind))
    } else if class == OTHER || (next == OTHER && text[start] == b' ') {
        slashes_end(text, symbols_end(text, behind))
    } else {
        Blank::at(text, start).piece_end(text, start)
    }
}

/// The end of the longest word at `start` in the sense of the first two lines of the pattern, or
/// `start`: capitals, then small letters; or, when no small letter follows, up to the last letter
/// without case; or capitals only.
#[inline]
fn word_end(text: &[u8], start: usize) -> usize {
    let (mut end, mut after_uncased) = (start, None);
    loop {
        let (class, width) = classes::at(text, end);
        if class & (UPPER | UNCASED | MARK) == 0 {
            break;
        }
        end += width;
        if class != UPPER {
            after_uncased = Some(end);
        }
    }
    let small_end = small_letters_end(text, end);
    if small_end > end { small_end } else { after_uncased.unwrap_or(end) }
}

/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]*`
#[inline]
fn small_letters_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        end = ascii_lower_end(text, end);
        let (class, width) = classes::at(text, end);
        if class & (LOWER | UNCASED | MARK) == 0 {
            return end;
        }
        end += width;
    }
}

/// `[\r\n/]*`
#[inline]
fn slashes_end(text: &[u8], mut end: usize) -> usize {
    while let Some(b'\r' | b'\n' | b'/') = text.get(end) {
        end += 1;
    }
    end
}
