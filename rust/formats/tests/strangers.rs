//! A member that nobody knows, wherever it stands in a request, is carried or named, never lost in silence.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CLIENTS, fixtures, of, original, read_json};
use llmgw_formats::Kind;
use llmgw_formats::format::{Dropped, PathFacts};
use serde_json::Value;
use std::collections::BTreeSet;

const NAME: &str = "zz_stranger";
const VALUE: &str = "zz_value";

/// The places of all objects in a body, as JSON pointers.
fn objects(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                objects(member, format!("{at}/{}", name.replace('/', "~1")), out);
            }
            out.push(at);
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(item, format!("{at}/{index}"), out);
            }
        }
        _ => {}
    }
}

/// A place without its numbers.
fn pattern(at: &str) -> String {
    let parts = at.split('/').map(|part| if part.parse::<u32>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Conversations with parts that are dropped, and named, as a whole, or that must not be told.
const WHOLE: [&str; 7] = [
    "documents_with_citations",
    "search_results",
    "server_tool",
    "tool_choice_named",
    "tool_choice_none",
    "unknown_field",
    "very_long",
];
/// Places that are dropped as a whole where they cannot be carried.
const PLACES: [&str; 7] = [
    "gemini_generate /contents/*/parts/*/fileData",
    "gemini_generate /contents/*/parts/*/functionResponse/parts/*/inlineData",
    "gemini_generate /contents/*/parts/*/inlineData",
    "gemini_generate /safetySettings/*",
    "openai_chat /logit_bias",
    "openai_chat /metadata",
    "openai_responses /metadata",
];
/// What a tool of Gemini's has beside functions is a hosted tool, and named in its own way.
const HOSTED: &str = "gemini_generate /tools/*";

fn goes_with_another(client: Kind, place: &str) -> bool {
    let place = format!("{} {}", client.name(), pattern(place));
    place == HOSTED || PLACES.contains(&&*place)
}

/// Whether a member that was put there is in the upstream's request, or among the names of what is not.
fn is_told(client: Kind, upstream: Kind, body: &Value, place: &str) -> bool {
    let mut changed = body.clone();
    changed.pointer_mut(place).unwrap()[NAME] = VALUE.into();
    let text = changed.to_string();
    let model = (client == Kind::GeminiGenerate).then_some("test-model");
    let path = PathFacts { model, stream: false };
    // A fault tells of it too.
    let Ok(request) = of(client).decode_request(&text, path) else { return true };
    let mut dropped = Dropped::default();
    let Ok(sent) = of(upstream).encode_request(&request, &original(), &mut dropped) else {
        return true;
    };
    let carried = String::from_utf8(sent.body).unwrap().contains(VALUE);
    carried || dropped.names().iter().any(|name| name.contains(NAME))
}

#[test]
fn a_member_that_nobody_knows_is_carried_or_named() {
    let mut lost = BTreeSet::new();
    for (name, path) in common::files(&fixtures().join("conversations"), "json") {
        let conversation = read_json(&path);
        for client in CLIENTS.into_iter().filter(|_| !WHOLE.contains(&&*name)) {
            let Some(body) = conversation.get(client.name()) else { continue };
            let mut places = Vec::new();
            objects(body, String::new(), &mut places);
            places.retain(|place| !goes_with_another(client, place));
            for upstream in Kind::ALL.into_iter().filter(|upstream| *upstream != client) {
                for place in places.iter().filter(|place| !is_told(client, upstream, body, place)) {
                    lost.insert(format!(
                        "{}{place} of {name} to {}",
                        client.name(),
                        upstream.name()
                    ));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}
