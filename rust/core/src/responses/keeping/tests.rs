//! Who keeps which reply, and what of it.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::access::Route;
use crate::caller::Caller;
use crate::gate::{Admission, Arrival, Desk, Shop};
use crate::responses::previous::Past;
use crate::snapshot::Operation;
use crate::store::testing::TempFolder;
use crate::testing::{APP_KEY, plan, responses_policy, shop};
use std::sync::Arc;

const BODY: &str = r#"{"model":"chat","input":[{"role":"user","content":"hi"}]}"#;

/// An admitted request for a response, and a store that is to keep the reply.
struct Room {
    _temp: TempFolder,
    store: Store,
    call: Box<Call>,
}

impl Room {
    fn new(body: &'static str) -> Self {
        let temp = TempFolder::make();
        let plan = plan(|snapshot| {
            snapshot["responses"] = responses_policy();
            snapshot["routes"]["/v1/responses"] = "responses".into();
        });
        let shop = Arc::new(shop(Some(plan)));
        let call = admitted(&shop, body);
        let store =
            Store::open(temp.path().join("responses"), temp.path().join("files"), shop).unwrap();
        Room { _temp: temp, store, call }
    }

    fn keeping(&self, keeper: Keeper) -> Option<Keeping<'_>> {
        Keeping::new(&self.store, &self.call, Some(0), keeper)
    }

    fn watch(&self, keeper: Keeper) -> Watch<'_> {
        Watch {
            stage: if keeper == Keeper::Gateway { Stage::End } else { Stage::Beginning },
            keeping: self.keeping(keeper).unwrap(),
            frames: Frames::default(),
        }
    }

    async fn kept(&self, id: &str) -> Option<Entry> {
        self.store.find(&self.call.plan, "app", id).await
    }

    async fn response(&self, id: &str) -> Bytes {
        self.kept(id).await.unwrap().content.unwrap().response
    }
}

fn admitted(shop: &Shop, body: &'static str) -> Box<Call> {
    let plan = shop.plan().unwrap();
    let key = shop.authenticate(&plan, Some(APP_KEY.as_bytes()), None).unwrap();
    let route = Route { operation: Operation::Responses, model: None, stream: false, array: false };
    let arrival = Arrival {
        caller: Caller::default(),
        route,
        body: Bytes::from(body),
        no_cache: false,
        strict: false,
        past: Past::None,
        files_at: None,
    };
    match shop.admit(plan, key, &mut Desk::new(), arrival).unwrap() {
        Admission::Call(call) => call,
        Admission::Hit(..) => unreachable!("there is no cache"),
    }
}

