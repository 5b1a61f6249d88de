//! A translated stream is never more than one event behind: what an upstream's frames have said, its client
//! has been told when the next frame has come.
//!
//! What a frame says is read here by its members' names alone, not by the decoders that are tested.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::Sum;
use common::{CLIENTS, CONTEXT, files, fixtures, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::{Block, Reply, Request};
use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::{Frame, Sent};
use llmgw_formats::frames::Frames;
use serde_json::Value;
use std::fs;

/// Longer streams say nothing new, and each is read anew at each of its frames.
const LONGEST: usize = 20_000;

/// Where each frame of a stream ends.
fn ends(kind: Kind, bytes: &[u8]) -> Vec<usize> {
    if kind != Kind::BedrockConverse {
        let is_end =
            |at: &usize| bytes[..*at].ends_with(b"\n\n") || bytes[..*at].ends_with(b"\r\n\r\n");
        return (1..=bytes.len()).filter(is_end).collect();
    }
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = bytes.get(at..at + 4) {
        at += u32::from_be_bytes(length.try_into().unwrap()) as usize;
        // The last one may be cut.
        ends.extend(Some(at).filter(|end| *end <= bytes.len()));
    }
    ends
}

/// The JSON texts in a piece of a stream.
fn payloads(kind: Kind, bytes: &[u8]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut take = |frame: Frame<'_>| {
        found.extend(serde_json::from_slice(frame.data.as_bytes()).ok());
        Ok(())
    };
    // One that is damaged ends there.
    let _ = match kind {
        Kind::BedrockConverse => Messages::default().push(bytes, &mut take),
        _ => Frames::default().push(bytes, &mut take),
    };
    found
}

/// Bytes of texts and thoughts that a frame adds to the first choice.
fn added(kind: Kind, frame: &Value) -> usize {
    let sum = |places: &[&str]| -> usize {
        places.iter().filter_map(|place| frame.pointer(place)?.as_str()).map(str::len).sum()
    };
    let places = ["/choices/0/index", "/candidates/0/index"];
    if places.iter().any(|place| frame.pointer(place).is_some_and(|index| index != 0)) {
        return 0;
    }
    match kind {
        Kind::OpenaiChat => {
            sum(&["/choices/0/delta/content", "/choices/0/delta/reasoning_content"])
        }
        Kind::OpenaiResponses => match frame["type"].as_str().unwrap_or_default() {
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_text.delta"
            | "response.reasoning_summary_text.delta" => sum(&["/delta"]),
            _ => 0,
        },
        Kind::AnthropicMessages => sum(&["/delta/text", "/delta/thinking"]),
        Kind::GeminiGenerate => {
            let parts = frame.pointer("/candidates/0/content/parts").and_then(Value::as_array);
            let texts = parts.into_iter().flatten().filter_map(|part| part["text"].as_str());
            texts.map(str::len).sum()
        }
        Kind::BedrockConverse => sum(&["/delta/text", "/delta/reasoningContent/text"]),
        Kind::CohereChat => sum(&[
            "/delta/message/content/text",
            "/delta/message/content/thinking",
            "/delta/message/tool_plan",
        ]),
    }
}

/// Bytes of the texts and thoughts of a reply.
fn said(reply: &Reply<'_>) -> usize {
    let blocks = reply.choices.first().map_or(&[][..], |choice| &choice.blocks);
    let bytes = blocks.iter().map(|block| match block {
        Block::Text(text) => text.text.len(),
        Block::Thinking(thinking) if !thinking.redacted => thinking.text.len(),
        Block::Refusal(text) => text.len(),
        _ => 0,
    });
    bytes.sum()
}

/// What a client has been sent when this much has come and the stream is still open.
fn sent(kind: Kind, client: Kind, bytes: &[u8]) -> Vec<u8> {
    let request = Request { model: "test-model".into(), stream: true, ..Request::default() };
    let mut encoder = of(client).stream_encoder(&request, &CONTEXT);
    let mut decoder = of(kind).stream_decoder(&Sent::default());
    let mut out = Vec::new();
    let mut take =
        |frame: Frame<'_>| decoder.frame(frame, &mut |event| encoder.event(&event, &mut out));
    // A failure that the stream tells of ends it: what came before counts.
    let _ = match kind {
        Kind::BedrockConverse => Messages::default().push(bytes, &mut take),
        _ => Frames::default().push(bytes, &mut take),
    };
    out
}

#[test]
fn a_client_is_never_more_than_one_event_behind() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for kind in Kind::ALL {
        let ending = if kind == Kind::BedrockConverse { "bin" } else { "sse" };
        for (name, path) in files(&fixtures().join("streams").join(kind.name()), ending) {
            let bytes = fs::read(path).unwrap();
            if bytes.len() > LONGEST {
                continue;
            }
            let ends = ends(kind, &bytes);
            for client in CLIENTS {
                for pair in ends.windows(2) {
                    let (before, now) = (pair[0], pair[1]);
                    let frames = payloads(kind, &bytes[..before]);
                    let told: usize = frames.iter().map(|frame| added(kind, frame)).sum();
                    let (heard, _) = Sum::of(client, &[&sent(kind, client, &bytes[..now])]);
                    let heard = said(&heard.reply);
                    compared += usize::from(told > 0);
                    if heard < told {
                        let (kind, client) = (kind.name(), client.name());
                        failures.push(format!(
                            "{kind} {name} for {client}: {heard} of {told} at {now}"
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared > 1000, "{compared}");
}
