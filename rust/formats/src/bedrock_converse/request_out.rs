//! A request for an upstream.

use super::blocks_out::{
    cache_point, hidden_thought, input, is_own, is_ttl, text, thought, tool_id, tool_use,
};
use super::citations;
use super::media::Media;
use super::models::Model;
use super::options_out::Options;
use super::tools_out::Tools;
use super::turns::{NO_WORDS, Part, Plan, Turn};
use crate::chat::{Block, Cache, Request, Role, Source, TextBlock};
use crate::format::{Dropped, Fault, OUTPUT_TOOL, Sent, Target};
use crate::writer::Writer;
use std::collections::HashMap;

pub(super) fn encode(
    request: &Request<'_>,
    target: &Target<'_>,
    dropped: &mut Dropped,
) -> Result<Sent, Fault> {
    let model = Model::of(target.known_as());
    let plan = Plan::of(request, model, dropped)?;
    let tools = Tools::plan(request, &plan, model, target, dropped);
    let options = Options::plan(request, &plan, model, target, tools.forced(), dropped);
    let output_tool = tools.answers().then_some(OUTPUT_TOOL);
    let mut w = Writer::new();
    w.object(|w| {
        let mut out = Out { model, dropped, names: HashMap::new() };
        w.key("messages").array(|w| out.turns(w, &plan.turns));
        if !plan.system.is_empty() {
            w.key("system").array(|w| plan.system.iter().for_each(|part| out.part(w, part)));
        }
        tools.write(w, model, target, out.dropped);
        options.write(w, request, target, out.dropped);
    });
    Ok(Sent { body: w.finish(), headers: Vec::new(), output_tool })
}

/// Writes the conversation.
struct Out<'d> {
    model: Model,
    dropped: &'d mut Dropped,
    /// Names of documents, in lower case, and how often each was wanted: Bedrock refuses a second one.
    names: HashMap<String, usize>,
}

