//! Tokens of issuers instead of keys.

use super::*;
use crate::directory::Published;
use crate::testing::mint::{ISSUER, Mint, rule};
use std::path::PathBuf;

const FAR: u64 = 4_000_000_000;

/// A gateway that takes tokens, with a directory that the test writes.
struct House {
    front: Front,
    folder: PathBuf,
    file: u64,
    text: String,
}

impl House {
    fn new(change: impl FnOnce(&mut Value)) -> Self {
        let front = Front::new(|snapshot| snapshot["jwt"] = json!([rule(change)]));
        let folder = std::env::temp_dir().join(format!("llmgw-house-{:x}", fastrand::u128(..)));
        std::fs::create_dir(&folder).unwrap();
        House { front, folder, file: 1, text: String::new() }
    }

    /// The usual one: an issuer, an organisation, two teams, a user.
    fn furnished(mint: &Mint) -> Self {
        let mut house = House::new(|_| {});
        house.tell(&[
            json!({"put": "jwks", "issuer": ISSUER, "keys": mint.keys()["keys"], "at": 1}),
            node("organisation", "org_a", None),
            node("team", "team_a", Some("org_a")),
            node("team", "team_b", Some("org_a")),
            node("user", "alice", Some("org_a")),
        ]);
        house
    }

    fn tell(&mut self, lines: &[Value]) {
        for line in lines {
            self.text.push_str(&format!("{line}\n"));
        }
        self.text.push_str(&format!("{}\n", json!({"end": self.text.len()})));
        self.publish();
    }

    /// A new file with the whole state.
    fn compact(&mut self) {
        self.file += 1;
        self.publish();
    }

    fn publish(&self) {
        let path = self.folder.join(format!("directory.{}", self.file));
        std::fs::write(path, &self.text).unwrap();
        let published = Published { file: self.file, length: self.text.len() as u64 };
        let shop = &self.front.shop;
        shop.directory.follow(&self.folder, published, &shop.log).unwrap();
    }

    fn show(&self, token: &str) -> Result<Arc<Key>> {
        self.front.shop.authenticate(&self.front.plan, Some(token.as_bytes()), None)
    }

    fn refusal(&self, token: &str) -> (Class, String) {
        let error = self.show(token).err().unwrap();
        (error.class, error.message)
    }

