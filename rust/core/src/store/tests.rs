//! The store as a worker uses it: written by its thread, read by its owner alone.

#![allow(clippy::unwrap_used)]

use super::entry::{Content, Origin};
use super::testing::TempFolder;
use super::*;
use crate::testing::{plan, responses_policy, shop};
use bytes::Bytes;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A store in a folder of the test's own, and a configuration to use it under.
struct Room {
    temp: TempFolder,
    store: Store,
    plan: Arc<Plan>,
}

impl Room {
    fn new() -> Self {
        Room::with(responses_policy())
    }

    fn with(policy: Value) -> Self {
        let temp = TempFolder::make();
        let plan = plan(|snapshot| snapshot["responses"] = policy);
        let shop = Arc::new(shop(Some(plan.clone())));
        let store =
            Store::open(temp.path().join("responses"), temp.path().join("files"), shop).unwrap();
        Room { temp, store, plan }
    }

    fn keep(&self, owner: &str, id: &str, entry: Entry) {
        self.store.keep(&self.plan, owner, id, entry);
    }

    async fn find(&self, owner: &str, id: &str) -> Option<Entry> {
        self.store.find(&self.plan, owner, id).await
    }

    /// The files of the entries that have been written.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let shards = fs::read_dir(self.temp.path().join("responses")).into_iter().flatten();
        for shard in shards.flatten().filter(|shard| shard.path().is_dir()) {
            files.extend(fs::read_dir(shard.path()).unwrap().map(|file| file.unwrap().path()));
        }
        files
    }

    fn sample(&self, name: &str) -> u64 {
        let text = self.store.shop.metrics.render();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    }

    fn lost(&self) -> u64 {
        self.sample(r#"llmgw_stored_responses_total{result="lost"}"#)
    }
}

fn entry(response: &'static str) -> Entry {
    let content = Content { input: Bytes::from("\"hi\""), response: Bytes::from(response) };
    let origin = Origin {
        kept_at: unix_seconds(),
        group: "chat".into(),
        deployment: "one".into(),
        model: "routed".into(),
        account: None,
    };
    Entry { origin, content: Some(content) }
}

fn policy(change: impl FnOnce(&mut Value)) -> Value {
    let mut policy = responses_policy();
    change(&mut policy);
    policy
}

