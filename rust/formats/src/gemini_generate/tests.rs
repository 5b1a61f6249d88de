#![allow(clippy::unwrap_used)]

mod contents;
mod counts_and_errors;
mod fixtures;
mod replies;
mod requests;
mod schemas;
mod streams;

use super::*;
use crate::format::Frame;

fn decode(body: &str) -> Request<'_> {
    let path = PathFacts { model: Some("m"), stream: false };
    GeminiGenerate.decode_request(body, path).unwrap()
}

/// A request with this text and these members.
fn asking(members: &str) -> String {
    format!(r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],{members}}}"#)
}

fn target(model: &str) -> Target<'_> {
    Target { model, original: true, native_schema: true, reasoning: true, ..Target::default() }
}

/// The body, and what was dropped.
fn encode(request: &Request<'_>, target: &Target<'_>) -> (String, Vec<String>) {
    let mut dropped = Dropped::default();
    let sent = GeminiGenerate.encode_request(request, target, &mut dropped).unwrap();
    let names = dropped.names().iter().map(ToString::to_string).collect();
    (String::from_utf8(sent.body).unwrap(), names)
}

/// What of a request of Gemini's arrives at Gemini's.
fn passed(body: &str) -> (String, Vec<String>) {
    encode(&decode(body), &target("upstream-model"))
}

const CONTEXT: Context<'static> = Context { request_id: "req_1", now: 1 };

fn written(reply: &Reply<'_>, request: &Request<'_>) -> String {
    String::from_utf8(GeminiGenerate.encode_reply(reply, request, &CONTEXT)).unwrap()
}

/// The events of a stream as text, and whether it was complete.
fn events(frames: &[&str], sent: &Sent) -> (Vec<String>, bool) {
    let mut decoder = GeminiGenerate.stream_decoder(sent);
    let mut seen = Vec::new();
    for data in frames {
        let frame = Frame { event: None, data };
        decoder.frame(frame, &mut |event| seen.push(format!("{event:?}"))).unwrap();
    }
    let complete = decoder.close(&mut |event| seen.push(format!("{event:?}")));
    (seen, complete)
}
