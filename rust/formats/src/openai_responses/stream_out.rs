//! A stream for a client.
//!
//! The events of each item come in OpenAI's order; the last event repeats the whole response. A message
//! goes on over neighbouring texts, so that it is closed one event late.

mod calls;
mod events;
mod replay;
mod whole;

use super::ids::Ids;
use super::output::{Body, Item, Part, annotation, own_id, sealed};
use super::response::{Ending, Shell, State};
use super::tools_out::Looks;
use crate::chat::{
    BlockStart, Citation, Delta, Event, Failure, FailureKind, Finish, Logprob, Request, Signature,
    Text, Usage,
};
use crate::format::{Context, StreamEncoder};
use crate::lost::Lost;
use crate::signature;
use calls::Live;
use events::Events;
pub use replay::replay;

/// How much of the output is remembered for the last event, in bytes; no model writes as much.
const MOST_REMEMBERED: usize = 32 * 1024 * 1024;

pub(super) struct Encoder {
    ids: Ids,
    looks: Looks<'static>,
    shell: Shell,
    /// Thoughts are shown.
    shown: bool,
    events: Events,
    started: bool,
    ended: bool,
    items: Vec<Item<'static>>,
    /// The last item is a message, and not closed.
    in_message: bool,
    /// The block that is open.
    open: Option<Open>,
    calls: Vec<Live>,
    remembered: usize,
    usage: Option<Usage>,
    finish: Finish,
    lost: Lost,
}

/// The open block, if it is none of a call.
struct Open {
    block: u64,
    is_thought: bool,
    /// A part of the item has been announced: a thought's is when its text begins.
    announced: bool,
    /// Characters of the text so far.
    length: usize,
    /// Proof of a text: it goes out after it.
    proof: Option<Signature<'static>>,
}

impl Encoder {
    pub(super) fn new(request: &Request<'_>, context: &Context<'_>) -> Self {
        let ids = Ids::new(context.request_id);
        let mut shell = Shell::new(request);
        shell.id = ids.response("");
        shell.created = context.now;
        Encoder {
            ids,
            looks: Looks::of(&request.tools).into_owned(),
            shell,
            shown: request.reasoning.as_ref().is_none_or(|one| one.visible != Some(false)),
            events: Events::default(),
            started: false,
            ended: false,
            items: Vec::new(),
            in_message: false,
            open: None,
            calls: Vec::new(),
            remembered: 0,
            usage: None,
            finish: Finish::Stop,
            lost: Lost::default(),
        }
    }

    fn start(&mut self, id: &str, model: &str, created: Option<u64>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.shell.id = self.ids.response(id);
        self.shell.created = created.unwrap_or(self.shell.created);
        if !model.is_empty() {
            model.clone_into(&mut self.shell.model);
        }
        for name in ["response.created", "response.in_progress"] {
            self.events.response(out, name, &self.shell, State::InProgress, &[], Ending::default());
        }
    }

    fn begin(&mut self, block: u64, start: &BlockStart<'_>, out: &mut Vec<u8>) {
        if let Some(open) = &self.open {
            self.stop(open.block, out);
        }
        match start {
            BlockStart::Text | BlockStart::Answer => self.begin_part(block, false, None, out),
            BlockStart::Phased(phase) => self.begin_part(block, false, Some(phase), out),
            BlockStart::Refusal => self.begin_part(block, true, None, out),
            BlockStart::Thinking => self.begin_thought(block, out),
            BlockStart::Redacted(signature) => {
                self.close_message("completed", out);
                self.proof(signature, true, out);
            }
            BlockStart::Whole(whole) => self.whole(block, whole, out),
            BlockStart::ToolCall { id, name, signature } => {
                self.close_message("completed", out);
                if let Some(signature) = signature {
                    self.proof(signature, false, out);
                }
                self.begin_call(block, id, name, out);
            }
        }
    }

    fn begin_part(&mut self, block: u64, is_refusal: bool, phase: Option<&str>, out: &mut Vec<u8>) {
        let is_same = matches!(self.items.last(), Some(Item { body: Body::Message(_, before), .. })
            if before.as_deref() == phase);
        if !is_same {
            self.close_message("completed", out);
        }
        if !std::mem::replace(&mut self.in_message, true) {
            let phase = phase.map(|phase| Text::Owned(phase.to_owned()));
            self.push("msg", Body::Message(Vec::new(), phase), out);
        }
        let index = self.items.len() - 1;
        let Some(Item { id, body: Body::Message(parts, _) }) = self.items.last_mut() else {
            return;
        };
        let part = Part::new(is_refusal, Text::default());
        self.events.write(out, "response.content_part.added", |w| {
            w.text("item_id", id).count("output_index", index as u64);
            w.count("content_index", parts.len() as u64).key("part");
            part.write(w);
        });
        parts.push(part);
        self.open =
            Some(Open { block, is_thought: false, announced: true, length: 0, proof: None });
    }

