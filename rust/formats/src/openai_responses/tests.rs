#![allow(clippy::unwrap_used)]
use super::*;
use crate::chat::{Block, Event, Role, Thinking, Tool, ToolCall};
use crate::format::Frame;

mod codex;
mod replies;
mod requests;
mod stored;
mod streams;
mod upstream;

/// An upstream at OpenAI, with a model that thinks.
fn openai() -> Target<'static> {
    Target { model: "m", original: true, native_schema: true, reasoning: true, ..Target::default() }
}

/// An upstream that is compatible with OpenAI, with a simple model.
fn compatible() -> Target<'static> {
    Target { model: "m", ..Target::default() }
}

const CONTEXT: Context<'static> = Context { request_id: "req_7f", now: 1_700_000_000 };

fn decode(body: &str) -> Request<'_> {
    OpenaiResponses.decode_request(body, PathFacts::default()).unwrap()
}

fn fault(body: &str) -> Fault {
    OpenaiResponses.decode_request(body, PathFacts::default()).unwrap_err()
}

fn encode(request: &Request<'_>, target: &Target<'_>) -> (String, Vec<String>) {
    let mut dropped = Dropped::default();
    let sent = OpenaiResponses.encode_request(request, target, &mut dropped).unwrap();
    let names = dropped.names().iter().map(ToString::to_string).collect();
    (String::from_utf8(sent.body).unwrap(), names)
}

/// The members of a JSON object that are named, as one object.
fn only(json: &str, names: &[&str]) -> String {
    let value = crate::value::Value::parse(json).unwrap();
    let found: Vec<String> = names
        .iter()
        .map(|name| {
            let member = value.members().iter().find(|(key, _)| key == name);
            format!("\"{name}\":{}", member.map_or("absent", |(_, value)| value.raw()))
        })
        .collect();
    format!("{{{}}}", found.join(","))
}

fn reply(body: &str) -> Reply<'_> {
    OpenaiResponses.decode_reply(body, &Sent::default()).unwrap()
}

fn write_reply(reply: &Reply<'_>, request: &Request<'_>) -> String {
    String::from_utf8(OpenaiResponses.encode_reply(reply, request, &CONTEXT)).unwrap()
}

/// A reply that says these blocks.
fn says(blocks: Vec<Block<'_>>) -> Reply<'_> {
    let finish = crate::chat::Finish::Stop;
    let choice = crate::chat::Choice { blocks, finish, stop_sequence: None, logprobs: Vec::new() };
    Reply { id: "x".into(), model: "m".into(), choices: vec![choice], ..Reply::default() }
}

/// What a stream of these frames' data says, and whether it was complete.
fn hear(frames: &[&str], sent: &Sent) -> (Vec<String>, bool) {
    let mut decoder = OpenaiResponses.stream_decoder(sent);
    let mut heard = Vec::new();
    for data in frames {
        let frame = Frame { event: None, data };
        decoder.frame(frame, &mut |event| heard.push(format!("{event:?}"))).unwrap();
    }
    let complete = decoder.close(&mut |event| heard.push(format!("{event:?}")));
    (heard, complete)
}

/// The stream that a client gets who asked with `request`.
fn write_stream(request: &Request<'_>, events: &[Event<'_>]) -> String {
    let mut encoder = OpenaiResponses.stream_encoder(request, &CONTEXT);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    String::from_utf8(out).unwrap()
}
