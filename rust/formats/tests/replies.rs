//! Every recorded reply says what its scenario says, and reads as its golden file for every client.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CLIENTS, CONTEXT, as_json, files, fixtures, golden, of, pretty};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::Sent;
use serde_json::{Map, Value};
use std::fs;

fn recorded(kind: Kind) -> Vec<(String, String)> {
    let folder = fixtures().join("replies").join(kind.name());
    files(&folder, "json")
        .into_iter()
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_reply_reads_as_its_golden_file_for_every_client() {
    let mut failures = Vec::new();
    let request = Request { model: "test-model".into(), ..Request::default() };
    for kind in Kind::ALL {
        for (name, body) in recorded(kind) {
            let reply = match of(kind).decode_reply(&body, &Sent::default()) {
                Ok(reply) => reply,
                Err(fault) => {
                    failures.push(format!("{} {name}: {fault:?}", kind.name()));
                    continue;
                }
            };
            let mut found = Map::new();
            for client in CLIENTS.into_iter().filter(|client| *client != kind) {
                found.insert(
                    client.name().into(),
                    as_json(&of(client).encode_reply(&reply, &request, &CONTEXT)),
                );
            }
            golden(
                &format!("replies/{}/{name}.json", kind.name()),
                &pretty(&Value::Object(found)),
                &mut failures,
            );
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// A reply written in its own dialect reads the same again.
#[test]
fn a_reply_written_in_its_own_dialect_reads_the_same_again() {
    let mut failures = Vec::new();
    let request = Request { model: "test-model".into(), ..Request::default() };
    for kind in Kind::ALL {
        for (name, body) in recorded(kind) {
            let Ok(reply) = of(kind).decode_reply(&body, &Sent::default()) else { continue };
            let written =
                String::from_utf8(of(kind).encode_reply(&reply, &request, &CONTEXT)).unwrap();
            let again = of(kind).decode_reply(&written, &Sent::default()).unwrap();
            if common::in_words(&again) != common::in_words(&reply) {
                failures.push(format!(
                    "{} {name}:\n{}\n{}",
                    kind.name(),
                    common::in_words(&reply),
                    common::in_words(&again)
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
