//! Whether JSON text that comes in pieces has come whole, without reading it anew with each piece.

/// Watches one text.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    depth: usize,
    in_string: bool,
    escaped: bool,
    whole: bool,
}

impl Whole {
    /// Takes the next piece.
    pub(crate) fn push(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.whole |= self.depth == 0;
                }
                _ => {}
            }
        }
    }

    /// Whether an object or an array has come to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_whole_with_its_last_brace_and_not_before() {
        let text = r#"{"a":["}",{"b":"\"}\\"}],"c":{}}"#;
        let mut whole = Whole::default();
        for at in 0..text.len() {
            assert!(!whole.is_whole(), "at {at}");
            whole.push(&text[at..=at]);
        }
        assert!(whole.is_whole());
    }
}
