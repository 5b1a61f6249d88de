//! Every recorded stream says what its whole reply says, whatever the chunks, and reads as its golden
//! file for every client.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::{Sum, listen, relay};
use common::{CLIENTS, CONTEXT, files, fixtures, golden, in_words, of, scenarios};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::Sent;
use serde_json::{Value, json};
use std::fs;

/// A call whose arguments were cut: what they are then, each dialect tells in its own way.
const CUT: &str = "max_tokens_in_a_call";

fn recorded(kind: Kind) -> Vec<(String, Vec<u8>)> {
    let folder = fixtures().join("streams").join(kind.name());
    let ending = if kind == Kind::BedrockConverse { "bin" } else { "sse" };
    files(&folder, ending).into_iter().map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

/// The reply that a stream is another form of, and whether it breaks off.
fn like(scenarios: &Value, kind: Kind, name: &str) -> Option<String> {
    let told = |group: &str| scenarios[group].get(name).is_some_and(|one| !one.is_null());
    if told("replies") {
        return Some(name.to_owned());
    }
    let variants = &scenarios["variants"];
    let found =
        variants.get(kind.name()).and_then(|of| of.get(name)).or_else(|| variants.get(name))?;
    Some(found["like"].as_str().or(found.as_str())?.to_owned())
}

#[test]
fn every_stream_keeps_to_the_order_of_events() {
    let scenarios = scenarios();
    let mut failures = Vec::new();
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            let (sum, heard) = Sum::of(kind, &[&bytes]);
            let at = format!("{} {name}", kind.name());
            failures.extend(sum.wrong.iter().map(|wrong| format!("{at}: {wrong}")));
            // Hosts that forget `[DONE]` are forgiven once every choice has its finish reason.
            let whole = like(&scenarios, kind, &name).is_some() || name == "no_done";
            if whole != (heard.complete && sum.ended == 1) {
                failures
                    .push(format!("{at}: complete is {} after {:?}", heard.complete, heard.events));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_stream_says_what_the_whole_reply_says() {
    let scenarios = scenarios();
    let mut failures = Vec::new();
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            let Some(whole) = like(&scenarios, kind, &name) else { continue };
            if name == CUT && matches!(kind, Kind::AnthropicMessages | Kind::BedrockConverse) {
                continue; // their whole replies have no place for arguments that were cut
            }
            let file = fixtures().join("replies").join(kind.name()).join(format!("{whole}.json"));
            let Ok(body) = fs::read_to_string(file) else { continue };
            let reply = of(kind).decode_reply(&body, &Sent::default()).unwrap();
            let (sum, _) = Sum::of(kind, &[&bytes]);
            let (streamed, expected) = (in_words(&sum.reply), in_words(&reply));
            if streamed != expected {
                failures.push(format!(
                    "{} {name}:\n  stream {streamed}\n  whole  {expected}",
                    kind.name()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_split_of_a_stream_gives_the_same_events() {
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            let whole = listen(kind, &[&bytes], &mut |_| {});
            // Long ones are cut at steps that share no factor with what repeats in them.
            let step = if bytes.len() > 6000 { 97 } else { 1 };
            for at in (0..=bytes.len()).step_by(step) {
                let split = listen(kind, &[&bytes[..at], &bytes[at..]], &mut |_| {});
                assert_eq!(split, whole, "{} {name} at {at}", kind.name());
            }
            let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(
                listen(kind, &pieces, &mut |_| {}),
                whole,
                "{} {name} by bytes",
                kind.name()
            );
        }
    }
}

#[test]
fn every_stream_reads_as_its_golden_file_for_every_client() {
    let mut failures = Vec::new();
    let request = Request {
        model: "test-model".into(),
        stream: true,
        stream_usage: true,
        ..Request::default()
    };
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            if bytes.len() > 20_000 {
                continue; // nobody would review it
            }
            for client in CLIENTS.into_iter().filter(|client| *client != kind) {
                let found = String::from_utf8(relay(kind, client, &request, &[&bytes])).unwrap();
                let path = format!("streams/{}/{name}.{}.sse", kind.name(), client.name());
                golden(&path, &found, &mut failures);
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// A stream written for a client says what its upstream said, read by that client's own rules.
#[test]
fn every_translated_stream_says_the_same() {
    let scenarios = scenarios();
    let mut failures = Vec::new();
    let request = Request {
        model: "test-model".into(),
        stream: true,
        stream_usage: true,
        ..Request::default()
    };
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            if like(&scenarios, kind, &name).is_none() || name == CUT {
                continue;
            }
            let (source, _) = Sum::of(kind, &[&bytes]);
            for client in CLIENTS.into_iter().filter(|client| *client != kind) {
                let written = relay(kind, client, &request, &[&bytes]);
                let (sum, heard) = Sum::of(client, &[&written]);
                let essence = |words: Value| {
                    let choice = &words["choices"][0];
                    // Not every dialect tells words of refusal from others.
                    let said = [&choice["text"], &choice["refusal"]];
                    let said = said.map(|text| text.as_str().unwrap_or_default()).concat();
                    let usage = &words["usage"];
                    json!([
                        said,
                        choice["calls"],
                        choice["thinking"],
                        usage["input"],
                        usage["output"]
                    ])
                };
                let (found, expected) =
                    (essence(in_words(&sum.reply)), essence(in_words(&source.reply)));
                if found != expected || !heard.complete || !sum.wrong.is_empty() {
                    failures.push(format!(
                        "{} {name} for {}: {found} instead of {expected}; complete: {}; {:?}",
                        kind.name(),
                        client.name(),
                        heard.complete,
                        sum.wrong
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What a body or a stream says was left out.
fn dropped(written: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(written);
    let (_, rest) = text.split_once("\"llmgw_dropped\":")?;
    let (names, _) = rest.split_once(']')?;
    Some(names.split_whitespace().collect())
}

/// A client gets the same, whole or as a stream: what is carried and what is named as left out.
#[test]
fn every_translated_stream_carries_what_the_translated_reply_carries() {
    let scenarios = scenarios();
    let mut failures = Vec::new();
    let request = Request { model: "test-model".into(), ..Request::default() };
    for kind in Kind::ALL {
        for (name, bytes) in recorded(kind) {
            let file = fixtures().join("replies").join(kind.name()).join(format!("{name}.json"));
            let Ok(body) = fs::read_to_string(file) else { continue };
            if like(&scenarios, kind, &name).is_none() || name == CUT {
                continue;
            }
            let reply = of(kind).decode_reply(&body, &Sent::default()).unwrap();
            for client in CLIENTS {
                let whole = of(client).encode_reply(&reply, &request, &CONTEXT);
                let streamed = relay(kind, client, &request, &[&bytes]);
                let (sum, _) = Sum::of(client, &[&streamed]);
                let text = String::from_utf8(whole.clone()).unwrap();
                let again = of(client).decode_reply(&text, &Sent::default()).unwrap();
                let expected = (in_words(&again)["choices"].clone(), dropped(&whole));
                let found = (in_words(&sum.reply)["choices"].clone(), dropped(&streamed));
                if found != expected {
                    failures.push(format!(
                        "{} {name} for {}:\n  stream {found:?}\n  whole  {expected:?}",
                        kind.name(),
                        client.name()
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
