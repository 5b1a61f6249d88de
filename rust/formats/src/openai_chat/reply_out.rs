//! A whole reply for a client.

use super::functions;
use super::made::Beside;
use super::messages_out::tool_call;
use super::parts::{citation_out, signature_out, thinking_out};
use super::words::{logprobs_out, usage_out};
use crate::chat::{
    Block, Choice, Citation, Finish, Reply, Request, Signature, TextBlock, Thinking, ToolCall,
};
use crate::format::Context;
use crate::lost::Lost;
use crate::modalities::Asked;
use crate::writer::Writer;

pub(super) fn encode(reply: &Reply<'_>, request: &Request<'_>, context: &Context<'_>) -> Vec<u8> {
    let format = Asked::in_chat(request).and_then(|asked| asked.format);
    let manner = Manner {
        legacy: request.legacy_functions,
        audio_id: audio_id(context),
        file: format.is_some_and(|format| format != "pcm16"),
    };
    let mut lost = Lost::default();
    let mut w = Writer::new();
    w.object(|w| {
        w.text("id", &id(&reply.id, context)).text("object", "chat.completion");
        w.count("created", reply.created.unwrap_or(context.now)).text("model", &reply.model);
        w.key("choices").array(|w| {
            for (index, one) in reply.choices.iter().enumerate() {
                choice(w, index, one, &manner, &mut lost);
            }
        });
        if let Some(usage) = &reply.usage {
            w.key("usage");
            usage_out(w, usage);
        }
        w.text_if("service_tier", reply.service_tier.as_deref());
        lost.write(w);
    });
    w.finish()
}

/// The provider's id, or one made of the request's.
pub(super) fn id(given: &str, context: &Context<'_>) -> String {
    if given.is_empty() { format!("chatcmpl-{}", context.request_id) } else { given.to_owned() }
}

/// How a reply is written.
struct Manner {
    /// With OpenAI's first words for calls.
    legacy: bool,
    audio_id: String,
    /// Sound is to be a file.
    file: bool,
}

/// The id of a sound that has none.
pub(super) fn audio_id(context: &Context<'_>) -> String {
    ["audio_", context.request_id].concat()
}

/// What a message is made of: this format sorts it by what it is.
#[derive(Default)]
struct Sorted<'b> {
    text: Option<String>,
    /// The proof of the text; there is a place for one.
    proof: Option<&'b Signature<'b>>,
    citations: Vec<&'b Citation<'b>>,
    thought: String,
    thoughts: Vec<&'b Thinking<'b>>,
    refusal: Option<&'b str>,
    calls: Vec<&'b ToolCall<'b>>,
    beside: Beside<'b>,
}

impl<'b> Sorted<'b> {
    fn of(blocks: &'b [Block<'b>], lost: &mut Lost) -> Self {
        let mut sorted = Sorted::default();
        for block in blocks {
            match block {
                Block::Text(one) => sorted.say(one, lost),
                Block::Thinking(one) => {
                    sorted.thought.push_str(&one.text);
                    sorted.thoughts.push(one);
                }
                Block::Refusal(one) => sorted.refusal = Some(one),
                Block::ToolCall(one) => sorted.calls.push(one),
                other => sorted.beside.take(other, lost),
            }
        }
        sorted
    }

    fn say(&mut self, one: &'b TextBlock<'b>, lost: &mut Lost) {
        self.text.get_or_insert_default().push_str(&one.text);
        self.citations.extend(&one.citations);
        lost.add_if(one.phase.is_some(), "phase");
        if let Some(proof) = &one.signature {
            lost.add_if(self.proof.replace(proof).is_some(), "signature");
        }
    }

    fn write(&self, w: &mut Writer, manner: &Manner) {
        w.text("role", "assistant").text_or_null("content", self.text.as_deref());
        w.text_or_null("refusal", self.refusal);
        w.text_if("reasoning_content", Some(&*self.thought).filter(|text| !text.is_empty()));
        if self.thoughts.iter().any(|one| one.signature.is_some()) {
            w.key("thinking_blocks")
                .array(|w| self.thoughts.iter().for_each(|one| thinking_out(w, one)));
        }
        signature_out(w, self.proof);
        if !self.citations.is_empty() {
            w.key("annotations")
                .array(|w| self.citations.iter().for_each(|one| citation_out(w, one)));
        }
        self.beside.write(w, 0, &manner.audio_id, manner.file);
        if let (true, Some(call)) = (manner.legacy, self.calls.first()) {
            functions::write(w, Some(&call.name), &call.arguments);
        } else if !self.calls.is_empty() {
            w.key("tool_calls")
                .array(|w| self.calls.iter().for_each(|one| tool_call(w, one, true)));
        }
    }
}

fn choice(w: &mut Writer, index: usize, choice: &Choice<'_>, manner: &Manner, lost: &mut Lost) {
    let sorted = Sorted::of(&choice.blocks, lost);
    if manner.legacy {
        lost.add_if(sorted.calls.len() > 1, functions::CALLED);
        lost.add_if(sorted.calls.iter().any(|call| call.signature.is_some()), "signature");
    }
    let declined = sorted.refusal.is_some() && choice.finish == Finish::Refusal;
    let finish = if declined { Finish::Stop } else { choice.finish };
    w.object(|w| {
        w.count("index", index as u64).key("message").object(|w| sorted.write(w, manner));
        w.key("logprobs");
        if choice.logprobs.is_empty() {
            w.null();
        } else {
            logprobs_out(w, &choice.logprobs);
        }
        w.text("finish_reason", functions::finish(finish, manner.legacy));
    });
}
