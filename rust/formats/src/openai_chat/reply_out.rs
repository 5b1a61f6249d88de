//! A whole reply for a client.

use super::messages_out::tool_call;
use super::parts::{citation_out, thinking_out};
use super::words::{finish_out, logprobs_out, usage_out};
use crate::chat::{Block, Choice, Finish, Reply, Thinking};
use crate::format::Context;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>, context: &Context<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("id", &id(&reply.id, context)).text("object", "chat.completion");
        w.count("created", reply.created.unwrap_or(context.now)).text("model", &reply.model);
        w.key("choices").array(|w| {
            for (index, one) in reply.choices.iter().enumerate() {
                choice(w, index, one);
            }
        });
        if let Some(usage) = &reply.usage {
            w.key("usage");
            usage_out(w, usage);
        }
        w.text_if("service_tier", reply.service_tier.as_deref());
    });
    w.finish()
}

/// The provider's id, or one made of the request's.
pub(super) fn id(given: &str, context: &Context<'_>) -> String {
    if given.is_empty() { format!("chatcmpl-{}", context.request_id) } else { given.to_owned() }
}

fn choice(w: &mut Writer, index: usize, choice: &Choice<'_>) {
    let mut text: Option<String> = None;
    let mut thought = String::new();
    let mut thoughts: Vec<&Thinking<'_>> = Vec::new();
    let (mut refusal, mut calls, mut citations) = (None, Vec::new(), Vec::new());
    for block in &choice.blocks {
        match block {
            Block::Text(one) => {
                text.get_or_insert_default().push_str(&one.text);
                citations.extend(&one.citations);
            }
            Block::Thinking(one) => {
                thought.push_str(&one.text);
                thoughts.push(one);
            }
            Block::Refusal(one) => refusal = Some(one),
            Block::ToolCall(one) => calls.push(one),
            _ => {}
        }
    }
    let declined = refusal.is_some() && choice.finish == Finish::Refusal;
    let finish = if declined { Finish::Stop } else { choice.finish };
    w.object(|w| {
        w.count("index", index as u64).key("message").object(|w| {
            w.text("role", "assistant").text_or_null("content", text.as_deref());
            w.text_or_null("refusal", refusal.map(|text| &**text));
            w.text_if("reasoning_content", (!thought.is_empty()).then_some(&thought));
            if thoughts.iter().any(|one| one.signature.is_some()) {
                w.key("thinking_blocks")
                    .array(|w| thoughts.iter().for_each(|one| thinking_out(w, one)));
            }
            if !citations.is_empty() {
                w.key("annotations")
                    .array(|w| citations.iter().for_each(|one| citation_out(w, one)));
            }
            if !calls.is_empty() {
                w.key("tool_calls").array(|w| calls.iter().for_each(|one| tool_call(w, one, true)));
            }
        });
        w.key("logprobs");
        if choice.logprobs.is_empty() {
            w.null();
        } else {
            logprobs_out(w, &choice.logprobs);
        }
        w.text("finish_reason", finish_out(finish));
    });
}
