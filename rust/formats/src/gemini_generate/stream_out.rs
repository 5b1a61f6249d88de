//! A stream for a client: a reply in pieces, the last of which says why it ended and what it cost.
//!
//! Text passes at once. A call is told whole, when its arguments are complete: clients do not ask for
//! pieces. The end of a candidate waits for the usage, which belongs into the same piece.

use super::citations::{Grounding, Place};
use super::errors;
use super::reply_out::{
    call_part, fits, id, model, shows_thoughts, text_part, thought_part, whole_part,
};
use super::words::{finish_out, logprobs_out, usage_out};
use crate::chat::{
    Block, BlockStart, Citation, Delta, Event, Finish, Request, Signature, Text, Thinking,
    ToolCall, Usage,
};
use crate::format::{Context, StreamEncoder};
use crate::lost::Lost;
use crate::signature::joined;
use crate::writer::{Writer, quote};

/// How much of a text is kept to look up the places of its citations, in bytes.
const MOST_TEXT: usize = 1024 * 1024;

/// How the pieces are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events (`alt=sse`).
    Events,
    /// Items of one JSON array.
    Array,
}

pub(super) struct Encoder {
    framing: Framing,
    request_id: String,
    asked_model: String,
    shown: bool,
    begun: bool,
    ended: bool,
    /// What every piece ends with, once the stream has begun.
    tail: String,
    usage: Option<Usage>,
    choices: Vec<Choice>,
    lost: Lost,
}

/// What is known of one candidate.
#[derive(Default)]
struct Choice {
    index: u64,
    open: Vec<Open>,
    /// Its text so far, as far as it is kept, and where the last block of it began.
    text: String,
    block_at: usize,
    grounding: Grounding,
    finish: Option<Finish>,
}

/// A block under way.
struct Open {
    block: u64,
    what: What,
}

