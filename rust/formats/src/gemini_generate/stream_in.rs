//! An upstream's stream: replies in pieces, until it closes.
//!
//! Nothing marks the end, and older models repeat `finishReason` in every piece: candidates end, and with
//! them the stream, when the upstream closes.

use super::calls::made_id;
use super::citations::{self, in_characters};
use super::errors;
use super::names::{get, get_count, get_items, get_text};
use super::partial_args::PartialArgs;
use super::parts::{self, Data, Part};
use super::reply_in::blocked;
use super::words::{finish_in, logprobs_in, usage_in};
use crate::chat::{Block, BlockStart, Delta, Event, Finish, Text, Thinking, Usage};
use crate::format::{Fault, Frame, Sent, StreamDecoder};
use crate::value::Value;
use std::borrow::Cow;

/// Candidates that a stream may have; Gemini allows 8.
const MOST_CHOICES: u64 = 128;
/// How much of a text is kept to look up the places of its citations, in bytes.
const MOST_TEXT: usize = 1024 * 1024;

type Emit<'e> = &'e mut dyn FnMut(Event<'_>);

pub(super) struct Decoder {
    output_tool: Option<&'static str>,
    id: String,
    started: bool,
    ended: bool,
    failed: bool,
    usage: Option<Usage>,
    choices: Vec<Choice>,
}

/// What is known of one candidate.
#[derive(Default)]
struct Choice {
    index: u64,
    next_block: u64,
    open: Option<Open>,
    calls: u64,
    /// Tools of the client's are called.
    called: bool,
    /// A call of which more is to come.
    unfinished: Option<Unfinished>,
    /// The text of the open block, as far as it is kept.
    text: String,
    finish: Option<Finish>,
}

/// A block under way.
#[derive(Clone, Copy)]
struct Open {
    block: u64,
    thought: bool,
    /// Its proof has come: it is complete.
    signed: bool,
}

/// A call whose arguments come in pieces.
struct Unfinished {
    block: u64,
    answers: bool,
    args: PartialArgs,
}

impl Decoder {
    pub(super) fn new(sent: &Sent) -> Self {
        Decoder {
            output_tool: sent.output_tool,
            id: String::new(),
            started: false,
            ended: false,
            failed: false,
            usage: None,
            choices: Vec::new(),
        }
    }

    fn start(&mut self, chunk: &Value<'_>, emit: Emit<'_>) {
        if !std::mem::replace(&mut self.started, true) {
            let id = get_text(chunk, "responseId").unwrap_or_default();
            self.id = id.to_string();
            let model = get_text(chunk, "modelVersion").unwrap_or_default();
            emit(Event::Start { id, model, created: None });
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
}

impl StreamDecoder for Decoder {
    fn frame(&mut self, frame: Frame<'_>, emit: Emit<'_>) -> Result<(), Fault> {
        let data = frame.data.trim();
        if self.ended || self.failed || data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let chunk = Value::parse(data)?;
        // An error may stand in a list, as in streams that are no events.
        let chunk = chunk.items().first().unwrap_or(&chunk);
        if chunk.get("error").is_some() {
            self.failed = true;
            emit(Event::Error(errors::decode_value(0, chunk)));
            return Ok(());
        }
        self.start(chunk, emit);
        let id = std::mem::take(&mut self.id);
        let output_tool = self.output_tool;
        for (at, one) in get_items(chunk, "candidates").iter().enumerate() {
            let index = get_count(one, "index").unwrap_or(at as u64);
            if let Some(choice) = self.choice(index) {
                choice.take(one, &id, output_tool, emit);
            }
        }
        self.id = id;
        if self.choices.is_empty() && blocked(chunk) {
            let refused = Choice { finish: Some(Finish::ContentFilter), ..Choice::default() };
            self.choices.push(refused);
        }
        let usage = get(chunk, "usageMetadata").map(usage_in);
        if usage.is_some() && usage != self.usage {
            self.usage = usage;
            emit(Event::Usage(usage.unwrap_or_default()));
        }
        Ok(())
    }

    fn close(&mut self, emit: Emit<'_>) -> bool {
        if self.ended || self.failed {
            return self.ended;
        }
        let finished = self.choices.iter().all(|choice| choice.finish.is_some());
        if self.choices.is_empty() || !finished {
            return false;
        }
        for choice in &mut self.choices {
            choice.end(emit);
        }
        self.ended = true;
        emit(Event::End);
        true
    }
}

impl Choice {
    fn take(
        &mut self,
        value: &Value<'_>,
        reply_id: &str,
        output_tool: Option<&'static str>,
        emit: Emit<'_>,
    ) {
        let content = get(value, "content");
        for value in content.map(|content| get_items(content, "parts")).unwrap_or_default() {
            let mut part = Part::read(value);
            match part.data {
                Data::Text(ref mut text) => {
                    let text = std::mem::take(text);
                    self.say(text, part, emit);
                }
                Data::None if part.signature.is_some() => self.say(Text::default(), part, emit),
                Data::Call(call) => self.call(call, part, reply_id, output_tool, emit),
                Data::Inline(media) => self.media(part, parts::inline(media), emit),
                Data::File(media) => self.media(part, parts::file(media), emit),
                Data::Opaque(kind) => {
                    let value = Cow::Borrowed(value.raw());
                    self.whole(Block::Opaque { kind: kind.into(), value }, emit);
                }
                Data::None | Data::Response(_) => {}
            }
        }
        self.cite(value, emit);
        let logprobs = get(value, "logprobsResult").map(logprobs_in).unwrap_or_default();
        if let (false, Some(open)) = (logprobs.is_empty(), self.open) {
            self.delta(open.block, Delta::Logprobs(logprobs), emit);
        }
        if let Some(reason) = get_text(value, "finishReason") {
            self.finish = Some(finish_in(&reason));
        }
    }

    fn delta(&self, block: u64, delta: Delta<'_>, emit: Emit<'_>) {
        emit(Event::Delta { choice: self.index, block, delta });
    }

    /// Adds to the open text or thought, or begins one.
    fn say(&mut self, text: Text<'_>, part: Part<'_, '_>, emit: Emit<'_>) {
        if text.is_empty() && part.signature.is_none() {
            return;
        }
        if let (true, true, Some(signature)) = (part.redacted, part.thought, &part.signature) {
            let block = self.begin(BlockStart::Redacted(signature.clone()), emit);
            emit(Event::BlockStop { choice: self.index, block });
            return;
        }
        let open = self.open.filter(|open| open.thought == part.thought && !open.signed);
        let block = match open {
            Some(open) => open.block,
            None => {
                let start = if part.thought { BlockStart::Thinking } else { BlockStart::Text };
                let block = self.begin(start, emit);
                self.open = Some(Open { block, thought: part.thought, signed: false });
                block
            }
        };
        if !text.is_empty() {
            if !part.thought && self.text.len() + text.len() <= MOST_TEXT {
                self.text.push_str(&text);
            }
            self.delta(block, Delta::Text(text), emit);
        }
        if let Some(signature) = part.signature {
            self.delta(block, Delta::Signature(signature), emit);
            self.open = Some(Open { block, thought: part.thought, signed: true });
        }
    }

    fn media(&mut self, part: Part<'_, '_>, block: Option<Block<'_>>, emit: Emit<'_>) {
        let Some(block) = block else { return };
        let (proof, block) = part.media(block);
        if let Some(Block::Thinking(Thinking { signature: Some(proof), .. })) = proof {
            let block = self.begin(BlockStart::Thinking, emit);
            self.delta(block, Delta::Signature(proof), emit);
            emit(Event::BlockStop { choice: self.index, block });
        }
        self.whole(block, emit);
    }

    /// A block that is complete as it begins.
    fn whole(&mut self, block: Block<'_>, emit: Emit<'_>) {
        let block = self.begin(BlockStart::Whole(block), emit);
        emit(Event::BlockStop { choice: self.index, block });
    }

    /// Begins a block, which whoever calls this has to keep as the open one or to stop.
    fn begin(&mut self, start: BlockStart<'_>, emit: Emit<'_>) -> u64 {
        self.stop(emit);
        let block = self.next_block;
        self.next_block += 1;
        emit(Event::BlockStart { choice: self.index, block, start });
        block
    }

    fn stop(&mut self, emit: Emit<'_>) {
        if let Some(open) = self.open.take() {
            emit(Event::BlockStop { choice: self.index, block: open.block });
        }
        self.text.clear();
        if let Some(call) = self.unfinished.take() {
            self.complete(&call, emit);
        }
    }

    fn call(
        &mut self,
        call: &Value<'_>,
        part: Part<'_, '_>,
        reply_id: &str,
        output_tool: Option<&'static str>,
        emit: Emit<'_>,
    ) {
        let goes_on = get(call, "willContinue").and_then(Value::as_bool).unwrap_or(false);
        let name = get_text(call, "name").filter(|name| !name.is_empty());
        let Some(name) = name else { return self.piece(call, goes_on, emit) };
        let answers = output_tool == Some(&*name);
        let start = if answers {
            BlockStart::Answer
        } else {
            let id = get_text(call, "id").filter(|id| !id.is_empty());
            let id = id.unwrap_or_else(|| made_id(reply_id, self.index, self.calls).into());
            self.calls += 1;
            self.called = true;
            BlockStart::ToolCall { id, name, signature: part.signature }
        };
        let block = self.begin(start, emit);
        let mut unfinished = Unfinished { block, answers, args: PartialArgs::default() };
        unfinished.args.add(call);
        if goes_on {
            self.unfinished = Some(unfinished);
            return;
        }
        match get(call, "args") {
            Some(args) => {
                let args = args.raw().into();
                let delta = if answers { Delta::Text(args) } else { Delta::Arguments(args) };
                self.delta(block, delta, emit);
                emit(Event::BlockStop { choice: self.index, block });
            }
            None => self.complete(&unfinished, emit),
        }
    }

    /// More of the call under way.
    fn piece(&mut self, call: &Value<'_>, goes_on: bool, emit: Emit<'_>) {
        let Some(unfinished) = &mut self.unfinished else { return };
        unfinished.args.add(call);
        if !goes_on && let Some(call) = self.unfinished.take() {
            self.complete(&call, emit);
        }
    }

    fn complete(&self, call: &Unfinished, emit: Emit<'_>) {
        let args = call.args.text().unwrap_or_else(|| "{}".to_owned()).into();
        let delta = if call.answers { Delta::Text(args) } else { Delta::Arguments(args) };
        self.delta(call.block, delta, emit);
        emit(Event::BlockStop { choice: self.index, block: call.block });
    }

    fn cite(&self, value: &Value<'_>, emit: Emit<'_>) {
        let Some(open) = self.open.filter(|open| !open.thought) else { return };
        for found in citations::read(value) {
            let mut citation = found.citation;
            if let Some((start, end)) = in_characters(&self.text, found.place) {
                (citation.start, citation.end) = (Some(start), Some(end));
            }
            self.delta(open.block, Delta::Citation(citation), emit);
        }
    }

    fn end(&mut self, emit: Emit<'_>) {
        self.stop(emit);
        let finish = match self.finish.unwrap_or_default() {
            Finish::Stop if self.called => Finish::ToolCalls,
            other => other,
        };
        emit(Event::Finish { choice: self.index, finish, stop_sequence: None });
    }
}