fn reply(store: &str, status: &str) -> Bytes {
    format!(r#"{{"id":"resp_1","status":"{status}","output":[]{store}}}"#).into()
}

fn event(name: &str, response: &str) -> String {
    format!(
        "event: response.{name}\ndata: {{\"type\":\"response.{name}\",\"response\":{response}}}\n\n"
    )
}

#[tokio::test]
async fn a_translated_reply_is_kept_whole_with_what_it_answers() {
    let room = Room::new(BODY);
    room.keeping(Keeper::Gateway).unwrap().whole(&reply("", "completed"));
    let entry = room.kept("resp_1").await.unwrap();
    let content = entry.content.unwrap();
    assert_eq!(content.response, reply("", "completed"));
    assert_eq!(&content.input[..], br#"[{"role":"user","content":"hi"}]"#);
    assert_eq!((&entry.origin.group[..], &entry.origin.deployment[..]), ("chat", "one"));
}

#[tokio::test]
async fn of_a_reply_that_its_upstream_keeps_only_the_place_is() {
    for keeper in [Keeper::AsToldByReply, Keeper::Upstream] {
        let room = Room::new(BODY);
        room.keeping(keeper).unwrap().whole(&reply("", "completed"));
        assert_eq!(room.kept("resp_1").await.unwrap().content, None, "{keeper:?}");
    }
}

#[tokio::test]
async fn what_an_upstream_says_that_it_does_not_keep_is_kept_here() {
    let room = Room::new(BODY);
    let disowned = reply(r#","store":false"#, "completed");
    room.keeping(Keeper::AsToldByReply).unwrap().whole(&disowned);
    assert_eq!(room.response("resp_1").await, disowned);
}

#[tokio::test]
async fn a_reply_that_failed_is_not_kept() {
    let room = Room::new(BODY);
    room.keeping(Keeper::Gateway).unwrap().whole(&reply("", "failed"));
    assert!(room.kept("resp_1").await.is_none());
}

#[tokio::test]
async fn a_background_reply_is_remembered_before_it_is_complete() {
    let room = Room::new(BODY);
    room.keeping(Keeper::AsToldByReply).unwrap().whole(&reply("", "queued"));
    assert!(room.kept("resp_1").await.is_some());
}

#[test]
fn who_wants_nothing_stored_gets_nothing_stored() {
    for body in [r#"{"model":"chat","store":false}"#, r#"{"model":"chat","store":"no"}"#] {
        assert!(Room::new(body).keeping(Keeper::Gateway).is_none(), "{body}");
    }
    for body in [r#"{"model":"chat","store":true}"#, r#"{"model":"chat","store":null}"#] {
        assert!(Room::new(body).keeping(Keeper::Gateway).is_some(), "{body}");
    }
}

#[tokio::test]
async fn an_id_that_could_lead_elsewhere_is_not_remembered() {
    let room = Room::new(BODY);
    room.keeping(Keeper::Upstream).unwrap().whole(&Bytes::from(r#"{"id":"../files"}"#));
    assert!(room.kept("../files").await.is_none());
}

#[tokio::test]
async fn a_translated_stream_is_kept_once_it_is_complete() {
    let room = Room::new(BODY);
    let mut watch = room.watch(Keeper::Gateway);
    watch.see(event("created", r#"{"id":"resp_1"}"#).as_bytes());
    assert!(room.kept("resp_1").await.is_none());
    watch.see(event("completed", r#"{"id":"resp_1","output":[1]}"#).as_bytes());
    assert_eq!(&room.response("resp_1").await[..], br#"{"id":"resp_1","output":[1]}"#);
}

#[tokio::test]
async fn a_stream_that_failed_or_broke_off_is_not_kept() {
    for last in [event("failed", r#"{"id":"resp_1"}"#), String::new()] {
        let room = Room::new(BODY);
        let mut watch = room.watch(Keeper::Gateway);
        watch.see(event("created", r#"{"id":"resp_1"}"#).as_bytes());
        watch.see(last.as_bytes());
        drop(watch);
        assert!(room.kept("resp_1").await.is_none());
    }
}

#[tokio::test]
async fn a_stream_that_its_upstream_keeps_is_remembered_from_its_first_event() {
    let room = Room::new(BODY);
    let mut watch = room.watch(Keeper::AsToldByReply);
    watch.see(b": hello\n\n");
    watch.see(event("created", r#"{"id":"resp_1","store":true}"#).as_bytes());
    assert_eq!(room.kept("resp_1").await.unwrap().content, None);
}

#[tokio::test]
async fn a_stream_that_its_upstream_does_not_keep_is_kept_however_it_is_cut() {
    let whole = event("created", r#"{"id":"resp_1","store":false}"#)
        + "event: response.output_text.delta\ndata: {\"delta\":\"event: response.completed\"}\n\n"
        + &event("completed", r#"{"id":"resp_1","output":[1],"store":false}"#);
    for size in [1, 7, 64, whole.len()] {
        let room = Room::new(BODY);
        let mut watch = room.watch(Keeper::AsToldByReply);
        whole.as_bytes().chunks(size).for_each(|piece| watch.see(piece));
        let response = room.response("resp_1").await;
        assert_eq!(&response[..], br#"{"id":"resp_1","output":[1],"store":false}"#, "{size}");
    }
}

#[tokio::test]
async fn a_reply_too_large_to_be_held_is_remembered_by_its_beginning() {
    let room = Room::new(BODY);
    room.keeping(Keeper::AsToldByReply).unwrap().large(br#"{"id":"resp_1","output":[{"te"#);
    assert_eq!(room.kept("resp_1").await.unwrap().content, None);
}
