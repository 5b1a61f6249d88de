//! An upstream's stream: `message_start`, blocks, `message_delta`, `message_stop`.

use super::blocks_in::{citation, own};
use super::errors;
use super::hosted::{Later, together};
use super::words::{finish_in, usage_in};
use crate::chat::{Block, BlockStart, Delta, Event, Finish, Text, Usage};
use crate::format::{Fault, Frame, Sent, StreamDecoder};
use crate::value::Value;

type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    started: bool,
    over: bool,
    complete: bool,
    usage: Option<Usage>,
    next_block: u64,
    open: Option<Open>,
    /// Tools of the client's are called.
    calls_tools: bool,
    /// The answer came as a call.
    answered: bool,
    finished: bool,
}

/// The block under way.
struct Open {
    /// Its number here, if it is one that is handed on.
    block: Option<u64>,
    what: What,
    /// Its arguments have begun.
    argued: bool,
    /// A block that only Anthropic's own clients know, as it began, and what has come of it since.
    opaque: Option<(Text<'static>, String, Later)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    Call,
    /// The answer, in a call's clothes.
    Answer,
    /// A hidden thought.
    Hidden,
    /// What only Anthropic's own clients know: told when all of it has come.
    Other,
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder {
            output_tool: sent.output_tool,
            started: false,
            over: false,
            complete: false,
            usage: None,
            next_block: 0,
            open: None,
            calls_tools: false,
            answered: false,
            finished: false,
        }
    }

    fn start(&mut self, message: Option<&Value<'_>>, emit: Emit<'_>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let text = |name: &str| {
            message.and_then(|m| m.get(name)).and_then(Value::text).unwrap_or_default()
        };
        emit(Event::Start { id: text("id"), model: text("model"), created: None });
        self.usage(message.and_then(|message| message.get("usage")), emit);
    }

    fn usage(&mut self, value: Option<&Value<'_>>, emit: Emit<'_>) {
        if let Some(value) = value.filter(|value| value.is_object()) {
            let usage = usage_in(value, self.usage);
            self.usage = Some(usage);
            emit(Event::Usage(usage));
        }
    }

    fn begin(&mut self, content: &Value<'_>, emit: Emit<'_>) {
        self.stop(emit);
        let text = |name: &str| content.get(name).and_then(Value::text);
        let (what, start) = match content.get("type").and_then(Value::as_str) {
            Some("text") => (What::Text, BlockStart::Text),
            Some("thinking") => (What::Thinking, BlockStart::Thinking),
            Some("redacted_thinking") => {
                let data = own(text("data").unwrap_or_default());
                (What::Hidden, BlockStart::Redacted(data))
            }
            Some("tool_use") => {
                let (id, name) = (text("id").unwrap_or_default(), text("name").unwrap_or_default());
                if self.output_tool == Some(&*name) {
                    self.answered = true;
                    (What::Answer, BlockStart::Answer)
                } else {
                    self.calls_tools = true;
                    (What::Call, BlockStart::ToolCall { id, name, signature: None })
                }
            }
            kind => {
                let kind = kind.unwrap_or_default().to_owned();
                let opaque = Some((kind.into(), content.raw().to_owned(), Later::default()));
                self.open = Some(Open { block: None, what: What::Other, argued: false, opaque });
                return;
            }
        };
        self.open(what, start, emit);
        self.given_at_once(what, content, emit);
    }

    /// What a block begins with: nothing, unless a host says all of it there.
    fn given_at_once(&mut self, what: What, content: &Value<'_>, emit: Emit<'_>) {
        let text =
            |name: &str| content.get(name).and_then(Value::text).filter(|text| !text.is_empty());
        let (said, proof) = match what {
            What::Text => (text("text"), None),
            What::Thinking => (text("thinking"), text("signature")),
            What::Call | What::Answer => {
                let input = content.get("input").filter(|input| !input.members().is_empty());
                return self.argue(input.map_or("", Value::raw), emit);
            }
            What::Hidden | What::Other => return,
        };
        if let Some(said) = said {
            self.say(Delta::Text(said), emit);
        }
        if let Some(proof) = proof.map(own).filter(|proof| !proof.value.is_empty()) {
            self.say(Delta::Signature(proof), emit);
        }
    }

    /// Adds to the block under way what fits it.
    fn say(&self, delta: Delta<'_>, emit: Emit<'_>) {
        let Some(Open { block: Some(block), what, .. }) = self.open else { return };
        let fits = match delta {
            Delta::Text(_) => matches!(what, What::Text | What::Thinking | What::Answer),
            Delta::Citation(_) => what == What::Text,
            Delta::Signature(_) => what == What::Thinking,
            Delta::Arguments(_) => what == What::Call,
            Delta::Logprobs(_) => false,
        };
        if fits {
            emit(Event::Delta { choice: 0, block, delta });
        }
    }

    fn argue(&mut self, json: &str, emit: Emit<'_>) {
        let Some(open) = &mut self.open else { return };
        if json.is_empty() {
            return;
        }
        open.argued = true;
        let answer = open.what == What::Answer;
        self.say(
            if answer { Delta::Text(json.into()) } else { Delta::Arguments(json.into()) },
            emit,
        );
    }

