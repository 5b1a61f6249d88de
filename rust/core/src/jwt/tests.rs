#![allow(clippy::unwrap_used)]

mod forging;
mod terms;

use super::*;
use crate::snapshot::JwtRule;
use serde_json::{Value, json};
use std::sync::Arc;

/// Tokens that another implementation has made: `scripts/jwt_vectors.py`.
fn vectors() -> Value {
    serde_json::from_str(include_str!("tests/vectors.json")).unwrap()
}

/// A rule for the issuer of the vectors, changed by the test.
fn rule(change: impl FnOnce(&mut Value)) -> JwtRule {
    let mut rule = json!({
        "issuer": "https://login.example/realm", "audiences": ["llmgw"],
        "algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
        "keys": vectors()["jwks"], "leeway": 10, "max_lifetime": 86_400, "required": [], "when": [],
        "claims": {"user": "sub"}, "defaults": {}, "find_by": "id", "roles": [],
    });
    change(&mut rule);
    serde_json::from_value(rule).unwrap()
}

fn issuers() -> Issuers {
    let only_ec = rule(|rule| {
        rule["issuer"] = json!("https://ec.example");
        rule["algorithms"] = json!(["ES256"]);
    });
    Issuers::new(vec![rule(|_| {}), only_ec]).unwrap()
}

fn verify(issuers: &Issuers, token: &str) -> Result<Verified, Refusal> {
    let now = vectors()["now"].as_u64().unwrap();
    issuers.verify(token.as_bytes(), &|_| None, now).map(|(verified, _)| verified)
}

/// The name of a refusal, without its text.
fn kind(refusal: Refusal) -> String {
    let text = format!("{refusal:?}");
    text.split('(').next().unwrap().to_owned()
}

#[test]
fn genuine_tokens_of_every_algorithm_are_taken() {
    let issuers = issuers();
    for (name, token) in vectors()["genuine"].as_object().unwrap() {
        let verified = verify(&issuers, token.as_str().unwrap())
            .unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert_eq!(
            (verified.subject.as_str(), &verified.named.user[..]),
            ("alice", &["alice".to_owned()][..])
        );
    }
}

#[test]
fn forged_tokens_are_refused_for_the_right_reason() {
    let issuers = issuers();
    let told = vectors()["forged"].clone();
    let mut seen = told.clone();
    for (name, case) in told.as_object().unwrap() {
        let refusal = verify(&issuers, case["token"].as_str().unwrap());
        seen[name]["refusal"] = json!(refusal.map_or_else(kind, |_| "taken".to_owned()));
    }
    assert_eq!(seen, told);
}

#[test]
fn a_refusal_is_a_401_that_repeats_nothing_of_the_token() {
    for (name, case) in vectors()["forged"].as_object().unwrap() {
        let error = Error::from(verify(&issuers(), case["token"].as_str().unwrap()).unwrap_err());
        assert_eq!(error.class, Class::Unauthenticated, "{name}");
        assert!(!error.message.contains("evil") && !error.message.contains("alice"), "{name}");
    }
}

#[test]
fn keys_that_came_later_are_found_by_issuer() {
    let issuers = Issuers::new(vec![rule(|rule| rule["keys"] = Value::Null)]).unwrap();
    let token = vectors()["genuine"]["signed by ES256"].as_str().unwrap().to_owned();
    assert_eq!(verify(&issuers, &token), Err(Refusal::NoKeys));
    let keys = Arc::new(Jwks::new(&vectors()["jwks"]));
    let now = vectors()["now"].as_u64().unwrap();
    let of = |url: &'static str| {
        let keys = keys.clone();
        move |asked: &str| (asked == url).then(|| keys.clone())
    };
    let (ours, other) = (of("https://login.example/realm"), of("https://other.example"));
    assert!(issuers.verify(token.as_bytes(), &ours, now).is_ok());
    assert_eq!(issuers.verify(token.as_bytes(), &other, now), Err(Refusal::NoKeys));
}

#[test]
fn secrets_private_keys_and_keys_for_other_ends_are_left_out_of_a_set() {
    let whole = vectors()["jwks"]["keys"].as_array().unwrap().clone();
    let p256 = &whole[1];
    assert_eq!(Jwks::new(&vectors()["jwks"]).len(), 6);
    let spoilt = |field: &str, value: Value| {
        let mut key = p256.clone();
        key[field] = value;
        Jwks::new(&json!([key])).len()
    };
    assert_eq!(Jwks::new(&json!([p256])).len(), 1);
    assert_eq!(spoilt("d", json!("c2VjcmV0")), 0);
    assert_eq!(spoilt("key_ops", json!(["encrypt"])), 0);
    assert_eq!(spoilt("alg", json!("HS256")), 0);
    assert_eq!(spoilt("x", json!("AA")), 0);
    assert_eq!(spoilt("crv", json!("P-521")), 0);
    assert_eq!(spoilt("kid", json!(7)), 0);
}

#[test]
fn a_set_without_end_is_read_up_to_a_bound() {
    let key = vectors()["jwks"]["keys"][1].clone();
    let many: Vec<Value> = vec![key; 10 * MAX_KEYS];
    assert_eq!(Jwks::new(&json!({ "keys": many })).len(), MAX_KEYS);
}

#[test]
fn a_file_of_no_keys_is_a_fault_of_the_configuration() {
    assert!(Issuers::new(vec![rule(|rule| rule["keys"] = json!({"keys": []}))]).is_err());
}
