//! A stream for a client.
//!
//! `message_delta` tells why the turn ended together with what it cost, and so waits for the end of the
//! upstream's stream; nothing that is said waits.

use super::blocks_out::{citation, is_citable, loose, proof};
use super::errors;
use super::hosted;
use super::own::is_own_block;
use super::reply_out::{id, skeleton};
use super::words::{finish_out, tool_id, usage_out};
use crate::chat::{
    Block, BlockStart, Delta, Event, Finish, Request, Signature, Spoken, Thinking, Usage,
};
use crate::format::{Context, Kind, StreamEncoder};
use crate::lost::Lost;
use crate::signature::{self, joined};
use crate::writer::Writer;

pub(super) struct Encoder {
    /// What the client calls the model, should the provider not name it.
    model: String,
    request_id: String,
    now: u64,
    usage: Usage,
    finish: Finish,
    stop_sequence: Option<String>,
    refused: bool,
    /// Where each block of the chat stands in the message.
    places: Vec<Place>,
    next: u64,
    lost: Lost,
}

/// A block's number here, and what it is.
struct Place {
    block: u64,
    index: u64,
    what: What,
    /// Its proof has been told.
    proved: bool,
    /// Proof of a text: it is told after it.
    proof: Option<Signature<'static>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    /// It came whole.
    Whole,
    Call,
    /// There is no block for it.
    Lost,
}

impl Encoder {
    pub(super) fn new(request: &Request<'_>, context: &Context<'_>) -> Self {
        Encoder {
            model: request.model.clone().into_owned(),
            request_id: context.request_id.to_owned(),
            now: context.now,
            usage: Usage::default(),
            finish: Finish::Stop,
            stop_sequence: None,
            refused: false,
            places: Vec::new(),
            next: 0,
            lost: Lost::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context { request_id: &self.request_id, now: self.now }
    }

    fn begin(&mut self, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        let what = match start {
            BlockStart::Text | BlockStart::Answer => What::Text,
            BlockStart::Phased(_) => {
                self.lost.add("phase");
                What::Text
            }
            BlockStart::Refusal => {
                self.refused = true;
                What::Text
            }
            BlockStart::Thinking => What::Thinking,
            BlockStart::Redacted(proof) => {
                let data = signature::write(Kind::AnthropicMessages, proof).into_owned();
                let index = self.open(block, What::Whole);
                return content_start(out, index, |w| {
                    w.text("type", "redacted_thinking").text("data", &data);
                });
            }
            BlockStart::Whole(whole) => return self.whole(block, whole, out),
            BlockStart::ToolCall { id, name, signature } => {
                if let Some(signature) = signature {
                    self.prove(loose(signature), out);
                }
                let index = self.open(block, What::Call);
                return content_start(out, index, |w| {
                    w.text("type", "tool_use").text("id", &tool_id(id)).text("name", name);
                    w.member("input", "{}");
                });
            }
        };
        let index = self.open(block, what);
        content_start(out, index, |w| {
            match what {
                What::Thinking => {
                    w.text("type", "thinking").text("thinking", "").text("signature", "")
                }
                _ => w.text("type", "text").text("text", ""),
            };
        });
    }

    fn open(&mut self, block: u64, what: What) -> u64 {
        let index = self.next;
        self.next += 1;
        let proved = what != What::Thinking;
        self.places.push(Place { block, index, what, proved, proof: None });
        index
    }

    /// A block that is complete as it begins. What hosted tools are told goes out as Anthropic's own streams
    /// have it: after the block has begun.
    fn whole(&mut self, block: u64, whole: &Block<'_>, out: &mut Vec<u8>) {
        match whole {
            Block::Opaque { kind, value } if is_own_block(kind, value) => {
                let index = self.open(block, What::Whole);
                let (begun, input) = hosted::apart(value);
                event(out, "content_block_start", |w| {
                    w.count("index", index).member("content_block", &begun);
                });
                if let Some(input) = input {
                    content_delta(out, index, |w| {
                        w.text("type", "input_json_delta").text("partial_json", input);
                    });
                }
            }
            // What was said can be read at least.
            Block::Audio { spoken: Spoken { transcript: Some(words), .. }, .. } => {
                self.lost.block(whole);
                let index = self.open(block, What::Whole);
                content_start(out, index, |w| {
                    w.text("type", "text").text("text", "");
                });
                content_delta(out, index, |w| {
                    w.text("type", "text_delta").text("text", words);
                });
            }
            _ => {
                self.lost.block(whole);
                let index = self.next;
                let what = What::Lost;
                self.places.push(Place { block, index, what, proved: true, proof: None });
            }
        }
    }

    fn stop(&mut self, block: u64, out: &mut Vec<u8>) {
        let Some(place) = self.places.iter_mut().rfind(|place| place.block == block) else {
            return;
        };
        if place.what == What::Lost {
            return;
        }
        if !place.proved {
            signature_delta(out, place.index, &proof(None));
        }
        content_stop(out, place.index);
        if let Some(proof) = place.proof.take() {
            let own = signature::of_text_before(&proof);
            self.prove(loose(&own), out);
        }
    }

    /// A proof that has no place in what follows: an empty thought that has it.
    fn prove(&mut self, thought: Thinking<'_>, out: &mut Vec<u8>) {
        let sealed =
            thought.signature.as_ref().map(|one| signature::write(Kind::AnthropicMessages, one));
        let index = self.next;
        self.next += 1;
        content_start(out, index, |w| {
            w.text("type", "thinking").text("thinking", "").text("signature", "");
        });
        signature_delta(out, index, sealed.as_deref().unwrap_or_default());
        content_stop(out, index);
    }

    fn delta(&mut self, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let Some(place) = self.places.iter_mut().rfind(|place| place.block == block) else {
            return;
        };
        place.proved |= matches!(delta, Delta::Signature(_));
        let (index, what) = (place.index, place.what);
        match (delta, what) {
            (Delta::Text(text), What::Thinking) => content_delta(out, index, |w| {
                w.text("type", "thinking_delta").text("thinking", text);
            }),
            (Delta::Text(text), What::Text) => content_delta(out, index, |w| {
                w.text("type", "text_delta").text("text", text);
            }),
            (Delta::Arguments(piece), What::Call) => content_delta(out, index, |w| {
                w.text("type", "input_json_delta").text("partial_json", piece);
            }),
            (Delta::Signature(proof), What::Thinking) => {
                signature_delta(out, index, &signature::write(Kind::AnthropicMessages, proof));
            }
            (Delta::Signature(proof), What::Text) => {
                place.proof = Some(joined(place.proof.take(), proof));
            }
            (Delta::Citation(cited), What::Text) if is_citable(cited) => {
                content_delta(out, index, |w| {
                    w.text("type", "citations_delta").key("citation");
                    citation(w, cited);
                })
            }
            (Delta::Citation(_), _) => self.lost.add("citation"),
            // There is nothing to say likelihoods with.
            _ => {}
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        let declined = self.refused && self.finish == Finish::Stop;
        let finish = if declined { Finish::Refusal } else { self.finish };
        event(out, "message_delta", |w| {
            w.key("delta").object(|w| {
                w.text("stop_reason", finish_out(finish));
                w.text_or_null("stop_sequence", self.stop_sequence.as_deref());
            });
            w.key("usage");
            usage_out(w, &self.usage, None);
            self.lost.write(w);
        });
        event(out, "message_stop", |_| {});
    }
}

fn event(out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&mut Writer)) {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("type", kind);
        fill(w);
    });
    for part in [b"event: ", kind.as_bytes(), b"\ndata: ", &w.finish_line(), b"\n\n"] {
        out.extend_from_slice(part);
    }
}