    fn begin_thought(&mut self, block: u64, out: &mut Vec<u8>) {
        self.close_message("completed", out);
        self.push("rs", Body::Reasoning { text: Text::default(), sealed: None }, out);
        self.open =
            Some(Open { block, is_thought: true, announced: false, length: 0, proof: None });
    }

    /// A thought without words, that holds a proof and is complete at once.
    fn proof(&mut self, signature: &Signature<'_>, redacted: bool, out: &mut Vec<u8>) {
        let id = own_id(signature).unwrap_or_else(|| self.ids.item("rs", self.items.len()));
        let sealed = Text::Owned(sealed(signature, &id, redacted).into_owned());
        self.remembered += sealed.len();
        let body = Body::Reasoning { text: Text::default(), sealed: Some(sealed) };
        self.push_as(id, body, out);
        self.item_done(self.items.len() - 1, "completed", out);
    }

    fn push(&mut self, prefix: &str, body: Body<'static>, out: &mut Vec<u8>) {
        self.push_as(self.ids.item(prefix, self.items.len()), body, out);
    }

    fn push_as(&mut self, id: String, body: Body<'static>, out: &mut Vec<u8>) {
        let item = Item { id, body };
        self.events.item(out, "response.output_item.added", self.items.len(), &item, "in_progress");
        self.items.push(item);
    }

    fn item_done(&mut self, index: usize, status: &str, out: &mut Vec<u8>) {
        if let Some(item) = self.items.get(index) {
            self.events.item(out, "response.output_item.done", index, item, status);
        }
    }

