//! Proofs of thoughts in `thoughtSignature`, whose type is bytes: base64 in JSON.
//!
//! Gemini's own stand there as they are. Those of others are sealed, and the sealed text is what the
//! base64 holds, so that SDKs which decode and encode it again do no harm.

use crate::base64;
use crate::chat::{Signature, Text};
use crate::format::Kind;
use crate::signature;
use std::borrow::Cow;

/// How the base64 of every sealed signature begins: `llmgw1`.
const SEALED: &str = "bGxtZ3cx";
/// Before a sealed signature of a thought of which nothing may be shown (Anthropic's redacted ones).
const REDACTED: &str = "redacted.";
/// How the base64 of that begins.
const REDACTED_SEALED: &str = "cmVkYWN0ZWQu";

/// A signature, and whether it is of a redacted thought.
pub(super) fn read(text: Text<'_>) -> (Signature<'_>, bool) {
    let ours = text.starts_with(SEALED) || text.starts_with(REDACTED_SEALED);
    if let Some(found) = ours.then(|| unseal(&text)).flatten() {
        return found;
    }
    (Signature { origin: Kind::GeminiGenerate, id: None, value: text }, false)
}

fn unseal(text: &str) -> Option<(Signature<'static>, bool)> {
    let text = String::from_utf8(base64::decode(text)?).ok()?;
    let (sealed, redacted) = match text.strip_prefix(REDACTED) {
        Some(sealed) => (sealed, true),
        None => (&text[..], false),
    };
    let found = signature::open(sealed)?;
    let id = found.id.map(|id| Cow::Owned(id.into_owned()));
    let value = Cow::Owned(found.value.into_owned());
    Some((Signature { origin: found.origin, id, value }, redacted))
}

/// What stands in `thoughtSignature` for it.
pub(super) fn write<'a>(signature: &'a Signature<'_>, redacted: bool) -> Cow<'a, str> {
    if signature.origin == Kind::GeminiGenerate {
        return Cow::Borrowed(&signature.value);
    }
    let sealed = signature::seal(signature);
    let text = if redacted { [REDACTED, &sealed].concat() } else { sealed };
    Cow::Owned(base64::encode(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_proof_comes_back_as_it_was() {
        let foreign = Signature {
            origin: Kind::OpenaiResponses,
            id: Some("rs_1".into()),
            value: "gAAAA+/=".into(),
        };
        for redacted in [false, true] {
            let written = write(&foreign, redacted);
            assert!(base64::decode(&written).is_some());
            let urlsafe = written.replace('+', "-").replace('/', "_");
            assert_eq!(read(urlsafe.into()), (foreign.clone(), redacted));
            assert_eq!(read(written), (foreign.clone(), redacted));
        }
    }

    #[test]
    fn an_own_proof_is_left_alone() {
        for text in ["EqQBCkYI", "bGxtZ3cxXXXX", "skip_thought_signature_validator"] {
            let (own, redacted) = read(text.into());
            assert_eq!((own.origin, redacted), (Kind::GeminiGenerate, false));
            assert_eq!(write(&own, false), text);
        }
    }
}
