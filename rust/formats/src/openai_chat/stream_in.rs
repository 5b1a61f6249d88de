//! An upstream's stream: chunks, then `[DONE]`.

use super::made::{audio_in, images_in};
use super::parts::{citation_in, signature_in, thinking_in};
use super::words::{finish_in, logprobs_in, usage_of};
use crate::chat::{Block, BlockStart, Delta, Event, Finish, Signature};
use crate::format::{Fault, Frame, Sent, StreamDecoder};
use crate::openai_errors;
use crate::value::{Kind as Json, Value};
use crate::whole::Whole;
use std::borrow::Cow;

/// Choices that a stream may have; OpenAI allows this many.
const MOST_CHOICES: u64 = 128;
/// Calls that one choice may have open.
const MOST_CALLS: usize = 1024;

type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    started: bool,
    ended: bool,
    failed: bool,
    choices: Vec<Choice>,
}

/// What is known of one choice.
#[derive(Default)]
struct Choice {
    index: u64,
    next_block: u64,
    open: Option<(What, u64)>,
    calls: Vec<Call>,
    /// Tools of the client's are called.
    calls_tools: bool,
    finish: Option<Finish>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Text,
    Thinking,
    Refusal,
    Call,
    Whole,
}

/// A call. One is said at a time: those that begin before its arguments are complete wait.
struct Call {
    index: u64,
    id: String,
    name: String,
    signature: Option<Signature<'static>>,
    /// Its block, once it is being said.
    block: Option<u64>,
    /// It is the answer, not a call.
    answers: bool,
    /// What has come of the arguments and has not been said.
    waiting: String,
    whole: Whole,
}

impl Call {
    fn argue(&mut self, piece: &str) {
        self.whole.push(piece);
        self.waiting.push_str(piece);
    }
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder {
            output_tool: sent.output_tool,
            started: false,
            ended: false,
            failed: false,
            choices: Vec::new(),
        }
    }

    fn start(&mut self, chunk: &Value<'_>, emit: Emit<'_>) {
        if !std::mem::replace(&mut self.started, true) {
            emit(Event::Start {
                id: chunk.get("id").and_then(Value::text).unwrap_or_default(),
                model: chunk.get("model").and_then(Value::text).unwrap_or_default(),
                created: chunk.get("created").and_then(Value::as_u64),
            });
        }
    }

    fn choice(&mut self, index: u64) -> Option<&mut Choice> {
        if let Some(at) = self.choices.iter().position(|one| one.index == index) {
            return self.choices.get_mut(at);
        }
        if index >= MOST_CHOICES {
            return None;
        }
        self.choices.push(Choice { index, ..Choice::default() });
        self.choices.last_mut()
    }

    fn end(&mut self, emit: Emit<'_>) {
        if self.ended || self.failed {
            return;
        }
        for choice in &mut self.choices {
            choice.finish(Finish::Stop, emit);
        }
        self.ended = true;
        emit(Event::End);
    }
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        if self.ended || self.failed {
            return Ok(());
        }
        if frame.data.trim() == "[DONE]" {
            if self.started {
                self.end(emit);
            }
            return Ok(());
        }
        let chunk = Value::parse(frame.data)?;
        if chunk.get("error").is_some() {
            self.failed = true;
            emit(Event::Error(openai_errors::decode_value(0, &chunk)));
            return Ok(());
        }
        self.start(&chunk, emit);
        let output_tool = self.output_tool;
        for one in chunk.get("choices").map(Value::items).unwrap_or_default() {
            let index = one.get("index").and_then(Value::as_u64).unwrap_or(0);
            if let Some(choice) = self.choice(index) {
                choice.take(one, output_tool, emit);
            }
        }
        if let Some(usage) = usage_of(&chunk) {
            emit(Event::Usage(usage));
        }
        Ok(())
    }

    fn close(&mut self, emit: Emit<'_>) -> bool {
        let finished = self.choices.iter().all(|choice| choice.finish.is_some());
        if !self.choices.is_empty() && finished {
            self.end(emit);
        }
        self.ended
    }
}

