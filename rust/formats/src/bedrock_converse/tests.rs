#![allow(clippy::unwrap_used)]

mod errors;
mod replies;
mod requests_in;
mod requests_out;
mod settings_out;
mod streams;

use super::BedrockConverse;
use crate::chat::{Block, Message};
use crate::chat::{Request, Role};
use crate::format::{Dropped, Fault, Format, PathFacts, Sent, Target};
use serde_json::Value;

/// A Claude that thinks up to a budget.
const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
/// One whose sampling is fixed.
const NEWER_CLAUDE: &str = "us.anthropic.claude-opus-4-7";

fn target(model: &str) -> Target<'_> {
    Target { model, original: true, native_schema: true, ..Target::default() }
}

/// The body that is sent, and what was dropped.
fn sent_to(request: &Request<'_>, target: &Target<'_>) -> Result<(Value, Vec<String>), Fault> {
    let mut dropped = Dropped::default();
    let sent = BedrockConverse.encode_request(request, target, &mut dropped)?;
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

/// A request that says hello.
fn hello() -> Request<'static> {
    Request { model: "m".into(), messages: vec![user("Hello")], ..Request::default() }
}

fn decoded(body: &str) -> Request<'_> {
    let path = PathFacts { model: Some("m"), stream: false };
    BedrockConverse.decode_request(body, path).unwrap()
}

/// Nothing was asked for that reading depends on.
fn plainly() -> Sent {
    Sent::default()
}
