//! The messages of a request for an upstream.

use super::citations;
use crate::base64;
use crate::chat::{Block, Cache, Message, Role, Source, Text, TextBlock, ToolCall};
use crate::format::{Dropped, Fault, Target};
use crate::writer::Writer;
use std::borrow::Cow;

/// What a tool is said to have said that said nothing: Cohere takes no empty messages.
const NO_OUTPUT: &str = "(no output)";

/// A document of the user's, for `documents`.
pub(super) struct Document<'r> {
    pub(super) title: Option<&'r str>,
    pub(super) context: Option<&'r str>,
    pub(super) text: Cow<'r, str>,
}

/// Writes the messages one by one.
pub(super) struct Out<'d, 'r> {
    pub(super) target: &'d Target<'d>,
    pub(super) dropped: &'d mut Dropped,
    pub(super) documents: Vec<Document<'r>>,
    index: usize,
}

/// A block, and its place in its message.
type Numbered<'r> = (usize, &'r Block<'r>);

impl<'d, 'r> Out<'d, 'r> {
    pub(super) fn new(target: &'d Target<'d>, dropped: &'d mut Dropped) -> Self {
        Out { target, dropped, documents: Vec::new(), index: 0 }
    }

    /// Writes a message: none, one, or several if there are results of tools in it.
    pub(super) fn message(
        &mut self,
        w: &mut Writer,
        index: usize,
        message: &'r Message<'r>,
    ) -> Result<(), Fault> {
        self.index = index;
        if message.name.is_some() {
            self.dropped.add(format!("messages[{index}].name"));
        }
        match message.role {
            Role::System | Role::Developer => self.system(w, message),
            Role::Assistant => self.assistant(w, message),
            Role::User => return self.user(w, message),
        }
        Ok(())
    }

    fn lost(&mut self, lost: bool, block: usize, what: &str) {
        if lost {
            self.dropped.add(format!("messages[{}].content[{block}]{what}", self.index));
        }
    }

    /// Cohere caches by itself.
    fn uncache(&mut self, block: usize, cache: Option<&Cache<'_>>) {
        self.lost(cache.is_some(), block, ".cache_control");
    }

    fn system(&mut self, w: &mut Writer, message: &'r Message<'r>) {
        let texts = self.words(message);
        if !texts.is_empty() {
            w.object(|w| {
                w.text("role", "system").key("content");
                text_content(w, &texts);
            });
        }
    }

    /// The texts of a message that has nothing else to say.
    fn words(&mut self, message: &'r Message<'r>) -> Vec<&'r str> {
        let mut texts = Vec::new();
        for (number, block) in message.blocks.iter().enumerate() {
            match block {
                Block::Text(text) => {
                    self.uncache(number, text.cache.as_ref());
                    texts.extend(said(&text.text));
                }
                _ => self.lost(true, number, ""),
            }
        }
        texts
    }

    /// Results of tools become messages of their own; their pictures follow with the user's words.
    fn user(&mut self, w: &mut Writer, message: &'r Message<'r>) -> Result<(), Fault> {
        let mut rest: Vec<Numbered<'r>> = Vec::with_capacity(message.blocks.len());
        let mut results = false;
        for (number, block) in message.blocks.iter().enumerate() {
            if let Block::ToolResult { call_id, blocks, is_error, cache, .. } = block {
                results = true;
                self.uncache(number, cache.as_ref());
                self.lost(*is_error, number, ".is_error");
                let mut texts = Vec::new();
                for one in blocks {
                    match one {
                        Block::Text(text) => texts.extend(said(&text.text)),
                        other => rest.push((number, other)),
                    }
                }
                result(w, call_id, &texts);
            } else {
                rest.push((number, block));
            }
        }
        let before = self.documents.len();
        let parts: Vec<_> = rest.iter().filter(|(at, block)| self.carries(*at, block)).collect();
        let blank = rest.iter().all(|(_, block)| matches!(block, Block::Text(_)));
        if parts.is_empty() && !results && !blank && self.documents.len() == before {
            let at = format!("messages[{}].content", self.index);
            return Err(Fault::unsupported(at, "Cohere cannot carry any part of this message."));
        }
        match &parts[..] {
            [] => {}
            [(_, Block::Text(text))] => w.object(|w| {
                w.text("role", "user").text("content", &text.text);
            }),
            _ => w.object(|w| {
                w.text("role", "user").key("content").array(|w| {
                    parts.iter().for_each(|(_, block)| part(w, block));
                });
            }),
        }
        Ok(())
    }

    /// Whether a block of the user's is written as a part; documents are kept for later.
    fn carries(&mut self, number: usize, block: &'r Block<'r>) -> bool {
        match block {
            Block::Text(text) => {
                self.uncache(number, text.cache.as_ref());
                said(&text.text).is_some()
            }
            Block::Image { source: Source::Url { .. } | Source::Base64 { .. }, cache, .. } => {
                self.uncache(number, cache.as_ref());
                true
            }
            Block::Document { source, title, context, cache, .. } => {
                let text = text_of(source);
                match text {
                    Some(_) => self.uncache(number, cache.as_ref()),
                    None => self.lost(true, number, ""),
                }
                let (title, context) = (title.as_deref(), context.as_deref());
                self.documents.extend(text.map(|text| Document { title, context, text }));
                false
            }
            _ => {
                self.lost(true, number, "");
                false
            }
        }
    }

    fn assistant(&mut self, w: &mut Writer, message: &'r Message<'r>) {
        let mut calls: Vec<&ToolCall<'_>> = Vec::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut thoughts: Vec<&str> = Vec::new();
        let mut cited: Vec<(u64, &TextBlock<'_>)> = Vec::new();
        for (number, block) in message.blocks.iter().enumerate() {
            match block {
                Block::Text(text) => {
                    self.uncache(number, text.cache.as_ref());
                    self.lost(text.signature.is_some(), number, ".signature");
                    if let Some(said) = said(&text.text) {
                        cited.push((texts.len() as u64, text));
                        texts.push(said);
                    }
                }
                Block::Refusal(text) => texts.extend(said(text)),
                Block::Thinking(thinking) if thinking.signature.is_some() => {
                    self.lost(true, number, ".signature");
                }
                Block::Thinking(thinking) if self.target.reasoning => {
                    thoughts.extend(said(&thinking.text));
                }
                Block::ToolCall(call) => {
                    self.uncache(number, call.cache.as_ref());
                    self.lost(call.signature.is_some(), number, ".signature");
                    calls.push(call);
                }
                _ => self.lost(true, number, ""),
            }
        }
        if texts.is_empty() && thoughts.is_empty() && calls.is_empty() {
            return;
        }
        w.object(|w| {
            w.text("role", "assistant");
            // What is said before a call is its plan.
            let plan = !calls.is_empty();
            spoken(w, &thoughts, if plan { &[] } else { &texts });
            if plan {
                w.text_if("tool_plan", (!texts.is_empty()).then(|| texts.join("\n")).as_deref());
                w.key("tool_calls").array(|w| calls.iter().for_each(|one| call(w, one)));
            } else {
                own_citations(w, thoughts.len() as u64, &cited);
            }
        });
    }
}

