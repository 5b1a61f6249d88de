//! A whole reply for a client.

use super::citations::{Grounding, Place};
use super::parts::OPAQUE;
use super::parts_out::inline;
use super::proof;
use super::words::{finish_out, logprobs_out, usage_out};
use crate::chat::{Block, Choice, Reply, Request, Signature, Source, Thinking, ToolCall};
use crate::format::Context;
use crate::lost::Lost;
use crate::value::Value;
use crate::writer::{Writer, quote};

pub(super) fn encode(reply: &Reply<'_>, request: &Request<'_>, context: &Context<'_>) -> Vec<u8> {
    let shown = shows_thoughts(request);
    let mut lost = Lost::default();
    let mut w = Writer::new();
    w.object(|w| {
        w.key("candidates").array(|w| {
            for (index, one) in reply.choices.iter().enumerate() {
                candidate(w, index as u64, one, shown, &mut lost);
            }
        });
        if let Some(usage) = &reply.usage {
            usage_out(w, usage, reply.service_tier.as_deref());
        }
        w.text("modelVersion", model(&reply.model, request));
        w.text("responseId", id(&reply.id, context));
        lost.write(w);
    });
    w.finish()
}

/// Thoughts are shown unless the client said that it does not want them.
pub(super) fn shows_thoughts(request: &Request<'_>) -> bool {
    request.reasoning.as_ref().and_then(|reasoning| reasoning.visible) != Some(false)
}

/// The model that answered, or the one asked.
pub(super) fn model<'r>(told: &'r str, request: &'r Request<'_>) -> &'r str {
    if told.is_empty() { &request.model } else { told }
}

/// The provider's id, or the request's.
pub(super) fn id<'r>(told: &'r str, context: &Context<'r>) -> &'r str {
    if told.is_empty() { context.request_id } else { told }
}

fn candidate(w: &mut Writer, index: u64, choice: &Choice<'_>, shown: bool, lost: &mut Lost) {
    let mut grounding = Grounding::default();
    w.object(|w| {
        w.key("content").object(|w| {
            w.key("parts").array(|w| {
                let mut part = 0;
                for block in &choice.blocks {
                    if let Block::Text(text) = block {
                        for citation in &text.citations {
                            grounding.add(citation, &text.text, Place { part, before: 0 });
                        }
                    }
                    part += u64::from(write(w, block, shown, lost));
                }
                // As Gemini itself does: SDKs take a content without parts for no content.
                if part == 0 {
                    text_part(w, "", None);
                }
            });
            w.text("role", "model");
        });
        w.text("finishReason", finish_out(choice.finish)).count("index", index);
        grounding.write(w);
        if !choice.logprobs.is_empty() {
            logprobs_out(w, &choice.logprobs);
        }
    });
}

/// Writes a block as a part; whether there was anything to write.
fn write(w: &mut Writer, block: &Block<'_>, shown: bool, lost: &mut Lost) -> bool {
    match block {
        Block::Text(text) => {
            lost.add_if(text.phase.is_some(), "phase");
            text_part(w, &text.text, text.signature.as_ref());
        }
        Block::Refusal(text) => text_part(w, text, None),
        Block::Thinking(thought) => return thought_part(w, thought, shown),
        Block::ToolCall(call) => call_part(w, call),
        _ if fits(block) => whole_part(w, block),
        _ => {
            lost.block(block);
            return false;
        }
    }
    true
}

/// Whether there is a part for a block that comes whole in streams, too.
pub(super) fn fits(block: &Block<'_>) -> bool {
    match block {
        Block::Audio { source, spoken } => spoken.transcript.is_some() || fits_source(source),
        Block::Image { source, .. } | Block::Video { source } | Block::Document { source, .. } => {
            fits_source(source)
        }
        Block::Opaque { kind, .. } => OPAQUE.contains(&&**kind),
        _ => false,
    }
}

/// Whether the thing is here, or at a place that clients know. A piece of a sound may be words alone.
fn fits_source(source: &Source<'_>) -> bool {
    match source {
        Source::Base64 { data, .. } => !data.is_empty(),
        Source::File { .. } => false,
        Source::Url { .. } | Source::Text(_) => true,
    }
}

/// Writes a block that [`fits`].
pub(super) fn whole_part(w: &mut Writer, block: &Block<'_>) {
    match block {
        Block::Image { source, made, .. } => media_part(w, source, made.signature.as_ref()),
        Block::Audio { source, spoken } => {
            if let Some(words) = &spoken.transcript {
                text_part(w, words, None);
            }
            if fits_source(source) {
                media_part(w, source, None);
            }
        }
        Block::Video { source } | Block::Document { source, .. } => media_part(w, source, None),
        Block::Opaque { value, .. } => w.raw(value),
        _ => {}
    }
}

/// Writes a text.
pub(super) fn text_part(w: &mut Writer, text: &str, signature: Option<&Signature<'_>>) {
    w.object(|w| {
        w.text("text", text);
        proof_member(w, signature, false);
    });
}

fn proof_member(w: &mut Writer, signature: Option<&Signature<'_>>, redacted: bool) {
    if let Some(signature) = signature {
        w.text("thoughtSignature", &proof::write(signature, redacted));
    }
}

/// Writes a thought: its text if it is to be shown, and its proof in any case.
pub(super) fn thought_part(w: &mut Writer, thought: &Thinking<'_>, shown: bool) -> bool {
    let text = if shown { &*thought.text } else { "" };
    if text.is_empty() && thought.signature.is_none() {
        return false;
    }
    w.object(|w| {
        w.text("text", text).flag("thought", true);
        proof_member(w, thought.signature.as_ref(), thought.redacted);
    });
    true
}

/// Writes a call. What is no object, though the model should have written one, is given as a text.
pub(super) fn call_part(w: &mut Writer, call: &ToolCall<'_>) {
    w.object(|w| {
        w.key("functionCall").object(|w| {
            w.text_if("id", Some(&*call.id).filter(|id| !id.is_empty())).text("name", &call.name);
            if call.arguments.trim().is_empty() {
                w.member("args", "{}");
            } else if Value::parse(&call.arguments).is_ok_and(|value| value.is_object()) {
                w.member("args", &call.arguments);
            } else {
                w.member("args", &["{\"arguments\":", &quote(&call.arguments), "}"].concat());
            }
        });
        proof_member(w, call.signature.as_ref(), false);
    });
}

fn media_part(w: &mut Writer, source: &Source<'_>, proof: Option<&Signature<'_>>) {
    match source {
        Source::Base64 { media_type, data } => w.object(|w| {
            inline(w, media_type, data);
            proof_member(w, proof, false);
        }),
        Source::Text(text) => text_part(w, text, proof),
        Source::Url { url: id, media_type: Some(told) } => file_part(w, Some(told), id, proof),
        Source::Url { url: id, .. } | Source::File { id } => file_part(w, None, id, proof),
    }
}

fn file_part(w: &mut Writer, told: Option<&str>, uri: &str, proof: Option<&Signature<'_>>) {
    w.object(|w| {
        w.key("fileData").object(|w| {
            w.text_if("mimeType", told).text("fileUri", uri);
        });
        proof_member(w, proof, false);
    });
}
