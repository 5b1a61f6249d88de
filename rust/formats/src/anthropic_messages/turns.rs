//! Who speaks when: the system first, then user and assistant by turns.
//!
//! What the system says later on stays where it is for models that hear it there, as far as the API lets
//! it: after a user's turn, before the assistant's. Otherwise it moves to the next such place, or into the
//! system prompt, which is noted. Neighbouring messages of one role are one turn; in the user's, results of
//! tools come first.

use crate::chat::{Block, Message, Role};
use crate::format::Dropped;

/// A block's place: its message and its number there.
pub(super) type Place = (usize, usize);

/// What one side says before the other answers.
pub(super) struct Turn {
    pub(super) role: Role,
    pub(super) places: Vec<Place>,
}

/// The conversation's order.
#[derive(Default)]
pub(super) struct Turns {
    /// The system prompt.
    pub(super) system: Vec<Place>,
    pub(super) turns: Vec<Turn>,
    /// What the system has said since the user's turn began, and whether in its place.
    waiting: Vec<Waiting>,
}

struct Waiting {
    message: usize,
    places: Vec<Place>,
    moved: bool,
}

impl Turns {
    /// Sorts messages; `inside` says whether the model hears the system within the conversation.
    pub(super) fn of(messages: &[Message<'_>], inside: bool, dropped: &mut Dropped) -> Self {
        let mut turns = Turns::default();
        for (index, message) in messages.iter().enumerate() {
            if message.name.is_some() {
                dropped.add(format!("messages[{index}].name"));
            }
            let places: Vec<Place> = (0..message.blocks.len()).map(|at| (index, at)).collect();
            if places.is_empty() {
                continue;
            }
            match message.role {
                Role::System | Role::Developer => turns.instruct(index, places, inside, dropped),
                Role::User | Role::Assistant => turns.say(message.role, places, dropped),
            }
        }
        turns.complete(messages, dropped);
        turns
    }

    fn last(&self) -> Option<Role> {
        self.turns.last().map(|turn| turn.role)
    }

    fn instruct(&mut self, index: usize, places: Vec<Place>, inside: bool, dropped: &mut Dropped) {
        if self.turns.is_empty() {
            self.system.extend(places);
        } else if inside {
            let moved = self.last() != Some(Role::User);
            self.waiting.push(Waiting { message: index, places, moved });
        } else {
            self.system.extend(places);
            note(index, dropped);
        }
    }

    fn say(&mut self, role: Role, places: Vec<Place>, dropped: &mut Dropped) {
        match role {
            Role::User => self.waiting.iter_mut().for_each(|one| one.moved = true),
            _ => self.place(dropped),
        }
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.places.extend(places),
            _ => self.turns.push(Turn { role, places }),
        }
    }

    /// Lets the system speak, if it is its turn.
    fn place(&mut self, dropped: &mut Dropped) {
        if self.last() != Some(Role::User) || self.waiting.is_empty() {
            return;
        }
        let mut places = Vec::new();
        for one in std::mem::take(&mut self.waiting) {
            if one.moved {
                note(one.message, dropped);
            }
            places.extend(one.places);
        }
        self.turns.push(Turn { role: Role::System, places });
    }

    fn complete(&mut self, messages: &[Message<'_>], dropped: &mut Dropped) {
        self.place(dropped);
        for one in std::mem::take(&mut self.waiting) {
            note(one.message, dropped);
            self.system.extend(one.places);
        }
        let is_result = |&(message, block): &Place| {
            matches!(messages[message].blocks[block], Block::ToolResult { .. })
        };
        for turn in &mut self.turns {
            turn.places.sort_by_key(|place| !is_result(place));
        }
    }
}

fn note(index: usize, dropped: &mut Dropped) {
    dropped.add(format!("messages[{index}] (moved)"));
}
