//! One block at a time: what comes of others before it is over waits.

use super::Emit;
use crate::chat::{BlockStart, Delta, Event};
use std::collections::VecDeque;

/// The block that is being said, and those that wait.
#[derive(Debug, Default)]
pub(super) struct Queue {
    open: Option<u64>,
    waiting: VecDeque<Held>,
}

/// A block that waits.
#[derive(Debug)]
struct Held {
    block: u64,
    start: BlockStart<'static>,
    deltas: Vec<Delta<'static>>,
    /// All of it has come.
    stopped: bool,
}

impl Queue {
    /// A block begins. Blocks are numbered in this order.
    pub(super) fn begin(&mut self, block: u64, start: BlockStart<'_>, emit: Emit<'_>) {
        if self.open.is_none() {
            self.open = Some(block);
            return emit(Event::BlockStart { choice: 0, block, start });
        }
        let start = start.into_owned();
        self.waiting.push_back(Held { block, start, deltas: Vec::new(), stopped: false });
    }

    /// A block goes on.
    pub(super) fn add(&mut self, block: u64, delta: Delta<'_>, emit: Emit<'_>) {
        if self.open == Some(block) {
            emit(Event::Delta { choice: 0, block, delta });
        } else if let Some(held) = self.find(block) {
            held.deltas.push(delta.into_owned());
        }
    }

    /// A block is over.
    pub(super) fn stop(&mut self, block: u64, emit: Emit<'_>) {
        if self.open == Some(block) {
            self.next(emit);
        } else if let Some(held) = self.find(block) {
            held.stopped = true;
        }
    }

    /// All blocks are over.
    pub(super) fn stop_all(&mut self, emit: Emit<'_>) {
        while self.open.is_some() {
            self.next(emit);
        }
    }

    /// Stops the block that is being said, and goes on to the next that is not complete.
    fn next(&mut self, emit: Emit<'_>) {
        while let Some(block) = self.open.take() {
            emit(Event::BlockStop { choice: 0, block });
            let Some(Held { block, start, deltas, stopped }) = self.waiting.pop_front() else {
                return;
            };
            emit(Event::BlockStart { choice: 0, block, start });
            for delta in deltas {
                emit(Event::Delta { choice: 0, block, delta });
            }
            self.open = Some(block);
            if !stopped {
                return;
            }
        }
    }

    /// Blocks wait in the order of their numbers.
    fn find(&mut self, block: u64) -> Option<&mut Held> {
        let at = self.waiting.binary_search_by_key(&block, |held| held.block).ok()?;
        self.waiting.get_mut(at)
    }
}
