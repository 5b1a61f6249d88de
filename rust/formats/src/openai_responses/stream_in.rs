//! An upstream's stream.
//!
//! Texts come in `delta` events and are repeated in `done` events, in the item and in the response: what
//! was not heard the first time is taken from the repetition, so that hosts may leave out any of them.

mod queue;
mod slots;

use super::reply_in::{called, created, finish, logprobs, usage, whole};
use super::{freetext, input_in, parts_in};
use crate::chat::{BlockStart, Delta, Event};
use crate::format::{Fault, Frame, Sent, StreamDecoder};
use crate::openai_errors;
use crate::value::Value;
use slots::{Place, Slots, What};

pub(super) type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    started: bool,
    /// The response was complete.
    ended: bool,
    failed: bool,
    slots: Slots,
}

/// What an event tells of its place; hosts that leave it out have one item with one part.
fn place(event: &Value<'_>) -> Place {
    let count = |name: &str| event.get(name).and_then(Value::as_u64).unwrap_or(0);
    (count("output_index"), count("content_index"))
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder {
            output_tool: sent.output_tool,
            started: false,
            ended: false,
            failed: false,
            slots: Slots::default(),
        }
    }

    fn start(&mut self, response: Option<&Value<'_>>, emit: Emit<'_>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let text = |name: &str| response.and_then(|one| one.get(name)).and_then(Value::text);
        emit(Event::Start {
            id: text("id").unwrap_or_default(),
            model: text("model").unwrap_or_default(),
            created: response.and_then(|one| one.get("created_at")).and_then(created),
        });
    }

    fn event(&mut self, name: &str, event: &Value<'_>, emit: Emit<'_>) {
        match name {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(event.get("response"), emit);
            }
            "response.completed" | "response.incomplete" | "response.cancelled" => {
                self.start(event.get("response"), emit);
                self.end(event.get("response").unwrap_or(event), emit);
            }
            "response.failed" => {
                self.fail(event.get("response").unwrap_or(event), emit);
            }
            "error" => self.fail(event, emit),
            _ if name.starts_with("response.") => {
                self.start(None, emit);
                self.of_item(name, event, emit);
            }
            _ => {}
        }
    }

    fn of_item(&mut self, name: &str, event: &Value<'_>, emit: Emit<'_>) {
        let at = place(event);
        let thought = (at.0, 0);
        match name {
            "response.output_item.added" => self.added(at.0, event.get("item"), emit),
            "response.output_item.done" => self.done(at.0, event.get("item"), emit),
            "response.content_part.added" => {
                let kind = event.get("part").and_then(|part| part.get("type"));
                if let Some(what) = kind.and_then(Value::as_str).and_then(What::of_part) {
                    self.slots.open(at, what, emit);
                }
            }
            "response.content_part.done" => {
                if let Some(part) = event.get("part") {
                    self.part(at, part, emit);
                }
            }
            "response.output_text.delta" => {
                self.say(at, What::Text, event, "delta", emit);
                let logprobs = logprobs(event);
                if !logprobs.is_empty() {
                    self.slots.add(at, What::Text, Delta::Logprobs(logprobs), emit);
                }
            }
            "response.refusal.delta" => self.say(at, What::Refusal, event, "delta", emit),
            "response.output_text.done" => self.rest(at, What::Text, event, "text", emit),
            "response.refusal.done" => self.rest(at, What::Refusal, event, "refusal", emit),
            "response.output_text.annotation.added" => {
                if let Some(annotation) = event.get("annotation") {
                    let citation = Delta::Citation(parts_in::citation(annotation));
                    self.slots.add(at, What::Text, citation, emit);
                }
            }
            "response.reasoning_summary_text.delta" => {
                let part = event.get("summary_index").and_then(Value::as_u64).unwrap_or(0);
                self.slots.summary_part(thought, part, emit);
                self.say(thought, What::Summary, event, "delta", emit);
            }
            "response.reasoning_text.delta" => {
                self.slots.summary_part(thought, at.1, emit);
                self.say(thought, What::Reasoning, event, "delta", emit);
            }
            "response.function_call_arguments.delta" => {
                self.slots.arguments(at.0, event, "delta", emit);
            }
            "response.custom_tool_call_input.delta" => {
                self.slots.arguments(at.0, event, "delta", emit);
            }
            _ => {}
        }
    }

    /// A piece of a text.
    fn say(&mut self, at: Place, what: What, event: &Value<'_>, name: &str, emit: Emit<'_>) {
        if let Some(text) = event.get(name).and_then(Value::text).filter(|text| !text.is_empty()) {
            self.slots.say(at, what, text, emit);
        }
    }

    /// A whole text, of which pieces may have come.
    fn rest(&mut self, at: Place, what: What, event: &Value<'_>, name: &str, emit: Emit<'_>) {
        if let Some(text) = event.get(name).and_then(Value::text) {
            self.slots.rest(at, what, &text, emit);
        }
    }

    /// A whole part of a message.
    fn part(&mut self, at: Place, part: &Value<'_>, emit: Emit<'_>) {
        match part.get("type").and_then(Value::as_str).and_then(What::of_part) {
            Some(What::Refusal) => self.rest(at, What::Refusal, part, "refusal", emit),
            Some(what) => {
                self.rest(at, what, part, "text", emit);
                self.slots.details(at, parts_in::citations(part), logprobs(part), emit);
            }
            None => return,
        }
        self.slots.close(at, emit);
    }

    fn added(&mut self, index: u64, item: Option<&Value<'_>>, emit: Emit<'_>) {
        let Some(item) = item else { return };
        match item.get("type").and_then(Value::as_str) {
            Some("function_call" | "custom_tool_call") => self.call(index, item, emit),
            Some("message") => self.slots.phase(index, item),
            // Others, as a shell's command, come whole, at the end.
            _ => {}
        }
    }

    /// Begins a call, if it is none that has begun already.
    fn call(&mut self, index: u64, item: &Value<'_>, emit: Emit<'_>) {
        let at = (index, 0);
        let Some(call) = called(item).filter(|_| !self.slots.has(at)) else { return };
        let is_custom = item.get("input").is_some();
        let what = match (self.output_tool == Some(&*call.name), is_custom) {
            (true, _) => What::Answer,
            (false, true) => What::FreeText,
            (false, false) => What::Arguments,
        };
        let start = match what {
            What::Answer => BlockStart::Answer,
            _ => BlockStart::ToolCall { id: call.id, name: call.name, signature: None },
        };
        self.slots.open_as(at, what, start, emit);
        if what == What::FreeText {
            self.slots.add(at, what, Delta::Arguments(freetext::OPENING.into()), emit);
        }
    }

    /// A whole item, of which pieces may have come.
    fn done(&mut self, index: u64, item: Option<&Value<'_>>, emit: Emit<'_>) {
        let Some(item) = item else { return };
        let at = (index, 0);
        self.slots.seen = true;
        match item.get("type").and_then(Value::as_str) {
            Some("message") => {
                self.slots.phase(index, item);
                let parts = item.get("content").map(Value::items).unwrap_or_default();
                for (number, part) in parts.iter().enumerate() {
                    self.part((index, number as u64), part, emit);
                }
            }
            Some("reasoning") => self.slots.thought(at, &input_in::reasoning(item), emit),
            Some(_) if called(item).is_none() && self.slots.has(at) => {}
            Some(kind) if called(item).is_none() => {
                let start = BlockStart::Whole(whole(kind, item));
                self.slots.open_as(at, What::Item, start, emit);
                self.slots.close(at, emit);
            }
            Some(kind) => {
                let whole = match kind {
                    "function_call" => item.get("arguments").and_then(Value::text),
                    "custom_tool_call" => item.get("input").and_then(Value::text),
                    "local_shell_call" => item.get("action").map(|action| action.raw().into()),
                    "tool_search_call" => item.get("arguments").map(|given| given.raw().into()),
                    _ => return,
                };
                self.call(index, item, emit);
                self.slots.call_done(at, whole.unwrap_or_default(), emit);
            }
            None => {}
        }
    }

    fn end(&mut self, response: &Value<'_>, emit: Emit<'_>) {
        if !self.slots.seen {
            let output = response.get("output").map(Value::items).unwrap_or_default();
            for (index, item) in output.iter().enumerate() {
                self.done(index as u64, Some(item), emit);
            }
        }
        self.slots.stop(emit);
        if let Some(usage) = usage(response) {
            emit(Event::Usage(usage));
        }
        let finish = finish(response, self.slots.ends);
        emit(Event::Finish { choice: 0, finish, stop_sequence: None });
        emit(Event::End);
        self.ended = true;
    }

    fn fail(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        self.failed = true;
        emit(Event::Error(openai_errors::decode_value(0, event)));
    }
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        if self.ended || self.failed || frame.data.trim() == "[DONE]" {
            return Ok(());
        }
        let event = Value::parse(frame.data)?;
        let name = event.get("type").and_then(Value::as_str).or(frame.event).unwrap_or_default();
        // A proxy's error has no type of this format's.
        let name = if event.get("error").is_some() && !name.starts_with("response.") {
            "error"
        } else {
            name
        };
        self.event(name, &event, emit);
        Ok(())
    }

    fn close(&mut self, _: Emit<'_>) -> bool {
        self.ended
    }
}
