//! Content blocks on their way out, as requests and replies share them.

use crate::base64;
use crate::chat::{Cache, Signature, ToolCall};
use crate::format::Kind;
use crate::signature;
use crate::value::Value;
use crate::writer::Writer;
use std::borrow::Cow;

/// A block that is a text.
pub(super) fn text(w: &mut Writer, text: &str) {
    w.object(|w| {
        w.text("text", text);
    });
}

/// A block that marks the end of what is to be cached.
pub(super) fn cache_point(w: &mut Writer, cache: &Cache<'_>) {
    let ttl = cache.ttl.as_deref().filter(|ttl| is_ttl(ttl));
    w.object(|w| {
        w.key("cachePoint").object(|w| {
            w.text("type", "default").text_if("ttl", ttl);
        });
    });
}

/// The lifetimes that Bedrock knows.
pub(super) fn is_ttl(ttl: &str) -> bool {
    matches!(ttl, "5m" | "1h")
}

/// A thought, with its proof as it is to be written.
pub(super) fn thought(w: &mut Writer, text: &str, proof: Option<&str>) {
    w.object(|w| {
        w.key("reasoningContent").object(|w| {
            w.key("reasoningText").object(|w| {
                w.text("text", text).text_if("signature", proof);
            });
        });
    });
}

/// A thought that is not shown.
pub(super) fn hidden_thought(w: &mut Writer, data: &str) {
    w.object(|w| {
        w.key("reasoningContent").object(|w| {
            w.text("redactedContent", data);
        });
    });
}

/// A hidden thought's bytes for a client: its own as they are, others sealed.
pub(super) fn sealed_bytes<'a>(proof: &'a Signature<'_>) -> Cow<'a, str> {
    if proof.origin == Kind::BedrockConverse {
        return Cow::Borrowed(&proof.value);
    }
    Cow::Owned(base64::encode(signature::seal(proof).as_bytes()))
}

/// A call, with its arguments as an object.
pub(super) fn tool_use(w: &mut Writer, call: &ToolCall<'_>, input: &str) {
    w.object(|w| {
        w.key("toolUse").object(|w| {
            w.text("toolUseId", &tool_id(&call.id)).text("name", &call.name);
            w.member("input", input);
        });
    });
}

/// A call's arguments, if they are the JSON object that they have to be; none at all are an empty one.
pub(super) fn input(arguments: &str) -> Option<&str> {
    if arguments.trim().is_empty() {
        return Some("{}");
    }
    Value::parse(arguments).is_ok_and(|value| value.is_object()).then_some(arguments)
}

/// Longest id of a call.
const MOST_ID: usize = 64;

/// The id in Bedrock's alphabet (`[a-zA-Z0-9_.:-]{1,64}`): the same one for the same id, and another
/// one for another.
pub(super) fn tool_id(id: &str) -> Cow<'_, str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if (1..=MOST_ID).contains(&id.len()) && id.chars().all(fits) {
        return Cow::Borrowed(id);
    }
    let mark = format!("-{:016x}", fingerprint(id));
    let head = id.chars().map(|c| if fits(c) { c } else { '_' }).take(MOST_ID - mark.len());
    Cow::Owned(head.chain(mark.chars()).collect())
}

/// FNV-1a: to tell ids apart, not to withstand anybody.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Blocks that only Converse knows, and those of its own blocks that the canonical chat cannot hold.
const OWN: [&str; 12] = [
    "guardContent",
    "searchResult",
    "cachePoint",
    "toolAddition",
    "toolRemoval",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "image",
    "document",
    "video",
    "audio",
];

/// Whether an opaque block is Converse's own and can be written as it stands.
pub(super) fn is_own(kind: &str, value: &str) -> bool {
    OWN.contains(&kind)
        && Value::parse(value).is_ok_and(|value| value.get(kind).is_some_and(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_bedrocks_alphabet_pass_unchanged() {
        for id in ["call_1", "tooluse_a-b.c:d", &"x".repeat(64)] {
            assert_eq!(tool_id(id), id);
        }
    }

    #[test]
    fn other_ids_get_one_that_is_theirs_alone() {
        let ids = ["", "call 1", "call/1", "é", &"x".repeat(65), &"x".repeat(66)];
        let mapped: Vec<_> = ids.iter().map(|id| tool_id(id)).collect();
        for (at, id) in mapped.iter().enumerate() {
            assert_eq!(tool_id(id), *id, "it fits");
            assert_eq!(tool_id(ids[at]), *id, "it is the same again");
            assert!(!mapped[..at].contains(id), "it is another one");
        }
    }
}
