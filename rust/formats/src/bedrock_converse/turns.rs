//! A conversation as Converse wants it: the system's words apart, user and assistant by turns, the user
//! first, and nothing in it that Converse cannot carry.

use super::blocks_out::is_own;
use super::media::Media;
use super::models::{Family, Model};
use crate::chat::{Block, Request, Role, Signature, Source};
use crate::format::{Dropped, Fault, Kind};

/// What stands where Converse wants words and the client had none.
pub(super) const NO_WORDS: &str = ".";

/// A block that is carried, and its place in the client's request.
#[derive(Clone, Copy)]
pub(super) struct Part<'r> {
    pub(super) message: usize,
    pub(super) block: usize,
    pub(super) value: &'r Block<'r>,
}

impl Part<'_> {
    /// Its place, or that of something in it, for the list of what was dropped.
    pub(super) fn place(&self, what: &str) -> String {
        format!("messages[{}].content[{}]{what}", self.message, self.block)
    }
}

/// What one side says before the other answers.
pub(super) struct Turn<'r> {
    pub(super) role: Role,
    pub(super) parts: Vec<Part<'r>>,
}

/// The conversation.
#[derive(Default)]
pub(super) struct Plan<'r> {
    pub(super) system: Vec<Part<'r>>,
    pub(super) turns: Vec<Turn<'r>>,
}

impl<'r> Plan<'r> {
    /// Sorts the request's messages.
    ///
    /// # Errors
    /// [`Fault`] if nothing is left of a user's message, or of the conversation.
    pub(super) fn of(
        request: &'r Request<'r>,
        model: Model,
        dropped: &mut Dropped,
    ) -> Result<Self, Fault> {
        let mut plan = Plan::default();
        for (index, message) in request.messages.iter().enumerate() {
            if message.name.is_some() {
                dropped.add(format!("messages[{index}].name"));
            }
            let mut lost = false;
            let mut parts = Vec::with_capacity(message.blocks.len());
            for (number, value) in message.blocks.iter().enumerate() {
                let part = Part { message: index, block: number, value };
                match fate(value, message.role, model) {
                    Fate::Carried => parts.push(part),
                    Fate::Nothing => {}
                    Fate::Lost(what) => {
                        lost = true;
                        dropped.add(part.place(what));
                    }
                }
            }
            if parts.is_empty() && lost && message.role == Role::User {
                return Err(nothing_left(index, &message.blocks));
            }
            plan.add(message.role, parts);
        }
        plan.complete()
    }

    fn add(&mut self, role: Role, parts: Vec<Part<'r>>) {
        match self.turns.last_mut() {
            _ if parts.is_empty() => {}
            _ if role.is_system() => self.system.extend(parts),
            Some(turn) if turn.role == role => turn.parts.extend(parts),
            _ => self.turns.push(Turn { role, parts }),
        }
    }

    fn complete(mut self) -> Result<Self, Fault> {
        if self.turns.is_empty() {
            let told = "There has to be a message of the user that is not empty.";
            return Err(Fault::of("messages", told));
        }
        for turn in &mut self.turns {
            // Claude wants the results of its calls before anything else.
            turn.parts.sort_by_key(|part| !matches!(part.value, Block::ToolResult { .. }));
        }
        Ok(self)
    }

    /// Whether tools were called before: then some have to be declared.
    pub(super) fn has_calls(&self) -> bool {
        let mut parts = self.turns.iter().flat_map(|turn| &turn.parts);
        parts.any(|part| matches!(part.value, Block::ToolCall(_) | Block::ToolResult { .. }))
    }

    /// The tools that were called before, each once.
    pub(super) fn called(&self) -> Vec<&'r str> {
        let mut names: Vec<&str> = Vec::new();
        for part in self.turns.iter().flat_map(|turn| &turn.parts) {
            if let Block::ToolCall(call) = part.value {
                names.push(&call.name);
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the assistant is in the middle of calling tools and its turn does not begin with a thought:
    /// Claude does not begin to think there.
    pub(super) fn calls_without_thought(&self) -> bool {
        let [.., before, last] = &self.turns[..] else { return false };
        let answers = last.parts.iter().any(|part| matches!(part.value, Block::ToolResult { .. }));
        let thinks = matches!(before.parts.first(), Some(Part { value: Block::Thinking(_), .. }));
        answers && !thinks
    }
}

fn nothing_left(index: usize, blocks: &[Block<'_>]) -> Fault {
    let at = format!("messages[{index}].content");
    let by_url = blocks.iter().any(|block| {
        matches!(
            block,
            Block::Image { source: Source::Url { .. }, .. }
                | Block::Document { source: Source::Url { .. }, .. }
        )
    });
    Fault::unsupported(
        at,
        if by_url {
            "Bedrock takes pictures and documents as data only, not by URL."
        } else {
            "Bedrock cannot carry any part of this message."
        },
    )
}

/// What becomes of a block.
enum Fate {
    Carried,
    /// It says nothing.
    Nothing,
    /// It cannot be carried; which part of it the client is told.
    Lost(&'static str),
}

fn fate(block: &Block<'_>, role: Role, model: Model) -> Fate {
    let carried = |holds: bool| if holds { Fate::Carried } else { Fate::Lost("") };
    let media = |media: Media, source: &Source<'_>| {
        carried(role == Role::User && media.place(source).is_some())
    };
    match block {
        Block::Text(text) => words(&text.text),
        Block::Refusal(text) => words(text),
        Block::Opaque { kind, value } => carried(is_own(kind, value)),
        Block::Image { source, .. } => media(Media::Image, source),
        Block::Document { source, .. } => media(Media::Document, source),
        Block::Video { source } => media(Media::Video, source),
        Block::Audio { source, .. } => media(Media::Audio, source),
        Block::ToolResult { .. } => carried(role == Role::User),
        Block::ToolCall(_) => carried(role == Role::Assistant),
        Block::Thinking(thinking) => match &thinking.signature {
            Some(proof) if role == Role::Assistant && accepts(model.family, proof) => Fate::Carried,
            Some(_) => Fate::Lost(".signature"),
            // Claude wants the proof, and others do not want their thoughts back.
            None => Fate::Lost(""),
        },
    }
}

/// Blank texts are refused.
fn words(text: &str) -> Fate {
    if text.trim().is_empty() { Fate::Nothing } else { Fate::Carried }
}

/// Anthropic signs the same way wherever Claude runs.
fn accepts(family: Family, proof: &Signature<'_>) -> bool {
    match proof.origin {
        Kind::BedrockConverse => true,
        Kind::AnthropicMessages => family.is_claude(),
        _ => false,
    }
}
