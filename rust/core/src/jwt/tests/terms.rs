//! What is asked of claims, and how long a genuine token is remembered.

use super::super::claims::{Place, Terms};
use super::*;
use serde_json::Map;

fn terms(required: &[&str]) -> Terms {
    Terms {
        audiences: vec!["llmgw".into()],
        leeway: 10,
        max_lifetime: None,
        required: required.iter().map(|&claim| Place::new(claim.into())).collect(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_token_counts_until_its_end_and_the_leeway() {
    let claims = object(json!({"aud": "llmgw", "exp": 100, "nbf": 50}));
    assert_eq!(terms(&[]).check(&claims, 99), Ok(110));
    assert_eq!(terms(&[]).check(&claims, 109), Ok(110));
    assert!(terms(&[]).check(&claims, 110).is_err());
    assert_eq!(terms(&[]).check(&claims, 40), Ok(110));
    assert!(terms(&[]).check(&claims, 39).is_err());
}

#[test]
fn the_end_of_time_is_no_overflow() {
    let claims = object(json!({"aud": "llmgw", "exp": u64::MAX}));
    assert_eq!(terms(&[]).check(&claims, 1), Ok(u64::MAX));
}

#[test]
fn a_required_claim_may_lie_deep_and_must_hold_something() {
    let base = json!({"aud": "llmgw", "exp": 100, "a": {"b/c": [1, {"d": "x"}]}, "empty": null});
    let asked = |place: &str| terms(&[place]).check(&object(base.clone()), 1).is_ok();
    assert!(asked("/a/b~1c/1/d") && asked("a") && asked("/a"));
    assert!(!asked("/a/b~1c/2") && !asked("empty") && !asked("a/b") && !asked("/") && !asked("b"));
}

#[test]
fn the_cache_keeps_a_token_as_long_as_it_counts() {
    let mut cache = Cache::new(2);
    cache.put([1; 32], "one", 100, 0);
    assert_eq!(cache.get(&[1; 32], 99), Some(&"one"));
    assert_eq!(cache.get(&[1; 32], 100), None);
}

#[test]
fn the_cache_never_outgrows_its_room() {
    let mut cache = Cache::new(4);
    for number in 0..=255_u8 {
        cache.put([number; 32], number, 1000, 0);
        assert!(cache.len() <= 4);
        assert_eq!(cache.get(&[number; 32], 1), Some(&number));
    }
    cache.put([9; 32], 9, 5, 0);
    cache.put([8; 32], 8, 1000, 0);
    cache.put([7; 32], 7, 1000, 10);
    assert!(cache.len() <= 4 && cache.get(&[8; 32], 10).is_some());
}
