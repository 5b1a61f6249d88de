//! Words near a value that say what it is: prose, JSON keys, CSV headers, `key=value`.

use super::text::Text;
use crate::scan::ScanError;
use aho_corasick::AhoCorasick;

/// What a word near the value adds to its score.
pub(super) const BONUS: f32 = 0.35;
/// Bytes looked at before and after the value.
const BEFORE: usize = 64;
const AFTER: usize = 32;

/// The words of one entity.
#[derive(Debug)]
pub(super) struct Context(Option<AhoCorasick>);

impl Context {
    pub(super) fn build(words: &[&str]) -> Result<Self, ScanError> {
        if words.is_empty() {
            return Ok(Context(None));
        }
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        words.map(|words| Context(Some(words))).map_err(|e| ScanError::Engine(e.to_string()))
    }

    /// Whether a word of the entity stands in the 64 bytes before `start` or the 32 after `end`.
    pub(super) fn is_near(&self, text: Text<'_>, start: usize, end: usize) -> bool {
        let Some(words) = &self.0 else { return false };
        let before = start.saturating_sub(BEFORE)..start;
        let after = end..(end + AFTER).min(text.len());
        [before, after].into_iter().any(|window| {
            let offset = window.start;
            words
                .find_overlapping_iter(&text.0[window])
                .any(|word| is_whole_word(text, offset + word.start(), offset + word.end()))
        })
    }
}

/// `dob` in `dob:`, `user_dob`, `userDob`, `dobYear` and `\ndob`, but not in `adobe`.
fn is_whole_word(text: Text<'_>, start: usize, end: usize) -> bool {
    let (first, last, next) = (text.at(start), text.at(end - 1), text.at(end));
    let begins = !text.before(start).is_ascii_alphabetic()
        || !first.is_ascii_alphabetic()
        || (first.is_ascii_uppercase() && text.before(start).is_ascii_lowercase())
        || text.follows_escape(start);
    let plural = next == b's' && !text.at(end + 1).is_ascii_alphabetic();
    let ends = !next.is_ascii_lowercase() || !last.is_ascii_alphabetic() || plural;
    begins && ends
}
