//! Carries one format's proof of a thought through the clients of another.
//!
//! A provider wants its signed thoughts back byte for byte, and from nobody but the conversation they
//! belong to. A client of another dialect keeps them where its own thoughts' proofs go, sealed with the
//! name of their origin, so that they are never shown to a provider who did not write them.

use crate::Kind;
use crate::chat::{Block, Signature, TextBlock, Thinking};
use std::borrow::Cow;

/// What a sealed signature begins with: nothing that a provider writes itself.
const MARK: &str = "llmgw1.";
/// Stands between the parts; base64 and the providers' ids do not have it.
const BORDER: char = '.';

/// The same in base64, as dialects whose proofs are bytes have it.
const MARK_BASE64: &[u8] = b"\"bGxtZ3cx";

/// Stands where a sealed signature's id would: it belongs to the text before it. In a stream the text has
/// gone out when its proof comes.
const OF_TEXT_BEFORE: &str = "text";

/// Whether a body holds anything that was sealed.
#[must_use]
pub fn is_among(body: &[u8]) -> bool {
    let quoted = [b"\"", MARK.as_bytes()].concat();
    memchr::memmem::find(body, &quoted).is_some()
        || memchr::memmem::find(body, MARK_BASE64).is_some()
}

/// The signature as a text for a foreign dialect.
#[must_use]
pub fn seal(signature: &Signature<'_>) -> String {
    let id = signature.id.as_deref().unwrap_or_default();
    [MARK, signature.origin.name(), ".", id, ".", &signature.value].concat()
}

/// A sealed signature, or nothing if the text is the dialect's own.
#[must_use]
pub fn open(text: &str) -> Option<Signature<'_>> {
    let (origin, rest) = text.strip_prefix(MARK)?.split_once(BORDER)?;
    let (id, value) = rest.split_once(BORDER)?;
    let origin = Kind::ALL.into_iter().find(|kind| kind.name() == origin)?;
    let id = (!id.is_empty()).then_some(Cow::Borrowed(id));
    Some(Signature { origin, id, value: Cow::Borrowed(value) })
}

/// The proof so far with its next piece, apart from the stream that it came in.
#[must_use]
pub fn joined(before: Option<Signature<'static>>, piece: &Signature<'_>) -> Signature<'static> {
    match before {
        Some(mut before) => {
            before.value.to_mut().push_str(&piece.value);
            before
        }
        None => piece.clone().into_owned(),
    }
}

/// The proof of a text (Gemini's), for a dialect that has no place for it but an empty thought, and where that
/// thought comes after the text.
#[must_use]
pub fn of_text_before<'a>(signature: &'a Signature<'_>) -> Signature<'a> {
    Signature {
        origin: signature.origin,
        id: Some(Cow::Borrowed(OF_TEXT_BEFORE)),
        value: Cow::Borrowed(&signature.value),
    }
}

/// Gives the last of these blocks the proof that an empty thought after it holds; hands the thought back if
/// that is none, or nobody's.
#[must_use]
pub fn give_to_text_before<'a>(
    blocks: &mut [Block<'a>],
    mut thought: Thinking<'a>,
) -> Option<Thinking<'a>> {
    let Some(signature) = &mut thought.signature else { return Some(thought) };
    let has_none = signature.origin != Kind::GeminiGenerate;
    if has_none || signature.id.take_if(|id| id == OF_TEXT_BEFORE).is_none() {
        return Some(thought);
    }
    match blocks.last_mut() {
        Some(Block::Text(TextBlock { signature: place @ None, .. })) => *place = thought.signature,
        _ => return Some(thought),
    }
    None
}

/// What a dialect reads in its own place for such proofs: one that was sealed, or its own.
#[must_use]
pub fn read<'a>(own: Kind, text: Cow<'a, str>) -> Signature<'a> {
    if text.starts_with(MARK)
        && let Some(found) = open(&text)
    {
        let id = found.id.map(|id| Cow::Owned(id.into_owned()));
        let value = Cow::Owned(found.value.into_owned());
        return Signature { origin: found.origin, id, value };
    }
    Signature { origin: own, id: None, value: text }
}

/// What a dialect writes in its own place for such proofs.
#[must_use]
pub fn write<'a>(own: Kind, signature: &'a Signature<'_>) -> Cow<'a, str> {
    if signature.origin == own {
        return Cow::Borrowed(&signature.value);
    }
    Cow::Owned(seal(signature))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sealed_signature_comes_back_byte_for_byte() {
        for (id, value) in [(None, "EqQB/+=="), (Some("rs_1"), "a.b.c"), (None, "")] {
            let signature = Signature {
                origin: Kind::OpenaiResponses,
                id: id.map(Cow::Borrowed),
                value: Cow::Borrowed(value),
            };
            let sealed = write(Kind::AnthropicMessages, &signature);
            assert_eq!(read(Kind::AnthropicMessages, sealed), signature);
        }
    }

    #[test]
    fn a_dialects_own_signature_is_left_alone() {
        let own = read(Kind::AnthropicMessages, Cow::Borrowed("EqQB"));
        assert_eq!(own.origin, Kind::AnthropicMessages);
        assert_eq!(write(Kind::AnthropicMessages, &own), "EqQB");
        assert_eq!(open("llmgw1.nobody.x.y"), None);
    }
}
