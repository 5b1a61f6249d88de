//! A whole reply for a client.

use super::citations::citation_out;
use super::messages_out::call;
use super::words::{finish_out, logprob_out, usage_out};
use crate::chat::{Block, Choice, Reply, TextBlock};
use crate::format::Context;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>, context: &Context<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    let first = reply.choices.first();
    w.object(|w| {
        w.text("id", id(&reply.id, context));
        w.text("finish_reason", finish_out(first.map(|one| one.finish).unwrap_or_default()));
        w.key("message").object(|w| {
            w.text("role", "assistant");
            if let Some(choice) = first {
                message(w, choice);
            }
        });
        if let Some(usage) = &reply.usage {
            w.key("usage");
            usage_out(w, usage);
        }
        if let Some(choice) = first.filter(|choice| !choice.logprobs.is_empty()) {
            w.key("logprobs").array(|w| choice.logprobs.iter().for_each(|one| logprob_out(w, one)));
        }
    });
    w.finish()
}

/// The provider's id, or the request's.
pub(super) fn id<'i>(given: &'i str, context: &Context<'i>) -> &'i str {
    if given.is_empty() { context.request_id } else { given }
}

fn message(w: &mut Writer, choice: &Choice<'_>) {
    let blocks = &choice.blocks;
    let calls = blocks.iter().any(|block| matches!(block, Block::ToolCall(_)));
    // What is said last before a call is its plan.
    let plan = blocks.iter().rposition(|block| calls && matches!(block, Block::Text(_)));
    let mut cited: Vec<(u64, &TextBlock<'_>)> = Vec::new();
    let mut parts = 0;
    let spoken = |at: usize, block: &Block<'_>| match block {
        Block::Text(_) => Some(at) != plan,
        Block::Refusal(_) => true,
        Block::Thinking(thinking) => !thinking.text.is_empty(),
        _ => false,
    };
    if blocks.iter().enumerate().any(|(at, block)| spoken(at, block)) {
        w.key("content").array(|w| {
            for (_, block) in blocks.iter().enumerate().filter(|(at, block)| spoken(*at, block)) {
                let (kind, text) = match block {
                    Block::Thinking(thinking) => ("thinking", &thinking.text),
                    Block::Text(text) => {
                        cited.push((parts, text));
                        ("text", &text.text)
                    }
                    Block::Refusal(text) => ("text", text),
                    _ => continue,
                };
                parts += 1;
                w.object(|w| {
                    w.text("type", kind).text(kind, text);
                });
            }
        });
    }
    if let Some(Block::Text(plan)) = plan.and_then(|at| blocks.get(at)) {
        w.text("tool_plan", &plan.text);
    }
    if calls {
        w.key("tool_calls").array(|w| {
            for block in blocks {
                if let Block::ToolCall(one) = block {
                    call(w, one);
                }
            }
        });
    }
    if cited.iter().any(|(_, text)| !text.citations.is_empty()) {
        w.key("citations").array(|w| {
            for (at, text) in cited {
                text.citations.iter().for_each(|one| citation_out(w, one, at));
            }
        });
    }
}
