//! Strings: where they end, and what they read as.

/// Four hex digits at that place.
pub(super) fn hex4(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at + 4)?;
    digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + (digit as char).to_digit(16)?))
}

/// Appends the decoded form of a valid JSON string's inside.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(stop) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..stop]);
        let Some(&letter) = rest.get(stop + 1) else { return };
        let mut used = 2;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (character, length) = unicode_escape(rest, stop);
                used = length;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(other),
        }
        rest = &rest[(stop + used).min(rest.len())..];
    }
    out.extend_from_slice(rest);
}

/// The character of `\uXXXX` (or of a pair) at `at`, and how many bytes it took.
fn unicode_escape(text: &[u8], at: usize) -> (char, usize) {
    let first = hex4(text, at + 2).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&first)
        && let Some(low @ 0xDC00..=0xDFFF) = hex4(text, at + 8)
    {
        let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// The offset after the string that begins with the quote at `start` (the input's end if it is cut).
#[must_use]
pub fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(stop) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        if text[at + stop] == b'"' {
            return at + stop + 1;
        }
        at += stop + 2;
    }
    text.len()
}
