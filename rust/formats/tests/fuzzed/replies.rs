//! Whole replies: whatever an upstream says, each client gets JSON that its own dialect can read.

use super::{assert_json, is_depth};
use crate::common::{CLIENTS, CONTEXT, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::{Finish, Request};
use llmgw_formats::format::{OUTPUT_TOOL, Sent};

pub fn check(upstream: Kind, data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    let request = Request { model: "test-model".into(), ..Request::default() };
    for output_tool in [None, Some(OUTPUT_TOOL)] {
        let sent = Sent { output_tool, ..Sent::default() };
        let Ok(reply) = of(upstream).decode_reply(body, &sent) else { continue };
        for client in CLIENTS.into_iter().chain([upstream]) {
            let what = format!("{} for {}", upstream.name(), client.name());
            let written = of(client).encode_reply(&reply, &request, &CONTEXT);
            assert_json(&what, &written, body.len());
            if reply.choices.iter().any(|choice| choice.finish == Finish::Error) {
                continue; // a failed reply of the Responses API is none of the model's
            }
            let written = String::from_utf8_lossy(&written);
            match of(client).decode_reply(&written, &Sent::default()) {
                Err(fault) if !is_depth(&fault) => panic!("{what}: {fault:?}: {written}"),
                _ => {}
            }
        }
    }
}
