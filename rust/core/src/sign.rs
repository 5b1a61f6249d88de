//! Signs requests to AWS: Signature Version 4, in headers.
//!
//! Reference: AWS's "Create a signed AWS API request". Why this is our own: docs/decisions/0009.

use crate::keys::to_hex;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SECONDS_A_DAY: u64 = 86_400;
/// How many letters of a timestamp are its day.
const DAY: usize = 8;

/// Whose requests are signed, and for which service.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// AWS region.
    pub region: String,
    /// AWS service, as `bedrock`.
    pub service: String,
    /// The key's public half.
    pub access_key_id: String,
    /// Its secret half.
    pub secret_access_key: String,
    /// Of credentials that expire.
    pub session_token: Option<String>,
}

/// Tells no secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} in {})", self.service, self.region)
    }
}

impl Signer {
    /// The headers to be added to a request: `x-amz-date`, `x-amz-security-token` if the credentials have
    /// one, and `authorization`.
    ///
    /// `path_and_query` is what will stand in the request's first line, percent-encoded once; `headers` are
    /// those that are to be signed beside `host`, and must be sent as they are here; `now` is in Unix
    /// seconds, and AWS allows it to be five minutes off.
    #[must_use]
    pub fn sign(
        &self,
        method: &str,
        host: &str,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        now: u64,
    ) -> Vec<(&'static str, String)> {
        let time = timestamp(now);
        let mut added = vec![("x-amz-date", time)];
        added.extend(self.session_token.clone().map(|token| ("x-amz-security-token", token)));
        let own = added.iter().map(|(name, value)| (*name, &**value));
        let all = headers.iter().copied().chain(own).chain([("host", host)]);
        let signed = Signed::of(all);
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let request = [
            method,
            &canonical_path(path),
            &canonical_query(query),
            &signed.lines,
            &signed.names,
            &to_hex(&Sha256::digest(body)),
        ]
        .join("\n");
        let authorization = self.authorization(&added[0].1, &signed.names, &request);
        added.push(("authorization", authorization));
        added
    }

    fn authorization(&self, time: &str, names: &str, request: &str) -> String {
        let day = &time[..DAY];
        let scope = [day, &self.region, &self.service, "aws4_request"].join("/");
        let hashed = to_hex(&Sha256::digest(request.as_bytes()));
        let text = [ALGORITHM, time, &scope, &hashed].join("\n");
        let secret = ["AWS4", &self.secret_access_key].concat();
        let key = [day, &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| keyed(&key, part).to_vec());
        let signature = to_hex(&keyed(&key, &text));
        let id = &self.access_key_id;
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

fn keyed(key: &[u8], text: &str) -> [u8; 32] {
    // An HMAC key may have any length, so this cannot fail; the fallback is never taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Headers as they are signed.
struct Signed {
    /// Their names, with semicolons between.
    names: String,
    /// A line for each.
    lines: String,
}

impl Signed {
    fn of<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> Self {
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        let mut signed = Signed { names: String::new(), lines: String::new() };
        for (name, value) in &headers {
            if !signed.names.is_empty() {
                signed.names.push(';');
            }
            signed.names.push_str(name);
            signed.lines.push_str(name);
            signed.lines.push(':');
            for (index, word) in value.split_ascii_whitespace().enumerate() {
                signed.lines.push_str(if index > 0 { " " } else { "" });
                signed.lines.push_str(word);
            }
            signed.lines.push('\n');
        }
        signed
    }
}

/// The path without empty segments and dots, and encoded once more: only S3 leaves that out.
fn canonical_path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    let mut out = String::with_capacity(path.len() + 16);
    for segment in &segments {
        out.push('/');
        for byte in segment.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(byte));
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    if segments.is_empty() || path.ends_with('/') {
        out.push('/');
    }
    out
}

/// The query's pairs in the order of their names and values. They are encoded already.
fn canonical_query(query: &str) -> String {
    if query.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<_> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Unix seconds as `20231114T221320Z`.
fn timestamp(now: u64) -> String {
    let (year, month, day) = date(now / SECONDS_A_DAY);
    let second = now % SECONDS_A_DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Year, month and day of a day, counted from 1970, in the Gregorian calendar. Years begin in March here,
/// so that the leap day is their last one.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days.saturating_add(DAYS_TO_1970);
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + u64::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day)
}

#[cfg(test)]
mod tests;
