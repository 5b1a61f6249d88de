//! OpenAI's files and batches: each lies at one provider's account, and only the key that made it sees it.
//!
//! Where it lies is remembered ([`crate::store::shelf`]); what is in it, the provider has alone. A file of
//! requests is checked and rewritten while it passes, line by line, and only such a file feeds a batch.

mod batch;
mod content;
mod form;
mod lines;
mod list;
pub mod named;
mod remembered;
mod requests;
pub mod route;
mod serve;
mod upload;
mod whereabouts;

pub use route::{Route, route};
pub use serve::answer;