/// The text, if it says anything: Cohere takes no empty ones.
fn said(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

fn result(w: &mut Writer, id: &str, texts: &[&str]) {
    w.object(|w| {
        w.text("role", "tool").text("tool_call_id", id).key("content");
        text_content(w, if texts.is_empty() { &[NO_OUTPUT] } else { texts });
    });
}

/// A string where one text is all there is, else parts.
fn text_content(w: &mut Writer, texts: &[&str]) {
    match texts {
        [text] => w.string(text),
        _ => w.array(|w| texts.iter().for_each(|text| text_part(w, "text", text))),
    }
}

fn text_part(w: &mut Writer, kind: &str, text: &str) {
    w.object(|w| {
        w.text("type", kind).text(kind, text);
    });
}

/// The assistant's `content`: thoughts come first.
fn spoken(w: &mut Writer, thoughts: &[&str], texts: &[&str]) {
    match (thoughts, texts) {
        ([], []) => {}
        ([], texts) => {
            w.key("content");
            text_content(w, texts);
        }
        _ => w.key("content").array(|w| {
            thoughts.iter().for_each(|text| text_part(w, "thinking", text));
            texts.iter().for_each(|text| text_part(w, "text", text));
        }),
    }
}

/// Citations that came from Cohere go back.
fn own_citations(w: &mut Writer, first: u64, cited: &[(u64, &TextBlock<'_>)]) {
    let all =
        || cited.iter().flat_map(|(at, text)| text.citations.iter().map(move |one| (at, one)));
    if all().any(|(_, one)| citations::own(one).is_some()) {
        w.key("citations").array(|w| {
            for (at, one) in all().filter(|(_, one)| citations::own(one).is_some()) {
                citations::citation_out(w, one, first + at);
            }
        });
    }
}

/// A call of a tool, as requests and replies have it.
pub(super) fn call(w: &mut Writer, call: &ToolCall<'_>) {
    w.object(|w| {
        w.text("id", &call.id).text("type", "function").key("function").object(|w| {
            let arguments = call.arguments.trim();
            w.text("name", &call.name);
            w.text("arguments", if arguments.is_empty() { "{}" } else { &call.arguments });
        });
    });
}

/// Writes a part of the user's; `carries` has chosen it.
fn part(w: &mut Writer, block: &Block<'_>) {
    match block {
        Block::Text(text) => text_part(w, "text", &text.text),
        Block::Image { source, detail, .. } => w.object(|w| {
            w.text("type", "image_url").key("image_url").object(|w| {
                match source {
                    Source::Base64 { media_type, data } => {
                        w.text("url", &["data:", media_type, ";base64,", data].concat());
                    }
                    Source::Url { url, .. } => {
                        w.text("url", url);
                    }
                    Source::File { .. } | Source::Text(_) => {}
                }
                w.text_if("detail", detail.as_deref());
            });
        }),
        _ => {}
    }
}

/// The text of a document that is one.
fn text_of<'s>(source: &'s Source<'_>) -> Option<Text<'s>> {
    match source {
        Source::Text(text) => Some(Cow::Borrowed(text)),
        Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
            Some(Cow::Owned(String::from_utf8(base64::decode(data)?).ok()?))
        }
        _ => None,
    }
}
