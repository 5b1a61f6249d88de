//! An upstream's whole reply.

use super::calls::made_id;
use super::citations::{self, in_characters};
use super::names::{get, get_count, get_items, get_text};
use super::parts::{self, Data, Part};
use super::words::{finish_in, logprobs_in, served_by, usage_in};
use crate::chat::{Block, Choice, Finish, Reply, Text};
use crate::format::{Fault, Sent};
use crate::value::Value;
use std::borrow::Cow;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let known = ["candidates", "promptFeedback", "usageMetadata", "responseId"];
    if !known.iter().any(|name| get(&body, name).is_some()) {
        return Err(Fault::new("The provider's reply has no `candidates`."));
    }
    let id = get_text(&body, "responseId").unwrap_or_default();
    let usage = get(&body, "usageMetadata");
    let candidates = get_items(&body, "candidates");
    let mut choices: Vec<_> =
        candidates.iter().enumerate().map(|(at, one)| choice(one, at as u64, &id, sent)).collect();
    if choices.is_empty() {
        choices.push(Choice {
            blocks: Vec::new(),
            finish: if blocked(&body) { Finish::ContentFilter } else { Finish::Error },
            stop_sequence: None,
            logprobs: Vec::new(),
        });
    }
    Ok(Reply {
        model: get_text(&body, "modelVersion").unwrap_or_default(),
        created: None,
        choices,
        usage: usage.map(usage_in),
        service_tier: usage.and_then(served_by),
        id,
    })
}

/// The prompt was refused.
pub(super) fn blocked(body: &Value<'_>) -> bool {
    get(body, "promptFeedback").is_some_and(|feedback| get(feedback, "blockReason").is_some())
}

fn choice<'a>(value: &Value<'a>, at: u64, reply_id: &str, sent: &Sent) -> Choice<'a> {
    let mut builder = Builder {
        reply_id,
        index: get_count(value, "index").unwrap_or(at),
        output_tool: sent.output_tool,
        blocks: Vec::new(),
        part_of: Vec::new(),
        calls: 0,
        called: false,
    };
    let content = get(value, "content");
    let parts = content.map(|content| get_items(content, "parts")).unwrap_or_default();
    for (index, part) in parts.iter().enumerate() {
        builder.part(part);
        builder.part_of.resize(builder.blocks.len(), index);
    }
    builder.cite(value);
    let finish = finish_in(get_text(value, "finishReason").as_deref().unwrap_or_default());
    let finish = if finish == Finish::Stop && builder.called { Finish::ToolCalls } else { finish };
    let logprobs = get(value, "logprobsResult").map(logprobs_in).unwrap_or_default();
    Choice { blocks: builder.blocks, finish, stop_sequence: None, logprobs }
}

struct Builder<'r, 'a> {
    reply_id: &'r str,
    index: u64,
    output_tool: Option<&'static str>,
    blocks: Vec<Block<'a>>,
    /// Of each block, the index of its part.
    part_of: Vec<usize>,
    calls: u64,
    /// Tools of the client's are called.
    called: bool,
}

impl<'a> Builder<'_, 'a> {
    fn part(&mut self, value: &Value<'a>) {
        let mut part = Part::read(value);
        match part.data {
            Data::Text(ref mut text) => {
                let text = std::mem::take(text);
                self.say(part, text);
            }
            Data::None if part.signature.is_some() => self.say(part, Text::default()),
            Data::None | Data::Response(_) => {}
            Data::Inline(media) => self.media(part, parts::inline(media)),
            Data::File(media) => self.media(part, parts::file(media)),
            Data::Call(call) => self.call(call, part),
            Data::Opaque(kind) => self
                .blocks
                .push(Block::Opaque { kind: kind.into(), value: Cow::Borrowed(value.raw()) }),
        }
    }

    /// A proof that comes after its text, as in streams, belongs to it.
    fn say(&mut self, part: Part<'_, 'a>, text: Text<'a>) {
        if text.is_empty() {
            part.go_on(text, &mut self.blocks);
        } else {
            self.blocks.push(part.say(text));
        }
    }

    fn media(&mut self, part: Part<'_, 'a>, block: Option<Block<'a>>) {
        if let Some(block) = block {
            let (proof, block) = part.media(block);
            self.blocks.extend(proof);
            self.blocks.push(block);
        }
    }

    fn call(&mut self, call: &Value<'a>, part: Part<'_, 'a>) {
        let name = get_text(call, "name").unwrap_or_default();
        if self.output_tool == Some(&*name) {
            let text = get(call, "args").map_or("{}", Value::raw);
            self.blocks.push(Block::text(text));
            return;
        }
        let id = get_text(call, "id").filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| made_id(self.reply_id, self.index, self.calls).into());
        self.calls += 1;
        self.called = true;
        self.blocks.push(Block::ToolCall(parts::call(call, id, name, part.signature)));
    }

    /// Puts the citations of a candidate to the texts that they are of.
    fn cite(&mut self, candidate: &Value<'a>) {
        for found in citations::read(candidate) {
            let (at, place) = match found.part {
                Some(part) => (self.text_of(part), found.place),
                None => self.text_at(found.place),
            };
            let Some(Block::Text(text)) = at.and_then(|at| self.blocks.get_mut(at)) else {
                continue;
            };
            let mut citation = found.citation;
            if let Some((start, end)) = in_characters(&text.text, place) {
                (citation.start, citation.end) = (Some(start), Some(end));
            }
            text.citations.push(citation);
        }
    }

    /// The text of a part, or the first text if that part is something else.
    fn text_of(&self, part: usize) -> Option<usize> {
        let is_text = |at: &usize| matches!(self.blocks.get(*at), Some(Block::Text(_)));
        let meant = self.part_of.iter().position(|one| *one == part).filter(is_text);
        meant.or_else(|| (0..self.blocks.len()).find(|at| is_text(at)))
    }

    /// The text at bytes of the whole, and the bytes in it.
    fn text_at(&self, place: Option<(usize, usize)>) -> (Option<usize>, Option<(usize, usize)>) {
        let Some((start, end)) = place else { return (self.text_of(0), None) };
        let mut before = 0;
        for (at, block) in self.blocks.iter().enumerate() {
            let Block::Text(text) = block else { continue };
            if start < before + text.text.len() {
                return (Some(at), Some((start - before, end - before)));
            }
            before += text.text.len();
        }
        (self.text_of(0), None)
    }
}
