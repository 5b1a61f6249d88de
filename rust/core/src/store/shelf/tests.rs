//! What one owner has is found and listed by that owner alone.

#![allow(clippy::unwrap_used)]

use super::super::testing::TempFolder;
use super::*;
use crate::testing::{files_policy, plan, shop};
use serde_json::json;

struct Room {
    _temp: TempFolder,
    shelf: Shelf,
    plan: Arc<Plan>,
}

impl Room {
    fn new() -> Self {
        let temp = TempFolder::make();
        let plan = plan(|snapshot| snapshot["files"] = files_policy());
        let shop = Arc::new(shop(Some(plan.clone())));
        let shelf = Shelf::new(Folder::new(temp.path().join("files")), shop);
        Room { _temp: temp, shelf, plan }
    }

    async fn put(&self, owner: &str, kind: Kind, id: &str, created_at: u64, purpose: &str) {
        let object = json!({"id": id, "created_at": created_at, "purpose": purpose});
        let record = record(&object.to_string());
        assert!(self.shelf.put(&self.plan, Slot { owner, kind, id }, record).await);
    }

    async fn ids(&self, owner: &str, kind: Kind, wanted: Wanted) -> Option<(Vec<String>, bool)> {
        let page = self.shelf.list(&self.plan, owner, kind, wanted).await?;
        Some((page.objects.into_iter().map(|(id, _)| id).collect(), page.has_more))
    }
}

fn record(object: &str) -> Record {
    Record::new("one", Account::new("http://a/v1/files", &[]), None, object.into())
}

fn wanted() -> Wanted {
    Wanted { after: None, ascending: false, limit: 10, purpose: None }
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn what_is_remembered_is_found_by_its_owner_alone() {
    let room = Room::new();
    let slot = |owner, kind| Slot { owner, kind, id: "file-1" };
    room.put("app", Kind::File, "file-1", 1, "batch").await;

    let found = room.shelf.get(&room.plan, slot("app", Kind::File)).await.unwrap();
    assert_eq!(found.deployment, "one");
    assert_eq!(room.shelf.get(&room.plan, slot("other", Kind::File)).await, None);
    assert_eq!(room.shelf.get(&room.plan, slot("app", Kind::Batch)).await, None);
    assert!(room.shelf.remove(&room.plan, slot("other", Kind::File)).await);
    assert!(room.shelf.get(&room.plan, slot("app", Kind::File)).await.is_some());
    assert!(room.shelf.remove(&room.plan, slot("app", Kind::File)).await);
    assert_eq!(room.shelf.get(&room.plan, slot("app", Kind::File)).await, None);
}

#[tokio::test]
async fn a_list_has_one_owners_of_one_kind_the_newest_first() {
    let room = Room::new();
    for (id, created_at) in [("file-a", 2), ("file-b", 3), ("file-c", 1)] {
        room.put("app", Kind::File, id, created_at, "batch").await;
    }
    room.put("other", Kind::File, "file-d", 4, "batch").await;
    room.put("app", Kind::Batch, "batch_1", 5, "").await;

    let all = room.ids("app", Kind::File, wanted()).await.unwrap();
    assert_eq!(all, (ids(&["file-b", "file-a", "file-c"]), false));
    let oldest = Wanted { ascending: true, ..wanted() };
    assert_eq!(
        room.ids("app", Kind::File, oldest).await.unwrap().0,
        ids(&["file-c", "file-a", "file-b"])
    );
    assert_eq!(room.ids("app", Kind::Batch, wanted()).await.unwrap().0, ids(&["batch_1"]));
    assert_eq!(room.ids("nobody", Kind::File, wanted()).await.unwrap().0, ids(&[]));
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let room = Room::new();
    for number in 0..7 {
        room.put("app", Kind::File, &format!("file-{number}"), number / 2, "batch").await;
    }
    for ascending in [false, true] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let wanted = Wanted { after: after.clone(), ascending, limit: 2, purpose: None };
            let (page, has_more) = room.ids("app", Kind::File, wanted).await.unwrap();
            assert!(page.len() <= 2);
            after = page.last().cloned();
            seen.extend(page);
            if !has_more {
                break;
            }
        }
        let mut expected: Vec<_> = (0..7).map(|number| format!("file-{number}")).collect();
        if !ascending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_list_may_be_of_one_purpose() {
    let room = Room::new();
    room.put("app", Kind::File, "file-1", 1, "batch").await;
    room.put("app", Kind::File, "file-2", 2, "evals").await;

    let evals = Wanted { purpose: Some("evals".into()), ..wanted() };
    assert_eq!(room.ids("app", Kind::File, evals).await.unwrap().0, ids(&["file-2"]));
}

#[tokio::test]
async fn a_page_after_what_is_anothers_is_none() {
    let room = Room::new();
    room.put("other", Kind::File, "file-1", 1, "batch").await;

    let after = Wanted { after: Some("file-1".into()), ..wanted() };
    assert_eq!(room.ids("app", Kind::File, after).await, None);
}

#[tokio::test]
async fn what_was_not_seen_for_too_long_is_forgotten() {
    let room = Room::new();
    let slot = Slot { owner: "app", kind: Kind::File, id: "file-1" };
    let record = Record { seen_at: 1, ..record(r#"{"id":"file-1"}"#) };
    room.shelf.put(&room.plan, slot, record).await;

    assert_eq!(room.shelf.get(&room.plan, slot).await, None);
    assert_eq!(room.ids("app", Kind::File, wanted()).await.unwrap().0, ids(&[]));
}
