#![allow(clippy::unwrap_used)]

use super::*;
use crate::journal::{Found, read};
use crate::plan::Plan;
use crate::price::{Cost, Served, Status};
use crate::snapshot::Operation;
use crate::testing::edge::RunningEdge;
use crate::testing::server::{self, Seen};
use crate::testing::{CHAT, deployment, plan};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// A ledger in a folder of its own.
struct Room {
    ledger: Ledger,
    folder: Folder,
}

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Folder(std::env::temp_dir().join(format!("llmgw-ledger-{:x}", fastrand::u128(..))))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Room {
    fn new() -> Self {
        Room::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let folder = Folder::new();
        let ledger = Ledger::default();
        ledger.open_with(&folder.0, options).unwrap();
        Room { ledger, folder }
    }

    fn reserve(&self, asked: &Asked<'_>) -> Attempt {
        self.ledger.reserve(asked, tariff(), 900, &[]).unwrap()
    }

    fn reserve_at_all(&self) -> Result<Attempt, Refused> {
        self.ledger.reserve(&asked(), tariff(), 900, &[])
    }

    /// All records, without what differs from run to run.
    fn records(&self) -> Vec<Value> {
        self.ledger.close().unwrap();
        let found = read(&self.folder.0).unwrap().map(|found| match found.unwrap() {
            Found::Record { payload, .. } => serde_json::from_slice(&payload).unwrap(),
            Found::Finding(finding) => panic!("{finding:?}"),
        });
        found.map(plain).collect()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.ledger.close();
    }
}

fn plain(mut record: Value) -> Value {
    let object = record.as_object_mut().unwrap();
    assert_eq!(object["id"].as_str().unwrap().len(), 32);
    assert!(object["at"].as_u64().unwrap() > 1_700_000_000_000_000);
    for name in ["id", "at", "ms"] {
        object.remove(name);
    }
    record
}

/// Of a model at three thousandths of a dollar for a thousand tokens, and twice that for output.
fn priced() -> Arc<Plan> {
    plan(|snapshot| {
        snapshot["deployments"][0]["price"] = json!({
            "source": "settings",
            "rates": {"input": 3_000, "output": 6_000},
            "tiers": [], "services": [], "units": {},
        });
    })
}

fn tariff() -> Tariff {
    Tariff::of(priced(), 0, Operation::ChatCompletions)
}

fn who() -> Identity<'static> {
    Identity {
        id: "file:app",
        alias: "app",
        organisation: None,
        team: None,
        project: None,
        user: None,
        service_account: None,
        tags: Vec::new(),
    }
}

fn asked() -> Asked<'static> {
    Asked {
        request: "req_1",
        attempt: 1,
        who: who(),
        end_user: None,
        endpoint: "chat_completions",
        group: "chat",
        model: "gpt",
        deployment: "one",
        provider: "openai",
        routed: "gpt-4o",
        input: 10,
        output: 100,
        stream: false,
    }
}

fn settlement(usage: Usage, cost: Cost) -> Settlement<'static> {
    Settlement {
        status: 200,
        how: How::Whole,
        usage,
        cost,
        served: Served::default(),
        upstream_id: None,
        reported: None,
    }
}

#[test]
fn what_is_asked_is_written_down_with_whom_it_is_charged_to() {
    let room = Room::new();
    let who = Identity { team: Some("team_1"), ..who() };
    let asked = Asked { who, end_user: Some("ann".into()), ..asked() };
    room.reserve(&asked).void(Why::Unreachable, None);
    let reserve = json!({
        "t": "reserve", "request": "req_1", "attempt": 1,
        "key": "file:app", "alias": "app", "team": "team_1", "tags": [], "end_user": "ann",
        "endpoint": "chat_completions", "group": "chat", "model": "gpt",
        "deployment": "one", "provider": "openai", "routed": "gpt-4o",
        "input": 10, "output": 100, "stream": false, "held": 900, "holds": [],
    });
    assert_eq!(room.records(), [reserve, json!({"t": "void", "why": "unreachable"})]);
}

#[test]
fn a_hold_names_its_budget_its_window_and_the_money() {
    let room = Room::new();
    let hold = Hold { slot: 0xff, window: 7, nano: 5 };
    let attempt = room.ledger.reserve(&asked(), tariff(), 5, &[hold]).unwrap();
    attempt.void(Why::Refused, Some(400));
    let records = room.records();
    assert_eq!(records[0]["holds"], json!([["00000000000000ff", 7, 5]]));
    assert_eq!(records[1], json!({"t": "void", "status": 400, "why": "refused"}));
}

#[test]
fn an_attempt_is_settled_by_what_was_used() {
    let room = Room::new();
    let usage = Usage { input: 12, output: 4, cache_read: 8, ..Usage::default() };
    let cost = Cost { nano_dollars: 60, status: Status::Priced };
    let served = Served { images: Some(2), ..Served::default() };
    let end = Settlement {
        served,
        upstream_id: Some("up-1"),
        reported: Some("gpt-4o-2024"),
        ..settlement(usage, cost)
    };
    room.reserve(&asked()).settle(&end);
    let settle = json!({
        "t": "settle", "status": 200, "how": "whole",
        "cost": 60, "price": "priced", "source": "settings",
        "usage": {"input": 12, "output": 4, "cache_read": 8}, "served": {"images": 2},
        "upstream_id": "up-1", "reported": "gpt-4o-2024",
    });
    assert_eq!(room.records()[1], settle);
}

#[test]
fn one_that_is_dropped_before_it_was_sent_cost_nothing() {
    let room = Room::new();
    drop(room.reserve(&asked()));
    assert_eq!(room.records()[1], json!({"t": "void", "why": "not_sent"}));
}

