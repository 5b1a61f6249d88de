//! What of a reply its client's dialect has no place for.
//!
//! It is named in the reply itself: the headers of a stream have long gone when it comes. A whole reply says
//! it as its stream does.

use crate::chat::Block;
use crate::writer::Writer;

/// The member of a whole reply, and of the event that ends a stream, that holds the names.
const MEMBER: &str = "llmgw_dropped";
/// How many names are kept.
const MOST: usize = 64;
/// Bytes of one name: types of blocks come from upstreams.
const LONGEST: usize = 64;

/// The names of what was left out, each once, in order.
#[derive(Debug, Default)]
pub(crate) struct Lost(Vec<String>);

impl Lost {
    /// Notes something by its name.
    pub(crate) fn add(&mut self, name: &str) {
        let is_name = |c: &char| c.is_ascii_alphanumeric() || "_-. ()".contains(*c);
        let name: String = name.chars().filter(is_name).take(LONGEST).collect();
        if self.0.len() < MOST && !name.is_empty() && !self.0.contains(&name) {
            self.0.push(name);
        }
    }

    /// Notes something by its name, if it was there.
    pub(crate) fn add_if(&mut self, given: bool, name: &str) {
        if given {
            self.add(name);
        }
    }

    /// Notes a block by what it is.
    pub(crate) fn block(&mut self, block: &Block<'_>) {
        self.add(block.kind());
    }

    /// Whether nothing was lost.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the member, if anything was lost.
    pub(crate) fn write(&self, w: &mut Writer) {
        if !self.is_empty() {
            w.key(MEMBER).array(|w| self.0.iter().for_each(|name| w.string(name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_told_once_and_in_plain_characters() {
        let mut lost = Lost::default();
        ["image", "a\"\n,b", "image"].iter().for_each(|name| lost.add(name));
        let mut w = Writer::new();
        w.object(|w| lost.write(w));
        assert_eq!(w.finish(), br#"{"llmgw_dropped":["image","ab"]}"#);
    }

    #[test]
    fn where_nothing_was_lost_nothing_is_written() {
        let mut w = Writer::new();
        w.object(|w| Lost::default().write(w));
        assert_eq!(w.finish(), b"{}");
    }
}
