//! The messages of a request for an upstream.

use super::blocks_out::{cache, citation, document_text, opaque, source, thinking, tool_use};
use super::own::{is_own_block, is_own_citation};
use super::turns::{Place, Turn, Turns};
use super::words::tool_id;
use crate::chat::{Block, Message, Role, Signature, Source, TextBlock};
use crate::format::{Dropped, Fault, Kind};
use crate::writer::{Writer, quote};

/// What is said, as JSON.
pub(super) struct Conversation {
    /// The system prompt, if there is one: a string or blocks.
    pub(super) system: Option<String>,
    /// The messages: a list.
    pub(super) messages: String,
}

impl Conversation {
    /// Writes it.
    ///
    /// # Errors
    /// [`Fault`] if nothing is left of a turn of the user's, or of all.
    pub(super) fn write(
        turns: &Turns,
        messages: &[Message<'_>],
        dropped: &mut Dropped,
    ) -> Result<Self, Fault> {
        let system = Some(&turns.system).filter(|places| !places.is_empty());
        let system = system.map(|places| Said::of(places, messages, false, dropped));
        let mut w = Writer::new();
        let mut written = 0;
        let mut lost = None;
        w.array(|w| {
            for (number, turn) in turns.turns.iter().enumerate() {
                let ends = number + 1 == turns.turns.len() && turn.role == Role::Assistant;
                let said = Said::of(&turn.places, messages, ends, dropped);
                if said.lost && said.parts == 0 && turn.role == Role::User {
                    lost = turn.places.first().copied();
                }
                written += usize::from(message(w, turn, &said));
            }
        });
        if let Some((index, _)) = lost {
            let at = format!("messages[{index}].content");
            return Err(Fault::unsupported(at, "Nothing of it can be said to this model."));
        }
        if written == 0 {
            return Err(Fault::of("messages", "There has to be a message that is not empty."));
        }
        let messages = String::from_utf8(w.finish()).unwrap_or_default();
        let system = system.filter(|said| said.parts > 0).map(|said| said.json);
        Ok(Conversation { system, messages })
    }
}

/// Writes a turn, if anything is said in it.
fn message(w: &mut Writer, turn: &Turn, said: &Said) -> bool {
    if said.parts == 0 {
        return false;
    }
    let role = match turn.role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    w.object(|w| {
        w.text("role", role).member("content", &said.json);
    });
    true
}

/// What is said in a turn, as JSON: a string if it is no more than that, otherwise blocks.
struct Said {
    json: String,
    parts: usize,
    /// Something could not be said.
    lost: bool,
}

impl Said {
    /// `ends` says that the conversation ends with it and that the model is to go on from there: the API
    /// does not take spaces at its end.
    fn of(places: &[Place], messages: &[Message<'_>], ends: bool, dropped: &mut Dropped) -> Self {
        let mut w = Writer::new();
        let (mut parts, mut lost) = (0, false);
        let mut single = None;
        w.array(|w| {
            for (at, &(index, number)) in places.iter().enumerate() {
                let block = &messages[index].blocks[number];
                let ends = ends && at + 1 == places.len();
                let mut part = Part { w, index, number, dropped, ends, lost: false };
                if part.write(block) {
                    parts += 1;
                    single = Some((block, ends));
                }
                lost |= part.lost;
            }
        });
        let json = match single {
            Some((Block::Text(one), ends)) if parts == 1 && is_bare(one) => quote(shown(one, ends)),
            _ => String::from_utf8(w.finish()).unwrap_or_default(),
        };
        Said { json, parts, lost }
    }
}

/// Whether a text is nothing but a string.
fn is_bare(text: &TextBlock<'_>) -> bool {
    text.cache.is_none() && text.citations.is_empty()
}

fn shown<'t>(text: &'t TextBlock<'_>, ends: bool) -> &'t str {
    if ends { text.text.trim_end() } else { &text.text }
}

/// A block on its way out.
struct Part<'a, 'w> {
    w: &'w mut Writer,
    index: usize,
    number: usize,
    dropped: &'a mut Dropped,
    ends: bool,
    /// All of it was dropped.
    lost: bool,
}

impl Part<'_, '_> {
    fn drop(&mut self, what: &str) -> bool {
        self.dropped.add(format!("messages[{}].content[{}]{what}", self.index, self.number));
        self.lost |= what.is_empty();
        false
    }

    fn drop_if(&mut self, given: bool, what: &str) {
        if given {
            self.drop(what);
        }
    }