    fn delta(&mut self, delta: &Value<'_>, emit: Emit<'_>) {
        let text =
            |name: &str| delta.get(name).and_then(Value::text).filter(|text| !text.is_empty());
        match delta.get("type").and_then(Value::as_str) {
            Some("text_delta") => {
                self.utter(text("text"), What::Text, BlockStart::Text, emit);
            }
            Some("thinking_delta") => {
                self.utter(text("thinking"), What::Thinking, BlockStart::Thinking, emit);
            }
            Some("signature_delta") => {
                // An empty one is the seal of a thought that has none.
                let proof = text("signature").map(own).filter(|proof| !proof.value.is_empty());
                if let Some(proof) = proof.filter(|_| self.is_in(What::Thinking)) {
                    self.say(Delta::Signature(proof), emit);
                }
            }
            Some("input_json_delta") if self.is_in(What::Call) || self.is_in(What::Answer) => {
                let piece = text("partial_json");
                self.argue(piece.as_deref().unwrap_or_default(), emit);
            }
            Some("input_json_delta") => {
                let piece = text("partial_json");
                self.add_later(|later| &mut later.input, piece);
            }
            Some("compaction_delta") => {
                let piece = text("content");
                self.add_later(|later| &mut later.content, piece);
            }
            Some("citations_delta") if self.is_in(What::Text) => {
                if let Some(cited) = delta.get("citation") {
                    self.say(Delta::Citation(citation(cited)), emit);
                }
            }
            _ => {}
        }
    }

    /// More of a block that only Anthropic's own clients know.
    fn add_later(&mut self, place: fn(&mut Later) -> &mut String, piece: Option<Text<'_>>) {
        let opaque = self.open.as_mut().and_then(|open| open.opaque.as_mut());
        if let (Some((_, _, later)), Some(piece)) = (opaque, piece) {
            place(later).push_str(&piece);
        }
    }

    fn is_in(&self, what: What) -> bool {
        self.open.as_ref().is_some_and(|open| open.what == what)
    }

    /// A piece of what is said; hosts that only follow the format may not say that it begins.
    fn utter(&mut self, text: Option<Text<'_>>, what: What, start: BlockStart<'_>, emit: Emit<'_>) {
        let Some(text) = text else { return };
        if self.open.is_none() {
            self.open(what, start, emit);
        }
        if self.is_in(what) {
            self.say(Delta::Text(text), emit);
        }
    }

    fn open(&mut self, what: What, start: BlockStart<'_>, emit: Emit<'_>) {
        let block = self.next_block;
        self.next_block += 1;
        emit(Event::BlockStart { choice: 0, block, start });
        self.open = Some(Open { block: Some(block), what, argued: false, opaque: None });
    }

    fn stop(&mut self, emit: Emit<'_>) {
        if let Some(Open { what: What::Call, argued: false, .. }) = self.open {
            // A call without arguments.
            self.argue("{}", emit);
        }
        let Some(open) = self.open.take() else { return };
        let block = match (open.block, open.opaque) {
            (Some(block), _) => block,
            (None, Some((kind, begun, later))) => {
                let value = together(&begun, &later).into();
                let block = self.next_block;
                self.next_block += 1;
                let start = BlockStart::Whole(Block::Opaque { kind, value });
                emit(Event::BlockStart { choice: 0, block, start });
                block
            }
            (None, None) => return,
        };
        emit(Event::BlockStop { choice: 0, block });
    }

    fn finish(&mut self, reason: Finish, stop_sequence: Option<Text<'_>>, emit: Emit<'_>) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let answered = reason == Finish::ToolCalls && self.answered && !self.calls_tools;
        let finish = if answered { Finish::Stop } else { reason };
        emit(Event::Finish { choice: 0, finish, stop_sequence });
    }

    /// What happens to a block; events of tomorrow are passed over.
    fn content(&mut self, kind: &str, data: &Value<'_>, emit: Emit<'_>) {
        // Nothing is said once it is known why the message has ended.
        if self.finished || !kind.starts_with("content_block_") {
            return;
        }
        self.start(None, emit);
        match (kind, data.get("content_block"), data.get("delta")) {
            ("content_block_start", Some(content), _) => self.begin(content, emit),
            ("content_block_delta", _, Some(delta)) => self.delta(delta, emit),
            ("content_block_stop", _, _) => self.stop(emit),
            _ => {}
        }
    }

    fn end(&mut self, emit: Emit<'_>) {
        if !self.started {
            return;
        }
        self.stop(emit);
        self.finish(if self.calls_tools { Finish::ToolCalls } else { Finish::Stop }, None, emit);
        (self.over, self.complete) = (true, true);
        emit(Event::End);
    }

    fn message_delta(&mut self, data: &Value<'_>, emit: Emit<'_>) {
        self.stop(emit);
        self.usage(data.get("usage"), emit);
        let Some(delta) = data.get("delta") else { return };
        if let Some(reason) = delta.get("stop_reason").and_then(Value::as_str) {
            let stop_sequence = delta.get("stop_sequence").and_then(Value::text);
            self.finish(finish_in(reason), stop_sequence, emit);
        }
    }
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        if self.over {
            return Ok(());
        }
        let data = Value::parse(frame.data)?;
        let kind = data.get("type").and_then(Value::as_str).or(frame.event).unwrap_or_default();
        match kind {
            "message_start" => self.start(data.get("message"), emit),
            "ping" => emit(Event::Ping),
            "error" => {
                self.over = true;
                emit(Event::Error(errors::decode_value(0, &data)));
            }
            "message_delta" => {
                self.start(None, emit);
                self.message_delta(&data, emit);
            }
            "message_stop" => self.end(emit),
            _ => self.content(kind, &data, emit),
        }
        Ok(())
    }

    fn close(&mut self, _: Emit<'_>) -> bool {
        self.complete
    }
}
