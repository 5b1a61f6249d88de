//! How to reach a person: e-mail, phone, network addresses, URLs with credentials.

use super::Candidate;
use super::numbers::{self, Number};
use super::text::{Text, is_word};
use std::net::Ipv6Addr;

/// File endings that are no top-level domains: `logo@2x.png`.
const FILE_ENDINGS: [&[u8]; 11] =
    [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"ico", b"css", b"js", b"json", b"html"];

/// Trigger: the byte before `@`, the `@`, the byte after it.
pub(super) fn email(text: Text<'_>, end: usize) -> Option<Candidate> {
    let at_sign = end - 2;
    let is_local = |byte: u8| is_word(byte) || b".%+-'".contains(&byte) || byte >= 0x80;
    let run = text.past_escape(text.run_before(at_sign, 65, is_local));
    let run = match text.slice(run..at_sign).iter().rposition(is_lead) {
        Some(lead) => text.run_after(run + lead + 1, 3, |byte| matches!(byte, 0x80..=0xBF)),
        None => run,
    };
    let start = text.run_after(run, 65, |byte| b".%+-'".contains(&byte));
    if start >= at_sign || at_sign - start > 64 {
        return None;
    }
    let is_domain = |byte: u8| is_word(byte) || byte == b'-' || byte == b'.' || byte >= 0x80;
    let mut end = text.run_after(at_sign + 1, 254, is_domain);
    end = text.slice(at_sign + 1..end).iter().position(is_lead).map_or(end, |at| at_sign + 1 + at);
    while matches!(text.before(end), b'.' | b'-' | b'_') {
        end -= 1;
    }
    let domain = text.slice(at_sign + 1..end);
    let dot = domain.iter().rposition(|&byte| byte == b'.')?;
    let top_level = &domain[dot + 1..];
    let alphabetic = top_level.iter().all(|&byte| byte.is_ascii_alphabetic() || byte >= 0x80);
    if top_level.len() < 2 || !(alphabetic || top_level.starts_with(b"xn--")) {
        return None;
    }
    if domain.windows(2).any(|pair| pair == b"..") || end - start > 254 {
        return None;
    }
    let lower = top_level.to_ascii_lowercase();
    let is_file = FILE_ENDINGS.contains(&lower.as_slice());
    let is_remote = text.slice(start..at_sign) == b"git" && text.at(end) == b':';
    Some(Candidate { start, end, bonus: if is_file || is_remote { -0.5 } else { 0.0 } })
}

/// The first byte of a character of three or four bytes, or of U+0080 to U+00BF: quotation marks,
/// spaces, Chinese, emoji. Letters that addresses may have beyond ASCII take two bytes.
fn is_lead(byte: &u8) -> bool {
    matches!(byte, 0xC2 | 0xE0..=0xF4)
}

fn is_phone_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/')
}

/// Trigger: `+` or `(` and a digit; a group and three digits of the next; two pairs of digits and one
/// of a third; or ten and eleven digits in a row.
pub(super) fn phone(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = phone_start(text, end)?;
    if !text.begins_at(start) || matches!(text.before(start), b'+' | b'.' | b'-' | b'/') {
        return None;
    }
    match text.at(start) {
        b'+' => international(text, start),
        b'(' => area_in_parentheses(text, start).or_else(|| national(text, start + 1)),
        _ => national(text, start),
    }
}

fn phone_start(text: Text<'_>, end: usize) -> Option<usize> {
    if matches!(text.at(end - 2), b'+' | b'(') {
        return Some(end - 2);
    }
    let last_group = text.run_before(end, 11, |byte| byte.is_ascii_digit());
    if last_group + 1 == end {
        return numbers::digits_back(text, end, 5, is_phone_separator);
    }
    let divided = text.run_before(last_group, 2, |byte| is_phone_separator(byte) || byte == b')');
    if divided == last_group {
        return Some(last_group);
    }
    let start = text.run_before(divided, 6, |byte| byte.is_ascii_digit());
    let marked = start > 0 && matches!(text.before(start), b'+' | b'(');
    (start < divided).then_some(if marked { start - 1 } else { start })
}