impl Choice {
    fn take(&mut self, value: &Value<'_>, output_tool: Option<&'static str>, emit: Emit<'_>) {
        if self.finish.is_some() {
            return;
        }
        if let Some(delta) = value.get("delta") {
            self.delta(delta, output_tool, emit);
        }
        let logprobs = value.get("logprobs").map(logprobs_in).unwrap_or_default();
        if let (false, Some((_, block))) = (logprobs.is_empty(), self.open) {
            emit(Event::Delta { choice: self.index, block, delta: Delta::Logprobs(logprobs) });
        }
        if let Some(reason) =
            value.get("finish_reason").and_then(Value::as_str).filter(|r| !r.is_empty())
        {
            let reason = finish_in(reason);
            self.finish(reason, emit);
        }
    }

    fn delta(&mut self, delta: &Value<'_>, output_tool: Option<&'static str>, emit: Emit<'_>) {
        let text =
            |name: &str| delta.get(name).and_then(Value::text).filter(|text| !text.is_empty());
        if let Some(thought) = text("reasoning_content").or_else(|| text("reasoning")) {
            self.say(What::Thinking, Delta::Text(thought), emit);
        }
        for signed in delta.get("thinking_blocks").map(Value::items).unwrap_or_default() {
            let thought = thinking_in(signed);
            match thought.signature {
                Some(signature) if thought.redacted => {
                    self.begin(What::Whole, BlockStart::Redacted(signature), emit);
                    self.stop(emit);
                }
                Some(signature) => self.say(What::Thinking, Delta::Signature(signature), emit),
                None => {}
            }
        }
        match delta.get("content").map(Value::kind) {
            Some(Json::String(text)) if !text.is_empty() => {
                self.say(What::Text, Delta::Text(text.clone()), emit);
            }
            // Mistral's parts.
            Some(Json::Array(parts)) => parts.iter().for_each(|part| self.part(part, emit)),
            _ => {}
        }
        if let Some(refusal) = text("refusal") {
            self.say(What::Refusal, Delta::Text(refusal), emit);
        }
        for annotation in delta.get("annotations").map(Value::items).unwrap_or_default() {
            if let Some(citation) = citation_in(annotation) {
                self.say(What::Text, Delta::Citation(citation), emit);
            }
        }
        if let Some(signature) = signature_in(delta) {
            self.say(What::Text, Delta::Signature(signature), emit);
        }
        images_in(delta).chain(audio_in(delta, true)).for_each(|block| self.whole(block, emit));
        for call in delta.get("tool_calls").map(Value::items).unwrap_or_default() {
            self.call(call, output_tool, emit);
        }
    }

    fn part(&mut self, part: &Value<'_>, emit: Emit<'_>) {
        match part.get("type").and_then(Value::as_str) {
            Some("text") => {
                if let Some(text) = part.get("text").and_then(Value::text) {
                    self.say(What::Text, Delta::Text(text), emit);
                }
            }
            Some("thinking") => {
                for inner in part.get("thinking").map(Value::items).unwrap_or_default() {
                    if let Some(text) = inner.get("text").and_then(Value::text) {
                        self.say(What::Thinking, Delta::Text(text), emit);
                    }
                }
            }
            Some(kind) => {
                let (kind, value) = (Cow::Borrowed(kind), Cow::Borrowed(part.raw()));
                self.whole(Block::Opaque { kind, value }, emit);
            }
            None => {}
        }
    }

    /// Adds to the open block of that kind, or begins one.
    fn say(&mut self, what: What, delta: Delta<'_>, emit: Emit<'_>) {
        let block = match self.open {
            Some((open, block)) if open == what => block,
            _ => {
                let start = match what {
                    What::Thinking => BlockStart::Thinking,
                    What::Refusal => BlockStart::Refusal,
                    What::Text | What::Call | What::Whole => BlockStart::Text,
                };
                self.begin(what, start, emit)
            }
        };
        emit(Event::Delta { choice: self.index, block, delta });
    }

    fn begin(&mut self, what: What, start: BlockStart<'_>, emit: Emit<'_>) -> u64 {
        self.stop(emit);
        let block = self.next_block;
        self.next_block += 1;
        self.open = Some((what, block));
        emit(Event::BlockStart { choice: self.index, block, start });
        block
    }

    /// A block that is complete as it begins.
    fn whole(&mut self, block: Block<'_>, emit: Emit<'_>) {
        self.begin(What::Whole, BlockStart::Whole(block), emit);
        self.stop(emit);
    }

    fn stop(&mut self, emit: Emit<'_>) {
        if let Some((_, block)) = self.open.take() {
            emit(Event::BlockStop { choice: self.index, block });
        }
    }

