//! What reads tokens: it never panics, it takes a token apart in one way only, and whatever it lets in is one of
//! those that were signed.

use llmgw_core::jwt::{Issuers, Token};
use serde_json::{Value, json};
use std::sync::OnceLock;

const VECTORS: &str = include_str!("../../src/jwt/tests/vectors.json");

struct Known {
    issuers: Issuers,
    signed: Vec<String>,
    now: u64,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let told: Value = serde_json::from_str(VECTORS).unwrap_or_default();
        let rule = json!({
            "issuer": told["issuer"], "audiences": [told["audience"]], "keys": told["jwks"],
            "algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
            "leeway": 10, "max_lifetime": null, "required": [], "when": [],
            "claims": {"user": "sub", "team": "/realm/groups/0"}, "defaults": {}, "find_by": "id", "roles": [],
        });
        let issuers = serde_json::from_value(json!([rule])).ok().and_then(|rules| Issuers::new(rules).ok());
        let texts = |object: &Value| -> Vec<String> {
            let all = object.as_object().into_iter().flatten();
            all.filter_map(|(_, value)| {
                value.as_str().or(value["token"].as_str()).map(str::to_owned)
            })
            .collect()
        };
        let signed = [texts(&told["genuine"]), texts(&told["forged"])].concat();
        Known { issuers: issuers.unwrap_or_default(), signed, now: told["now"].as_u64().unwrap_or(0) }
    })
}

pub fn check(data: &[u8]) {
    let known = known();
    assert!(!known.issuers.is_empty());
    if let Ok(token) = Token::new(data) {
        assert!(data.starts_with(token.signed) && data[token.signed.len()] == b'.');
        assert!(
            token.signed.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        );
    }
    if known.issuers.verify(data, &|_| None, known.now).is_ok() {
        assert!(known.signed.iter().any(|token| token.as_bytes() == data));
    }
}
