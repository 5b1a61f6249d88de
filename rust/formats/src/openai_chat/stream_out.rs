//! A stream for a client: chunks, the usage if asked for, then `[DONE]`.

use super::functions;
use super::made::Beside;
use super::parts::{citation_out, signature_out, thinking_out};
use super::reply_out::{audio_id, id};
use super::words::{logprobs_out, usage_out};
use crate::chat::{Block, BlockStart, Delta, Event, Finish, Request, Signature, Thinking, Usage};
use crate::format::{Context, StreamEncoder};
use crate::lost::Lost;
use crate::openai_errors;
use crate::signature::joined;
use crate::writer::{Writer, quote};

pub(super) struct Encoder {
    request_id: String,
    now: u64,
    wants_usage: bool,
    /// Calls are told with OpenAI's first words.
    legacy: bool,
    /// What every chunk begins with, once the stream has.
    head: String,
    usage: Usage,
    choices: Vec<Choice>,
    lost: Lost,
}

/// What is known of one choice.
#[derive(Default)]
struct Choice {
    index: u64,
    calls: u64,
    images: u64,
    signed: bool,
    refused: bool,
    open: Vec<Open>,
}

/// A block under way.
struct Open {
    block: u64,
    what: What,
}

enum What {
    /// Text, and its proof so far.
    Text(Option<Signature<'static>>),
    Refusal,
    /// The number of the call in its choice.
    Call(u64),
    /// The thought so far: it is told again with its proof.
    Thought(String, Option<Signature<'static>>),
}

impl Encoder {
    pub(super) fn new(request: &Request<'_>, context: &Context<'_>) -> Self {
        Encoder {
            request_id: context.request_id.to_owned(),
            now: context.now,
            wants_usage: request.stream_usage,
            legacy: request.legacy_functions,
            head: String::new(),
            usage: Usage::default(),
            choices: Vec::new(),
            lost: Lost::default(),
        }
    }

    fn start(&mut self, given: &str, model: &str, created: Option<u64>) {
        let context = Context { request_id: &self.request_id, now: self.now };
        self.head = format!(
            "data: {{\"id\":{},\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":{}",
            quote(&id(given, &context)),
            created.unwrap_or(self.now),
            quote(model),
        );
    }

    fn choice(&mut self, index: u64, out: &mut Vec<u8>) -> &mut Choice {
        let at = match self.choices.iter().position(|one| one.index == index) {
            Some(at) => at,
            None => {
                self.choices.push(Choice { index, ..Choice::default() });
                self.chunk(index, None, out, |w| {
                    w.text("role", "assistant").text("content", "");
                });
                self.choices.len() - 1
            }
        };
        &mut self.choices[at]
    }

    /// A chunk with one choice, whose delta `fill` writes.
    fn chunk(
        &self,
        index: u64,
        finish: Option<Finish>,
        out: &mut Vec<u8>,
        fill: impl FnOnce(&mut Writer),
    ) {
        self.write(index, finish, out, |w| w.member("logprobs", "null"), fill);
    }

    fn write(
        &self,
        index: u64,
        finish: Option<Finish>,
        out: &mut Vec<u8>,
        logprobs: impl FnOnce(&mut Writer) -> &mut Writer,
        fill: impl FnOnce(&mut Writer),
    ) {
        let mut w = Writer::new();
        w.array(|w| {
            w.object(|w| {
                w.count("index", index).key("delta").object(fill);
                logprobs(w);
                w.text_or_null(
                    "finish_reason",
                    finish.map(|one| functions::finish(one, self.legacy)),
                );
            });
        });
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(b",\"choices\":");
        out.extend_from_slice(&w.finish_line());
        if self.wants_usage {
            out.extend_from_slice(b",\"usage\":null");
        }
        if finish.is_some() && !self.lost.is_empty() {
            // Not in a chunk without choices: clients who did not ask for usage expect none.
            let mut w = Writer::new();
            w.object(|w| self.lost.write(w));
            out.push(b',');
            out.extend_from_slice(w.finish_line().trim_ascii().get(1..).unwrap_or_default());
            out.extend_from_slice(b"\n\n");
            return;
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn begin(&mut self, choice: u64, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        let known = self.choice(choice, out);
        let what = match start {
            BlockStart::Text | BlockStart::Answer => What::Text(None),
            BlockStart::Phased(_) => {
                self.lost.add("phase");
                return self.open(choice, block, What::Text(None), out);
            }
            BlockStart::Whole(whole) => return self.whole(choice, whole, out),
            BlockStart::Refusal => What::Refusal,
            BlockStart::Thinking => What::Thought(String::new(), None),
            BlockStart::Redacted(signature) => {
                let signature = Some(signature.clone());
                let thinking = Thinking { signature, redacted: true, ..Thinking::default() };
                return self.thought(choice, &thinking, out);
            }
            BlockStart::ToolCall { id, name, signature } => {
                let number = known.calls;
                known.calls += 1;
                known.open.push(Open { block, what: What::Call(number) });
                return self.call(choice, number, (id, name), signature.as_ref(), out);
            }
        };
        known.open.push(Open { block, what });
    }

    fn call(
        &mut self,
        choice: u64,
        number: u64,
        (id, name): (&str, &str),
        signature: Option<&Signature<'_>>,
        out: &mut Vec<u8>,
    ) {
        if !self.legacy {
            return self.chunk(choice, None, out, |w| {
                w.key("tool_calls").array(|w| {
                    w.object(|w| {
                        w.count("index", number).text("id", id).text("type", "function");
                        w.key("function").object(|w| {
                            w.text("name", name).text("arguments", "");
                        });
                        signature_out(w, signature);
                    });
                });
            });
        }
        self.lost.add_if(signature.is_some(), "signature");
        if number > 0 {
            return self.lost.add(functions::CALLED);
        }
        self.chunk(choice, None, out, |w| functions::write(w, Some(name), ""));
    }

    /// A piece of a call's arguments.
    fn arguments(&self, choice: u64, number: u64, piece: &str, out: &mut Vec<u8>) {
        match (self.legacy, number) {
            (true, 0) => self.chunk(choice, None, out, |w| functions::write(w, None, piece)),
            (true, _) => {}
            (false, _) => self.chunk(choice, None, out, |w| {
                w.key("tool_calls").array(|w| {
                    w.object(|w| {
                        w.count("index", number).key("function").object(|w| {
                            w.text("arguments", piece);
                        });
                    });
                });
            }),
        }
    }

    fn open(&mut self, choice: u64, block: u64, what: What, out: &mut Vec<u8>) {
        self.choice(choice, out).open.push(Open { block, what });
    }

    fn whole(&mut self, choice: u64, block: &Block<'_>, out: &mut Vec<u8>) {
        let mut beside = Beside::default();
        beside.take(block, &mut self.lost);
        if beside.is_empty() {
            return;
        }
        let known = self.choice(choice, out);
        let first = known.images;
        known.images += beside.images();
        let context = Context { request_id: &self.request_id, now: self.now };
        let id = audio_id(&context);
        self.chunk(choice, None, out, |w| beside.write(w, first, &id, false));
    }

    fn delta(&mut self, choice: u64, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let known = self.choice(choice, out);
        let Some(open) = known.open.iter_mut().find(|open| open.block == block) else { return };
        match (delta, &mut open.what) {
            (Delta::Text(text), What::Thought(so_far, _)) => {
                so_far.push_str(text);
                self.text(choice, "reasoning_content", text, out);
            }
            (Delta::Text(text), What::Refusal) => {
                known.refused = true;
                self.text(choice, "refusal", text, out);
            }
            (Delta::Text(text), _) => self.text(choice, "content", text, out),
            (Delta::Arguments(piece), What::Call(number)) => {
                let number = *number;
                self.arguments(choice, number, piece, out);
            }
            (Delta::Signature(piece), What::Thought(_, kept) | What::Text(kept)) => {
                *kept = Some(joined(kept.take(), piece));
            }
            (Delta::Citation(citation), _) => self.chunk(choice, None, out, |w| {
                w.key("annotations").array(|w| citation_out(w, citation));
            }),
            (Delta::Logprobs(list), _) => {
                let logprobs = |w: &mut Writer| {
                    w.key("logprobs");
                    logprobs_out(w, list);
                };
                self.write(
                    choice,
                    None,
                    out,
                    |w| {
                        logprobs(w);
                        w
                    },
                    |_| {},
                );
            }
            (Delta::Arguments(_) | Delta::Signature(_), _) => {}
        }
    }

    fn text(&self, choice: u64, name: &str, text: &str, out: &mut Vec<u8>) {
        self.chunk(choice, None, out, |w| {
            w.text(name, text);
        });
    }

    /// A call's block stays known, since a late piece of its arguments may come.
    fn stop(&mut self, choice: u64, block: u64, out: &mut Vec<u8>) {
        let known = self.choice(choice, out);
        let is_over = |one: &Open| one.block == block && !matches!(one.what, What::Call(_));
        let Some(at) = known.open.iter().position(is_over) else { return };
        match known.open.swap_remove(at).what {
            What::Thought(text, Some(signature)) => {
                let thinking =
                    Thinking { text: text.into(), signature: Some(signature), redacted: false };
                self.thought(choice, &thinking, out);
            }
            What::Text(Some(signature)) => self.sign_text(choice, &signature, out),
            _ => {}
        }
    }

    /// The proof of the text; a message has a place for one.
    fn sign_text(&mut self, choice: u64, signature: &Signature<'_>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.choice(choice, out).signed, true) {
            return self.lost.add("signature");
        }
        self.chunk(choice, None, out, |w| signature_out(w, Some(signature)));
    }

    fn thought(&mut self, choice: u64, thinking: &Thinking<'_>, out: &mut Vec<u8>) {
        self.choice(choice, out);
        self.chunk(choice, None, out, |w| {
            w.key("thinking_blocks").array(|w| thinking_out(w, thinking));
        });
    }

    fn finish(&mut self, choice: u64, finish: Finish, out: &mut Vec<u8>) {
        let declined = self.choice(choice, out).refused && finish == Finish::Refusal;
        let finish = if declined { Finish::Stop } else { finish };
        self.chunk(choice, Some(finish), out, |_| {});
    }

    fn end(&self, out: &mut Vec<u8>) {
        if self.wants_usage {
            let mut w = Writer::new();
            usage_out(&mut w, &self.usage);
            out.extend_from_slice(self.head.as_bytes());
            out.extend_from_slice(b",\"choices\":[],\"usage\":");
            out.extend_from_slice(&w.finish_line());
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => {
                self.start(id, model, *created);
                self.choice(0, out);
            }
            Event::BlockStart { choice, block, start } => self.begin(*choice, *block, start, out),
            Event::Delta { choice, block, delta } => self.delta(*choice, *block, delta, out),
            Event::BlockStop { choice, block } => self.stop(*choice, *block, out),
            Event::Finish { choice, finish, .. } => self.finish(*choice, *finish, out),
            Event::Usage(usage) => self.usage = *usage,
            Event::Lost(name) => self.lost.add(name),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Error(failure) => {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&openai_errors::encode(failure));
                out.extend_from_slice(b"\n\n");
            }
            Event::End => self.end(out),
        }
    }
}
