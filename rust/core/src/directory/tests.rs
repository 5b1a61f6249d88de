#![allow(clippy::unwrap_used)]

use super::*;
use crate::keys::{Digester, to_hex};
use crate::plan::{NodeKind, Priority};
use crate::testing::PEPPER;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// A folder with files, and one who reads them.
struct Feed {
    folder: PathBuf,
    directory: Directory,
    log: Log,
    at: Published,
}

impl Feed {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("llmgw-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let at = Published { file: 1, length: 0 };
        Feed { folder, directory: Directory::default(), log: Log::default(), at }
    }

    /// Appends text, without publishing it.
    fn write(&mut self, text: &str) {
        let path = self.folder.join(format!("directory.{}", self.at.file));
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.at.length += text.len() as u64;
    }

    fn follow(&self) -> Result<(), Refused> {
        self.directory.follow(&self.folder, self.at, &self.log)
    }

    /// Appends lines that are whole together, and reads on.
    fn tell(&mut self, lines: &[Value]) -> Result<(), Refused> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let sequence = self.at.length + 1;
        self.write(&format!("{text}{}\n", json!({"end": sequence})));
        self.follow()
    }

    fn begin(&mut self, lines: &[Value]) -> Result<(), Refused> {
        self.at = Published { file: self.at.file + 1, length: 0 };
        self.tell(lines)
    }

    fn found(&self, shown: &str) -> Option<Arc<Key>> {
        self.directory.key(&digest(shown))
    }

    fn standing(&self, shown: &str, now: u64) -> String {
        match self.directory.key_in_standing(&digest(shown), now) {
            None => "unknown".into(),
            Some(result) => result.map_or_else(|why| why, |_| "good".into()),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn digest(shown: &str) -> Digest {
    Digester::new(&PEPPER).digest(shown.as_bytes())
}

fn key(id: &str, shown: &[(&str, Option<u64>)], more: Value) -> Value {
    let digests: Vec<_> =
        shown.iter().map(|(text, until)| json!([to_hex(&digest(text)), until])).collect();
    let mut line = json!({"put": "key", "id": id, "alias": id, "digests": digests});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

fn node(kind: &str, id: &str, more: Value) -> Value {
    let mut line = json!({"put": "node", "id": id, "kind": kind, "name": id, "parent": null});
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

#[test]
fn a_key_is_as_the_last_line_says() {
    let mut feed = Feed::new("last-line");
    feed.tell(&[key("key_a", &[("one", None)], json!({"tags": ["x"]}))]).unwrap();
    assert_eq!(feed.found("one").unwrap().id(), "key_a");
    feed.tell(&[key("key_a", &[("two", None)], json!({}))]).unwrap();
    assert!(feed.found("one").is_none() && feed.found("two").is_some());
    feed.tell(&[json!({"drop": "key_a"})]).unwrap();
    assert!(feed.found("two").is_none());
    assert_eq!(feed.directory.state().keys, 0);
}

#[test]
fn all_that_the_contract_tells_of_a_key_and_a_node_is_read() {
    let mut feed = Feed::new("all-fields");
    let limit = json!({"of": "cost", "amount": 5, "per": "day", "burst": null, "model": null});
    let budget = json!({"amount": 7, "window": "month", "soft": [800], "action": "block",
        "throttle": null, "downgrade_to": null, "model": null, "name": "b"});
    let team = node(
        "team",
        "team_t",
        json!({"models": null, "endpoints": null, "networks": null,
        "regions": null, "priority": "low", "tags": ["of-team", "x"], "limits": [limit], "budgets": [budget],
        "margin_ppm": -5, "blocked": false}),
    );
    let line = key(
        "key_a",
        &[("one", None)],
        json!({
            "blocked": false, "expires_at": null, "organisation": null, "team": "team_t", "project": null,
            "user": null, "service_account": null, "admin": false, "models": ["gpt-*"],
            "model_map": {"a": "gpt-5"}, "endpoints": null, "pass_through": null, "networks": null,
            "regions": null, "guardrails": ["strict"], "tags": ["x"], "metadata": {"a": "b"},
            "priority": "high", "certificates": ["00".repeat(32)], "limits": [limit], "budgets": [budget],
        }),
    );
    feed.tell(&[team, line]).unwrap();
    let key = feed.found("one").unwrap();
    let identity = key.identity(&crate::caller::Tags::default());
    assert_eq!((identity.id, identity.team, identity.user), ("key_a", Some("team_t"), None));
    assert_eq!(identity.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(), ["x", "of-team"]);
    assert_eq!((key.priority(), key.map().meaning("a").as_ref()), (Priority::Low, "gpt-5"));
    assert_eq!((key.charges.limits().len(), key.charges.budgets()[0].amount), (1, 7));
    key.nodes.each(|node| assert_eq!((node.kind, node.margin_ppm), (NodeKind::Team, -5)));
}

#[test]
fn what_is_not_ended_waits() {
    let mut feed = Feed::new("not-ended");
    feed.tell(&[]).unwrap();
    feed.write(&format!("{}\n", key("key_a", &[("one", None)], json!({}))));
    feed.follow().unwrap();
    assert!(feed.found("one").is_none());
    feed.write("{\"end\":");
    feed.follow().unwrap();
    assert!(feed.found("one").is_none());
    feed.write("900}\n");
    feed.follow().unwrap();
    assert!(feed.found("one").is_some());
    assert_eq!(feed.directory.state().sequence, 900);
}

#[test]
fn a_node_that_changes_counts_at_once_for_whoever_holds_a_key() {
    let mut feed = Feed::new("node-changes");
    let one = key("key_a", &[("one", None)], json!({"team": "team_t", "models": ["a", "b"]}));
    feed.tell(&[node("team", "team_t", json!({})), one]).unwrap();
    let held = feed.found("one").unwrap();
    let mark = held.mark();
    assert!(held.may_use("a") && !held.may_use("c"));
    feed.tell(&[node("team", "team_t", json!({"models": ["b", "c"]}))]).unwrap();
    assert!(!held.may_use("a") && held.may_use("b") && !held.may_use("c"));
    assert_ne!(held.mark(), mark);
    feed.tell(&[node("team", "team_t", json!({}))]).unwrap();
    assert_eq!(held.mark(), mark);
}

#[test]
fn a_key_of_a_node_that_is_not_there_is_good_for_nothing_until_it_is() {
    let mut feed = Feed::new("no-node");
    feed.tell(&[key("key_a", &[("one", None)], json!({"user": "user_u"}))]).unwrap();
    assert_eq!(feed.standing("one", 0), "What the API key belongs to does not exist here.");
    let held = feed.found("one").unwrap();
    assert!(!held.may_use("a") && !held.may_call("files") && !held.is_open_to(None));
    feed.tell(&[node("user", "user_u", json!({}))]).unwrap();
    assert_eq!(feed.standing("one", 0), "good");
}

#[test]
fn each_digest_of_a_key_has_an_end_of_its_own() {
    let mut feed = Feed::new("digests");
    let shown = [("old", Some(10)), ("new", None)];
    feed.tell(&[key("key_a", &shown, json!({"expires_at": 20}))]).unwrap();
    assert_eq!((feed.standing("old", 9), feed.standing("new", 9)), ("good".into(), "good".into()));
    assert_eq!(feed.standing("old", 10), "The API key was replaced by a newer one.");
    assert_eq!(feed.standing("new", 19), "good");
    assert_eq!(feed.standing("new", 20), "The API key has expired.");
}

#[test]
fn a_damaged_file_is_refused_and_what_was_known_stays() {
    let mut feed = Feed::new("damaged");
    feed.tell(&[key("key_a", &[("one", None)], json!({}))]).unwrap();
    for odd in [
        json!({"put": "key", "id": "team_a", "alias": "a", "digests": []}),
        json!({"put": "key", "id": "key_b", "alias": "a", "digests": [["zz", null]]}),
        json!({"put": "key", "id": "key_b", "alias": "a", "digests": [], "netwroks": []}),
        json!({"put": "key", "id": "key_b", "alias": "a\n", "digests": []}),
        json!({"put": "key", "id": "key_b", "alias": "a", "digests": [], "networks": ["10.0.0.0/99"]}),
        json!({"put": "node", "id": "team_a", "kind": "club", "name": "a", "parent": null}),
        json!({"put": "key", "drop": "key_a"}),
    ] {
        let refused = feed.begin(std::slice::from_ref(&odd)).unwrap_err();
        assert!(refused.is_damage, "{odd}");
        assert!(feed.found("one").is_some());
        assert_eq!(feed.directory.state().error, Some(refused.reason));
        // It is said once, and not read again.
        assert_eq!(feed.follow(), Ok(()));
    }
    feed.begin(&[key("key_c", &[("two", None)], json!({}))]).unwrap();
    assert!(feed.found("one").is_none() && feed.found("two").is_some());
    assert_eq!(feed.directory.state().error, None);
}

#[test]
fn what_was_whole_before_the_damage_counts() {
    let mut feed = Feed::new("before-damage");
    feed.tell(&[]).unwrap();
    let good = key("key_a", &[("one", None)], json!({}));
    feed.write(&format!("{good}\n{}\n[]\n", json!({"end": 50})));
    assert!(feed.follow().unwrap_err().is_damage);
    assert!(feed.found("one").is_some());
}

#[test]
fn a_file_that_is_not_there_yet_is_looked_for_again() {
    let mut feed = Feed::new("not-there");
    feed.at.length = 10;
    let refused = feed.follow().unwrap_err();
    assert!(!refused.is_damage);
    feed.at.length = 0;
    feed.tell(&[key("key_a", &[("one", None)], json!({}))]).unwrap();
    assert!(feed.found("one").is_some());
}

#[test]
fn a_line_without_an_end_is_not_read_for_ever() {
    let mut feed = Feed::new("long-line");
    feed.write(&"x".repeat(2 * 1024 * 1024));
    assert!(feed.follow().unwrap_err().is_damage);
}

#[test]
fn keys_that_allow_the_same_share_what_they_allow() {
    let mut feed = Feed::new("shared");
    let same = json!({"models": ["a", "b-*"], "networks": ["10.0.0.0/8"]});
    feed.tell(&[
        key("key_a", &[("one", None)], same.clone()),
        key("key_b", &[("two", None)], same),
        key("key_c", &[("three", None)], json!({"models": ["a"]})),
    ])
    .unwrap();
    let policy = |shown| feed.found(shown).unwrap().policy.clone();
    assert!(Arc::ptr_eq(&policy("one"), &policy("two")));
    assert!(!Arc::ptr_eq(&policy("one"), &policy("three")));
}

#[test]
fn a_digest_that_moves_to_another_key_is_not_lost_with_the_first() {
    let mut feed = Feed::new("moved");
    feed.tell(&[key("key_a", &[("one", None)], json!({}))]).unwrap();
    feed.tell(&[key("key_b", &[("one", None)], json!({})), json!({"drop": "key_a"})]).unwrap();
    assert_eq!(feed.found("one").unwrap().id(), "key_b");
}

#[test]
fn the_keys_of_issuers_are_kept_until_they_are_dropped() {
    let mut feed = Feed::new("issuers");
    let url = "https://id.example.com/";
    feed.tell(&[json!({"put": "jwks", "issuer": url, "keys": [{"kty": "RSA"}], "at": 5})]).unwrap();
    let issuer = feed.directory.issuer(url).unwrap();
    assert_eq!(issuer.fetched_at, 5);
    feed.tell(&[json!({"drop": url})]).unwrap();
    assert!(feed.directory.issuer(url).is_none());
}

#[test]
fn many_changes_at_once_are_taken_in_as_few_are() {
    let mut feed = Feed::new("many");
    let all: Vec<Value> = (0..6000)
        .map(|index| key(&format!("key_{index}"), &[(&format!("shown-{index}"), None)], json!({})))
        .collect();
    feed.tell(&[node("team", "team_t", json!({}))]).unwrap();
    feed.tell(&all).unwrap();
    let state = feed.directory.state();
    assert_eq!((state.keys, state.nodes), (6000, 1));
    assert!(feed.found("shown-5999").is_some());
}
