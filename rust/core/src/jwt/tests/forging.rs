//! Tokens made here, by keys that live as long as their test.

use super::*;
use crate::testing::mint::Mint;

fn claims(change: impl FnOnce(&mut Value)) -> Value {
    let now = vectors()["now"].as_u64().unwrap();
    let mut claims = json!({
        "iss": "https://login.example/realm", "aud": "llmgw", "sub": "alice", "exp": now + 60,
    });
    change(&mut claims);
    claims
}

#[test]
fn every_single_altered_byte_is_noticed() {
    let mint = Mint::new();
    let issuers = Issuers::new(vec![rule(|rule| rule["keys"] = mint.keys())]).unwrap();
    let token = mint.token(&claims(|_| {}));
    assert!(verify(&issuers, &token).is_ok());
    let now = vectors()["now"].as_u64().unwrap();
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        assert!(issuers.verify(&altered, &|_| None, now).is_err());
    }
}

#[test]
fn keys_that_rolled_over_count_no_more() {
    let (old, new) = (Mint::new(), Mint::new());
    let token = old.token(&claims(|_| {}));
    let with = |mint: &Mint| Issuers::new(vec![rule(|rule| rule["keys"] = mint.keys())]).unwrap();
    assert!(verify(&with(&old), &token).is_ok());
    assert_eq!(verify(&with(&new), &token), Err(Refusal::Signature));
}

#[test]
fn two_tokens_that_begin_alike_lead_to_two_principals() {
    let mint = Mint::new();
    let issuers = Issuers::new(vec![rule(|rule| rule["keys"] = mint.keys())]).unwrap();
    let (one, two) = (
        mint.token(&claims(|claims| claims["zz"] = json!("a"))),
        mint.token(&claims(|claims| claims["zz"] = json!("b"))),
    );
    let alike = one.bytes().zip(two.bytes()).take_while(|(a, b)| a == b).count();
    assert!(alike > 100, "{alike}");
    let mut cache = Cache::new(8);
    let digest = |token: &str| Cache::<&str>::digest(token.as_bytes());
    cache.put(digest(&one), "one", u64::MAX, 0);
    assert_eq!(cache.get(&digest(&two), 0), None);
    cache.put(digest(&two), "two", u64::MAX, 0);
    assert_eq!(
        (cache.get(&digest(&one), 0), cache.get(&digest(&two), 0)),
        (Some(&"one"), Some(&"two"))
    );
    assert!(verify(&issuers, &one).is_ok() && verify(&issuers, &two).is_ok());
}

#[test]
fn claims_name_things_by_name_by_pointer_and_by_default() {
    let mint = Mint::new();
    let issuers = Issuers::new(vec![rule(|rule| {
        rule["keys"] = mint.keys();
        rule["claims"] = json!({
            "user": "sub", "team": "/realm/groups", "project": "https://acme.example/project",
            "models": "models", "tags": "tags",
        });
        rule["defaults"] = json!({"organisation": "acme", "team": "nobody's"});
    })])
    .unwrap();
    let token = mint.token(&claims(|claims| {
        claims["realm"] = json!({"groups": ["a", "b", 7, {}, "x\ny"]});
        claims["https://acme.example/project"] = json!("p");
        claims["models"] = json!(["gpt-*"]);
    }));
    let named = verify(&issuers, &token).unwrap().named;
    let words = |all: &[&str]| all.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        named,
        Named {
            organisation: words(&["acme"]),
            team: words(&["a", "b", "7"]),
            project: words(&["p"]),
            user: words(&["alice"]),
            models: Some(words(&["gpt-*"])),
            ..Named::default()
        }
    );
}

#[test]
fn a_claim_of_models_that_is_missing_allows_none() {
    let mint = Mint::new();
    let issuers = Issuers::new(vec![rule(|rule| {
        rule["keys"] = mint.keys();
        rule["claims"] = json!({"user": "sub", "models": "models"});
    })])
    .unwrap();
    let verified = verify(&issuers, &mint.token(&claims(|_| {}))).unwrap();
    assert_eq!(verified.named.models, Some(Vec::new()));
}

#[test]
fn a_rule_may_ask_for_values_of_claims() {
    let mint = Mint::new();
    let only = |values: Value, team: &str| {
        rule(|rule| {
            rule["keys"] = mint.keys();
            rule["when"] = json!([["/realm/groups", values]]);
            rule["defaults"] = json!({ "team": team });
        })
    };
    let rules = vec![only(json!(["admins"]), "admins"), only(json!(["llm-*", "ai"]), "users")];
    let issuers = Issuers::new(rules).unwrap();
    let of = |groups: Value| {
        let token = mint.token(&claims(|claims| claims["realm"] = json!({ "groups": groups })));
        verify(&issuers, &token).map(|verified| verified.named.team)
    };
    assert_eq!(of(json!(["x", "admins"])).unwrap(), ["admins"]);
    assert_eq!(of(json!(["llm-dev"])).unwrap(), ["users"]);
    assert_eq!(of(json!("ai")).unwrap(), ["users"]);
    assert_eq!(of(json!(["x"])), Err(Refusal::Stranger));
    assert_eq!(of(json!(null)), Err(Refusal::Stranger));
}

#[test]
fn a_subject_has_another_id_at_each_issuer() {
    let mint = Mint::new();
    let of = |issuer: &str| {
        let issuers = Issuers::new(vec![rule(|rule| {
            rule["keys"] = mint.keys();
            rule["issuer"] = json!(issuer);
        })]);
        let token = mint.token(&claims(|claims| claims["iss"] = json!(issuer)));
        verify(&issuers.unwrap(), &token).unwrap().id
    };
    let (one, other) = (of("https://one.example"), of("https://other.example"));
    assert_ne!(one, other);
    assert_eq!(one.split(':').map(str::len).collect::<Vec<_>>(), [3, 32, 32]);
}

#[test]
fn roles_go_by_the_values_of_a_claim() {
    let mint = Mint::new();
    let role =
        |value: &str, role: &str| json!({"value": value, "role": role, "on": "team", "id": null});
    let issuers = Issuers::new(vec![rule(|rule| {
        rule["keys"] = mint.keys();
        rule["claims"] = json!({"user": "sub", "role": "groups"});
        rule["roles"] =
            json!([role("llm-*-admins", "admin"), role("llm-*", "viewer"), role("root", "owner")]);
    })])
    .unwrap();
    let of = |groups: Value| {
        let token = mint.token(&claims(|claims| claims["groups"] = groups));
        let roles = verify(&issuers, &token).unwrap().roles;
        roles.into_iter().map(|given| given.role).collect::<Vec<_>>()
    };
    assert_eq!(of(json!(["x", "llm-a-admins"])), ["admin", "viewer"]);
    assert_eq!(of(json!("llm-b")), ["viewer"]);
    assert!(of(json!(["Root"])).is_empty() && of(json!({"root": 1})).is_empty());
}
