//! Base64, in which JSON carries bytes: Converse's `Blob` members.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group = (0..3).fold(0, |sum, at| sum << 8 | three.get(at).map_or(0, |b| u32::from(*b)));
        for place in 0..4 {
            let letter = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            out.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

/// The text that was encoded; `None` if it is no base64, or no text.
pub(super) fn decode(text: &str) -> Option<String> {
    let letters = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(letters.len() / 4 * 3 + 3);
    for four in letters.chunks(4) {
        if four.len() == 1 {
            return None;
        }
        let mut group = 0;
        for at in 0..4 {
            let value = four.get(at).map_or(Some(0), |letter| value(*letter))?;
            group = group << 6 | value;
        }
        let [_, bytes @ ..] = group.to_be_bytes();
        out.extend_from_slice(&bytes[..four.len() - 1]);
    }
    String::from_utf8(out).ok()
}

fn value(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_and_come_back() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("é😀>?", "w6nwn5iAPj8=")]
        {
            assert_eq!(encode(text.as_bytes()), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_base64_is_none() {
        for text in ["a", "a-b_", "é", "Zg==Zg==", "/w=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
