//! Who says what.

use super::{Block, Text};

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The system prompt.
    System,
    /// OpenAI's newer word for it; other formats read and write it as `System`.
    Developer,
    /// The user; tool results are the user's, too.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// Whether it instructs rather than converses.
    #[must_use]
    pub fn is_system(self) -> bool {
        matches!(self, Role::System | Role::Developer)
    }
}

/// One turn. Neighbours may have the same role; who needs them merged merges them.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, where the format has one.
    pub name: Option<Text<'a>>,
    /// What is said, in order.
    pub blocks: Vec<Block<'a>>,
}
