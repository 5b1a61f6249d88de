#![allow(clippy::unwrap_used)]

mod replies;
mod requests;
mod streams;

use super::CohereChat;
use crate::chat::{Block, Message, Request, Role};
use crate::format::{Context, Dropped, Fault, Format, PathFacts, Sent, Target};
use serde_json::Value;

const CONTEXT: Context<'static> = Context { request_id: "req_1", now: 0 };

/// A model that thinks and takes a schema.
fn target() -> Target<'static> {
    Target { model: "command-a", native_schema: true, reasoning: true, ..Target::default() }
}

/// The body that is sent, and what was dropped.
fn sent_to(request: &Request<'_>, target: &Target<'_>) -> Result<(Value, Vec<String>), Fault> {
    let mut dropped = Dropped::default();
    let sent = CohereChat.encode_request(request, target, &mut dropped)?;
    let names = dropped.names().iter().map(ToString::to_string).collect();
    Ok((serde_json::from_slice(&sent.body).unwrap(), names))
}

fn sent(request: &Request<'_>) -> (Value, Vec<String>) {
    sent_to(request, &target()).unwrap()
}

fn said(role: Role, blocks: Vec<Block<'static>>) -> Message<'static> {
    Message { role, name: None, blocks }
}

/// A request that says hello.
fn hello() -> Request<'static> {
    let messages = vec![said(Role::User, vec![Block::text("Hello")])];
    Request { model: "m".into(), messages, ..Request::default() }
}

fn decoded(body: &str) -> Request<'_> {
    CohereChat.decode_request(body, PathFacts::default()).unwrap()
}
