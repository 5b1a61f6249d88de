//! A translated stream is never more than one event behind: what an upstream has said, its client has been
//! told when the upstream's next event has come.
#![allow(clippy::unwrap_used)]

mod common;

use common::stream::{Sum, listen};
use common::{CLIENTS, CONTEXT, files, fixtures, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::{Block, Reply, Request};
use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::Sent;
use llmgw_formats::frames::Frames;
use std::fs;

/// Longer streams say nothing new, and each is read anew at each of its events.
const LONGEST: usize = 20_000;

/// Where each event of a stream ends.
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

/// Bytes of what a reply says; arguments too, where its client gets them in pieces.
fn said(reply: &Reply<'_>, client: Kind) -> usize {
    let blocks = reply.choices.first().map_or(&[][..], |choice| &choice.blocks);
    let bytes = blocks.iter().map(|block| match block {
        Block::Text(text) => text.text.len(),
        Block::Thinking(thinking) if !thinking.redacted => thinking.text.len(),
        Block::Refusal(text) => text.len(),
        Block::ToolCall(call) if client != Kind::GeminiGenerate => call.arguments.len(),
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
    let mut take = |frame: llmgw_formats::format::Frame<'_>| {
        decoder.frame(frame, &mut |event| encoder.event(&event, &mut out))
    };
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
                    let (told, _) = Sum::of(kind, &[&bytes[..before]]);
                    let (heard, _) = Sum::of(client, &[&sent(kind, client, &bytes[..now])]);
                    let (told, heard) = (said(&told.reply, client), said(&heard.reply, client));
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

#[test]
fn the_events_of_a_stream_are_told_apart() {
    for kind in Kind::ALL {
        let ending = if kind == Kind::BedrockConverse { "bin" } else { "sse" };
        let path = fixtures().join("streams").join(kind.name()).join("text").with_extension(ending);
        let bytes = fs::read(path).unwrap();
        let heard = listen(kind, &[&bytes], &mut |_| {});
        assert!(heard.complete);
        assert_eq!(ends(kind, &bytes).last(), Some(&bytes.len()), "{}", kind.name());
    }
}
