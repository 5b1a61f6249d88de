//! What has to hold whatever the bytes: `rust/fuzz` searches for a counter-example, `corpus.rs` replays
//! what it has kept.
#![allow(dead_code)] // the fuzzer and the replay take different parts

mod errors;
mod frames;
mod replies;
mod requests;
mod streams;
mod value;

use crate::common::corpus::Target;
use llmgw_formats::Kind;
use llmgw_formats::format::Fault;
use serde::de::IgnoredAny;

/// All of them.
pub fn targets() -> Vec<Target> {
    let mut all = vec![
        Target::new("value", value::check),
        Target::new("frames", frames::events),
        Target::new("messages", frames::messages),
    ];
    all.extend(each("requests", requests::check));
    all.extend(each("replies", replies::check));
    all.extend(each("streams", streams::check));
    all.extend(each("errors", errors::check));
    all
}

/// One for each format.
fn each(what: &str, check: fn(Kind, &[u8])) -> impl Iterator<Item = Target> {
    Kind::ALL.into_iter().map(move |kind| {
        Target::new(format!("{what}_{}", kind.name()), move |data| check(kind, data))
    })
}

/// Bytes that a text may become for each byte of it, and those that are there whatever it says. A wholly
/// escaped text within a text grows sixfold, and schemas of which parts are referred to are written out.
const GROWTH: (usize, usize) = (20, 16 * 1024);

/// Whether it is only that a format puts more around what nests as deeply as may be.
fn is_depth(fault: &Fault) -> bool {
    fault.message.contains("nests too deeply")
}

/// Panics unless it is JSON, and not much longer than what it was made from.
fn assert_json(what: &str, body: &[u8], made_from: usize) {
    assert!(body.len() <= made_from * GROWTH.0 + GROWTH.1, "{what}: {} bytes", body.len());
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(body) {
        panic!("{what}: {error}: {}", String::from_utf8_lossy(body));
    }
}
