//! The parts of an output and the blocks that they are.

use super::Emit;
use super::queue::Queue;
use crate::chat::{BlockStart, Citation, Delta, Logprob, Text, Thinking};
use crate::openai_responses::freetext;
use crate::openai_responses::reply_in::Ends;
use crate::value::Value;
use crate::whole::Whole;
use std::collections::BTreeMap;

/// Index of the item in the output, and of the part in the item.
pub(super) type Place = (u64, u64);

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Refusal,
    /// A thought's summary.
    Summary,
    /// A thought itself.
    Reasoning,
    /// A call.
    Arguments,
    /// A call of a free-text tool.
    FreeText,
    /// A call that is the answer.
    Answer,
    /// An item that comes whole.
    Item,
}

impl What {
    fn is_call(self) -> bool {
        matches!(self, What::Arguments | What::FreeText)
    }

    fn has_arguments(self) -> bool {
        self.is_call() || self == What::Answer
    }

    fn is_thought(self) -> bool {
        matches!(self, What::Summary | What::Reasoning)
    }

    /// By the type of a part of a message.
    pub(super) fn of_part(kind: &str) -> Option<Self> {
        match kind {
            "output_text" | "text" => Some(What::Text),
            "refusal" => Some(What::Refusal),
            _ => None,
        }
    }

    fn start(self) -> BlockStart<'static> {
        match self {
            What::Refusal => BlockStart::Refusal,
            What::Summary | What::Reasoning => BlockStart::Thinking,
            _ => BlockStart::Text,
        }
    }
}

/// A part that has begun.
#[derive(Debug)]
struct Slot {
    what: What,
    block: u64,
    /// Bytes of its text so far.
    heard: usize,
    /// Which part of the summary it is at.
    part: u64,
    has_citations: bool,
    has_logprobs: bool,
    /// Of a call's arguments.
    whole: Whole,
    /// Its block is over.
    stopped: bool,
    /// All of it has come.
    complete: bool,
}

/// All parts so far.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: BTreeMap<Place, Slot>,
    next_block: u64,
    /// The place that began last, if its block is not over.
    open: Option<Place>,
    queue: Queue,
    /// Phases of messages, by their place in the output.
    phases: BTreeMap<u64, String>,
    /// Something of the output has come.
    pub(super) seen: bool,
    pub(super) ends: Ends,
}

impl Slots {
    pub(super) fn has(&self, at: Place) -> bool {
        self.slots.contains_key(&at)
    }

    /// Begins a part, unless it has begun.
    pub(super) fn open(&mut self, at: Place, what: What, emit: Emit<'_>) {
        if self.has(at) {
            return;
        }
        let start = match self.phases.get(&at.0).filter(|_| what == What::Text) {
            Some(phase) => BlockStart::Phased(phase.clone().into()),
            None => what.start(),
        };
        self.open_as(at, what, start, emit);
    }

    /// Notes in which phase a message is said.
    pub(super) fn phase(&mut self, index: u64, message: &Value<'_>) {
        if let Some(phase) = message.get("phase").and_then(Value::as_str) {
            self.phases.insert(index, phase.to_owned());
        }
    }

    /// Begins a part.
    pub(super) fn open_as(&mut self, at: Place, what: What, start: BlockStart<'_>, emit: Emit<'_>) {
        self.leave(emit);
        self.seen = true;
        self.ends.calls |= what.is_call();
        self.ends.refusal |= what == What::Refusal;
        let block = self.next_block;
        self.next_block += 1;
        let slot = Slot {
            what,
            block,
            heard: 0,
            part: 0,
            has_citations: false,
            has_logprobs: false,
            whole: Whole::default(),
            stopped: false,
            complete: false,
        };
        self.slots.insert(at, slot);
        self.open = Some(at);
        self.queue.begin(block, start, emit);
    }

    /// Another part begins: the open one is over, unless it is a call of which more is to come. Hosts that
    /// write several calls at once go on with the first after the second has begun.
    fn leave(&mut self, emit: Emit<'_>) {
        let left = self.open.take().and_then(|at| self.slots.get_mut(&at));
        if let Some(slot) = left.filter(|slot| !slot.what.is_call() || slot.whole.is_whole()) {
            slot.stopped = true;
            self.queue.stop(slot.block, emit);
        }
    }

    /// Stops all blocks.
    pub(super) fn stop(&mut self, emit: Emit<'_>) {
        self.open = None;
        self.queue.stop_all(emit);
    }

    /// Says that all of a part has come.
    pub(super) fn close(&mut self, at: Place, emit: Emit<'_>) {
        if let Some(slot) = self.slots.get_mut(&at) {
            (slot.complete, slot.stopped) = (true, true);
            self.queue.stop(slot.block, emit);
        }
        self.open.take_if(|open| *open == at);
    }

