//! Requests: whatever a client sends, an upstream of any format gets JSON or the client a refusal.

use super::{assert_json, is_depth};
use crate::common::{compatible, of, original};
use llmgw_formats::chat::Request;
use llmgw_formats::format::{Dropped, Fault, PathFacts, Target};
use llmgw_formats::{Kind, ranges};

pub fn check(client: Kind, data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    let Ok(request) = decode(client, body) else { return };
    let _ = ranges::check(&request, client);
    for target in [original(), compatible()] {
        for upstream in Kind::ALL {
            let what = format!("{} for {}", client.name(), upstream.name());
            let mut dropped = Dropped::default();
            if let Ok(sent) = of(upstream).encode_request(&request, &target, &mut dropped) {
                assert_json(&what, &sent.body, body.len());
            }
        }
        assert_stable(client, &request, &target);
    }
}

fn decode(client: Kind, body: &str) -> Result<Request<'_>, Fault> {
    let in_path = matches!(client, Kind::GeminiGenerate | Kind::BedrockConverse);
    let model = in_path.then_some("test-model");
    of(client).decode_request(body, PathFacts { model, stream: false })
}

/// What is written in the client's own dialect reads as what is written the same again.
fn assert_stable(client: Kind, request: &Request<'_>, target: &Target<'_>) {
    let write = |request: &Request<'_>| {
        let sent = of(client).encode_request(request, target, &mut Dropped::default()).ok()?;
        String::from_utf8(sent.body).ok()
    };
    let read = |body: &str| match decode(client, body) {
        Ok(request) => write(&request),
        Err(fault) if is_depth(&fault) => None,
        Err(fault) => panic!("{} cannot read {fault:?}: {body}", client.name()),
    };
    // The first time, what can be said in several ways is put into one.
    let Some(first) = write(request) else { return };
    let Some(once) = read(&first) else { return };
    let Some(again) = read(&once) else { return };
    assert_eq!(again, once, "{}", client.name());
}
