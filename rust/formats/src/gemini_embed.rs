//! Embeddings: OpenAI's on one side, Gemini's and Vertex AI's on the other, in both directions.
//!
//! Reference: OpenAI's "Create embeddings"; `models.embedContent` and `models.batchEmbedContents` of the
//! Gemini API; Vertex AI's text embeddings (`:predict`) and its `:embedContent`, whose settings stand in
//! `embedContentConfig`. Both sides are read into an [`EmbedRequest`] and [`Embeddings`] and written from
//! them. Vectors pass as the JSON text that they came in.

mod gemini;
mod openai;

use crate::chat::{Raw, Text};

pub use gemini::{
    decode_reply as decode_gemini_reply, decode_request as decode_gemini_request,
    encode_reply as encode_gemini_reply, encode_request as encode_gemini_request,
};
pub use openai::{
    decode_reply as decode_openai_reply, decode_request as decode_openai_request,
    encode_reply as encode_openai_reply, encode_request as encode_openai_request,
};

/// Which of Google's methods is called; the path tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `:embedContent` of the Gemini API: one text.
    EmbedContent,
    /// `:batchEmbedContents` of the Gemini API.
    BatchEmbedContents,
    /// `:embedContent` of Vertex AI: one text.
    VertexEmbedContent,
    /// `:batchEmbedContents` of Vertex AI.
    VertexBatchEmbedContents,
    /// `:predict` of Vertex AI.
    Predict,
}

/// A request for embeddings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EmbedRequest<'a> {
    /// The client's word for the model.
    pub model: Text<'a>,
    /// The texts, each for a vector of its own.
    pub inputs: Vec<Text<'a>>,
    /// How long the vectors are to be.
    pub dimensions: Option<u64>,
    /// The client wants the vectors as base64 of little-endian 32-bit floats (OpenAI).
    pub base64: bool,
    /// What the vectors are for, by Google's names (`RETRIEVAL_QUERY`, …).
    pub task: Option<Text<'a>>,
    /// The title of the documents (Google).
    pub title: Option<Text<'a>>,
    /// Texts that are too long are to be cut, not refused (Vertex AI).
    pub truncate: Option<bool>,
    /// The end user (OpenAI).
    pub end_user: Option<Text<'a>>,
}

/// The vectors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings<'a> {
    /// The model that made them, if the provider tells.
    pub model: Option<Text<'a>>,
    /// In the order of the inputs, each a JSON array of numbers.
    pub vectors: Vec<Raw<'a>>,
    /// Input tokens charged, if the provider tells.
    pub input_tokens: Option<u64>,
}

#[cfg(test)]
mod tests;