/// E.164: up to 15 digits, the first not 0. Parentheses may stand around one group.
fn international(text: Text<'_>, start: usize) -> Option<Candidate> {
    let (digits, end) = loose_digits(text, start + 1, 16);
    let known = digits.first().is_some_and(|first| *first != 0) && (8..=15).contains(&digits.len());
    let plain = !numbers::is_monotonous(&digits) && text.at(end - 2).is_ascii_digit();
    (known && plain && text.ends_at(end)).then_some(Candidate { start, end, bonus: 0.35 })
}

fn national(text: Text<'_>, start: usize) -> Option<Candidate> {
    let number = Number::read(text, start, 15, is_phone_separator);
    let american = number.cuts().find(is_north_american);
    let number = american.unwrap_or(number);
    if !numbers::stands_alone(text, start, number.end) {
        return None;
    }
    let count = number.digits().len();
    let trunk = number.digits().first() == Some(&0) && (9..=12).contains(&count);
    let in_pairs = trunk && number.uniform && number.is_grouped(&[2, 2, 2, 2, 2]);
    let bonus = match (number.is_solid(), is_north_american(&number) || in_pairs, trunk) {
        (false, true, _) => 0.35,
        (false, false, true) => 0.15,
        (true, _, _) if count >= 10 => 0.0,
        (false, false, false) if (9..=12).contains(&count) => 0.0,
        _ => return None,
    };
    Some(Candidate { start, end: number.end, bonus })
}

/// `(415) 555-0132`, `(020) 7946 0958`.
fn area_in_parentheses(text: Text<'_>, start: usize) -> Option<Candidate> {
    let area = Number::read(text, start + 1, 5, |_| false);
    if text.at(area.end) != b')' || area.digits().len() < 2 {
        return None;
    }
    let local = text.run_after(area.end + 1, 1, |byte| byte == b' ');
    let rest = Number::read(text, local, 10, is_phone_separator);
    let american = rest.cuts().find(|cut| cut.is_grouped(&[3, 4]));
    let rest = american.unwrap_or(rest);
    let count = area.digits().len() + rest.digits().len();
    ((9..=12).contains(&count) && text.ends_at(rest.end)).then_some(Candidate {
        start,
        end: rest.end,
        bonus: 0.35,
    })
}

/// NPA-NXX-XXXX, with or without the country code 1: neither part begins with 0 or 1.
fn is_north_american(number: &Number) -> bool {
    let digits = number.digits();
    let (digits, grouped) = match digits.len() {
        10 => (digits, number.is_solid() || number.is_grouped(&[3, 3, 4])),
        11 if digits[0] == 1 => (&digits[1..], number.is_grouped(&[1, 3, 3, 4])),
        _ => return false,
    };
    grouped && digits[0] > 1 && digits[3] > 1
}

/// Digits with at most two separators or parentheses between them; where the last one ends.
fn loose_digits(text: Text<'_>, start: usize, most: usize) -> (Vec<u8>, usize) {
    let (mut digits, mut end, mut at) = (Vec::with_capacity(most), start, start);
    while digits.len() < most && at - end < 3 {
        match text.at(at) {
            byte if byte.is_ascii_digit() => {
                digits.push(byte - b'0');
                end = at + 1;
            }
            byte if is_phone_separator(byte) || matches!(byte, b'(' | b')') => {}
            _ => break,
        }
        at += 1;
    }
    (digits, end)
}

/// Trigger: three dotted numbers and a digit, or two colons with hexadecimal digits between them.
pub(super) fn ip(text: Text<'_>, end: usize) -> Option<Candidate> {
    if text.before(end) == b':' { ipv6(text, end) } else { ipv4(text, end) }
}

fn ipv4(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = text.run_before(end, 15, |byte| byte.is_ascii_digit() || byte == b'.');
    let end = text.run_after(end, 3, |byte| byte.is_ascii_digit());
    let is_longer = matches!(text.at(end), b'.' | b'-') && text.at(end + 1).is_ascii_alphanumeric();
    if !text.is_bounded(start, end) || is_longer || matches!(text.before(start), b'.' | b'-') {
        return None;
    }
    let written = std::str::from_utf8(text.slice(start..end)).ok()?;
    let octets = written.parse::<std::net::Ipv4Addr>().ok()?.octets();
    if matches!(octets[0], 0 | 127 | 255) {
        return None;
    }
    let is_numbering = octets[0] < 10 && octets[1] < 20 && octets[2] < 20; // chapters, releases
    let is_version = is_numbering || names_a_version(text, start);
    Some(Candidate { start, end, bonus: if is_version { -0.3 } else { 0.0 } })
}

