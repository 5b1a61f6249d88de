#![allow(clippy::unwrap_used)]

mod claude_code;
mod errors;
mod replies;
mod requests_in;
mod requests_out;
mod round_trip;
mod schemas;
mod settings_out;
mod streams_in;
mod streams_out;
mod turns;

use super::AnthropicMessages;
use crate::chat::{Block, Event, Message, Request, Role, ToolCall};
use crate::format::{Context, Dropped, Fault, Format, PathFacts, Sent, Target};
use crate::frames::Frames;
use serde_json::Value;

/// A model of which nothing is known, at Anthropic: it is taken for one that can do all.
const ANY: &str = "some-model";
/// Thinks up to a budget.
const BUDGET: &str = "claude-sonnet-4-5-20250929";
/// Thinks always, takes no sampling and cannot be made to call a tool.
const NEWEST: &str = "claude-opus-5-5";

const CONTEXT: Context<'static> = Context { request_id: "req_1", now: 1_700_000_000 };

fn target(model: &str) -> Target<'_> {
    Target { model, original: true, native_schema: true, reasoning: true, ..Target::default() }
}

/// The body that is sent, and what was dropped.
fn sent_to(request: &Request<'_>, target: &Target<'_>) -> Result<(Value, Vec<String>), Fault> {
    let mut dropped = Dropped::default();
    let sent = AnthropicMessages.encode_request(request, target, &mut dropped)?;
    let names = dropped.names().iter().map(ToString::to_string).collect();
    Ok((serde_json::from_slice(&sent.body).unwrap(), names))
}

fn sent(request: &Request<'_>, model: &str) -> (Value, Vec<String>) {
    sent_to(request, &target(model)).unwrap()
}

fn said(role: Role, blocks: Vec<Block<'static>>) -> Message<'static> {
    Message { role, name: None, blocks }
}

fn user(text: &'static str) -> Message<'static> {
    said(Role::User, vec![Block::text(text)])
}

fn assistant(text: &'static str) -> Message<'static> {
    said(Role::Assistant, vec![Block::text(text)])
}

fn system(text: &'static str) -> Message<'static> {
    said(Role::System, vec![Block::text(text)])
}

fn tool_call(id: &'static str) -> ToolCall<'static> {
    let (name, arguments) = ("look".into(), r#"{"at":1}"#.into());
    ToolCall { id: id.into(), name, arguments, signature: None, cache: None }
}

fn call(id: &'static str) -> Block<'static> {
    Block::ToolCall(tool_call(id))
}

fn result(call_id: &'static str, blocks: Vec<Block<'static>>) -> Block<'static> {
    Block::ToolResult { call_id: call_id.into(), name: None, blocks, is_error: false, cache: None }
}

fn asking(messages: Vec<Message<'static>>) -> Request<'static> {
    Request { model: "m".into(), messages, ..Request::default() }
}

/// A request that says hello.
fn hello() -> Request<'static> {
    asking(vec![user("Hello")])
}

fn decode(body: &str) -> Result<Request<'_>, Fault> {
    AnthropicMessages.decode_request(body, PathFacts::default())
}

fn decoded(body: &str) -> Request<'_> {
    decode(body).unwrap()
}

/// A request whose only message has this content.
fn with_content(content: &str) -> String {
    format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":{content}}}]}}"#)
}

fn extras<'r>(request: &'r Request<'_>) -> Vec<(&'r str, &'r str)> {
    request.extra.iter().map(|one| (&*one.name, &*one.value)).collect()
}

/// What is heard of a stream, in the words of `Debug`, and whether it had its end.
fn heard(chunks: &[&[u8]], sent: &Sent) -> (Vec<String>, bool) {
    let mut decoder = AnthropicMessages.stream_decoder(sent);
    let mut frames = Frames::default();
    let mut events = Vec::new();
    let mut emit = |event: Event<'_>| events.push(format!("{event:?}"));
    for chunk in chunks {
        frames.push(chunk, &mut |frame| decoder.frame(frame, &mut emit)).unwrap();
    }
    let complete = decoder.close(&mut emit);
    (events, complete)
}