impl Out<'_> {
    fn turns(&mut self, w: &mut Writer, turns: &[Turn<'_>]) {
        if turns.first().is_some_and(|turn| turn.role == Role::Assistant) {
            w.object(|w| {
                w.text("role", "user").key("content").array(|w| text(w, NO_WORDS));
            });
        }
        for turn in turns {
            w.object(|w| {
                w.text("role", if turn.role == Role::User { "user" } else { "assistant" });
                w.key("content").array(|w| {
                    turn.parts.iter().for_each(|part| self.part(w, part));
                    if lacks_words(turn) {
                        text(w, NO_WORDS);
                    }
                });
            });
        }
    }

    fn part(&mut self, w: &mut Writer, part: &Part<'_>) {
        match part.value {
            Block::Text(one) => {
                self.text(w, part, one);
                self.cache(w, part, one.cache.as_ref());
            }
            Block::Refusal(words) => text(w, words),
            Block::Image { source, detail, cache, .. } => {
                self.media(w, Media::Image, source);
                if detail.is_some() {
                    self.dropped.add(part.place(".detail"));
                }
                self.cache(w, part, cache.as_ref());
            }
            Block::Video { source } => self.media(w, Media::Video, source),
            Block::Audio { source, .. } => self.media(w, Media::Audio, source),
            Block::Document { cache, .. } => {
                self.document(w, part.value);
                self.cache(w, part, cache.as_ref());
            }
            Block::Thinking(thinking) => {
                let proof = thinking.signature.as_ref().map(|proof| &*proof.value);
                match proof.filter(|_| thinking.redacted) {
                    Some(data) => hidden_thought(w, data),
                    None => thought(w, &thinking.text, proof),
                }
            }
            Block::ToolCall(call) => {
                let input = input(&call.arguments);
                tool_use(w, call, input.unwrap_or("{}"));
                self.lost(part, input.is_none(), ".arguments");
                self.lost(part, call.signature.is_some(), ".signature");
                self.cache(w, part, call.cache.as_ref());
            }
            Block::ToolResult { call_id, blocks, is_error, cache, .. } => {
                self.result(w, part, call_id, blocks, *is_error);
                let inner = blocks.iter().rev().find_map(cache_of);
                self.cache(w, part, cache.as_ref().or(inner));
            }
            Block::Opaque { value, .. } => w.raw(value),
        }
    }

    fn lost(&mut self, part: &Part<'_>, lost: bool, what: &str) {
        if lost {
            self.dropped.add(part.place(what));
        }
    }

    fn text(&mut self, w: &mut Writer, part: &Part<'_>, one: &TextBlock<'_>) {
        self.lost(part, one.signature.is_some(), ".signature");
        if self.model.family.is_claude() && citations::are_own(&one.citations) {
            return w.object(|w| citations::text_out(w, one));
        }
        self.lost(part, !one.citations.is_empty(), ".citations");
        text(w, &one.text);
    }

    fn cache(&mut self, w: &mut Writer, part: &Part<'_>, cache: Option<&Cache<'_>>) {
        let Some(cache) = cache else { return };
        if !self.model.caches {
            return self.dropped.add(part.place(".cache_control"));
        }
        let ttl = cache.ttl.as_deref();
        // Nova has one lifetime.
        let told = ttl.filter(|ttl| is_ttl(ttl) && self.model.family.is_claude());
        self.lost(part, ttl != told && ttl != Some("5m"), ".cache_control.ttl");
        cache_point(w, &Cache { ttl: told.map(Into::into) });
    }

    /// Writes what `turns` has found to be carried.
    fn media(&mut self, w: &mut Writer, media: Media, source: &Source<'_>) {
        if let Some(place) = media.place(source) {
            w.object(|w| {
                w.key(media.name()).object(|w| place.write(w, false));
            });
        }
    }

    fn document(&mut self, w: &mut Writer, block: &Block<'_>) {
        let Block::Document { source, title, context, citations, .. } = block else { return };
        let Some(place) = Media::Document.place(source) else { return };
        let name = self.name(title.as_deref().unwrap_or_default());
        w.object(|w| {
            w.key("document").object(|w| {
                w.text("name", &name);
                place.write(w, *citations);
                w.text_if("context", context.as_deref());
                if *citations {
                    w.member("citations", "{\"enabled\":true}");
                }
            });
        });
    }

    /// The title in letters that Bedrock allows, with a number if others had it before.
    fn name(&mut self, title: &str) -> String {
        let name = clean(title);
        let key = name.to_ascii_lowercase();
        let before = self.names.get(&key).copied().unwrap_or(0);
        self.names.insert(key.clone(), before + 1);
        if before == 0 {
            return name;
        }
        let mut number = before + 1;
        while self.names.contains_key(&format!("{key}-{number}")) {
            number += 1;
        }
        self.names.insert(key.clone(), number);
        self.names.insert(format!("{key}-{number}"), 1);
        format!("{name}-{number}")
    }

    fn result(
        &mut self,
        w: &mut Writer,
        part: &Part<'_>,
        id: &str,
        blocks: &[Block<'_>],
        is_error: bool,
    ) {
        // Others than Claude and Nova refuse a status.
        let has_status = self.model.family.is_claude() || self.model.family.is_nova();
        self.lost(part, is_error && !has_status, ".is_error");
        w.object(|w| {
            w.key("toolResult").object(|w| {
                w.text("toolUseId", &tool_id(id)).key("content").array(|w| {
                    let mut empty = true;
                    for (index, block) in blocks.iter().enumerate() {
                        empty &= !self.result_part(w, part, index, block);
                    }
                    if empty {
                        text(w, "(no output)");
                    }
                });
                w.text_if("status", (is_error && has_status).then_some("error"));
            });
        });
    }

    /// Writes a part of a result; whether it could be.
    fn result_part(
        &mut self,
        w: &mut Writer,
        part: &Part<'_>,
        at: usize,
        block: &Block<'_>,
    ) -> bool {
        match block {
            Block::Text(one) if one.text.trim().is_empty() => return false,
            Block::Text(one) => text(w, &one.text),
            Block::Image { source, .. } if Media::Image.place(source).is_some() => {
                self.media(w, Media::Image, source);
            }
            Block::Video { source } if Media::Video.place(source).is_some() => {
                self.media(w, Media::Video, source);
            }
            Block::Document { source, .. } if Media::Document.place(source).is_some() => {
                self.document(w, block);
            }
            Block::Opaque { kind, value } if is_own(kind, value) => w.raw(value),
            _ => {
                self.dropped.add(part.place(&format!(".content[{at}]")));
                return false;
            }
        }
        true
    }
}

/// Beside a document there has to be text.
fn lacks_words(turn: &Turn<'_>) -> bool {
    let has = |is: fn(&Block<'_>) -> bool| turn.parts.iter().any(|part| is(part.value));
    has(|block| matches!(block, Block::Document { .. }))
        && !has(|block| matches!(block, Block::Text(_)))
}

fn cache_of<'b>(block: &'b Block<'_>) -> Option<&'b Cache<'b>> {
    match block {
        Block::Text(text) => text.cache.as_ref(),
        Block::Image { cache, .. } | Block::Document { cache, .. } => cache.as_ref(),
        _ => None,
    }
}

/// Longest name of a document that is kept; Bedrock allows 200 letters.
const MOST_NAME: usize = 180;

/// Letters, digits, hyphens, brackets, and single spaces between.
fn clean(title: &str) -> String {
    let mut name = String::with_capacity(title.len().min(MOST_NAME));
    for letter in title.chars() {
        let letter = match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '(' | ')' | '[' | ']' => letter,
            _ if letter.is_whitespace() => ' ',
            _ => '-',
        };
        let repeats = matches!(letter, ' ' | '-') && name.ends_with(letter);
        if !repeats {
            name.push(letter);
        }
        if name.len() >= MOST_NAME {
            break;
        }
    }
    let name = name.trim_matches([' ', '-']);
    if name.is_empty() { "document".to_owned() } else { name.to_owned() }
}
