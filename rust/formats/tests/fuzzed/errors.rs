//! Refusals: a status line's number, a line's end, and the body.

use super::assert_json;
use crate::common::{CLIENTS, CONTEXT, of};
use llmgw_formats::Kind;

pub fn check(upstream: Kind, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (status, body) = text.split_once('\n').unwrap_or(("500", text));
    let failure = of(upstream).decode_error(status.parse().unwrap_or(500), body);
    for client in CLIENTS.into_iter().chain([upstream]) {
        let what = format!("{} for {}", upstream.name(), client.name());
        assert_json(&what, &of(client).encode_error(&failure, &CONTEXT), body.len());
    }
}