    fn remembered(&self) -> usize {
        self.front.shop.tokens.remembered()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn node(kind: &str, id: &str, parent: Option<&str>) -> Value {
    json!({"put": "node", "id": id, "kind": kind, "name": format!("the {id}"), "parent": parent})
}

fn claims(sub: &str, team: Value) -> Value {
    json!({"iss": ISSUER, "aud": "llmgw", "sub": sub, "exp": FAR, "team": team})
}

#[test]
fn a_token_stands_for_the_nodes_that_it_names() {
    let mint = Mint::new();
    let house = House::furnished(&mint);
    let key = house.show(&mint.token(&claims("alice", json!(["nobody", "team_b"])))).unwrap();
    let identity = key.identity(&Default::default());
    assert_eq!((identity.user, identity.team), (Some("alice"), Some("team_b")));
    assert!(identity.id.starts_with("jwt:") && identity.alias == "jwt:the alice");
    assert_eq!(key.expires_at, Some((FAR + 10) * 1_000_000));
    assert!(!key.admin);
}

#[test]
fn a_token_is_checked_once_and_then_remembered() {
    let mint = Mint::new();
    let house = House::furnished(&mint);
    let token = mint.token(&claims("alice", json!("team_a")));
    let first = house.show(&token).unwrap();
    assert!(Arc::ptr_eq(&first, &house.show(&token).unwrap()));
    assert_eq!(house.remembered(), 1);
}

#[test]
fn tokens_that_begin_alike_are_never_taken_for_one_another() {
    let mint = Mint::new();
    let house = House::furnished(&mint);
    let of = |sub: &str, team: &str| {
        // The claims that differ stand last.
        let text = mint.token(&json!({
            "aud": "llmgw", "exp": FAR, "iss": ISSUER, "sub": sub, "team": team,
        }));
        (text.clone(), house.show(&text))
    };
    let (one, first) = of("alice", "team_a");
    let (two, second) = of("alice", "team_b");
    assert_eq!(one[..100], two[..100]);
    let team = |key: Result<Arc<Key>>| key.unwrap().nodes.id(NodeKind::Team).map(str::to_owned);
    assert_eq!((team(first).as_deref(), team(second).as_deref()), (Some("team_a"), Some("team_b")));
}

#[test]
fn whoever_is_not_known_is_denied() {
    let mint = Mint::new();
    let house = House::furnished(&mint);
    let refusal = house.refusal(&mint.token(&claims("mallory", json!("team_a"))));
    assert_eq!(
        refusal,
        (Class::PermissionDenied, "The token names a user that is not known here.".into())
    );
    let refusal = house.refusal(&mint.token(&claims("alice", json!("team_z"))));
    assert_eq!(
        refusal,
        (Class::PermissionDenied, "The token names a team that is not known here.".into())
    );
    // An id of another kind is none of this one.
    assert!(house.show(&mint.token(&claims("team_a", json!("team_a")))).is_err());
    assert_eq!(house.remembered(), 0);
}

#[test]
fn a_team_of_another_organisation_is_not_joined_by_naming_it() {
    let mint = Mint::new();
    let mut house = House::furnished(&mint);
    house.tell(&[node("organisation", "org_b", None), node("team", "team_c", Some("org_b"))]);
    assert_eq!(
        house.refusal(&mint.token(&claims("alice", json!("team_c")))).0,
        Class::PermissionDenied
    );
}

#[test]
fn a_block_reaches_tokens_that_were_seen_before() {
    let mint = Mint::new();
    let mut house = House::furnished(&mint);
    let token = mint.token(&claims("alice", json!("team_a")));
    assert!(house.show(&token).is_ok());
    let mut alice = node("user", "alice", Some("org_a"));
    alice["blocked"] = json!(true);
    house.tell(&[alice.clone()]);
    assert_eq!(house.refusal(&token).1, "What the token names is blocked.");
    alice["blocked"] = json!(false);
    house.tell(&[alice]);
    assert!(house.show(&token).is_ok());
    house.tell(&[json!({"drop": "alice"})]);
    assert_eq!(house.refusal(&token).1, "The token names a user that is not known here.");
}

#[test]
fn a_block_reaches_them_also_after_the_directory_was_compacted() {
    let mint = Mint::new();
    let mut house = House::furnished(&mint);
    let token = mint.token(&claims("alice", json!("team_a")));
    assert!(house.show(&token).is_ok());
    house.compact();
    let mut team = node("team", "team_a", Some("org_a"));
    team["blocked"] = json!(true);
    house.tell(&[team]);
    assert_eq!(house.refusal(&token).1, "What the token names is blocked.");
}

#[test]
fn a_key_that_its_issuer_has_withdrawn_takes_its_tokens_along() {
    let (old, new) = (Mint::new(), Mint::new());
    let mut house = House::furnished(&old);
    let token = old.token(&claims("alice", json!("team_a")));
    assert!(house.show(&token).is_ok());
    house.tell(&[json!({"put": "jwks", "issuer": ISSUER, "keys": new.keys()["keys"], "at": 2})]);
    assert_eq!(house.refusal(&token).0, Class::Unauthenticated);
    assert!(house.show(&new.token(&claims("alice", json!("team_a")))).is_ok());
}

#[test]
fn unknown_keys_are_asked_for() {
    let mint = Mint::new();
    let house = House::new(|_| {});
    let token = mint.token(&claims("alice", json!("team_a")));
    assert_eq!(house.front.shop.tokens.wanted_keys(), 0);
    let refusal = house.refusal(&token);
    assert_eq!(refusal.1, "The signing keys of the token's issuer are not known yet.");
    assert_eq!(house.front.shop.tokens.wanted_keys(), 1);
}

#[test]
fn names_may_stand_for_ids_unless_they_are_ambiguous() {
    let mint = Mint::new();
    let mut house = House::new(|rule| {
        rule["find_by"] = json!("name");
        rule["keys"] = mint.keys();
        rule["claims"] = json!({"team": "team", "organisation": "org"});
    });
    house.tell(&[
        node("organisation", "org_a", None),
        node("organisation", "org_b", None),
        json!({"put": "node", "id": "t1", "kind": "team", "name": "ml", "parent": "org_a"}),
        json!({"put": "node", "id": "t2", "kind": "team", "name": "ml", "parent": "org_b"}),
    ]);
    let mut told = claims("x", json!("ml"));
    assert_eq!(
        house.refusal(&mint.token(&told)).1,
        "The token names a team that there are several of."
    );
    told["org"] = json!("the org_b");
    let key = house.show(&mint.token(&told)).unwrap();
    assert_eq!(key.nodes.id(NodeKind::Team), Some("t2"));
}

#[test]
fn users_may_be_known_by_the_ids_that_their_issuer_gave_them() {
    let mint = Mint::new();
    let mut house = House::new(|rule| {
        rule["find_by"] = json!("external_id");
        rule["keys"] = mint.keys();
    });
    let mut alice = node("user", "user_1", None);
    alice["external_id"] = json!("00u-alice");
    house.tell(&[alice]);
    let token = mint.token(&json!({"iss": ISSUER, "aud": "llmgw", "sub": "00u-alice", "exp": FAR}));
    assert_eq!(house.show(&token).unwrap().nodes.id(NodeKind::User), Some("user_1"));
}

#[test]
fn what_the_token_allows_narrows_what_the_nodes_allow() {
    let mint = Mint::new();
    let mut house = House::new(|rule| {
        rule["keys"] = mint.keys();
        rule["claims"] = json!({"team": "team", "models": "models"});
    });
    let mut team = node("team", "team_a", None);
    team["models"] = json!(["chat", "embed"]);
    house.tell(&[team]);
    let mut told = claims("x", json!("team_a"));
    told["models"] = json!(["chat", "other"]);
    let key = house.show(&mint.token(&told)).unwrap();
    assert_eq!(["chat", "embed", "other"].map(|name| key.may_use(name)), [true, false, false]);
}

#[test]
fn a_key_with_two_dots_that_is_ours_is_still_a_key() {
    let front = Front::new(|snapshot| {
        snapshot["auth"]["keys"][0] = virtual_key("app", "dotted.key.0123456789");
        snapshot["jwt"] = json!([rule(|_| {})]);
    });
    let shown = Some(&b"dotted.key.0123456789"[..]);
    assert_eq!(&*front.shop.authenticate(&front.plan, shown, None).unwrap().alias, "app");
}

#[test]
fn without_issuers_no_token_is_taken() {
    let front = Front::new(|_| {});
    let error = front.shop.authenticate(&front.plan, Some(b"eyJh.eyJh.c2ln"), None).err().unwrap();
    assert_eq!(
        (error.class, &*error.message),
        (Class::Unauthenticated, "Tokens of issuers are not taken here.")
    );
}
