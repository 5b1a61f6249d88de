//! The messages of a request for an upstream: neighbours of one role merged, tool results first.

use super::blocks_out::{cache, can_carry, source, thinking, tool_use};
use super::words::tool_id;
use crate::chat::{Block, Message, Role, TextBlock};
use crate::format::{Dropped, Kind};
use crate::writer::Writer;

/// Writes a conversation.
#[derive(Default)]
pub(super) struct Turns {
    /// Messages written.
    pub(super) written: usize,
}

impl Turns {
    /// The system prompt is what instructs before anybody has spoken.
    fn leading(messages: &[Message<'_>]) -> usize {
        messages.iter().take_while(|message| message.role.is_system()).count()
    }

    /// Writes `system`, if there is one.
    pub(super) fn write_system(
        &self,
        w: &mut Writer,
        messages: &[Message<'_>],
        dropped: &mut Dropped,
    ) {
        let leading = &messages[..Self::leading(messages)];
        let mut places = Vec::new();
        for (index, message) in leading.iter().enumerate() {
            dropped.add_if(message.name.is_some(), "messages[].name");
            places.extend((0..message.blocks.len()).map(|number| (index, number)));
        }
        let mut texts: Vec<&TextBlock<'_>> = Vec::new();
        for (index, number) in places {
            match &messages[index].blocks[number] {
                Block::Text(text) if is_blank(&text.text) => {}
                Block::Text(text) => texts.push(text),
                _ => dropped.add(format!("messages[{index}].content[{number}]")),
            }
        }
        match &texts[..] {
            [] => {}
            [one] if one.cache.is_none() => {
                w.text("system", &one.text);
            }
            _ => w.key("system").array(|w| texts.iter().for_each(|one| text(w, one, &one.text))),
        }
    }

    /// Writes what is said after the system prompt.
    pub(super) fn write(
        &mut self,
        w: &mut Writer,
        messages: &[Message<'_>],
        dropped: &mut Dropped,
    ) {
        let mut index = Self::leading(messages);
        while index < messages.len() {
            let role = said_by(messages[index].role);
            let same = messages[index..].iter().take_while(|one| said_by(one.role) == role).count();
            let last = index + same == messages.len();
            self.turn(w, role, &Run { messages, from: index, to: index + same, last }, dropped);
            index += same;
        }
    }

    fn turn(&mut self, w: &mut Writer, role: &str, run: &Run<'_>, dropped: &mut Dropped) {
        let mut out = Writer::new();
        let mut blocks = 0;
        let mut single = None;
        out.array(|w| {
            for (index, number, block) in run.blocks() {
                let mut one =
                    Part { w, index, number, dropped, ends: run.ends_with(index, number) };
                if one.write(block) {
                    blocks += 1;
                    single = Some(block);
                }
            }
        });
        if blocks == 0 {
            return;
        }
        self.written += 1;
        w.object(|w| {
            w.text("role", role);
            match single {
                Some(Block::Text(one)) if blocks == 1 && one.cache.is_none() => {
                    let text = if run.last && role == "assistant" {
                        one.text.trim_end()
                    } else {
                        &one.text
                    };
                    w.text("content", text);
                }
                _ => {
                    w.key("content").raw(&String::from_utf8(out.finish()).unwrap_or_default());
                }
            }
        });
    }
}

fn said_by(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

/// Neighbouring messages that become one.
struct Run<'a> {
    messages: &'a [Message<'a>],
    from: usize,
    to: usize,
    /// Nothing follows.
    last: bool,
}

impl<'a> Run<'a> {
    /// Its blocks with their places, tool results before all else.
    fn blocks(&self) -> Vec<(usize, usize, &'a Block<'a>)> {
        let each = |index: usize| {
            let blocks = self.messages[index].blocks.iter().enumerate();
            blocks.map(move |(number, block)| (index, number, block))
        };
        let mut blocks: Vec<_> = (self.from..self.to).flat_map(each).collect();
        blocks.sort_by_key(|(_, _, block)| !matches!(block, Block::ToolResult { .. }));
        blocks
    }

    /// Whether the conversation ends with this block.
    fn ends_with(&self, index: usize, number: usize) -> bool {
        self.last && index + 1 == self.to && number + 1 == self.messages[index].blocks.len()
    }
}

/// A block on its way out.
struct Part<'a, 'w> {
    w: &'w mut Writer,
    index: usize,
    number: usize,
    dropped: &'a mut Dropped,
    ends: bool,
}

impl Part<'_, '_> {
    fn drop(&mut self, what: &str) -> bool {
        self.dropped.add(format!("messages[{}].content[{}]{what}", self.index, self.number));
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
            // Refused by the API, and nothing is lost with it.
            Block::Text(one) if is_blank(&one.text) => return false,
            Block::Text(one) => {
                self.drop_if(one.signature.is_some(), ".signature");
                let shown = if self.ends { one.text.trim_end() } else { &one.text };
                text(self.w, one, shown);
            }
            Block::Refusal(words) => text(self.w, &TextBlock::default(), words),
            Block::Thinking(one) => {
                let own =
                    one.signature.as_ref().is_some_and(|s| s.origin == Kind::AnthropicMessages);
                if !own {
                    return self.drop(if one.text.is_empty() { ".signature" } else { "" });
                }
                thinking(self.w, one);
            }
            Block::ToolCall(call) => {
                self.drop_if(call.signature.is_some(), ".signature");
                tool_use(self.w, call);
            }
            Block::ToolResult { .. } => self.tool_result(block),
            _ => return self.media(block),
        }
        true
    }

    fn media(&mut self, block: &Block<'_>) -> bool {
        match block {
            Block::Image { source: from, detail, cache: mark } if can_carry(from, false) => {
                self.drop_if(detail.as_ref().is_some_and(|detail| detail != "auto"), ".detail");
                self.w.object(|w| {
                    w.text("type", "image");
                    source(w, from);
                    cache(w, mark.as_ref());
                });
            }
            Block::Document { source: from, title, context, citations, cache: mark }
                if can_carry(from, true) =>
            {
                self.w.object(|w| {
                    w.text("type", "document");
                    source(w, from);
                    w.text_if("title", title.as_deref()).text_if("context", context.as_deref());
                    w.member_if("citations", citations.then_some("{\"enabled\":true}"));
                    cache(w, mark.as_ref());
                });
            }
            _ => return self.drop(""),
        }
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
                let mut one = Part { w, index, number, dropped: self.dropped, ends: false };
                written += usize::from(one.write(block));
            }
        });
        self.w.object(|w| {
            w.text("type", "tool_result").text("tool_use_id", &tool_id(call_id));
            match &blocks[..] {
                [Block::Text(one)] if written == 1 && one.cache.is_none() => {
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

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn text(w: &mut Writer, block: &TextBlock<'_>, shown: &str) {
    w.object(|w| {
        w.text("type", "text").text("text", shown);
        cache(w, block.cache.as_ref());
    });
}
