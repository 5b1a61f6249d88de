//! Credentials: tokens with a prefix of their maker, key files, and values assigned to telling names.

use super::Candidate;
use super::text::{Text, is_word};

fn is_token(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// The token around a trigger's end: where it starts, and its bytes.
fn token(text: Text<'_>, end: usize, most: usize) -> Option<(usize, &[u8])> {
    let start = text.past_escape(text.run_before(end, 32, is_token));
    let mut end = text.run_after(end, most, is_token);
    while text.before(end) == b'-' {
        end -= 1;
    }
    (start < end).then(|| (start, text.slice(start..end)))
}

/// The token, if what follows `prefix` has so many bytes.
fn prefixed(
    text: Text<'_>,
    end: usize,
    prefixes: &[&[u8]],
    lengths: std::ops::RangeInclusive<usize>,
) -> Option<Candidate> {
    let (start, token) = token(text, end, 512)?;
    let prefix = prefixes.iter().find(|prefix| token.starts_with(prefix))?;
    let fits = lengths.contains(&(token.len() - prefix.len()));
    fits.then_some(Candidate { start, end: start + token.len(), bonus: 0.0 })
}

fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

pub(super) fn aws_access_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    prefixed(text, end, &[b"AKIA", b"ASIA", b"ABIA", b"ACCA"], 16..=16)
}

pub(super) fn github_token(text: Text<'_>, end: usize) -> Option<Candidate> {
    prefixed(text, end, &[b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"], 36..=255)
        .or_else(|| prefixed(text, end, &[b"github_pat_"], 22..=255))
}

/// Trigger: `xox`, a kind and a hyphen, or the address of an incoming webhook.
pub(super) fn slack_token(text: Text<'_>, end: usize) -> Option<Candidate> {
    const HOOK: &[u8] = b"hooks.slack.com/services/";
    if text.before(end) == b'/' {
        let start = end - HOOK.len();
        let end = text.run_after(end, 128, |byte| is_word(byte) || byte == b'/');
        let long = end - start >= HOOK.len() + 20;
        return long.then_some(Candidate { start, end, bonus: 0.0 });
    }
    prefixed(text, end, &[b"xoxa-", b"xoxb-", b"xoxo-", b"xoxp-", b"xoxr-", b"xoxs-"], 10..=255)
}

pub(super) fn stripe_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    let kinds: [&[u8]; 4] = [b"sk_live_", b"rk_live_", b"sk_test_", b"rk_test_"];
    prefixed(text, end, &kinds, 16..=255).or_else(|| prefixed(text, end, &[b"whsec_"], 24..=255))
}

/// `sk-proj-…`, `sk-svcacct-…`, `sk-admin-…` and the older `sk-…`; the keys of others that also begin
/// with `sk-` have entities of their own.
pub(super) fn openai_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    let found = prefixed(text, end, &[b"sk-"], 20..=255)?;
    let body = text.slice(found.start + 3..found.end);
    let named = [b"proj-".as_slice(), b"svcacct-", b"admin-", b"None-"]
        .iter()
        .any(|kind| body.starts_with(kind));
    let marked = body.windows(8).any(|window| window == b"T3BlbkFJ");
    let other = body.starts_with(b"ant-") || body.starts_with(b"gw-");
    let random = has_digit(body) && !body.contains(&b'-');
    (!other && (marked || random || (named && has_digit(body)))).then_some(found)
}

pub(super) fn anthropic_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    prefixed(text, end, &[b"sk-ant-"], 20..=255)
}

pub(super) fn virtual_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    prefixed(text, end, &[b"sk-gw-"], 16..=255)
}

pub(super) fn google_api_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    prefixed(text, end, &[b"AIza"], 35..=35)
}

