//! Every conversation, asked in every client's dialect, as every upstream gets it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CLIENTS, compatible, fixtures, golden, of, original, pretty, read_json};
use llmgw_formats::Kind;
use llmgw_formats::chat::Request;
use llmgw_formats::format::{Dropped, Fault, PathFacts, Target};
use serde_json::{Map, Value, json};

/// Too long to be reviewed.
const UNREVIEWED: [&str; 1] = ["very_long"];

fn decode(client: Kind, body: &str) -> Result<Request<'_>, Fault> {
    let model = (client == Kind::GeminiGenerate).then_some("test-model");
    of(client).decode_request(body, PathFacts { model, stream: false })
}

fn fault(fault: &Fault) -> Value {
    json!({"fault": fault.message, "param": fault.param, "unsupported": fault.unsupported})
}

fn translated(request: &Request<'_>, upstream: Kind, target: &Target<'_>) -> Value {
    let mut dropped = Dropped::default();
    match of(upstream).encode_request(request, target, &mut dropped) {
        Err(error) => fault(&error),
        Ok(sent) => {
            let mut found = json!({"body": common::as_json(&sent.body)});
            if !dropped.names().is_empty() {
                found["dropped"] = json!(dropped.names());
            }
            if !sent.headers.is_empty() {
                found["headers"] = json!(sent.headers);
            }
            if let Some(tool) = sent.output_tool {
                found["output_tool"] = json!(tool);
            }
            found
        }
    }
}

fn matrix(conversation: &Value, target: &Target<'_>, same_too: bool) -> Map<String, Value> {
    let mut clients = Map::new();
    for client in CLIENTS {
        let Some(body) = conversation.get(client.name()) else { continue };
        let body = body.to_string();
        let found = match decode(client, &body) {
            Err(error) => fault(&error),
            Ok(request) => {
                let upstreams =
                    Kind::ALL.iter().filter(|&&upstream| same_too || upstream != client);
                let each = upstreams.map(|&upstream| {
                    (upstream.name().to_owned(), translated(&request, upstream, target))
                });
                Value::Object(each.collect())
            }
        };
        clients.insert(client.name().to_owned(), found);
    }
    clients
}

#[test]
fn every_conversation_reads_as_its_golden_file_for_every_upstream() {
    let mut failures = Vec::new();
    for (name, path) in common::files(&fixtures().join("conversations"), "json") {
        let found = matrix(&read_json(&path), &original(), false);
        if !UNREVIEWED.contains(&&*name) {
            golden(&format!("requests/{name}.json"), &pretty(&Value::Object(found)), &mut failures);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_simple_model_at_a_compatible_host_gets_what_it_can_take() {
    let mut failures = Vec::new();
    for name in [
        "json_schema_strict",
        "json_schema_with_tools",
        "thinking_effort",
        "sampling_top_k",
        "older_max_tokens",
    ] {
        let conversation =
            read_json(&fixtures().join("conversations").join(format!("{name}.json")));
        let found = matrix(&conversation, &compatible(), true);
        golden(&format!("compatible/{name}.json"), &pretty(&Value::Object(found)), &mut failures);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// What a format says of itself, read and written again, stays the same to the byte.
#[test]
fn a_conversation_written_in_its_own_dialect_is_written_the_same_again() {
    let mut failures = Vec::new();
    let write = |client: Kind, body: &str| {
        let request = decode(client, body).ok()?;
        let sent =
            of(client).encode_request(&request, &original(), &mut Dropped::default()).ok()?;
        String::from_utf8(sent.body).ok()
    };
    for (name, path) in common::files(&fixtures().join("conversations"), "json") {
        let conversation = read_json(&path);
        for client in CLIENTS {
            let Some(body) = conversation.get(client.name()).map(Value::to_string) else {
                continue;
            };
            // The first time, what is said in several ways is put into one.
            let Some(once) = write(client, &body).and_then(|first| write(client, &first)) else {
                continue;
            };
            let again = write(client, &once);
            if again.as_ref() != Some(&once) {
                failures.push(format!(
                    "{name} in {}:\n{once:.500}\n{:.500}",
                    client.name(),
                    again.unwrap_or_default()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
