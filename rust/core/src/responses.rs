//! What OpenAI's Responses API is beyond one request: responses are kept, asked for again, gone on from.
//!
//! Who keeps a response is whoever can. An upstream of the Responses API keeps what it has made, unless it
//! says that it does not; the gateway remembers where that was. Everything else the gateway keeps itself.

pub mod account;
pub mod keeping;
pub mod lookup;
pub mod previous;
mod relay;

/// Whether it may be the id of a response: one of an upstream's making stands in paths and in files.
pub(crate) fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:=".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(allowed) && !matches!(id, "." | "..")
}

/// Characters of the longest id that is remembered.
const LONGEST_ID: usize = 512;

/// A client's word, safe and short enough to be put into a message.
pub(crate) fn shown(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_lead_elsewhere_are_none() {
        assert!(is_id("resp_0f09-a.b:c=="));
        for id in ["", ".", "..", "a/b", "a b", "é", &"a".repeat(LONGEST_ID + 1)] {
            assert!(!is_id(id), "{id}");
        }
    }

    #[test]
    fn a_word_is_shown_without_what_could_break_a_line() {
        assert_eq!(shown("a\r\nb\u{1b}"), "ab");
    }
}
