//! Thoughts with their proofs, and where a text is taken from.

use super::{Raw, Text};

/// A thought of the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Thinking<'a> {
    /// The thought, or its summary; empty if it is hidden.
    pub text: Text<'a>,
    /// What the provider wants to see again with it.
    pub signature: Option<Signature<'a>>,
    /// All of it is in the signature: nothing of the thought is to be shown.
    pub redacted: bool,
}

/// Opaque bytes that prove a thought to the provider who thought it. Only that provider can use them;
/// everybody else has to hand them back unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The format that it came in.
    pub origin: crate::Kind,
    /// The provider's id of the thought, where it has one (Responses: `rs_…`).
    pub id: Option<Text<'a>>,
    /// The bytes, as the provider wrote them.
    pub value: Text<'a>,
}

/// Where a text is taken from. Offsets are in characters of the text block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Citation<'a> {
    /// First character of the citing text.
    pub start: Option<u64>,
    /// The character after its last.
    pub end: Option<u64>,
    /// A page of the web.
    pub url: Option<Text<'a>>,
    /// Its title, or the document's.
    pub title: Option<Text<'a>>,
    /// The words cited.
    pub quoted: Option<Text<'a>>,
    /// Index of the cited document among those of the request.
    pub document: Option<u64>,
    /// The citation as its format wrote it.
    pub raw: Option<Raw<'a>>,
}
