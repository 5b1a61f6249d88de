//! The keys that an issuer publishes: a JWK Set (RFC 7517), of which only what may verify signatures is kept.

use super::Refusal;
use super::algorithm::{Algorithm, Public};
use super::base64url::decode;
use serde_json::Value;

/// Keys of a set that are looked at.
pub const MAX_KEYS: usize = 256;
/// Keys of one `kid` that are tried; issuers have one, and two while they make a mistake.
const MAX_TRIED: usize = 4;
/// Characters of a `kid`.
pub(super) const MAX_KID: usize = 512;

/// The public keys of one issuer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Jwk {
    kid: Option<String>,
    /// The one algorithm that the key is for, if its issuer says so.
    pinned: Option<Algorithm>,
    public: Public,
}

impl Jwks {
    /// The keys of a set, `{"keys": […]}` or the list alone. What is not understood or not for signatures is left
    /// out: sets hold keys of other kinds beside those that count.
    #[must_use]
    pub fn new(set: &Value) -> Self {
        let listed = set.get("keys").unwrap_or(set).as_array();
        let listed = listed.into_iter().flatten().take(MAX_KEYS);
        Jwks { keys: listed.filter_map(Jwk::new).collect() }
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key of this set has signed `message`.
    ///
    /// # Errors
    /// `UnknownKey` if none has that `kid` and fits the algorithm; without a `kid`, if not exactly one fits.
    pub fn check(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let fit = |key: &&Jwk| {
            key.public.fits(algorithm) && key.pinned.is_none_or(|pinned| pinned == algorithm)
        };
        let fit = self.keys.iter().filter(fit);
        let candidates: Vec<&Jwk> = match kid {
            Some(kid) => {
                fit.filter(|key| key.kid.as_deref() == Some(kid)).take(MAX_TRIED).collect()
            }
            // The issuer need not name its only key; to guess among several is not our part.
            None => fit.collect(),
        };
        if candidates.is_empty() || (kid.is_none() && candidates.len() > 1) {
            return Err(Refusal::UnknownKey);
        }
        let signed = |key: &&Jwk| key.public.has_signed(algorithm, message, signature);
        if candidates.iter().any(signed) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

impl Jwk {
    fn new(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") || key.get("d").is_some() {
            return None;
        }
        if let Some(uses) = key.get("key_ops") {
            uses.as_array()?.iter().find(|use_| use_.as_str() == Some("verify"))?;
        }
        let pinned = match key.get("alg") {
            Some(name) => Some(Algorithm::named(name.as_str()?)?),
            None => None,
        };
        let kid = match key.get("kid") {
            Some(kid) => Some(kid.as_str().filter(|kid| kid.len() <= MAX_KID)?.to_owned()),
            None => None,
        };
        let public = public(&text)?;
        Some(Jwk { kid, pinned, public })
    }
}

/// The key itself; `oct`, a shared secret, is none of these.
fn public<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Option<Public> {
    let bytes = |name: &str| decode(text(name)?.as_bytes());
    match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let trimmed = |name: &str| {
                let bytes = bytes(name)?;
                let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
                Some(bytes[zeros..].to_vec())
            };
            Some(Public::Rsa(trimmed("n")?, trimmed("e")?))
        }
        ("EC", Some("P-256")) => point(&bytes("x")?, &bytes("y")?, 32).map(Public::P256),
        ("EC", Some("P-384")) => point(&bytes("x")?, &bytes("y")?, 48).map(Public::P384),
        ("OKP", Some("Ed25519")) => bytes("x").filter(|x| x.len() == 32).map(Public::Ed25519),
        _ => None,
    }
}

fn point(x: &[u8], y: &[u8], size: usize) -> Option<Vec<u8>> {
    (x.len() == size && y.len() == size).then(|| [&[4], x, y].concat())
}
