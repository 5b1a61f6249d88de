//! An upstream's stream: `message-start`, the parts of the content and the calls, `message-end`.
//!
//! A block is stopped when the next one begins, not when Cohere ends it: citations may come after.

use super::citations::{TEXT, citation_in};
use super::errors;
use super::words::{finish_in, logprob_in, usage_in};
use crate::chat::{BlockStart, Delta, Event, Finish, Text};
use crate::format::{Fault, Frame, Sent, StreamDecoder};
use crate::value::Value;

type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

/// What is known of a stream.
#[derive(Default)]
pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    started: bool,
    ended: bool,
    failed: bool,
    next_block: u64,
    open: Option<Open>,
    /// Tools of the client's are called.
    calls_tools: bool,
}

/// The block under way.
#[derive(Clone, Copy)]
struct Open {
    what: What,
    /// Cohere's number of the part or the call.
    index: u64,
    /// Ours.
    block: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    Plan,
    /// A call, and whether some of its arguments have come.
    Call {
        told: bool,
    },
    /// A call that is the answer.
    Answer {
        told: bool,
    },
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder { output_tool: sent.output_tool, ..Decoder::default() }
    }

    fn start(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        if !std::mem::replace(&mut self.started, true) {
            let id = event.get("id").and_then(Value::text).unwrap_or_default();
            emit(Event::Start { id, model: "".into(), created: None });
        }
    }

    /// Stops the block under way. Arguments that never came are an empty object.
    fn stop(&mut self, emit: Emit<'_>) {
        let Some(Open { what, block, .. }) = self.open.take() else { return };
        let empty = match what {
            What::Call { told: false } => Some(Delta::Arguments("{}".into())),
            What::Answer { told: false } => Some(Delta::Text("{}".into())),
            _ => None,
        };
        if let Some(delta) = empty {
            emit(Event::Delta { choice: 0, block, delta });
        }
        emit(Event::BlockStop { choice: 0, block });
    }

    fn begin(&mut self, what: What, index: u64, start: BlockStart<'_>, emit: Emit<'_>) -> u64 {
        self.stop(emit);
        let block = self.next_block;
        self.next_block += 1;
        self.open = Some(Open { what, index, block });
        emit(Event::BlockStart { choice: 0, block, start });
        block
    }

    /// Adds to the block of that kind and number, or begins it.
    fn say(&mut self, what: What, index: u64, text: Option<Text<'_>>, emit: Emit<'_>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let block = match self.open {
            Some(open) if open.what == what && open.index == index => open.block,
            _ => {
                let start =
                    if what == What::Thinking { BlockStart::Thinking } else { BlockStart::Text };
                self.begin(what, index, start, emit)
            }
        };
        emit(Event::Delta { choice: 0, block, delta: Delta::Text(text) });
    }

    /// A part of the content begins or goes on.
    fn content(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        let index = index(event);
        let content = message(event).and_then(|message| message.get("content"));
        let text = |name: &str| content.and_then(|one| one.get(name)).and_then(Value::text);
        self.say(What::Thinking, index, text("thinking"), emit);
        self.say(What::Text, index, text("text"), emit);
        if let (Some(logprob), Some(open)) = (event.get("logprobs").and_then(logprob_in), self.open)
        {
            let delta = Delta::Logprobs(vec![logprob]);
            emit(Event::Delta { choice: 0, block: open.block, delta });
        }
    }

    fn call_start(&mut self, event: &Value<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let Some(call) = message(event).and_then(|message| message.get("tool_calls")) else {
            return Ok(());
        };
        let index = index(event);
        let function = call.get("function");
        let name = function.and_then(|one| one.get("name")).and_then(Value::text);
        let name = name.unwrap_or_default();
        if self.output_tool == Some(&*name) {
            self.begin(What::Answer { told: false }, index, BlockStart::Answer, emit);
        } else {
            self.calls_tools = true;
            let id = call.get("id").and_then(Value::text).unwrap_or_default();
            let start = BlockStart::ToolCall { id, name, signature: None };
            self.begin(What::Call { told: false }, index, start, emit);
        }
        self.arguments(event, emit)
    }

    /// A piece of a call's arguments. Half of them would be worse than none.
    fn arguments(&mut self, event: &Value<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let text = message(event)
            .and_then(|message| message.get("tool_calls")?.get("function")?.get("arguments"))
            .and_then(Value::text);
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
        let index = index(event);
        let (block, delta) = match self.open.as_mut().filter(|open| open.index == index) {
            Some(Open { what: What::Call { told }, block, .. }) => {
                *told = true;
                (*block, Delta::Arguments(text))
            }
            Some(Open { what: What::Answer { told }, block, .. }) => {
                *told = true;
                (*block, Delta::Text(text))
            }
            _ => return Err(Fault::new("The stream tells of a call that is not under way.")),
        };
        emit(Event::Delta { choice: 0, block, delta });
        Ok(())
    }

    fn citation(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        let cited = message(event).and_then(|message| message.get("citations"));
        let of_text =
            |one: &&Value<'_>| one.get("type").and_then(Value::as_str).is_none_or(|of| of == TEXT);
        if let (Some(cited), Some(Open { what: What::Text, block, .. })) =
            (cited.filter(of_text), self.open)
        {
            emit(Event::Delta { choice: 0, block, delta: Delta::Citation(citation_in(cited)) });
        }
    }

    fn end(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        let delta = event.get("delta");
        let told = |name: &str| delta.and_then(|delta| delta.get(name)).and_then(Value::text);
        let reason = told("finish_reason").unwrap_or_default();
        let error = told("error");
        let usage = delta.and_then(|delta| delta.get("usage")).and_then(usage_in);
        let failed = error.is_some() || matches!(&*reason, "ERROR" | "TIMEOUT");
        if !failed {
            self.stop(emit);
        }
        if let Some(usage) = usage {
            emit(Event::Usage(usage));
        }
        if failed {
            self.failed = true;
            let status = if reason == "TIMEOUT" { 504 } else { 500 };
            let words = "The provider failed while it wrote the reply.";
            return emit(Event::Error(errors::failure(status, error.or(Some(words.into())))));
        }
        let finish = match finish_in(&reason) {
            Finish::ToolCalls if !self.calls_tools && self.output_tool.is_some() => Finish::Stop,
            other => other,
        };
        emit(Event::Finish { choice: 0, finish, stop_sequence: None });
        self.ended = true;
        emit(Event::End);
    }
}