    fn call(&mut self, value: &Value<'_>, output_tool: Option<&'static str>, emit: Emit<'_>) {
        let index = value.get("index").and_then(Value::as_u64);
        let id = value.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let Some(at) = self.call_at(index, id) else { return };
        let function = value.get("function");
        let part = |name: &str| function.and_then(|function| function.get(name));
        let call = &mut self.calls[at];
        if call.name.is_empty() {
            call.name.push_str(part("name").and_then(Value::as_str).unwrap_or_default());
            call.answers = output_tool == Some(&*call.name);
            self.calls_tools |= !call.answers && !call.name.is_empty();
        }
        if call.signature.is_none() {
            call.signature = signature_in(value).map(Signature::into_owned);
        }
        match part("arguments").map(|given| (given.as_str(), given.raw())) {
            Some((Some(text), _)) => call.argue(text),
            // The object itself, whole.
            Some((None, raw)) => call.argue(raw),
            None => {}
        }
        self.say_calls(false, emit);
    }

    /// Says what can be said of the calls: of the open one all that has come, then the next once it is
    /// complete. With `all`, nothing waits any longer.
    fn say_calls(&mut self, all: bool, emit: Emit<'_>) {
        while let Some(at) = self.calls.iter().position(|call| self.is_next(call)) {
            if self.calls[at].name.is_empty() && !all {
                return;
            }
            self.open_call(at, emit);
            let call = &mut self.calls[at];
            if let Some(block) = call.block.filter(|_| !call.waiting.is_empty()) {
                let text = Cow::Borrowed(&*call.waiting);
                let delta = if call.answers { Delta::Text(text) } else { Delta::Arguments(text) };
                emit(Event::Delta { choice: self.index, block, delta });
                call.waiting.clear();
            }
            if at + 1 == self.calls.len() || !(all || self.calls[at].whole.is_whole()) {
                return;
            }
            self.stop(emit);
        }
    }

    /// Whether it is the first call that is not over: one that is being said, or has not begun.
    fn is_next(&self, call: &Call) -> bool {
        match (call.block, self.open) {
            (Some(block), Some((What::Call, open))) => block == open,
            (Some(_), _) => false,
            (None, _) => true,
        }
    }

    fn open_call(&mut self, at: usize, emit: Emit<'_>) {
        if self.calls[at].block.is_some() {
            return;
        }
        let call = &mut self.calls[at];
        let (id, name) = (call.id.clone().into(), call.name.clone().into());
        let start = if call.answers {
            BlockStart::Answer
        } else {
            BlockStart::ToolCall { id, name, signature: call.signature.take() }
        };
        let block = self.begin(What::Call, start, emit);
        self.calls[at].block = Some(block);
    }

    /// Which call a piece belongs to: by its index; a new id at a known index is another call (some
    /// hosts number every call 0).
    fn call_at(&mut self, index: Option<u64>, id: Option<&str>) -> Option<usize> {
        let found = match (index, id) {
            (Some(index), _) => self.calls.iter().rposition(|call| call.index == index),
            (None, Some(id)) => self.calls.iter().position(|call| call.id == id),
            (None, None) => self.calls.len().checked_sub(1),
        };
        let same = found.filter(|&at| id.is_none_or(|id| self.calls[at].id == id));
        if same.is_some() {
            return same;
        }
        if self.calls.len() >= MOST_CALLS {
            return None;
        }
        let id = id.map_or_else(|| format!("call_{}", self.calls.len()), str::to_owned);
        self.calls.push(Call {
            index: index.unwrap_or(self.calls.len() as u64),
            id,
            name: String::new(),
            signature: None,
            block: None,
            answers: false,
            waiting: String::new(),
            whole: Whole::default(),
        });
        Some(self.calls.len() - 1)
    }

    fn finish(&mut self, reason: Finish, emit: Emit<'_>) {
        if self.finish.is_some() {
            return;
        }
        self.say_calls(true, emit);
        self.stop(emit);
        let reason = match reason {
            Finish::Stop if self.calls_tools => Finish::ToolCalls,
            Finish::ToolCalls
                if !self.calls_tools && self.calls.iter().any(|call| call.answers) =>
            {
                Finish::Stop
            }
            other => other,
        };
        self.finish = Some(reason);
        emit(Event::Finish { choice: self.index, finish: reason, stop_sequence: None });
    }
}
