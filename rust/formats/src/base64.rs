//! Base64, in which JSON carries bytes: both alphabets, with and without padding.

use std::borrow::Cow;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes in the standard alphabet, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place > chunk.len() {
                out.push('=');
            } else {
                let index = (bits >> (18 - 6 * place)) & 63;
                out.push(char::from(ALPHABET[index as usize]));
            }
        }
    }
    out
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
    fn the_other_alphabet_becomes_the_standard_one() {
        assert_eq!(standard("-_8".into()), "+/8=");
        assert!(matches!(standard("AAAA".into()), Cow::Borrowed("AAAA")));
    }
}
