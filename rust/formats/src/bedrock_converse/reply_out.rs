//! A whole reply for a client.

use super::blocks_out::{hidden_thought, input, is_own, sealed_bytes, text, thought, tool_use};
use super::citations;
use super::media::Media;
use super::words::{finish_out, is_tier, usage_out};
use crate::chat::{Block, Choice, Reply, Signature};
use crate::format::Kind;
use crate::signature;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    let first = reply.choices.first();
    w.object(|w| {
        w.key("output").object(|w| {
            w.key("message").object(|w| {
                w.text("role", "assistant").key("content").array(|w| {
                    first.iter().flat_map(|choice| &choice.blocks).for_each(|one| block(w, one));
                });
            });
        });
        w.text("stopReason", finish_out(first.map(|choice| choice.finish).unwrap_or_default()));
        w.key("usage");
        usage_out(w, &reply.usage.unwrap_or_default());
        // The gateway measures itself; the member has to be there.
        w.member("metrics", "{\"latencyMs\":0}");
        if let Some(sequence) = first.and_then(stopped_by) {
            stop_fields(w, sequence);
        }
        if let Some(tier) = reply.service_tier.as_deref().filter(|tier| is_tier(tier)) {
            w.key("serviceTier").object(|w| {
                w.text("type", tier);
            });
        }
    });
    w.finish()
}

fn stopped_by<'c>(choice: &'c Choice<'_>) -> Option<&'c str> {
    choice.stop_sequence.as_deref()
}

/// Claude's place for the text that ended a reply.
pub(super) fn stop_fields(w: &mut Writer, sequence: &str) {
    w.key("additionalModelResponseFields").object(|w| {
        w.text("stop_sequence", sequence);
    });
}

fn block(w: &mut Writer, block: &Block<'_>) {
    match block {
        Block::Text(one) => {
            if one.citations.is_empty() {
                text(w, &one.text);
            } else {
                w.object(|w| citations::text_out(w, one));
            }
            proof(w, one.signature.as_ref());
        }
        Block::Refusal(words) => text(w, words),
        Block::Thinking(thinking) => match &thinking.signature {
            Some(proof) if thinking.redacted => hidden_thought(w, &sealed_bytes(proof)),
            proof => {
                let proof = proof.as_ref().map(|one| signature::write(Kind::BedrockConverse, one));
                thought(w, &thinking.text, proof.as_deref());
            }
        },
        Block::ToolCall(call) => {
            proof(w, call.signature.as_ref());
            tool_use(w, call, input(&call.arguments).unwrap_or("{}"));
        }
        Block::Image { source, .. } => {
            if let Some(place) = Media::Image.place(source) {
                w.object(|w| {
                    w.key(Media::Image.name()).object(|w| place.write(w, false));
                });
            }
        }
        Block::Opaque { kind, value } if is_own(kind, value) => w.raw(value),
        _ => {}
    }
}

/// A proof that has no place on its own block stands in an empty thought.
fn proof(w: &mut Writer, proof: Option<&Signature<'_>>) {
    if let Some(proof) = proof {
        thought(w, "", Some(&signature::write(Kind::BedrockConverse, proof)));
    }
}
