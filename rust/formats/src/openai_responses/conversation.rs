//! Puts the flat list of items together into turns.

use crate::chat::{Block, Message, Role, Signature, TextBlock, Thinking};
use crate::format::Kind;
use crate::signature;

/// The turns so far.
#[derive(Debug, Default)]
pub(super) struct Conversation<'a> {
    messages: Vec<Message<'a>>,
    /// Gemini's proof of the text or call that comes next.
    pending: Option<Signature<'a>>,
}

impl<'a> Conversation<'a> {
    /// What somebody said, other than the model.
    pub(super) fn message(&mut self, role: Role, blocks: Vec<Block<'a>>) {
        if role == Role::Assistant {
            return blocks.into_iter().for_each(|block| self.of_model(block));
        }
        self.settle();
        self.messages.push(Message { role, name: None, blocks });
    }

    /// A thought, a text or a call of the model.
    pub(super) fn of_model(&mut self, block: Block<'a>) {
        let block = match block {
            Block::Thinking(thought) if is_proof(&thought) => {
                self.settle();
                let of_next = self.sign_text_before(thought);
                self.pending = of_next.and_then(|thought| thought.signature);
                return;
            }
            Block::Text(text) if text.signature.is_none() => {
                Block::Text(TextBlock { signature: self.pending.take(), ..text })
            }
            Block::ToolCall(mut call) if call.signature.is_none() => {
                call.signature = self.pending.take();
                Block::ToolCall(call)
            }
            Block::Image { source, detail, cache, mut made } if made.signature.is_none() => {
                made.signature = self.pending.take();
                Block::Image { source, detail, cache, made }
            }
            other => other,
        };
        self.settle();
        self.extend(Role::Assistant, |_| true, block);
    }

    /// Gives the text that was just said the proof that a thought holds, or hands the thought back.
    fn sign_text_before(&mut self, thought: Thinking<'a>) -> Option<Thinking<'a>> {
        let last = self.messages.last_mut().filter(|last| last.role == Role::Assistant);
        let blocks = last.map_or(&mut [][..], |last| &mut last.blocks);
        signature::give_to_text_before(blocks, thought)
    }

    /// A result of a tool.
    pub(super) fn result(&mut self, block: Block<'a>) {
        self.settle();
        self.extend(Role::User, is_result, block);
    }

    /// An item that is passed as it is.
    pub(super) fn opaque(&mut self, role: Role, block: Block<'a>) {
        match role {
            Role::Assistant => self.of_model(block),
            Role::User => self.result(block),
            role => self.message(role, vec![block]),
        }
    }

    /// Adds to the last turn if it is of that role and has only blocks of that sort.
    fn extend(&mut self, role: Role, sort: fn(&Block<'_>) -> bool, block: Block<'a>) {
        match self.messages.last_mut() {
            // The last block stands for all: blocks of another sort begin a turn of their own.
            Some(last) if last.role == role && last.blocks.last().is_some_and(sort) => {
                last.blocks.push(block);
            }
            _ => self.messages.push(Message { role, name: None, blocks: vec![block] }),
        }
    }

    /// A proof that turned out to belong to nothing stays a thought.
    fn settle(&mut self) {
        if let Some(signature) = self.pending.take() {
            let thought = Thinking { signature: Some(signature), ..Thinking::default() };
            self.extend(Role::Assistant, |_| true, Block::Thinking(thought));
        }
    }

    pub(super) fn finish(mut self) -> Vec<Message<'a>> {
        self.settle();
        self.messages
    }
}

fn is_result(block: &Block<'_>) -> bool {
    match block {
        Block::ToolResult { .. } => true,
        Block::Opaque { kind, value } => super::items::is_own_item(kind, value),
        _ => false,
    }
}

/// Whether the thought is only a proof of what stands beside it.
fn is_proof(thought: &Thinking<'_>) -> bool {
    let signature = thought.signature.as_ref();
    thought.text.is_empty() && signature.is_some_and(|one| one.origin == Kind::GeminiGenerate)
}
