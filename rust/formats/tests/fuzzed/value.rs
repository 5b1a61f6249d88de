//! The JSON reader: it takes what `serde_json` takes, and reads the same.

use llmgw_formats::value::{Kind, Malformed, Value};
use serde::de::IgnoredAny;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let peer = serde_json::from_str::<IgnoredAny>(text);
    match Value::parse(text) {
        Ok(value) => {
            assert!(peer.is_ok(), "{peer:?} of {text}");
            if let Ok(peer) = serde_json::from_str::<serde_json::Value>(text) {
                compare(&value, &peer);
            }
        }
        Err(Malformed { what, at }) => {
            assert!(at <= text.len());
            let limit = ["it nests too deeply", "it holds too many values"].contains(&what);
            assert!(limit || peer.is_err(), "{what} at {at} of {text}");
        }
    }
}

fn compare(value: &Value<'_>, peer: &serde_json::Value) {
    assert!(serde_json::from_str::<IgnoredAny>(value.raw()).is_ok(), "{}", value.raw());
    match (value.kind(), peer) {
        (Kind::Null, serde_json::Value::Null) => {}
        (Kind::Bool(one), serde_json::Value::Bool(other)) => assert_eq!(one, other),
        (Kind::String(one), serde_json::Value::String(other)) => assert_eq!(one, other),
        (Kind::Number, serde_json::Value::Number(other)) => {
            if other.is_u64() {
                assert_eq!(value.as_u64(), other.as_u64());
            }
            if other.is_i64() {
                assert_eq!(value.as_i64(), other.as_i64());
            }
        }
        (Kind::Array(one), serde_json::Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            one.iter().zip(other).for_each(|(one, other)| compare(one, other));
        }
        (Kind::Object(members), serde_json::Value::Object(other)) => {
            // Of a key that stands twice, the last counts there, and both are here.
            if members.len() == other.len() {
                members.iter().for_each(|(key, one)| compare(one, &other[&**key]));
            }
        }
        (one, other) => panic!("{one:?} is not {other:?}"),
    }
}