#[tokio::test]
async fn what_is_kept_is_found_at_once_though_it_is_written_elsewhere() {
    let room = Room::new();
    for number in 0..50 {
        let id = format!("resp_{number}");
        let kept = entry("{}");
        room.keep("app", &id, kept.clone());
        assert_eq!(room.find("app", &id).await, Some(kept), "{id}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_waited_for() {
    let room = Room::new();
    let started = Instant::now();
    assert_eq!(room.find("app", "resp_1").await, None);
    assert!(started.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn nobody_but_its_owner_finds_it() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    assert!(room.find("app", "resp_1").await.is_some());
    assert_eq!(room.find("other", "resp_1").await, None);
    assert_eq!(room.sample("llmgw_stored_responses_damaged_total"), 0);
}

#[tokio::test]
async fn nobody_but_its_owner_removes_it() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    assert!(room.find("app", "resp_1").await.is_some());
    room.store.remove(&room.plan, "other", "resp_1").await;
    assert!(room.find("app", "resp_1").await.is_some());
    assert!(room.store.remove(&room.plan, "app", "resp_1").await);
    assert_eq!(room.find("app", "resp_1").await, None);
    assert!(room.files().is_empty());
}

#[tokio::test]
async fn the_files_say_nothing() {
    let room = Room::new();
    room.keep("app", "resp_1", entry(r#"{"secret":"word"}"#));
    room.store.close();
    let file = &room.files()[0];
    let bytes = fs::read(file).unwrap();
    for part in ["secret", "word", "resp_1", "app", "chat"] {
        assert!(memchr::memmem::find(&bytes, part.as_bytes()).is_none(), "{part}");
        assert!(!file.to_str().unwrap().ends_with(part));
    }
}

#[tokio::test]
async fn a_damaged_file_is_not_found_and_is_counted() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    room.store.close();
    let file = &room.files()[0];
    let bytes = fs::read(file).unwrap();
    let mut flipped = bytes.clone();
    flipped[60] ^= 1;
    for damaged in [&flipped[..], &bytes[..bytes.len() / 2], &[]] {
        fs::write(file, damaged).unwrap();
        assert_eq!(room.find("app", "resp_1").await, None);
    }
    assert_eq!(room.sample("llmgw_stored_responses_damaged_total"), 3);
}

#[tokio::test]
async fn another_installation_cannot_read_it() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    room.store.close();
    let elsewhere = plan(|snapshot| {
        snapshot["auth"]["pepper"] = "08".repeat(32).into();
        snapshot["responses"] = responses_policy();
    });
    assert_eq!(room.store.find(&elsewhere, "app", "resp_1").await, None);
}

#[tokio::test]
async fn what_has_had_its_time_is_not_found() {
    let room = Room::with(policy(|policy| policy["keep"] = json!(60.0)));
    let mut old = entry("{}");
    old.origin.kept_at -= 60;
    room.keep("app", "resp_1", old);
    assert_eq!(room.find("app", "resp_1").await, None);
    assert_eq!(room.files().len(), 1);
}

#[tokio::test]
async fn without_terms_nothing_is_kept_or_found() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    assert!(room.find("app", "resp_1").await.is_some());
    let off = plan(|_| {});
    assert_eq!(room.store.find(&off, "app", "resp_1").await, None);
    room.store.keep(&off, "app", "resp_2", entry("{}"));
    room.store.close();
    assert_eq!(room.files().len(), 1);
}

#[tokio::test]
async fn one_that_is_too_large_is_lost_and_counted() {
    let room = Room::with(policy(|policy| policy["max_entry_bytes"] = json!(10)));
    room.keep("app", "resp_1", entry(r#"{"output":[]}"#));
    assert_eq!(room.find("app", "resp_1").await, None);
    assert_eq!(room.lost(), 1);
}

#[tokio::test]
async fn more_than_may_wait_is_lost_and_counted() {
    let room = Room::new();
    let large = || {
        let response = Bytes::from(vec![b'x'; MOST_WAITING]);
        let content = Some(Content { input: Bytes::new(), response });
        Entry { content, ..entry("") }
    };
    // The first may have been written by then; the others cannot.
    for number in 0..3 {
        room.keep("app", &format!("resp_{number}"), large());
    }
    room.store.close();
    assert!(room.lost() >= 1);
    assert!(room.files().len() <= 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_loses_them_and_nothing_else() {
    let room = Room::new();
    // Also root cannot make a folder below a file.
    fs::write(room.temp.path().join("responses"), "").unwrap();
    room.keep("app", "resp_1", entry("{}"));
    assert_eq!(room.find("app", "resp_1").await, None);
    assert_eq!(room.lost(), 1);
}

#[tokio::test]
async fn when_there_are_too_many_the_oldest_go() {
    let room = Room::with(policy(|policy| policy["max_bytes"] = json!(10 * 4096)));
    for number in 0..11 {
        let id = format!("resp_{number}");
        room.keep("app", &id, entry("{}"));
        assert!(room.find("app", &id).await.is_some() || number == 10, "{id}");
    }
    room.store.close();
    assert_eq!(room.find("app", "resp_0").await, None);
    assert!(room.find("app", "resp_10").await.is_some());
    assert_eq!(room.sample("llmgw_stored_responses_bytes"), 9 * 4096);
}

#[tokio::test]
async fn one_owner_cannot_push_out_what_others_have_stored() {
    let room = Room::with(policy(|policy| policy["max_bytes"] = json!(10 * 4096)));
    room.keep("quiet", "resp_old", entry("{}"));
    for number in 0..30 {
        room.keep("loud", &format!("resp_{number}"), entry("{}"));
    }
    room.store.close();
    assert!(room.find("quiet", "resp_old").await.is_some());
    assert!(room.find("loud", "resp_29").await.is_some());
    assert_eq!(room.find("loud", "resp_0").await, None);
}

#[tokio::test]
async fn what_waits_is_written_before_the_store_closes() {
    let room = Room::new();
    for number in 0..100 {
        room.keep("app", &format!("resp_{number}"), entry("{}"));
    }
    room.store.close();
    assert_eq!(room.files().len(), 100);
    room.keep("app", "resp_late", entry("{}"));
    assert_eq!((room.files().len(), room.lost()), (100, 1));
}

#[tokio::test]
async fn files_are_for_the_owner_of_the_process_alone() {
    let room = Room::new();
    room.keep("app", "resp_1", entry("{}"));
    room.store.close();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&room.files()[0]), 0o600);
}
