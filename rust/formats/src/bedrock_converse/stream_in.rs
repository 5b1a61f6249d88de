//! An upstream's stream: `messageStart`, blocks, `messageStop`, then `metadata` with the usage.
//!
//! Only calls are announced by a `contentBlockStart`; texts and thoughts begin with their first delta.

use super::blocks_in::redacted;
use super::citations::citation_in;
use super::errors;
use super::media::Media;
use super::reply_in::stop_sequence;
use super::words::{finish_in, usage_of};
use crate::chat::{Block, BlockStart, Delta, Event, Finish, Source, Text};
use crate::format::{Fault, Frame, Kind, Sent, StreamDecoder};
use crate::signature;
use crate::value::Value;
use std::borrow::Cow;

type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

/// What is known of a stream.
#[derive(Default)]
pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    started: bool,
    stopped: bool,
    counted: bool,
    ended: bool,
    failed: bool,
    next_block: u64,
    open: Option<Open>,
    /// Tools of the client's are called.
    calls_tools: bool,
    /// The format of the picture under way.
    picture: String,
}

/// The block under way.
#[derive(Clone, Copy)]
struct Open {
    /// Bedrock's number.
    index: u64,
    what: What,
    /// Ours.
    block: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    /// A call, and whether some of its arguments have come.
    Call {
        told: bool,
    },
    /// A call that is the answer.
    Answer {
        told: bool,
    },
    /// A call of a tool that Bedrock runs itself, or its result: more of it is not told.
    Hosted,
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder { output_tool: sent.output_tool, ..Decoder::default() }
    }

    fn start(&mut self, emit: Emit<'_>) {
        if !std::mem::replace(&mut self.started, true) {
            emit(Event::Start { id: "".into(), model: "".into(), created: None });
        }
    }

    /// Stops the block under way. Arguments that never came are an empty object.
    fn stop(&mut self, emit: Emit<'_>) {
        let Some(Open { what, block, .. }) = self.open.take() else { return };
        let empty = match what {
            What::Call { told: false } => Some(Delta::Arguments("{}".into())),
            What::Answer { told: false } => Some(Delta::Text("{}".into())),
            What::Hosted => return,
            _ => None,
        };
        if let Some(delta) = empty {
            emit(Event::Delta { choice: 0, block, delta });
        }
        emit(Event::BlockStop { choice: 0, block });
    }

    fn begin(&mut self, index: u64, what: What, start: BlockStart<'_>, emit: Emit<'_>) -> u64 {
        self.stop(emit);
        let block = self.next_block;
        self.next_block += 1;
        self.open = Some(Open { index, what, block });
        emit(Event::BlockStart { choice: 0, block, start });
        block
    }

    fn block_start(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        let Some(start) = event.get("start") else { return };
        let index = index(event);
        let call = start.get("toolUse").filter(|call| call.get("type").is_none());
        let Some(call) = call else { return self.other_start(index, start, emit) };
        let name = call.get("name").and_then(Value::text).unwrap_or_default();
        if self.output_tool == Some(&*name) {
            self.begin(index, What::Answer { told: false }, BlockStart::Answer, emit);
        } else {
            self.calls_tools = true;
            let id = call.get("toolUseId").and_then(Value::text).unwrap_or_default();
            let start = BlockStart::ToolCall { id, name, signature: None };
            self.begin(index, What::Call { told: false }, start, emit);
        }
    }

    /// The start of what is no call of the client's tools.
    fn other_start(&mut self, index: u64, start: &Value<'_>, emit: Emit<'_>) {
        if let Some(picture) = start.get("image") {
            let format = picture.get("format").and_then(Value::as_str);
            format.unwrap_or_default().clone_into(&mut self.picture);
            return;
        }
        let Some((kind, _)) = start.members().first() else { return };
        let value = Cow::Borrowed(start.raw());
        self.whole(Block::Opaque { kind: kind.clone(), value }, emit);
        self.open = Some(Open { index, what: What::Hosted, block: self.next_block });
    }

    /// A block that is complete as it begins.
    fn whole(&mut self, block: Block<'_>, emit: Emit<'_>) {
        self.stop(emit);
        let number = self.next_block;
        self.next_block += 1;
        emit(Event::BlockStart { choice: 0, block: number, start: BlockStart::Whole(block) });
        emit(Event::BlockStop { choice: 0, block: number });
    }

    fn image(&mut self, image: &Value<'_>, emit: Emit<'_>) {
        let data = image.get("source").and_then(|source| source.get("bytes")?.text());
        if let (Some(data), Some(media_type)) = (data, Media::Image.media_type_of(&self.picture)) {
            let media_type = media_type.into();
            self.whole(Block::image(Source::Base64 { media_type, data }), emit);
        }
    }

    fn delta(&mut self, event: &Value<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let index = index(event);
        let Some(delta) = event.get("delta") else { return Ok(()) };
        for (name, value) in delta.members() {
            match &**name {
                "text" => self.text(index, What::Text, value.text(), emit),
                "toolUse" => {
                    self.arguments(index, value.get("input").and_then(Value::text), emit)?;
                }
                "image" => self.image(value, emit),
                "reasoningContent" => self.thought(index, value, emit),
                "citation" => {
                    self.say(index, What::Text, Delta::Citation(citation_in(value)), emit);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&mut self, index: u64, what: What, text: Option<Text<'_>>, emit: Emit<'_>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.say(index, what, Delta::Text(text), emit);
        }
    }

    /// Adds to the block of that number, or begins it.
    fn say(&mut self, index: u64, what: What, delta: Delta<'_>, emit: Emit<'_>) {
        let block = match self.open {
            Some(open) if open.index == index && open.what == what => open.block,
            _ => {
                let start =
                    if what == What::Thinking { BlockStart::Thinking } else { BlockStart::Text };
                self.begin(index, what, start, emit)
            }
        };
        emit(Event::Delta { choice: 0, block, delta });
    }

    fn thought(&mut self, index: u64, value: &Value<'_>, emit: Emit<'_>) {
        self.text(index, What::Thinking, value.get("text").and_then(Value::text), emit);
        let proof = value.get("signature").and_then(Value::text).filter(|proof| !proof.is_empty());
        if let Some(proof) = proof {
            let proof = signature::read(Kind::BedrockConverse, proof);
            self.say(index, What::Thinking, Delta::Signature(proof), emit);
        }
        if let Some(data) = value.get("redactedContent").and_then(Value::text) {
            self.begin(index, What::Thinking, BlockStart::Redacted(redacted(data)), emit);
            self.stop(emit);
        }
    }

    /// A piece of a call's arguments. Half of them would be worse than none.
    fn arguments(
        &mut self,
        index: u64,
        text: Option<Text<'_>>,
        emit: Emit<'_>,
    ) -> Result<(), Fault> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(()) };
        let open = self.open.as_mut().filter(|open| open.index == index);
        let (block, delta) = match open {
            Some(Open { what: What::Call { told }, block, .. }) => {
                *told = true;
                (*block, Delta::Arguments(text))
            }
            Some(Open { what: What::Answer { told }, block, .. }) => {
                *told = true;
                (*block, Delta::Text(text))
            }
            Some(Open { what: What::Hosted, .. }) => return Ok(()),
            _ => return Err(Fault::new("The stream tells of a call that is not under way.")),
        };
        emit(Event::Delta { choice: 0, block, delta });
        Ok(())
    }

    fn block_stop(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        let index = index(event);
        if self.open.is_some_and(|open| open.index == index) {
            self.stop(emit);
        }
    }

    fn message_stop(&mut self, event: &Value<'_>, emit: Emit<'_>) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.stop(emit);
        let reason = event.get("stopReason").and_then(Value::as_str).unwrap_or_default();
        let finish = match finish_in(reason) {
            Finish::ToolCalls if !self.calls_tools && self.output_tool.is_some() => Finish::Stop,
            other => other,
        };
        emit(Event::Finish { choice: 0, finish, stop_sequence: stop_sequence(event) });
    }

    fn end(&mut self, emit: Emit<'_>) {
        if self.stopped && self.counted && !self.ended {
            self.ended = true;
            emit(Event::End);
        }
    }
}

