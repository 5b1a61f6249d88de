#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{plan, virtual_key};
use serde_json::{Value, json};

/// What a key of the settings file becomes.
fn of_file(alias: &str, change: impl FnOnce(&mut Value)) -> Arc<Key> {
    let plan = plan(|snapshot| {
        let mut key = virtual_key(alias, "shown-key-0123456789");
        change(&mut key);
        snapshot["auth"]["keys"] = json!([key]);
    });
    plan.key(&plan.digester.digest(b"shown-key-0123456789")).unwrap().clone()
}

fn of_directory(id: &str, alias: &str) -> Key {
    Key::of_directory(KeyParts {
        id,
        alias,
        shown: Vec::new(),
        nodes: Nodes::default(),
        policy: Arc::default(),
        charges: Arc::default(),
        admin: false,
        blocked: false,
        expires_at: None,
    })
}

#[test]
fn no_key_is_taken_for_another_whatever_it_is_called() {
    let file = of_file("key_1", |_| {});
    let store = of_directory("key_1", "key_1");
    let master = of_file("master", |key| key["admin"] = json!(true));
    assert_eq!([file.id(), store.id(), master.id()], ["file:key_1", "key_1", "master"]);
    let odd = of_file("file:key_1", |_| {});
    let owners = [file.owner(), store.owner(), master.owner(), odd.owner()];
    assert_eq!(owners, ["key_1", "#key_1", "master", "file:key_1"]);
}

#[test]
fn a_key_is_served_in_a_region_that_is_known_and_allowed() {
    let key = of_file("a", |key| key["regions"] = json!(["eu-*", "switzerland"]));
    assert!(key.has_regions() && key.may_be_served_in(Some("eu-west-1")));
    assert!(!key.may_be_served_in(Some("us-east-1")) && !key.may_be_served_in(None));
    let free = of_file("b", |_| {});
    assert!(!free.has_regions() && free.may_be_served_in(None));
}

#[test]
fn an_address_is_compared_as_what_it_is() {
    let key = of_file("a", |key| key["networks"] = json!(["10.0.0.0/8", "::ffff:192.0.2.0/120"]));
    let from = |address: &str| key.is_open_to(Some(address.parse().unwrap()));
    assert!(from("10.1.1.1") && from("::ffff:10.1.1.1") && from("192.0.2.7"));
    assert!(!from("11.1.1.1") && !from("::1") && !key.is_open_to(None));
}

#[test]
fn a_list_that_is_empty_allows_nothing() {
    let key = of_file("a", |key| {
        for name in ["models", "endpoints", "networks", "regions"] {
            key[name] = json!([]);
        }
    });
    assert!(!key.may_use("chat") && !key.may_call("chat_completions"));
    assert!(!key.is_open_to(Some([127, 0, 0, 1].into())) && !key.may_be_served_in(Some("x")));
}

#[test]
fn identities_name_a_key_and_its_tags() {
    let key = of_file("app", |key| key["tags"] = json!(["a", "b"]));
    let identity = key.identity(&crate::caller::Tags::default());
    assert_eq!((identity.id, identity.alias, identity.team), ("file:app", "app", None));
    assert_eq!(identity.tags.len(), 2);
}
