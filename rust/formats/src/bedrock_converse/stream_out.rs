//! A stream for a client: messages of an AWS event stream.

use super::blocks_out::{sealed_bytes, tool_id};
use super::citations::citation_out;
use super::errors;
use super::reply_out::stop_fields;
use super::words::{finish_out, usage_out};
use crate::chat::{BlockStart, Delta, Event, Finish, Signature, Usage};
use crate::eventstream;
use crate::format::{Kind, StreamEncoder};
use crate::signature;
use crate::writer::Writer;

/// What is known of a stream on its way out. Converse has one choice: the first.
#[derive(Default)]
pub(super) struct Encoder {
    /// Converse's numbers: a proof without a place of its own takes one.
    next: u64,
    open: Option<Open>,
    usage: Usage,
}

/// A block under way.
struct Open {
    block: u64,
    index: u64,
    thinking: bool,
    /// A proof that came with a text.
    proof: Option<String>,
}

impl Encoder {
    fn begin(&mut self, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        if let BlockStart::ToolCall { signature: Some(proof), .. } = start {
            self.proof(&signature::write(Kind::BedrockConverse, proof), out);
        }
        if let BlockStart::Whole(_) = start {
            return; // no client speaks this format yet: it need not be shown pictures
        }
        let index = self.next;
        self.next += 1;
        let thinking = matches!(start, BlockStart::Thinking | BlockStart::Redacted(_));
        self.open = Some(Open { block, index, thinking, proof: None });
        match start {
            BlockStart::ToolCall { id, name, .. } => {
                eventstream::event(out, "contentBlockStart", |w| {
                    w.key("start").object(|w| {
                        w.key("toolUse").object(|w| {
                            w.text("toolUseId", &tool_id(id)).text("name", name);
                        });
                    });
                    w.count("contentBlockIndex", index);
                });
            }
            BlockStart::Redacted(proof) => {
                thought(out, index, "redactedContent", &sealed_bytes(proof))
            }
            _ => {}
        }
    }

    /// A proof in an empty thought of its own.
    fn proof(&mut self, proof: &str, out: &mut Vec<u8>) {
        thought(out, self.next, "signature", proof);
        block_stop(out, self.next);
        self.next += 1;
    }

    fn delta(&mut self, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let Some(open) = self.open.as_mut().filter(|open| open.block == block) else {
            return;
        };
        let index = open.index;
        match delta {
            Delta::Text(text) if open.thinking => thought(out, index, "text", text),
            Delta::Text(text) => block_delta(out, index, |w| {
                w.text("text", text);
            }),
            Delta::Arguments(piece) => block_delta(out, index, |w| {
                w.key("toolUse").object(|w| {
                    w.text("input", piece);
                });
            }),
            Delta::Signature(proof) => signed(open, proof, out),
            Delta::Citation(citation) => block_delta(out, index, |w| {
                w.key("citation");
                citation_out(w, citation);
            }),
            Delta::Logprobs(_) => {}
        }
    }

    fn stop(&mut self, block: u64, out: &mut Vec<u8>) {
        let Some(open) = self.open.take_if(|open| open.block == block) else { return };
        block_stop(out, open.index);
        if let Some(proof) = open.proof {
            self.proof(&proof, out);
        }
    }

    fn finish(finish: Finish, stop_sequence: Option<&str>, out: &mut Vec<u8>) {
        eventstream::event(out, "messageStop", |w| {
            w.text("stopReason", finish_out(finish));
            if let Some(sequence) = stop_sequence {
                stop_fields(w, sequence);
            }
        });
    }
}

fn signed(open: &mut Open, proof: &Signature<'_>, out: &mut Vec<u8>) {
    let proof = signature::write(Kind::BedrockConverse, proof);
    if open.thinking {
        thought(out, open.index, "signature", &proof);
    } else {
        open.proof = Some(proof.into_owned());
    }
}

fn block_delta(out: &mut Vec<u8>, index: u64, fill: impl FnOnce(&mut Writer)) {
    eventstream::event(out, "contentBlockDelta", |w| {
        w.key("delta").object(fill);
        w.count("contentBlockIndex", index);
    });
}

fn thought(out: &mut Vec<u8>, index: u64, name: &str, text: &str) {
    block_delta(out, index, |w| {
        w.key("reasoningContent").object(|w| {
            w.text(name, text);
        });
    });
}

fn block_stop(out: &mut Vec<u8>, index: u64) {
    eventstream::event(out, "contentBlockStop", |w| {
        w.count("contentBlockIndex", index);
    });
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { .. } => eventstream::event(out, "messageStart", |w| {
                w.text("role", "assistant");
            }),
            Event::BlockStart { choice: 0, block, start } => self.begin(*block, start, out),
            Event::Delta { choice: 0, block, delta } => self.delta(*block, delta, out),
            Event::BlockStop { choice: 0, block } => self.stop(*block, out),
            Event::Finish { choice: 0, finish, stop_sequence } => {
                Self::finish(*finish, stop_sequence.as_deref(), out);
            }
            Event::Usage(usage) => self.usage = *usage,
            Event::Error(failure) => {
                eventstream::exception(out, errors::event_of(failure.kind), |w| {
                    w.text("message", &failure.message);
                });
            }
            Event::End => eventstream::event(out, "metadata", |w| {
                w.key("usage");
                usage_out(w, &self.usage);
                w.member("metrics", "{\"latencyMs\":0}");
            }),
            _ => {}
        }
    }
}
