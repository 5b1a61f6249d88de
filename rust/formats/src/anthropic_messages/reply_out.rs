//! A whole reply for a client.

use super::blocks_out::{citation, is_citable, loose, opaque, thinking, tool_use};
use super::own::is_own_block;
use super::words::{finish_out, usage_out};
use crate::chat::{Block, Choice, Finish, Reply, Request, Spoken, TextBlock, Usage};
use crate::format::Context;
use crate::lost::Lost;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>, request: &Request<'_>, context: &Context<'_>) -> Vec<u8> {
    let first = reply.choices.first();
    let mut lost = Lost::default();
    let mut w = Writer::new();
    w.object(|w| {
        w.text("id", &id(&reply.id, context)).text("type", "message").text("role", "assistant");
        // Not every provider names it.
        w.text("model", if reply.model.is_empty() { &request.model } else { &reply.model });
        w.key("content").array(|w| {
            first.into_iter().flat_map(|choice| &choice.blocks).for_each(|one| {
                block(w, one, &mut lost);
            });
        });
        w.text("stop_reason", finish_out(first.map_or(Finish::Stop, finish)));
        w.text_or_null("stop_sequence", first.and_then(|choice| choice.stop_sequence.as_deref()));
        w.key("usage");
        usage_out(w, &reply.usage.unwrap_or_default(), reply.service_tier.as_deref());
        lost.write(w);
    });
    w.finish()
}

/// An id that begins as Anthropic's do: the provider's own, or one made of it or of the request's.
pub(super) fn id(given: &str, context: &Context<'_>) -> String {
    if given.starts_with("msg_") {
        return given.to_owned();
    }
    let given = if given.is_empty() { context.request_id } else { given };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    "msg_".chars().chain(given.chars().map(|c| if allowed(c) { c } else { '_' })).collect()
}

/// Words of refusal are told by the reason, since there is no block for them.
fn finish(choice: &Choice<'_>) -> Finish {
    let declined = choice.blocks.iter().any(|block| matches!(block, Block::Refusal(_)));
    if declined && choice.finish == Finish::Stop { Finish::Refusal } else { choice.finish }
}

fn block(w: &mut Writer, block: &Block<'_>, lost: &mut Lost) {
    match block {
        Block::Text(one) => {
            lost.add_if(one.phase.is_some(), "phase");
            lost.add_if(!one.citations.iter().all(is_citable), "citation");
            if let Some(signature) = &one.signature {
                thinking(w, &loose(signature));
            }
            text(w, one);
        }
        Block::Refusal(words) => {
            text(w, &TextBlock { text: words.clone(), ..TextBlock::default() })
        }
        Block::Thinking(one) => thinking(w, one),
        Block::ToolCall(call) => {
            if let Some(signature) = &call.signature {
                thinking(w, &loose(signature));
            }
            tool_use(w, call);
        }
        Block::Opaque { kind, value } if is_own_block(kind, value) => opaque(w, value),
        // What was said can be read at least.
        Block::Audio { spoken: Spoken { transcript: Some(words), .. }, .. } => {
            lost.block(block);
            text(w, &TextBlock { text: words.clone(), ..TextBlock::default() });
        }
        // Pictures and the like: there is no block for them in a reply.
        _ => lost.block(block),
    }
}

fn text(w: &mut Writer, one: &TextBlock<'_>) {
    w.object(|w| {
        w.text("type", "text").text("text", &one.text);
        let mut cited = one.citations.iter().filter(|one| is_citable(one)).peekable();
        if cited.peek().is_some() {
            w.key("citations").array(|w| cited.for_each(|one| citation(w, one)));
        }
    });
}

/// The message that a stream begins with.
pub(super) fn skeleton(w: &mut Writer, id: &str, model: &str) {
    w.object(|w| {
        w.text("id", id).text("type", "message").text("role", "assistant").text("model", model);
        w.member("content", "[]").member("stop_reason", "null").member("stop_sequence", "null");
        w.key("usage");
        usage_out(w, &Usage::default(), None);
    });
}
