//! The canonical chat: what every format can be read into and written from.
//!
//! It is the hub of the translation: M formats in and N formats out cost M + N files. It borrows
//! from the text it was read from. What has no place here rides in `extra`, under the name that the
//! client gave it, so that an encoder can carry it or say that it was dropped.

mod block;
mod event;
mod failure;
mod message;
mod reply;
mod request;
mod thought;
mod tool;
mod usage;

pub use block::{Block, Cache, Made, Source, Spoken, TextBlock, ToolCall};
pub use event::{BlockStart, Delta, Event};
pub use failure::{Failure, FailureKind};
pub use message::{Message, Role};
pub use reply::{Choice, Finish, Logprob, Reply};
pub use request::{Effort, Extra, Output, OutputSchema, Reasoning, Request};
use std::borrow::Cow;
pub use thought::{Citation, Signature, Thinking};
pub use tool::{Function, FunctionForm, Group, Tool, ToolChoice};
pub use usage::{Service, Usage};

/// A text, borrowed where it could be.
pub type Text<'a> = Cow<'a, str>;
/// JSON text, passed on verbatim.
pub type Raw<'a> = Cow<'a, str>;
