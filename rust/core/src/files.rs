//! OpenAI's files and batches: each lies at one provider's account, and only the key that made it sees it.
//!
//! Where it lies is remembered ([`crate::store::shelf`]); what is in it, the provider has alone.

mod content;
mod form;
mod list;
mod remembered;
pub mod route;
mod serve;
mod upload;
mod whereabouts;

pub use route::{Route, route};
pub use serve::answer;