    /// Whether something was written.
    fn write(&mut self, block: &Block<'_>) -> bool {
        match block {
            // Refused by the API, and nothing is lost with it but a mark.
            Block::Text(one) if one.text.trim().is_empty() => {
                self.drop_if(one.cache.is_some(), ".cache_control");
                return false;
            }
            Block::Text(one) => self.text(one),
            Block::Refusal(words) if words.trim().is_empty() => return false,
            Block::Refusal(words) => self.w.object(|w| {
                w.text("type", "text").text("text", words);
            }),
            Block::Thinking(one) => {
                let own = |proof: &Signature<'_>| proof.origin == Kind::AnthropicMessages;
                if !one.signature.as_ref().is_some_and(own) {
                    return self.drop(if one.text.is_empty() { ".signature" } else { "" });
                }
                thinking(self.w, one);
            }
            Block::ToolCall(call) => {
                self.drop_if(call.signature.is_some(), ".signature");
                tool_use(self.w, call);
            }
            Block::ToolResult { .. } => self.tool_result(block),
            Block::Opaque { kind, value } if is_own_block(kind, value) => opaque(self.w, value),
            _ => return self.media(block),
        }
        true
    }

    fn text(&mut self, one: &TextBlock<'_>) {
        self.drop_if(one.signature.is_some(), ".signature");
        let cited = one.citations.iter();
        let cited: Vec<_> =
            cited.filter(|cited| cited.raw.as_deref().is_some_and(is_own_citation)).collect();
        self.drop_if(cited.len() < one.citations.len(), ".citations");
        self.w.object(|w| {
            w.text("type", "text").text("text", shown(one, self.ends));
            if !cited.is_empty() {
                w.key("citations").array(|w| cited.iter().for_each(|one| citation(w, one)));
            }
            cache(w, one.cache.as_ref());
        });
    }

    fn media(&mut self, block: &Block<'_>) -> bool {
        match block {
            Block::Image { source: from, detail, cache: mark, .. } if takes_image(from) => {
                self.drop_if(detail.as_ref().is_some_and(|detail| detail != "auto"), ".detail");
                self.w.object(|w| {
                    w.text("type", "image");
                    source(w, from);
                    cache(w, mark.as_ref());
                });
                true
            }
            Block::Document { source: from, .. } => self.document(block, from),
            _ => self.drop(""),
        }
    }

    fn document(&mut self, block: &Block<'_>, from: &Source<'_>) -> bool {
        let Block::Document { title, context, citations, cache: mark, .. } = block else {
            return false;
        };
        let text = document_text(from);
        let from = text.as_ref().unwrap_or(from);
        if !takes_document(from) {
            return self.drop("");
        }
        self.w.object(|w| {
            w.text("type", "document");
            source(w, from);
            w.text_if("title", title.as_deref()).text_if("context", context.as_deref());
            w.member_if("citations", citations.then_some("{\"enabled\":true}"));
            cache(w, mark.as_ref());
        });
        true
    }

    fn tool_result(&mut self, block: &Block<'_>) {
        let Block::ToolResult { call_id, blocks, is_error, cache: mark, .. } = block else {
            return;
        };
        let mut inside = Writer::new();
        let mut written = 0;
        inside.array(|w| {
            for block in blocks {
                let (index, number) = (self.index, self.number);
                let dropped = &mut *self.dropped;
                let mut one = Part { w, index, number, dropped, ends: false, lost: false };
                written += usize::from(one.write(block));
            }
        });
        self.w.object(|w| {
            w.text("type", "tool_result").text("tool_use_id", &tool_id(call_id));
            match &blocks[..] {
                [Block::Text(one)] if written == 1 && is_bare(one) => {
                    w.text("content", &one.text);
                }
                _ if written == 0 => {}
                _ => {
                    w.key("content").raw(&String::from_utf8(inside.finish()).unwrap_or_default());
                }
            }
            w.flag_if("is_error", is_error.then_some(true));
            cache(w, mark.as_ref());
        });
    }
}

/// Files that Anthropic keeps have ids that begin so; others are somebody else's.
const FILE: &str = "file_";

fn takes_image(source: &Source<'_>) -> bool {
    match source {
        Source::Base64 { media_type, .. } => media_type.starts_with("image/"),
        Source::Url { .. } => true,
        Source::File { id } => id.starts_with(FILE),
        Source::Text(_) => false,
    }
}

fn takes_document(source: &Source<'_>) -> bool {
    match source {
        Source::Base64 { media_type, .. } => media_type == "application/pdf",
        Source::Url { .. } | Source::Text(_) => true,
        Source::File { id } => id.starts_with(FILE),
    }
}
