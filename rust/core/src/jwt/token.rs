//! A token taken apart (RFC 7515, compact form): what is signed, its head, its claims. Nothing in it is believed yet.

use super::Refusal;
use super::base64url::decode;
use super::jwks::MAX_KID;
use crate::json::parse_object;
use serde_json::{Map, Value};

/// Longest token that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Values of `typ` that a token for an API may have (RFC 7519 §5.1, RFC 9068), in lower case.
const TYPES: [&str; 4] = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];

/// A token taken apart.
pub struct Token<'a> {
    /// The bytes that are signed: head and claims as they were written.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
    /// The algorithm's name, as the token has it.
    pub algorithm: String,
    /// Which of the issuer's keys has signed.
    pub kid: Option<String>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl<'a> Token<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `Malformed`: too long, not three parts, base64 of another spelling, JSON with doubled keys, or a head that
    /// asks for what we do not do.
    pub fn new(text: &'a [u8]) -> Result<Self, Refusal> {
        if text.len() > MAX_BYTES {
            return Err(Refusal::Malformed("The token is too long."));
        }
        let malformed = Refusal::Malformed("The token is not of the form HEAD.CLAIMS.SIGNATURE.");
        let mut parts = text.split(|&byte| byte == b'.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed);
        };
        let signed = &text[..head.len() + 1 + claims.len()];
        let head = object(head)?;
        refuse_extensions(&head)?;
        let signature = decode(signature).filter(|bytes| !bytes.is_empty()).ok_or(malformed)?;
        let algorithm = head.get("alg").and_then(Value::as_str).map(str::to_owned);
        let algorithm =
            algorithm.ok_or(Refusal::Malformed("The token's head names no algorithm."))?;
        let kid = kid(&head)?;
        Ok(Token { signed, signature, algorithm, kid, claims: object(claims)? })
    }
}

/// A part of a token that is a JSON object, read strictly: what another reader might see otherwise is refused.
fn object(part: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let malformed = Refusal::Malformed("The token holds a part that cannot be read.");
    let text = decode(part).ok_or(malformed)?;
    parse_object(&text).map_err(|_| malformed)?;
    serde_json::from_slice(&text).map_err(|_| malformed)
}

/// What a head may ask for and we do not do has to be refused (RFC 7515 §4.1.11), and so is what makes of a token
/// something else than a signed one.
fn refuse_extensions(head: &Map<String, Value>) -> Result<(), Refusal> {
    if ["crit", "b64", "enc", "zip"].iter().any(|name| head.contains_key(*name)) {
        return Err(Refusal::Malformed(
            "The token's head asks for an extension that is not known here.",
        ));
    }
    let known = |kind: &Value| {
        kind.as_str().is_some_and(|kind| TYPES.contains(&kind.to_ascii_lowercase().as_str()))
    };
    match head.get("typ") {
        Some(kind) if !known(kind) => {
            Err(Refusal::Malformed("The token is of another type than JWT."))
        }
        _ => Ok(()),
    }
}

fn kid(head: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let refused = Refusal::Malformed("The token's key id is none.");
    match head.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if kid.len() <= MAX_KID => Ok(Some(kid.clone())),
        Some(_) => Err(refused),
    }
}
