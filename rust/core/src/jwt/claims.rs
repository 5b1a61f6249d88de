//! What the claims of a genuine token must say: for whom it is, since when and until when it counts.

use super::Refusal;
use serde_json::{Map, Value};

/// Audiences of a token that are looked at.
const MAX_AUDIENCES: usize = 64;

/// What is asked of the claims.
pub struct Terms {
    /// A token must be for one of these.
    pub audiences: Vec<String>,
    /// Seconds that the issuer's clock and ours may differ.
    pub leeway: u64,
    /// Longest life of a token, in seconds.
    pub max_lifetime: Option<u64>,
    /// Claims that must be there.
    pub required: Vec<Place>,
}

/// Where a claim lies: its name, or a JSON pointer (RFC 6901) if it begins with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// `text`: a name such as `sub` or `https://acme.example/team`, or a pointer such as `/realm/roles`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Place(text)
    }

    /// What lies there.
    #[must_use]
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let Some(pointer) = self.0.strip_prefix('/') else { return claims.get(&self.0) };
        let (first, rest) = match pointer.split_once('/') {
            Some((first, _)) => (first, &pointer[first.len()..]),
            None => (pointer, ""),
        };
        claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
    }
}

impl Terms {
    /// Checks the claims; returns the Unix second from which they count no more.
    ///
    /// # Errors
    /// `Claim`, saying which one does not fit.
    pub fn check(&self, claims: &Map<String, Value>, now: u64) -> Result<u64, Refusal> {
        self.check_audience(claims)?;
        let until = self.check_times(claims, now)?;
        let lacks = |place: &&Place| place.find(claims).is_none_or(Value::is_null);
        match self.required.iter().find(lacks) {
            Some(_) => Err(Refusal::Claim("The token lacks a claim that is required of it.")),
            None => Ok(until),
        }
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        let ours = |value: &Value| {
            value.as_str().is_some_and(|name| self.audiences.iter().any(|own| own == name))
        };
        let fits = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().take(MAX_AUDIENCES).any(ours),
            Some(one) => ours(one),
            None => false,
        };
        if fits { Ok(()) } else { Err(Refusal::Claim("The token is for another audience.")) }
    }

    fn check_times(&self, claims: &Map<String, Value>, now: u64) -> Result<u64, Refusal> {
        let expires = seconds(claims, "exp")?.ok_or(Refusal::Claim("The token never expires."))?;
        let until = expires.saturating_add(self.leeway);
        if now >= until {
            return Err(Refusal::Claim("The token has expired."));
        }
        let latest = now.saturating_add(self.leeway);
        if seconds(claims, "nbf")?.is_some_and(|begin| begin > latest) {
            return Err(Refusal::Claim("The token does not count yet."));
        }
        let issued = seconds(claims, "iat")?;
        if issued.is_some_and(|issued| issued > latest) {
            return Err(Refusal::Claim("The token was issued in the future."));
        }
        let life = expires.saturating_sub(issued.unwrap_or(now));
        if self.max_lifetime.is_some_and(|most| life > most) {
            return Err(Refusal::Claim("The token lives longer than is allowed."));
        }
        Ok(until)
    }
}

/// A point of time (RFC 7519 §2), whole seconds of it.
fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(whole) = value.as_u64() {
        return Ok(Some(whole));
    }
    match value.as_f64() {
        // Below 2^53, where every second has a number of its own.
        Some(time) if (0.0..9e15).contains(&time) => Ok(Some(time as u64)),
        _ => Err(Refusal::Claim("The token holds a time that is none.")),
    }
}