fn content_start(out: &mut Vec<u8>, index: u64, fill: impl FnOnce(&mut Writer)) {
    event(out, "content_block_start", |w| {
        w.count("index", index).key("content_block").object(fill)
    });
}

fn content_delta(out: &mut Vec<u8>, index: u64, fill: impl FnOnce(&mut Writer)) {
    event(out, "content_block_delta", |w| w.count("index", index).key("delta").object(fill));
}

fn signature_delta(out: &mut Vec<u8>, index: u64, proof: &str) {
    content_delta(out, index, |w| {
        w.text("type", "signature_delta").text("signature", proof);
    });
}

fn content_stop(out: &mut Vec<u8>, index: u64) {
    event(out, "content_block_stop", |w| {
        w.count("index", index);
    });
}

impl StreamEncoder for Encoder {
    fn event(&mut self, happened: &Event<'_>, out: &mut Vec<u8>) {
        match happened {
            Event::Start { id: given, model, .. } => {
                let id = id(given, &self.context());
                event(out, "message_start", |w| {
                    w.key("message");
                    skeleton(w, &id, if model.is_empty() { &self.model } else { model });
                });
            }
            Event::BlockStart { choice: 0, block, start } => self.begin(*block, start, out),
            Event::Delta { choice: 0, block, delta } => self.delta(*block, delta, out),
            Event::BlockStop { choice: 0, block } => self.stop(*block, out),
            Event::Finish { choice: 0, finish, stop_sequence } => {
                self.finish = *finish;
                self.stop_sequence = stop_sequence.as_ref().map(|text| text.clone().into_owned());
            }
            Event::Usage(usage) => self.usage = *usage,
            Event::Lost(name) => self.lost.add(name),
            Event::Ping => event(out, "ping", |_| {}),
            Event::Error(failure) => {
                let body = errors::encode(failure, &self.context());
                for part in [b"event: error\ndata: ", &body[..], b"\n\n"] {
                    out.extend_from_slice(part);
                }
            }
            Event::End => self.end(out),
            // A message has one choice.
            _ => {}
        }
    }
}
