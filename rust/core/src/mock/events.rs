//! The mock upstream's streams: the typed events of each endpoint, each framed as one HTTP chunk.

use std::io::Write;

use super::replies::{Answer, CREATED, quoted};
use super::script::Script;

const EVENTS_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
const SOUND_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ntransfer-encoding: chunked\r\n\r\n";

/// A stream ready to be sent: events framed as HTTP chunks, and where each of them ends.
#[derive(Debug)]
pub(super) struct Stream {
    /// The reply's head.
    pub head: &'static [u8],
    pub bytes: Vec<u8>,
    pub ends: Vec<usize>,
    /// The events that carry text, as a range of indexes; these are the ones a script paces.
    pub text: std::ops::Range<usize>,
}

impl Default for Stream {
    fn default() -> Self {
        Stream { head: EVENTS_HEAD, bytes: Vec::new(), ends: Vec::new(), text: 0..0 }
    }
}

impl Stream {
    /// An empty stream that is a sound file.
    pub fn of_sound() -> Self {
        Stream { head: SOUND_HEAD, ..Stream::default() }
    }

    /// Adds an event without a name.
    pub fn data(&mut self, data: &str) {
        self.event(&[b"data: ", data.as_bytes(), b"\n\n"]);
    }

    /// Adds an event with a name, as the Responses endpoint sends them.
    pub fn named(&mut self, name: &str, data: &str) {
        let parts = [b"event: ", name.as_bytes(), b"\ndata: ", data.as_bytes(), b"\n\n"];
        self.event(&parts);
    }

    pub fn event(&mut self, parts: &[&[u8]]) {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        // Writing to a Vec cannot fail.
        let _ = write!(self.bytes, "{size:x}\r\n");
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.bytes.extend_from_slice(b"\r\n");
        self.ends.push(self.bytes.len());
    }

    /// Where the first `events` events end.
    pub fn end_of(&self, events: usize) -> usize {
        events.checked_sub(1).map_or(0, |last| self.ends[last])
    }

    fn mark_text(&mut self, say: impl FnOnce(&mut Self)) {
        let start = self.ends.len();
        say(self);
        self.text = start..self.ends.len();
    }
}

