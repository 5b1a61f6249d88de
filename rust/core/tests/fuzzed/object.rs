//! What reads bodies without decoding them: it takes what `serde_json` takes, short of its own limits, and
//! finds the same members.

use llmgw_core::cache::request_key;
use llmgw_core::json::{self, Object, Token};
use llmgw_core::usage;
use llmgw_formats::Kind;
use serde_json::Value;

/// What is refused although it is JSON.
const LIMITS: [&str; 6] = [
    "must be a JSON object",
    "too many values",
    "a number is too long",
    "half of a surrogate pair",
    "nests too deeply",
    "stands twice",
];

pub fn check(data: &[u8]) {
    let peer = serde_json::from_slice::<Value>(data);
    match json::parse_object(data) {
        Ok(object) => {
            check_object(data, &object);
            // Numbers that no float holds are JSON all the same.
            if let Ok(peer) = peer {
                compare(data, &object, &peer);
            }
        }
        Err(error) => {
            let limit = LIMITS.iter().any(|limit| error.message.contains(limit));
            assert!(limit || peer.is_err(), "{}: {data:?}", error.message);
        }
    }
    for name in ["usage", "model", ""] {
        if let Some(found) = json::find_member(data, name) {
            assert!(found.value.end <= data.len() && found.value.start <= found.value.end);
        }
    }
    for format in [None, Some(Kind::AnthropicMessages), Some(Kind::GeminiGenerate)] {
        let _ = (usage::of_reply(format, data), usage::at_end(format, data));
    }
}

fn check_object(data: &[u8], object: &Object) {
    let mut depth = 0_i64;
    json::walk(data, |token| match token {
        Token::Open(_) => depth += 1,
        Token::Close => depth -= 1,
        Token::Key(_) | Token::Text(_) | Token::Plain(_) => assert!(depth > 0),
    });
    assert_eq!(depth, 0);
    let escaped = object.fields.iter().any(|field| data[field.key.clone()].contains(&b'\\'));
    assert!(escaped || request_key(&[b"scope"], data).is_some());
    let edits: Vec<_> =
        object.fields.iter().map(|field| (field.value.clone(), b"[1]".to_vec())).collect();
    let spliced = json::splice(data, &edits);
    let again = json::parse_object(&spliced).map(|object| object.fields.len());
    assert_eq!(again.ok(), Some(object.fields.len()));
}

fn compare(data: &[u8], object: &Object, peer: &Value) {
    let members = peer.as_object().map(serde_json::Map::len);
    assert_eq!(members, Some(object.fields.len()));
    for (name, value) in peer.as_object().into_iter().flatten() {
        let found = object.get(data, name);
        let read = found.clone().and_then(|at| serde_json::from_slice::<Value>(&data[at]).ok());
        assert_eq!(read.as_ref(), Some(value), "{name}");
        assert_eq!(json::find_member(data, name).map(|field| field.value), found, "{name}");
    }
}
