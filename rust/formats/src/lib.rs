//! Wire formats of chats: each in both directions, all by way of one canonical chat.
//!
//! Pure functions over bytes; no I/O, no clock, no chance. From the bottom up: JSON as a borrowed
//! tree (`value`) and as text in the making (`writer`), the canonical chat (`chat`), what a format is
//! (`format`), frames of a stream (`frames`), then a module for each format.

pub mod answer;
pub mod anthropic_messages;
pub mod base64;
pub mod bedrock_converse;
pub mod chat;
pub mod cohere_chat;
pub mod eventstream;
pub mod format;
pub mod frames;
pub mod gemini_embed;
pub mod gemini_generate;
pub mod json_schema;
mod lost;
mod modalities;
pub mod openai_chat;
pub mod openai_errors;
pub mod openai_responses;
mod owned;
pub mod ranges;
pub mod signature;
mod strangers;
pub mod value;
mod whole;
pub mod writer;

pub use format::{Format, Kind};

/// The format of that kind.
#[must_use]
pub fn format(kind: Kind) -> &'static dyn Format {
    match kind {
        Kind::OpenaiChat => &openai_chat::OpenaiChat,
        Kind::OpenaiResponses => &openai_responses::OpenaiResponses,
        Kind::AnthropicMessages => &anthropic_messages::AnthropicMessages,
        Kind::GeminiGenerate => &gemini_generate::GeminiGenerate,
        Kind::BedrockConverse => &bedrock_converse::BedrockConverse,
        Kind::CohereChat => &cohere_chat::CohereChat,
    }
}