fn names_a_version(text: Text<'_>, start: usize) -> bool {
    let before = text.slice(start.saturating_sub(16)..start).to_ascii_lowercase();
    [b"version".as_slice(), b"release", b"build"]
        .iter()
        .any(|word| before.windows(word.len()).any(|window| window == *word))
}

fn ipv6(text: Text<'_>, end: usize) -> Option<Candidate> {
    let is_part = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
    let start = text.run_before(end, 40, is_part);
    let mut end = text.run_after(end, 40, is_part);
    if text.before(end) == b':' && !text.slice(start..end).ends_with(b"::") {
        end -= 1;
    }
    if !text.is_bounded(start, end) {
        return None;
    }
    let written = text.slice(start..end);
    let address: Ipv6Addr = std::str::from_utf8(written).ok()?.parse().ok()?;
    let groups = written.split(|&byte| byte == b':').filter(|group| !group.is_empty());
    // `a::b` is a path in C++ and Rust, `fe80::1` is an address.
    let is_telling = groups.clone().count() >= 3 || groups.clone().any(|group| group.len() == 4);
    let has_digit = written.iter().any(u8::is_ascii_digit);
    let is_own = address.is_loopback() || address.is_unspecified();
    (is_telling && has_digit && !is_own).then_some(Candidate { start, end, bonus: 0.0 })
}

/// Trigger: three octets and a digit of the fourth.
pub(super) fn mac(text: Text<'_>, end: usize) -> Option<Candidate> {
    let start = end - 10;
    let end = start + 17;
    let written = text.slice(start..end);
    let separator = *written.get(2)?;
    let is_shaped = written.iter().enumerate().all(|(index, &byte)| match index % 3 {
        2 => byte == separator,
        _ => byte.is_ascii_hexdigit(),
    });
    let is_longer = [text.before(start), text.at(end)].contains(&separator);
    if !is_shaped || is_longer || !text.is_bounded(start, end) {
        return None;
    }
    let mut digits = written.iter().filter(|&&byte| byte != separator);
    let first = *digits.next()?;
    if matches!(first, b'0' | b'f' | b'F') && digits.all(|&byte| byte == first) {
        return None;
    }
    let is_numeric = separator == b'-' && !written.iter().any(u8::is_ascii_alphabetic);
    Some(Candidate { start, end, bonus: if is_numeric { -0.4 } else { 0.0 } })
}

/// Trigger: `://`, possibly with JSON's `\/`. The finding runs from the scheme to the end of the host.
pub(super) fn url_with_credentials(text: Text<'_>, end: usize) -> Option<Candidate> {
    let colon = text.run_before(end, 4, |byte| matches!(byte, b'/' | b'\\')) - 1;
    let ends_authority = |byte: u8| {
        matches!(byte, 0..=b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\')
    };
    let stop = text.run_after(end, 512, |byte| !ends_authority(byte));
    let authority = text.slice(end..stop);
    let at_sign = authority.iter().rposition(|&byte| byte == b'@')?;
    let (credentials, host) = (&authority[..at_sign], &authority[at_sign + 1..]);
    let secret = match credentials.iter().position(|&byte| byte == b':') {
        Some(colon) => &credentials[colon + 1..],
        None if credentials.len() >= 16 => credentials,
        None => return None,
    };
    let is_placeholder = secret.iter().all(|byte| b"*xX".contains(byte))
        || secret.iter().any(|byte| b"${}[]".contains(byte));
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
    let start = text.past_escape(text.run_before(colon, 32, is_scheme));
    let host = host.iter().take_while(|&&b| is_word(b) || b".-:[]".contains(&b) || b >= 0x80);
    let mut end = end + at_sign + 1 + host.count();
    while matches!(text.before(end), b'.' | b':' | b'-') {
        end -= 1;
    }
    (start < colon && !is_placeholder).then_some(Candidate { start, end, bonus: 0.0 })
}