fn index(event: &Value<'_>) -> u64 {
    event.get("contentBlockIndex").and_then(Value::as_u64).unwrap_or(0)
}

/// Whether a frame of that name tells of a failure.
fn is_failure(name: &str) -> bool {
    ["Exception", "Failure", "Error"].iter().any(|end| name.ends_with(end))
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let name = frame.event.unwrap_or_default();
        if self.ended || self.failed {
            return Ok(());
        }
        if is_failure(name) {
            self.failed = true;
            emit(Event::Error(errors::decode(Some(name), 0, frame.data)));
            return Ok(());
        }
        if frame.data.trim().is_empty() {
            return Ok(());
        }
        let event = Value::parse(frame.data)?;
        match name {
            "messageStart" => self.start(emit),
            "contentBlockStart" | "contentBlockDelta" | "contentBlockStop" if !self.stopped => {
                self.start(emit);
                match name {
                    "contentBlockStart" => self.block_start(&event, emit),
                    "contentBlockDelta" => self.delta(&event, emit)?,
                    _ => self.block_stop(&event, emit),
                }
            }
            "messageStop" => {
                self.start(emit);
                self.message_stop(&event, emit);
            }
            "metadata" => {
                self.start(emit);
                self.counted = true;
                if let Some(usage) = usage_of(&event) {
                    emit(Event::Usage(usage));
                }
            }
            _ => {}
        }
        self.end(emit);
        Ok(())
    }

    fn close(&mut self, _: Emit<'_>) -> bool {
        self.ended
    }
}