fn index(event: &Value<'_>) -> u64 {
    event.get("index").and_then(Value::as_u64).unwrap_or(0)
}

fn message<'v, 'a>(event: &'v Value<'a>) -> Option<&'v Value<'a>> {
    event.get("delta")?.get("message")
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let data = frame.data.trim();
        if self.ended || self.failed || data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event = Value::parse(data)?;
        let kind = event.get("type").and_then(Value::as_str).or(frame.event).unwrap_or_default();
        match kind {
            "message-start" => self.start(&event, emit),
            "content-start" | "content-delta" => {
                self.start(&event, emit);
                self.content(&event, emit);
            }
            "tool-plan-delta" => {
                self.start(&event, emit);
                let plan = message(&event).and_then(|message| message.get("tool_plan"));
                self.say(What::Plan, 0, plan.and_then(Value::text), emit);
            }
            "tool-call-start" => {
                self.start(&event, emit);
                self.call_start(&event, emit)?;
            }
            "tool-call-delta" => self.arguments(&event, emit)?,
            "citation-start" => self.citation(&event, emit),
            "message-end" => {
                self.start(&event, emit);
                self.end(&event, emit);
            }
            // An error body in the place of an event.
            _ if event.get("type").is_none() && event.get("message").is_some() => {
                self.failed = true;
                emit(Event::Error(errors::decode(500, data)));
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, _: Emit<'_>) -> bool {
        self.ended
    }
}