    fn close_message(&mut self, status: &str, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.in_message) {
            self.item_done(self.items.len() - 1, status, out);
        }
    }

    fn delta(&mut self, block: u64, delta: &Delta<'_>, out: &mut Vec<u8>) {
        if let Delta::Arguments(piece) = delta {
            return self.arguments(block, piece, out);
        }
        if self.open.as_ref().is_none_or(|open| open.block != block) {
            return;
        }
        match delta {
            Delta::Text(text) => self.text(text, out),
            Delta::Signature(signature) => self.signature(signature),
            Delta::Citation(citation) => self.citation(citation, out),
            Delta::Logprobs(logprobs) => self.logprobs(logprobs, out),
            Delta::Arguments(_) => {}
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        let index = self.items.len().saturating_sub(1);
        let Some(open) = &mut self.open else { return };
        open.length += text.chars().count();
        self.remembered += text.len();
        match self.items.last_mut() {
            Some(Item { id, body: Body::Message(parts, _) }) => {
                let at = parts.len().saturating_sub(1);
                let Some(part) = parts.last_mut() else { return };
                part.text.to_mut().push_str(text);
                self.events.text_delta(out, part.is_refusal, (id, index, at), text, &[]);
            }
            Some(Item { id, body: Body::Reasoning { text: all, .. } }) if self.shown => {
                if !std::mem::replace(&mut open.announced, true) {
                    self.events.summary_part(out, "added", (id, index), "");
                }
                all.to_mut().push_str(text);
                self.events.summary_text(out, "delta", (id, index), text);
            }
            _ => {}
        }
    }

    fn signature(&mut self, signature: &Signature<'_>) {
        if let Some(Item { id, body: Body::Reasoning { sealed: proof, .. } }) =
            self.items.last_mut()
        {
            let sealed = sealed(signature, id, false);
            self.remembered += sealed.len();
            *proof = Some(Text::Owned(sealed.into_owned()));
        } else if let Some(open) = &mut self.open {
            open.proof = Some(signature::joined(open.proof.take(), signature));
        }
    }

    fn citation(&mut self, citation: &Citation<'_>, out: &mut Vec<u8>) {
        let index = self.items.len().saturating_sub(1);
        let length = self.open.as_ref().map_or(0, |open| open.length);
        if let Some(Item { id, body: Body::Message(parts, _) }) = self.items.last_mut() {
            let at = parts.len().saturating_sub(1);
            let Some(part) = parts.last_mut() else { return };
            let annotation = annotation(citation, length);
            self.remembered += annotation.len();
            self.events.write(out, "response.output_text.annotation.added", |w| {
                w.text("item_id", id).count("output_index", index as u64);
                w.count("content_index", at as u64);
                w.count("annotation_index", part.annotations.len() as u64);
                w.member("annotation", &annotation);
            });
            part.annotations.push(annotation);
        }
    }

    /// They belong to the text that has just gone out: an empty piece brings them after it.
    fn logprobs(&mut self, logprobs: &[Logprob<'_>], out: &mut Vec<u8>) {
        let index = self.items.len().saturating_sub(1);
        if let Some(Item { id, body: Body::Message(parts, _) }) = self.items.last_mut() {
            let at = parts.len().saturating_sub(1);
            let Some(part) = parts.last_mut().filter(|part| !part.is_refusal) else { return };
            self.events.text_delta(out, false, (id, index, at), "", logprobs);
            self.remembered += 64 * logprobs.len();
            part.logprobs.extend(logprobs.iter().cloned().map(Logprob::into_owned));
        }
    }

    fn stop(&mut self, block: u64, out: &mut Vec<u8>) {
        match self.open.take_if(|open| open.block == block) {
            Some(open) if open.is_thought => self.stop_thought(&open, out),
            Some(open) => {
                self.stop_part(out);
                if let Some(proof) = open.proof {
                    self.close_message("completed", out);
                    self.proof(&signature::of_text_before(&proof), false, out);
                }
            }
            None => self.stop_call(block, out),
        }
    }

    fn stop_part(&mut self, out: &mut Vec<u8>) {
        let index = self.items.len().saturating_sub(1);
        if let Some(Item { id, body: Body::Message(parts, _) }) = self.items.last()
            && let Some(part) = parts.last()
        {
            self.events.part_done(out, (id, index, parts.len() - 1), part);
        }
    }

    fn stop_thought(&mut self, open: &Open, out: &mut Vec<u8>) {
        let index = self.items.len().saturating_sub(1);
        if let Some(Item { id, body: Body::Reasoning { text, .. } }) = self.items.last()
            && open.announced
        {
            self.events.summary_text(out, "done", (id, index), text);
            self.events.summary_part(out, "done", (id, index), text);
        }
        self.item_done(index, "completed", out);
    }

    /// Closes what is open, as far as it has come.
    fn close(&mut self, status: &str, out: &mut Vec<u8>) {
        if let Some(open) = &self.open {
            self.stop(open.block, out);
        }
        self.stop_calls(out);
        self.close_message(status, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let state = State::Ended(self.finish);
        self.close(state.item_status(), out);
        let name = match state.status() {
            "incomplete" => "response.incomplete",
            "failed" => "response.failed",
            _ => "response.completed",
        };
        let ending =
            Ending { usage: self.usage.as_ref(), lost: Some(&self.lost), ..Ending::default() };
        self.events.response(out, name, &self.shell, state, &self.items, ending);
        self.ended = true;
    }

    fn fail(&mut self, failure: &Failure<'_>, out: &mut Vec<u8>) {
        self.events.error(out, failure);
        if self.started {
            let state = State::Failed(failure);
            let name = "response.failed";
            let ending =
                Ending { usage: self.usage.as_ref(), lost: Some(&self.lost), ..Ending::default() };
            self.events.response(out, name, &self.shell, state, &self.items, ending);
        }
        self.ended = true;
    }

    fn take(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::BlockStart { block, start, .. } => self.begin(*block, start, out),
            Event::Delta { block, delta, .. } => self.delta(*block, delta, out),
            Event::BlockStop { block, .. } => self.stop(*block, out),
            Event::Finish { finish, .. } => {
                self.finish = *finish;
                self.close(State::Ended(*finish).item_status(), out);
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Lost(name) => self.lost.add(name),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::End => self.end(out),
            Event::Start { .. } | Event::Error(_) => {}
        }
    }
}

/// Of which choice an event tells, if of one.
fn choice_of(event: &Event<'_>) -> u64 {
    match event {
        Event::BlockStart { choice, .. }
        | Event::Delta { choice, .. }
        | Event::BlockStop { choice, .. }
        | Event::Finish { choice, .. } => *choice,
        _ => 0,
    }
}

impl StreamEncoder for Encoder {
    fn event(&mut self, event: &Event<'_>, out: &mut Vec<u8>) {
        // This format has one answer.
        if self.ended || choice_of(event) != 0 {
            return;
        }
        match event {
            Event::Start { id, model, created } => self.start(id, model, *created, out),
            Event::Error(failure) => self.fail(failure, out),
            Event::Ping => self.take(event, out),
            _ => {
                self.start("", "", None, out);
                self.take(event, out);
            }
        }
        if self.remembered > MOST_REMEMBERED && !self.ended {
            let failure = Failure {
                status: 500,
                kind: FailureKind::Server,
                message: "The reply is too long to be repeated at its end.".into(),
                code: None,
                param: None,
            };
            self.fail(&failure, out);
        }
    }
}