enum What {
    Text(Option<Signature<'static>>, Vec<Citation<'static>>),
    Thought(Option<Signature<'static>>),
    Call(ToolCall<'static>),
    Nothing,
}

impl Encoder {
    pub(super) fn new(framing: Framing, request: &Request<'_>, context: &Context<'_>) -> Self {
        Encoder {
            framing,
            request_id: context.request_id.to_owned(),
            asked_model: request.model.to_string(),
            shown: shows_thoughts(request),
            begun: false,
            ended: false,
            tail: String::new(),
            usage: None,
            choices: Vec::new(),
            lost: Lost::default(),
        }
    }

    fn start(&mut self, told_id: &str, told_model: &str) {
        let request = Request { model: self.asked_model.as_str().into(), ..Request::default() };
        let context = Context { request_id: &self.request_id, now: 0 };
        let model = quote(model(told_model, &request));
        let id = quote(id(told_id, &context));
        self.tail = [",\"modelVersion\":", &model, ",\"responseId\":", &id, "}"].concat();
    }

    fn choice(&mut self, index: u64) -> &mut Choice {
        let at = self.choices.iter().position(|one| one.index == index).unwrap_or_else(|| {
            self.choices.push(Choice { index, ..Choice::default() });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    /// Writes a piece that begins with what `fill` writes.
    fn piece(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Writer)) {
        if self.tail.is_empty() {
            self.start("", "");
        }
        let mut w = Writer::new();
        w.object(fill);
        let mut json = w.finish_line();
        json.pop();
        json.extend_from_slice(self.tail.as_bytes());
        self.frame(out, &json);
    }

    fn frame(&mut self, out: &mut Vec<u8>, json: &[u8]) {
        let begun = std::mem::replace(&mut self.begun, true);
        let (before, after): (&[u8], &[u8]) = match self.framing {
            Framing::Events => (b"data: ", b"\n\n"),
            Framing::Array if begun => (b",\r\n", b"\n"),
            Framing::Array => (b"[", b"\n"),
        };
        out.extend_from_slice(before);
        out.extend_from_slice(json);
        out.extend_from_slice(after);
    }

    /// A piece with parts of one candidate.
    fn parts(&mut self, out: &mut Vec<u8>, choice: u64, fill: impl FnOnce(&mut Writer)) {
        self.piece(out, |w| {
            w.key("candidates").array(|w| w.object(|w| content(w, choice, fill)));
        });
    }

    fn begin(&mut self, choice: u64, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        let what = match start {
            BlockStart::Text | BlockStart::Answer | BlockStart::Refusal => {
                What::Text(None, Vec::new())
            }
            BlockStart::Phased(_) => {
                self.lost.add("phase");
                What::Text(None, Vec::new())
            }
            BlockStart::Thinking => What::Thought(None),
            BlockStart::Redacted(signature) => {
                let thought = Thinking {
                    signature: Some(signature.clone()),
                    redacted: true,
                    ..Thinking::default()
                };
                self.parts(out, choice, |w| {
                    thought_part(w, &thought, true);
                });
                What::Nothing
            }
            BlockStart::Whole(whole) => {
                self.whole(choice, whole, out);
                What::Nothing
            }
            BlockStart::ToolCall { id, name, signature } => What::Call(ToolCall {
                id: id.to_string().into(),
                name: name.to_string().into(),
                arguments: String::new().into(),
                signature: signature.as_ref().map(|one| joined(None, one)),
                cache: None,
            }),
        };
        let choice = self.choice(choice);
        choice.block_at = choice.text.len();
        choice.open.push(Open { block, what });
    }

    fn whole(&mut self, choice: u64, block: &Block<'_>, out: &mut Vec<u8>) {
        if fits(block) {
            self.parts(out, choice, |w| whole_part(w, block));
        } else {
            self.lost.block(block);
        }
    }

    fn delta(&mut self, index: u64, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let shown = self.shown;
        let choice = self.choice(index);
        let Some(at) = choice.open.iter().position(|one| one.block == block) else { return };
        match (delta, &mut choice.open[at].what) {
            (Delta::Text(text), What::Text(..)) => {
                if choice.text.len() + text.len() <= MOST_TEXT {
                    choice.text.push_str(text);
                }
                self.parts(out, index, |w| text_part(w, text, None));
            }
            (Delta::Text(text), What::Thought(_)) if shown => {
                self.parts(out, index, |w| {
                    w.object(|w| {
                        w.text("text", text).flag("thought", true);
                    });
                });
            }
            (Delta::Arguments(piece), What::Call(call)) => call.arguments.to_mut().push_str(piece),
            (Delta::Signature(piece), What::Text(kept, _) | What::Thought(kept)) => {
                *kept = Some(joined(kept.take(), piece));
            }
            (Delta::Citation(one), What::Text(_, citations)) => citations.push(owned(one)),
            (Delta::Logprobs(logprobs), _) if !logprobs.is_empty() => {
                self.piece(out, |w| {
                    w.key("candidates").array(|w| {
                        w.object(|w| {
                            content(w, index, |w| text_part(w, "", None));
                            logprobs_out(w, logprobs);
                        });
                    });
                });
            }
            _ => {}
        }
    }

    fn stop(&mut self, index: u64, block: u64, out: &mut Vec<u8>) {
        let choice = self.choice(index);
        let Some(at) = choice.open.iter().position(|one| one.block == block) else { return };
        match choice.open.swap_remove(at).what {
            What::Text(signature, citations) => {
                citations.iter().for_each(|one| choice.cite(one));
                if signature.is_some() {
                    self.parts(out, index, |w| text_part(w, "", signature.as_ref()));
                }
            }
            What::Thought(Some(signature)) => {
                let thought = Thinking { signature: Some(signature), ..Thinking::default() };
                self.parts(out, index, |w| {
                    thought_part(w, &thought, true);
                });
            }
            What::Call(call) => self.parts(out, index, |w| call_part(w, &call)),
            What::Thought(None) | What::Nothing => {}
        }
    }

    /// The last piece: why each candidate ended, and the usage.
    fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut choices = std::mem::take(&mut self.choices);
        if choices.is_empty() {
            // Without a candidate that has ended, clients would take the stream for broken.
            choices.push(Choice::default());
        }
        let usage = self.usage;
        let lost = std::mem::take(&mut self.lost);
        self.piece(out, |w| {
            w.key("candidates").array(|w| choices.into_iter().for_each(|one| one.finish(w)));
            if let Some(usage) = &usage {
                usage_out(w, usage, None);
            }
            lost.write(w);
        });
        self.close(out);
    }

    fn close(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Array {
            out.extend_from_slice(b"]");
        }
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model, .. } => self.start(id, model),
            Event::BlockStart { choice, block, start } => self.begin(*choice, *block, start, out),
            Event::Delta { choice, block, delta } => self.delta(*choice, *block, delta, out),
            Event::BlockStop { choice, block } => self.stop(*choice, *block, out),
            Event::Finish { choice, finish, .. } => self.choice(*choice).finish = Some(*finish),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(failure) => {
                self.ended = true;
                self.frame(out, &errors::encode(failure));
                self.close(out);
            }
            Event::End => self.finish(out),
            Event::Lost(name) => self.lost.add(name),
            // White space is the only sign of life here: Google's Python SDK takes comments for errors.
            Event::Ping if self.framing == Framing::Events => out.extend_from_slice(b"\n\n"),
            Event::Ping if self.begun => out.push(b'\n'),
            Event::Ping => {}
        }
    }
}

impl Choice {
    fn cite(&mut self, citation: &Citation<'_>) {
        let text = self.text.get(self.block_at..).unwrap_or_default();
        self.grounding.add(citation, text, Place { part: 0, before: self.block_at });
    }

    fn finish(self, w: &mut Writer) {
        w.object(|w| {
            // As Gemini itself does: SDKs take a content without parts for no content.
            content(w, self.index, |w| text_part(w, "", None));
            w.text("finishReason", finish_out(self.finish.unwrap_or_default()));
            self.grounding.write(w);
        });
    }
}

/// The citation apart from the stream's bytes, as far as it is written.
fn owned(one: &Citation<'_>) -> Citation<'static> {
    let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.to_string().into());
    Citation {
        start: one.start,
        end: one.end,
        url: text(&one.url),
        title: text(&one.title),
        quoted: text(&one.quoted),
        ..Citation::default()
    }
}

fn content(w: &mut Writer, index: u64, fill: impl FnOnce(&mut Writer)) {
    w.key("content").object(|w| {
        w.key("parts").array(fill);
        w.text("role", "model");
    });
    w.count("index", index);
}
