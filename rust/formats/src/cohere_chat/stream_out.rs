//! A stream for a client: Cohere's events, then `[DONE]`.

use super::citations::citation_out;
use super::reply_out::id;
use super::words::{finish_out, logprob_out, usage_out};
use crate::chat::{BlockStart, Delta, Event, Finish, Usage};
use crate::format::{Context, StreamEncoder};
use crate::writer::Writer;

/// What is known of a stream on its way out. Cohere has one choice: the first.
pub(super) struct Encoder {
    request_id: String,
    contents: u64,
    calls: u64,
    citations: u64,
    open: Option<Open>,
    finish: Finish,
    usage: Usage,
}

/// A block under way.
struct Open {
    block: u64,
    what: What,
    /// Cohere's number among its kind.
    index: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    Call,
}

impl Encoder {
    pub(super) fn new(context: &Context<'_>) -> Self {
        Encoder {
            request_id: context.request_id.to_owned(),
            contents: 0,
            calls: 0,
            citations: 0,
            open: None,
            finish: Finish::Stop,
            usage: Usage::default(),
        }
    }

    fn begin(&mut self, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        let what = match start {
            BlockStart::Text | BlockStart::Answer | BlockStart::Phased(_) | BlockStart::Refusal => {
                What::Text
            }
            BlockStart::Thinking => What::Thinking,
            // Cohere has no place for them.
            BlockStart::Redacted(_) | BlockStart::Whole(_) => return,
            BlockStart::ToolCall { .. } => What::Call,
        };
        let count = if what == What::Call { &mut self.calls } else { &mut self.contents };
        let index = *count;
        *count += 1;
        self.open = Some(Open { block, what, index });
        if let BlockStart::ToolCall { id, name, .. } = start {
            return event(out, "tool-call-start", Some(index), |w| {
                w.key("tool_calls").object(|w| {
                    w.text("id", id).text("type", "function").key("function").object(|w| {
                        w.text("name", name).text("arguments", "");
                    });
                });
            });
        }
        let kind = if what == What::Thinking { "thinking" } else { "text" };
        event(out, "content-start", Some(index), |w| {
            w.key("content").object(|w| {
                w.text("type", kind).text(kind, "");
            });
        });
    }

    fn delta(&mut self, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        let Some(&Open { what, index, .. }) = self.open.as_ref().filter(|open| open.block == block)
        else {
            return;
        };
        match delta {
            Delta::Text(text) => {
                let kind = if what == What::Thinking { "thinking" } else { "text" };
                event(out, "content-delta", Some(index), |w| {
                    w.key("content").object(|w| {
                        w.text(kind, text);
                    });
                });
            }
            Delta::Arguments(piece) => event(out, "tool-call-delta", Some(index), |w| {
                w.key("tool_calls").object(|w| {
                    w.key("function").object(|w| {
                        w.text("arguments", piece);
                    });
                });
            }),
            Delta::Citation(citation) => {
                let number = self.citations;
                self.citations += 1;
                event(out, "citation-start", Some(number), |w| {
                    w.key("citations");
                    citation_out(w, citation, index);
                });
                plain(out, "citation-end", number);
            }
            Delta::Logprobs(list) => list.iter().for_each(|one| {
                write(out, "content-delta", |w| {
                    w.count("index", index);
                    w.member("delta", "{\"message\":{\"content\":{\"text\":\"\"}}}");
                    w.key("logprobs");
                    logprob_out(w, one);
                });
            }),
            Delta::Signature(_) => {}
        }
    }

    fn stop(&mut self, block: u64, out: &mut Vec<u8>) {
        if let Some(Open { what, index, .. }) = self.open.take_if(|open| open.block == block) {
            plain(out, if what == What::Call { "tool-call-end" } else { "content-end" }, index);
        }
    }

    fn end(&self, error: Option<&str>, out: &mut Vec<u8>) {
        let reason = if error.is_some() { "ERROR" } else { finish_out(self.finish) };
        write(out, "message-end", |w| {
            w.key("delta").object(|w| {
                w.text_if("error", error).text("finish_reason", reason).key("usage");
                usage_out(w, &self.usage);
            });
        });
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// An event with a message in it, whose members `fill` writes.
fn event(out: &mut Vec<u8>, kind: &str, index: Option<u64>, fill: impl FnOnce(&mut Writer)) {
    write(out, kind, |w| {
        w.count_if("index", index).key("delta").object(|w| {
            w.key("message").object(fill);
        });
    });
}

/// An event that says no more than what it is of.
fn plain(out: &mut Vec<u8>, kind: &str, index: u64) {
    write(out, kind, |w| {
        w.count("index", index);
    });
}

fn write(out: &mut Vec<u8>, kind: &str, fill: impl FnOnce(&mut Writer)) {
    let mut w = Writer::new();
    w.object(|w| {
        w.text("type", kind);
        fill(w);
    });
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(&w.finish_line());
    out.extend_from_slice(b"\n\n");
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id: given, .. } => {
                let context = Context { request_id: &self.request_id, now: 0 };
                let id = id(given, &context);
                write(out, "message-start", |w| {
                    w.text("id", id).key("delta").object(|w| {
                        w.key("message").object(|w| {
                            w.text("role", "assistant").member("content", "[]");
                            w.text("tool_plan", "").member("tool_calls", "[]");
                            w.member("citations", "[]");
                        });
                    });
                });
            }
            Event::BlockStart { choice: 0, block, start } => self.begin(*block, start, out),
            Event::Delta { choice: 0, block, delta } => self.delta(*block, delta, out),
            Event::BlockStop { choice: 0, block } => self.stop(*block, out),
            Event::Finish { choice: 0, finish, .. } => self.finish = *finish,
            Event::Usage(usage) => self.usage = *usage,
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Error(failure) => self.end(Some(&failure.message), out),
            Event::End => self.end(None, out),
            _ => {}
        }
    }
}
