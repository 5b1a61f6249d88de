//! An issuer of tokens with one key, which lives as long as its test.

use crate::jwt::base64url;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// The issuer that rules for a mint name.
pub const ISSUER: &str = "https://login.example/realm";

/// An issuer with one key.
pub struct Mint {
    pair: Ed25519KeyPair,
}

impl Mint {
    /// One with a fresh key.
    pub fn new() -> Self {
        let sealed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Mint { pair: Ed25519KeyPair::from_pkcs8(sealed.as_ref()).unwrap() }
    }

    /// What it publishes.
    pub fn keys(&self) -> Value {
        let x = base64url::encode(self.pair.public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x}]})
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        let head = base64url::encode(br#"{"alg":"EdDSA","kid":"1"}"#);
        let signed = format!("{head}.{}", base64url::encode(claims.to_string().as_bytes()));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", base64url::encode(signature.as_ref()))
    }
}

/// A rule for an issuer, whose keys come through the directory unless the test sets them.
pub fn rule(change: impl FnOnce(&mut Value)) -> Value {
    let mut rule = json!({
        "issuer": ISSUER, "audiences": ["llmgw"], "algorithms": ["EdDSA"],
        "keys": null, "leeway": 10, "max_lifetime": null, "required": [], "when": [],
        "claims": {"user": "sub", "team": "team"}, "defaults": {}, "find_by": "id", "roles": [],
    });
    change(&mut rule);
    rule
}