    /// Adds to a part, which begins with it if it has not begun. What comes for a block that was stopped
    /// for another is lost.
    pub(super) fn add(&mut self, at: Place, what: What, delta: Delta<'_>, emit: Emit<'_>) {
        self.open(at, what, emit);
        let Some(slot) = self.slots.get_mut(&at) else { return };
        if slot.what != what || slot.stopped {
            return;
        }
        if let Delta::Arguments(piece) = &delta {
            slot.whole.push(piece);
        }
        slot.has_citations |= matches!(delta, Delta::Citation(_));
        slot.has_logprobs |= matches!(delta, Delta::Logprobs(_));
        self.queue.add(slot.block, delta, emit);
    }

    /// Adds a piece of text.
    pub(super) fn say(&mut self, at: Place, what: What, text: Text<'_>, emit: Emit<'_>) {
        let length = text.len();
        self.add(at, what, Delta::Text(text), emit);
        if let Some(slot) = self.slots.get_mut(&at).filter(|slot| slot.what == what) {
            slot.heard += length;
        }
    }

    /// Adds what of a whole text has not come.
    pub(super) fn rest(&mut self, at: Place, what: What, text: &str, emit: Emit<'_>) {
        self.open(at, what, emit);
        let heard = self.slots.get(&at).map_or(0, |slot| slot.heard);
        if let Some(rest) = text.get(heard..).filter(|rest| !rest.is_empty()) {
            self.say(at, what, rest.into(), emit);
        }
    }

    /// Adds a text's citations and log probabilities, if none have come.
    pub(super) fn details(
        &mut self,
        at: Place,
        citations: Vec<Citation<'_>>,
        logprobs: Vec<Logprob<'_>>,
        emit: Emit<'_>,
    ) {
        let Some(slot) = self.slots.get(&at) else { return };
        let (has_citations, has_logprobs) = (slot.has_citations, slot.has_logprobs);
        if !has_citations {
            for citation in citations {
                self.add(at, What::Text, Delta::Citation(citation), emit);
            }
        }
        if !has_logprobs && !logprobs.is_empty() {
            self.add(at, What::Text, Delta::Logprobs(logprobs), emit);
        }
    }

    /// A part of a summary: what stands between it and the one before.
    pub(super) fn summary_part(&mut self, at: Place, part: u64, emit: Emit<'_>) {
        let slot = self.slots.get_mut(&at).filter(|slot| slot.what.is_thought());
        let Some(slot) = slot.filter(|slot| slot.part != part) else { return };
        slot.part = part;
        let what = slot.what;
        if slot.heard > 0 {
            self.say(at, what, "\n\n".into(), emit);
        }
    }

    /// A whole thought, of which pieces may have come. One without words is its proof alone.
    pub(super) fn thought(&mut self, at: Place, thought: &Thinking<'_>, emit: Emit<'_>) {
        if !self.has(at) && thought.redacted {
            if let Some(signature) = thought.signature.clone() {
                self.open_as(at, What::Summary, BlockStart::Redacted(signature), emit);
            }
        } else if self.has(at) || *thought != Thinking::default() {
            let what = self.slots.get(&at).map_or(What::Summary, |slot| slot.what);
            if !what.is_thought() {
                return;
            }
            self.rest(at, what, &thought.text, emit);
            if let Some(signature) = thought.signature.clone() {
                self.add(at, what, Delta::Signature(signature), emit);
            }
        }
        self.close(at, emit);
    }

    /// A piece of a call's arguments. A call whose beginning was not heard comes whole at its end.
    pub(super) fn arguments(&mut self, index: u64, event: &Value<'_>, name: &str, emit: Emit<'_>) {
        let at = (index, 0);
        let text = event.get(name).and_then(Value::text).filter(|text| !text.is_empty());
        let slot = self.slots.get_mut(&at).filter(|slot| slot.what.has_arguments());
        if let (Some(text), Some(slot)) = (text, slot) {
            let (what, length) = (slot.what, text.len());
            slot.heard += length;
            self.add(at, what, piece(what, text), emit);
        }
    }

    /// A whole call, of which pieces may have come.
    pub(super) fn call_done(&mut self, at: Place, whole: Text<'_>, emit: Emit<'_>) {
        let slot = self.slots.get_mut(&at).filter(|slot| slot.what.has_arguments());
        let Some(slot) = slot.filter(|slot| !slot.complete) else { return };
        let (what, heard) = (slot.what, slot.heard);
        slot.heard = whole.len();
        if let Some(rest) = whole.get(heard..).filter(|rest| !rest.is_empty()) {
            self.add(at, what, piece(what, rest.to_owned().into()), emit);
        }
        if what == What::FreeText {
            self.add(at, what, Delta::Arguments(freetext::CLOSING.into()), emit);
        } else if what == What::Arguments && whole.is_empty() {
            self.add(at, what, Delta::Arguments("{}".into()), emit);
        }
        self.close(at, emit);
    }
}

/// A piece of a call as what it is canonically.
fn piece(what: What, text: Text<'_>) -> Delta<'_> {
    match what {
        What::Answer => Delta::Text(text),
        What::FreeText => Delta::Arguments(freetext::wrap_piece(&text).into()),
        _ => Delta::Arguments(text),
    }
}
