//! Base64, in which JSON carries bytes: both alphabets, with and without padding.

use std::borrow::Cow;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes in the standard alphabet, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut encoder = Encoder::default();
    encoder.push(bytes);
    encoder.finish()
}

/// Writes bytes that come bit by bit, so that they need not be held twice.
#[derive(Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
    /// What is not three bytes yet.
    rest: Vec<u8>,
}

impl Encoder {
    /// Takes what comes next.
    pub fn push(&mut self, mut bytes: &[u8]) {
        self.out.reserve(bytes.len().div_ceil(3) * 4 + 4);
        while !self.rest.is_empty() && self.rest.len() < 3 {
            let Some((first, others)) = bytes.split_first() else { return };
            self.rest.push(*first);
            bytes = others;
        }
        if let [a, b, c] = self.rest[..] {
            self.out.extend_from_slice(&digits([a, b, c]));
            self.rest.clear();
        }
        let mut threes = bytes.chunks_exact(3);
        for three in threes.by_ref() {
            self.out.extend_from_slice(&digits([three[0], three[1], three[2]]));
        }
        self.rest.extend_from_slice(threes.remainder());
    }

    /// The text of all that came.
    #[must_use]
    pub fn finish(mut self) -> String {
        if !self.rest.is_empty() {
            let missing = 3 - self.rest.len();
            self.rest.resize(3, 0);
            let mut last = digits([self.rest[0], self.rest[1], self.rest[2]]);
            last[4 - missing..].fill(b'=');
            self.out.extend_from_slice(&last);
        }
        // It is ASCII throughout.
        String::from_utf8(self.out).unwrap_or_default()
    }
}

fn digits(three: [u8; 3]) -> [u8; 4] {
    let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift) as usize & 63])
}

/// Reads either alphabet; nothing if the text is no base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for chunk in text.chunks(4) {
        let mut bits = 0_u32;
        for &letter in chunk {
            bits = bits << 6 | digit(letter)?;
        }
        let whole = match chunk.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bits <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(out)
}

fn digit(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// The text in the alphabet that everybody else reads. Google's Python SDK sends the other one.
pub(crate) fn standard(text: Cow<'_, str>) -> Cow<'_, str> {
    let other = memchr::memchr2(b'-', b'_', text.as_bytes()).is_some();
    let missing = text.len().next_multiple_of(4) - text.len();
    if !other && missing == 0 {
        return text;
    }
    let mut own = text.replace('-', "+").replace('_', "/");
    own.extend(std::iter::repeat_n('=', missing));
    Cow::Owned(own)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_reads_the_same_again() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xfb\xff\xfe", "+//+"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
            assert_eq!(decode(text.trim_end_matches('=')).unwrap(), bytes);
        }
        assert_eq!(decode("-__-").unwrap(), b"\xfb\xff\xfe");
        assert_eq!(decode("a"), None);
        assert_eq!(decode("a b="), None);
    }

    #[test]
    fn what_comes_in_pieces_is_written_as_what_comes_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        for size in 1..=bytes.len() {
            let mut encoder = Encoder::default();
            bytes.chunks(size).for_each(|piece| encoder.push(piece));
            assert_eq!(encoder.finish(), encode(&bytes), "in pieces of {size}");
        }
    }

    #[test]
    fn the_other_alphabet_becomes_the_standard_one() {
        assert_eq!(standard("-_8".into()), "+/8=");
        assert!(matches!(standard("AAAA".into()), Cow::Borrowed("AAAA")));
    }
}