/// A chat completion's stream: the role, the text, the finish reason and, if asked for, the usage.
pub(super) fn chat(answer: &Answer, script: &Script, include_usage: bool) -> Stream {
    let (number, model) = (answer.number, quoted(answer.model));
    let head = format!(
        r#"{{"id":"chatcmpl-mock-{number}","object":"chat.completion.chunk","created":{CREATED},"model":{model},"service_tier":"default","system_fingerprint":"fp_mock","#
    );
    let tail = if include_usage { r#","usage":null}"# } else { "}" };
    let chunk = |delta: &str, finish: &str| {
        format!(
            r#"{head}"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{tail}"#
        )
    };
    let mut stream = Stream::default();
    stream.data(&chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null"));
    stream.mark_text(|stream| {
        for piece in answer.pieces(script) {
            stream.data(&chunk(&format!(r#"{{"content":{}}}"#, quoted(piece)), "null"));
        }
    });
    stream.data(&chunk("{}", r#""stop""#));
    if include_usage {
        stream.data(&format!(r#"{head}"choices":[],"usage":{}}}"#, answer.usage()));
    }
    stream.data("[DONE]");
    stream
}

/// A (legacy) completion's stream.
pub(super) fn completion(answer: &Answer, script: &Script, include_usage: bool) -> Stream {
    let (number, model) = (answer.number, quoted(answer.model));
    let head = format!(
        r#"{{"id":"cmpl-mock-{number}","object":"text_completion","created":{CREATED},"model":{model},"#
    );
    let tail = if include_usage { r#","usage":null}"# } else { "}" };
    let chunk = |text: &str, finish: &str| {
        let text = quoted(text);
        format!(
            r#"{head}"choices":[{{"index":0,"text":{text},"logprobs":null,"finish_reason":{finish}}}]{tail}"#
        )
    };
    let mut stream = Stream::default();
    stream.mark_text(|stream| {
        answer.pieces(script).iter().for_each(|piece| stream.data(&chunk(piece, "null")));
    });
    stream.data(&chunk("", r#""stop""#));
    if include_usage {
        stream.data(&format!(r#"{head}"choices":[],"usage":{}}}"#, answer.usage()));
    }
    stream.data("[DONE]");
    stream
}

/// A response's stream: named events, numbered in sequence, without `[DONE]`.
pub(super) fn response(answer: &Answer, script: &Script) -> Stream {
    let mut numbered = Numbered::default();
    let begun = answer.response(false);
    let item =
        format!(r#""item_id":"msg_mock_{}","output_index":0,"content_index":0"#, answer.number);
    let empty_item = format!(
        r#"{{"id":"msg_mock_{}","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
        answer.number
    );
    numbered.add("response.created", &format!(r#""response":{begun}"#));
    numbered.add("response.in_progress", &format!(r#""response":{begun}"#));
    numbered.add("response.output_item.added", &format!(r#""output_index":0,"item":{empty_item}"#));
    let empty_part = r#"{"type":"output_text","text":"","annotations":[],"logprobs":[]}"#;
    numbered.add("response.content_part.added", &format!(r#"{item},"part":{empty_part}"#));
    let start = numbered.stream.ends.len();
    for piece in answer.pieces(script) {
        let delta = quoted(piece);
        numbered
            .add("response.output_text.delta", &format!(r#"{item},"delta":{delta},"logprobs":[]"#));
    }
    numbered.stream.text = start..numbered.stream.ends.len();
    let (text, part) = (quoted(&answer.text), answer.text_part());
    numbered.add("response.output_text.done", &format!(r#"{item},"text":{text},"logprobs":[]"#));
    numbered.add("response.content_part.done", &format!(r#"{item},"part":{part}"#));
    let message = answer.message_item();
    numbered.add("response.output_item.done", &format!(r#""output_index":0,"item":{message}"#));
    numbered.add("response.completed", &format!(r#""response":{}"#, answer.response(true)));
    numbered.stream
}

#[derive(Default)]
struct Numbered {
    stream: Stream,
}

impl Numbered {
    fn add(&mut self, name: &str, fields: &str) {
        let number = self.stream.ends.len();
        let data = format!(r#"{{"type":"{name}","sequence_number":{number},{fields}}}"#);
        self.stream.named(name, &data);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::mock::ask::Ask;

    const BODY: &str = r#"{"model":"echo","prompt":"one two three"}"#;

    /// The events' data, with the HTTP framing taken off by its own lengths.
    fn data(stream: &Stream) -> Vec<String> {
        let mut start = 0;
        let frames = stream.ends.iter().map(|end| {
            let frame = std::str::from_utf8(&stream.bytes[start..*end]).unwrap();
            start = *end;
            let (size, rest) = frame.split_once("\r\n").unwrap();
            let event = rest.strip_suffix("\r\n").unwrap();
            assert_eq!(usize::from_str_radix(size, 16).unwrap(), event.len());
            event.split_once("data: ").unwrap().1.trim_end().to_owned()
        });
        frames.collect()
    }

    fn with_answer(script: &str, tell: impl Fn(&Answer, &Script) -> Stream) -> Vec<String> {
        let ask: Ask = serde_json::from_str(BODY).unwrap();
        let mut parsed = Script::default();
        parsed.apply(script).unwrap();
        data(&tell(&Answer::compose(&ask, &parsed, 1), &parsed))
    }

    #[test]
    fn a_chat_stream_goes_role_text_finish_usage_done() {
        let events = with_answer("", |answer, script| chat(answer, script, true));
        assert_eq!(events.len(), 1 + 3 + 1 + 1 + 1);
        assert!(
            events[0].contains(r#""role":"assistant""#) && events[0].contains(r#""usage":null"#)
        );
        assert!(events[2].contains(r#"{"content":"two "}"#));
        assert!(events[4].contains(r#""finish_reason":"stop""#));
        assert!(events[5].contains(r#""choices":[],"usage":{"prompt_tokens":4"#));
        assert_eq!(events[6], "[DONE]");
    }

    #[test]
    fn usage_is_absent_unless_asked_for() {
        let events =
            with_answer("chunks=2&chunk_bytes=5", |answer, script| chat(answer, script, false));
        assert_eq!(events.len(), 1 + 2 + 1 + 1);
        assert!(events.iter().all(|event| !event.contains("usage")));
    }

    #[test]
    fn a_response_stream_is_numbered_and_ends_completed() {
        let events = with_answer("", response);
        for (number, event) in events.iter().enumerate() {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            assert_eq!(event["sequence_number"], number);
        }
        assert!(events.last().unwrap().contains(r#""type":"response.completed""#));
        assert!(events.last().unwrap().contains(r#""text":"one two three""#));
    }
}