/// Three parts of base64url (five if encrypted), the first a JSON object that names its algorithm.
pub(super) fn jwt(text: Text<'_>, end: usize) -> Option<Candidate> {
    let (start, header) = token(text, end, 4096)?;
    let mut end = start + header.len();
    let mut parts = 1;
    while text.at(end) == b'.' && parts < 5 {
        end = text.run_after(end + 1, 16384, is_token);
        parts += 1;
    }
    if text.before(end) == b'.' && parts == 2 {
        return None;
    }
    let names_algorithm = decode(header).windows(5).any(|window| window == b"\"alg\"");
    (parts >= 3 && names_algorithm).then_some(Candidate { start, end, bonus: 0.0 })
}

/// Base64url without padding; stops at the first byte that is not of it.
fn decode(encoded: &[u8]) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(encoded.len()), 0u32, 0);
    for character in encoded {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// Trigger: `-----BEGIN ` and a letter. To the end of the block, or of its base64 if it is cut short.
pub(super) fn private_key(text: Text<'_>, end: usize) -> Option<Candidate> {
    const BEGIN: usize = "-----BEGIN X".len();
    const MOST: usize = 16384;
    let start = end - BEGIN;
    let label = text.slice(end - 1..text.run_after(end, 40, |byte| byte != b'-'));
    if !label.windows(11).any(|window| window == b"PRIVATE KEY") {
        return None;
    }
    let body = text.slice(end..(end + MOST).min(text.len()));
    let stop = memchr::memmem::find(body, b"-----END").map(|offset| {
        let label = text.run_after(end + offset + 8, 48, |byte| byte != b'-');
        text.run_after(label, 5, |byte| byte == b'-')
    });
    let is_body = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=\\-:,".contains(&byte)
    };
    let end = stop.unwrap_or_else(|| text.run_after(end, MOST, is_body));
    Some(Candidate { start, end, bonus: 0.0 })
}

/// Values that stand for a secret without being one.
const STAND_INS: [&[u8]; 16] = [
    b"your",
    b"my-",
    b"my_",
    b"xxx",
    b"example",
    b"placeholder",
    b"redacted",
    b"none",
    b"null",
    b"true",
    b"false",
    b"undefined",
    b"string",
    b"required",
    b"optional",
    b"process.env",
];

/// Trigger: a telling name and `:` or `=`. The finding is the value alone.
pub(super) fn assigned_secret(text: Text<'_>, end: usize) -> Option<Candidate> {
    let at = text.run_after(end, 3, |byte| matches!(byte, b' ' | b'=' | b'>'));
    let escaped = text.at(at) == b'\\' && matches!(text.at(at + 1), b'"' | b'\'');
    let start = if escaped { at + 1 } else { at };
    let quote = Some(text.at(start)).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let start = if quote.is_some() { start + 1 } else { start };
    let stops = |byte: u8| match quote {
        Some(quote) => byte == quote || byte == b'\n' || byte == b'\\',
        None => byte <= b' ' || b",;&\"'`<>)}]\\".contains(&byte),
    };
    let end = text.run_after(start, 256, |byte| !stops(byte));
    let value = text.slice(start..end);
    let least = if quote.is_some() { 6 } else { 8 };
    let strong = if quote.is_some() { looks_random(value) } else { has_digit(value) };
    let valid = value.len() >= least && strong && !is_stand_in(value);
    valid.then_some(Candidate { start, end, bonus: 0.0 })
}

/// A digit or a sign among the letters, or many different letters, and no sentence.
fn looks_random(value: &[u8]) -> bool {
    let mut seen = [false; 256];
    value.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    let mixed = value.iter().any(|byte| !byte.is_ascii_alphabetic());
    different >= if mixed { 4 } else { 7 } && !value.contains(&b' ')
}

fn is_stand_in(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_reference = matches!(lower[0], b'$' | b'<' | b'{' | b'%' | b'*' | b'[' | b'(');
    let is_call = lower.contains(&b'(') || lower.windows(2).any(|pair| pair == b"${");
    let is_repeat = lower.iter().all(|byte| *byte == lower[0]);
    is_reference || is_call || is_repeat || STAND_INS.iter().any(|word| lower.starts_with(word))
}
