//! The streams of images and audio: events of known kinds, the last of which carries the usage.
//!
//! Hosts that are compatible with OpenAI otherwise have events of their own here. So a stream that
//! shows no kind of OpenAI's is complete where its body ends; one that does, only with its last event.

use super::{Relay, field_line, is_done};
use crate::{json, usage};
use memchr::memmem;

/// What the kinds of OpenAI's events begin with.
const KINDS: [&[u8]; 4] =
    [b"image_generation.", b"image_edit.", b"speech.audio.", b"transcript.text."];
/// The kinds that end a stream, as far as they are its only one of that sort.
const LAST: [&[u8]; 4] = [
    b"image_generation.completed",
    b"image_edit.completed",
    b"speech.audio.done",
    b"transcript.text.done",
];

impl Relay {
    pub(super) fn look_at_media(&mut self, event: &[u8]) {
        if is_done(event) {
            (self.finished, self.done) = (true, true);
            return;
        }
        let Some(data) = memchr::memchr(b'{', event).map(|brace| &event[brace..]) else { return };
        let kind = field_line(event, b"event:").or_else(|| kind_in(data)).unwrap_or_default();
        if kind == b"error" || json::find_member(data, "error").is_some() {
            (self.finished, self.failed) = (true, true);
        } else if LAST.contains(&kind) {
            // Nothing says that there is but one image: the body's end is waited for.
            self.finished = true;
            self.usage = usage::of_reply(None, data).or(self.usage);
        } else if KINDS.iter().any(|start| kind.starts_with(start)) {
            self.finished = false;
        }
    }
}

/// The kind that an event's data give.
fn kind_in(data: &[u8]) -> Option<&[u8]> {
    let value = &data[json::find_member(data, "type")?.value];
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// Whether these are the last bytes of an event that ends a stream.
pub(super) fn is_last(end: &[u8]) -> bool {
    LAST.iter().any(|kind| memmem::find(end, kind).is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::sse::{Grammar, Relay};
    use bytes::Bytes;

    /// Runs a stream through in pieces of `size` and checks that nothing changed on the way.
    fn relay(stream: &str, size: usize) -> Relay {
        let mut relay = Relay::new(Grammar::Media, false);
        let mut out = Vec::new();
        for piece in stream.as_bytes().chunks(size) {
            out.extend_from_slice(&relay.push(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&relay.finish());
        assert!(out == stream.as_bytes(), "the stream changed on its way");
        relay
    }

    fn image(kind: &str, size: usize) -> String {
        let data = "A".repeat(size);
        let usage = r#","usage":{"input_tokens":7,"output_tokens":20,"total_tokens":27}"#;
        let usage = if kind.ends_with("completed") { usage } else { "" };
        format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"b64_json\":\"{data}\"{usage}}}\n\n")
    }

    #[test]
    fn an_image_stream_is_complete_with_its_completed_event() {
        for size in [10, 200_000] {
            let partial = image("image_generation.partial_image", size);
            let whole = partial.clone() + &image("image_generation.completed", size);
            for chunk in [7, 4096, 1_000_000] {
                assert!(!relay(&partial, chunk).is_finished(), "{size} {chunk}");
                let relay = relay(&whole, chunk);
                assert!(relay.is_finished() && !relay.has_failed(), "{size} {chunk}");
                assert_eq!(relay.usage().map(|usage| (usage.input, usage.output)), Some((7, 20)));
            }
        }
    }

    #[test]
    fn a_huge_event_is_known_by_its_end_too() {
        let data = "A".repeat(200_000);
        let last =
            format!("data: {{\"b64_json\":\"{data}\",\"type\":\"image_edit.completed\"}}\n\n");
        let stream = image("image_edit.partial_image", 10) + &last;
        assert!(relay(&stream, 9000).is_finished());
    }

    #[test]
    fn audio_streams_without_event_lines_are_known_by_their_type() {
        let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\n\n";
        let done = "data: {\"type\":\"transcript.text.done\",\"text\":\"Hi\",\
                    \"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"output_tokens\":2}}\n\n";
        assert!(!relay(delta, 5).is_finished());
        let relay = relay(&format!("{delta}{done}"), 5);
        assert!(relay.is_finished());
        assert_eq!(relay.usage().unwrap().input, 14);
    }

    #[test]
    fn a_stream_of_another_kind_is_complete_where_it_ends() {
        let relay = relay("data: {\"audio\":\"AAAA\"}\n\n", 9);
        assert!(relay.is_finished() && !relay.is_done());
    }

    #[test]
    fn an_error_ends_a_stream_as_failed() {
        for event in ["event: error\ndata: {\"message\":\"no\"}\n\n", "data: {\"error\":{}}\n\n"] {
            let stream = image("image_generation.partial_image", 10) + event;
            let relay = relay(&stream, 11);
            assert!(relay.is_finished() && relay.has_failed());
        }
    }
}