#[test]
fn one_that_is_dropped_midway_is_settled_by_what_has_come() {
    let room = Room::new();
    let attempt = room.reserve(&asked());
    attempt.sent().set(true);
    attempt.note(None, 5);
    drop(attempt);
    let settle = json!({
        "t": "settle", "status": 503, "how": "cut",
        "cost": 60, "price": "estimated", "source": "settings",
        "usage": {"input": 10, "output": 5}, "served": {},
    });
    assert_eq!(room.records()[1], settle);
}

#[test]
fn output_that_came_after_the_usage_was_told_counts_too() {
    let room = Room::new();
    let attempt = room.reserve(&asked());
    attempt.sent().set(true);
    attempt.note(Some(Usage { input: 8, output: 1, ..Usage::default() }), 5);
    drop(attempt);
    let settle = &room.records()[1];
    assert_eq!((&settle["cost"], &settle["usage"]["output"]), (&json!(54), &json!(5)));
}

#[test]
fn a_session_is_dropped_with_the_sum_of_what_was_charged() {
    let room = Room::new();
    let attempt = room.reserve(&asked());
    attempt.sent().set(true);
    for (nano_dollars, status) in [(5, Status::Priced), (7, Status::Partial)] {
        let usage = Usage { input: 1, output: 1, ..Usage::default() };
        attempt.charge(&usage, Cost { nano_dollars, status });
    }
    drop(attempt);
    let settle = &room.records()[1];
    assert_eq!((&settle["cost"], &settle["price"]), (&json!(12), &json!("partial")));
    assert_eq!(settle["usage"], json!({"input": 2, "output": 2}));
}

#[test]
fn a_panic_leaves_no_attempt_open() {
    let room = Room::new();
    let attempt = room.reserve(&asked());
    attempt.sent().set(true);
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _attempt = attempt;
        panic!("on purpose");
    }));
    assert!(broken.is_err());
    assert_eq!(room.records()[1]["how"], json!("cut"));
}

#[test]
fn a_ledger_that_is_not_open_writes_nothing_and_lets_everything_pass() {
    let ledger = Ledger::default();
    let attempt = ledger.reserve(&asked(), tariff(), 0, &[]).unwrap();
    attempt.settle(&settlement(Usage::default(), Cost::UNPRICED));
    assert!(ledger.look().is_none() && ledger.health().is_none());
    assert_eq!(ledger.event(b"{}"), Ok(None));
}

#[test]
fn after_it_is_closed_nothing_is_reserved() {
    let room = Room::new();
    room.ledger.close().unwrap();
    assert_eq!(room.ledger.reserve(&asked(), tariff(), 0, &[]).err(), Some(Refused::Closed));
}

#[test]
fn an_end_that_finds_no_room_is_kept_until_there_is_some() {
    // Room for a reserve, and not for its end besides.
    let gather = Duration::from_millis(100);
    let room = Room::with(Options { most_waiting: 450, gather, ..Options::default() });
    let attempt = room.reserve(&asked());
    attempt.void(Why::Refused, Some(400));
    let another = room.reserve_at_all();
    assert_eq!(another.err(), Some(Refused::Full));
    let records = room.records();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1], json!({"t": "void", "status": 400, "why": "refused"}));
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let upstream = server::serve(None, |_: Seen| async { server::json_reply("{}") }).await;
    let base = format!("http://127.0.0.1:{}/v1", upstream.port);
    let plan = plan(|snapshot| snapshot["deployments"][0] = deployment("one", &base));
    let edge = RunningEdge::start(plan, Path::new("/nowhere/control.sock"));
    let folder = Folder::new();
    let none = Options { most_waiting: 0, ..Options::default() };
    edge.shop.ledger.open_with(&folder.0, none).unwrap();

    let reply = edge.chat(CHAT).await;
    assert_eq!((reply.status, &reply.code()[..]), (503, "ledger_full"));
    assert_eq!(reply.headers.text("x-should-retry"), Some("true"));
    assert!(upstream.record.requests().is_empty());
}

#[test]
fn a_request_without_an_attempt_is_told_too() {
    let room = Room::new();
    let call = Call {
        request: "req_1",
        who: who(),
        endpoint: "chat_completions",
        group: Some("chat"),
        model: None,
        what: What::OverBudget,
        status: 429,
        class: Some("BudgetExceeded"),
        saved: None,
    };
    room.ledger.call(&call).unwrap();
    let told = json!({
        "t": "call", "request": "req_1", "key": "file:app", "alias": "app", "tags": [],
        "endpoint": "chat_completions", "group": "chat", "what": "over_budget",
        "status": 429, "class": "BudgetExceeded",
    });
    assert_eq!(room.records(), [told]);
}

#[test]
fn what_is_new_is_told_once() {
    let room = Room::new();
    room.reserve(&asked()).void(Why::NotSent, None);
    assert_eq!(room.ledger.look().unwrap().records, 2);
    assert_eq!(room.ledger.look().unwrap().records, 0);
}

#[test]
fn the_most_that_can_come_out_is_the_clients_word_or_the_models() {
    let plan = plan(|snapshot| snapshot["deployments"][0]["max_output_tokens"] = 77.into());
    let of = |operation| Tariff::of(plan.clone(), 0, operation);
    assert_eq!(of(Operation::ChatCompletions).most_output(5), 5);
    assert_eq!(of(Operation::ChatCompletions).most_output(0), 77);
    assert_eq!(of(Operation::Embeddings).most_output(0), 0);
}
