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

/// Places whose strangers go with something that is named as a whole, or that is told otherwise.
const GO_WITH: [(&str, &str); 20] = [
    ("anthropic_messages /messages/*/content/*", "a block of a kind that only Anthropic knows"),
    ("anthropic_messages /messages/*/content/*/content/*", "a part of such a block"),
    ("anthropic_messages /messages/*/content/*/citations", "a part of such a block"),
    ("anthropic_messages /messages/*/content/*/source/content/*", "a document made of blocks"),
    ("anthropic_messages /tools/*", "a hosted tool"),
    ("anthropic_messages /tools/*/input_schema*", "a tool that must not be called"),
    ("gemini_generate /contents/*/parts/*/fileData", "a file that cannot be carried"),
    ("gemini_generate /contents/*/parts/*/inlineData", "data that cannot be carried"),
    ("gemini_generate /contents/*/parts/*/functionResponse/parts/*/inlineData", "the same"),
    ("gemini_generate /safetySettings/*", "the settings as a whole"),
    ("gemini_generate /tools/*", "a hosted tool"),
    ("gemini_generate /tools/*/googleSearch", "a hosted tool"),
    ("gemini_generate /tools/*/functionDeclarations*", "a tool that must not be called"),
    ("openai_chat /logit_bias", "the field as a whole"),
    ("openai_chat /metadata", "the field as a whole"),
    ("openai_chat /tool_choice/function", "a name and nothing else"),
    ("openai_chat /tools/*/function/parameters*", "a tool that must not be called"),
    ("openai_responses /metadata", "the field as a whole"),
    ("openai_responses /tools/*", "a hosted tool"),
    ("openai_responses /tools/*/parameters*", "a tool that must not be called"),
];

fn goes_with_another(client: Kind, place: &str) -> bool {
    let place = format!("{} {}", client.name(), pattern(place));
    // The field that the conversations have for this very purpose.
    place.ends_with("/x_flux_capacitor")
        || GO_WITH.iter().any(|(known, _)| match known.strip_suffix('*') {
            Some(start) if !known.ends_with('/') && !start.ends_with('/') => {
                place.starts_with(start)
            }
            _ => place == *known,
        })
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
        for client in CLIENTS.into_iter().filter(|_| name != "very_long") {
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
