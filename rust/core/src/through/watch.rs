//! Reads the usage off a reply that passes, if it is of a known format. The bytes are not touched.

use crate::headers::Headers;
use crate::sse::Relay;
use crate::stream::{Tail, grammar_of};
use crate::usage::{self, Usage};
use bytes::Bytes;
use llmgw_formats::chat::Event;
use llmgw_formats::format::{Fault, Frame, Sent, StreamDecoder};
use llmgw_formats::frames::Frames;
use llmgw_formats::{Kind, eventstream, format};

/// A whole reply up to this size is read as one; of a larger one, the end.
const WHOLE_MAX: usize = 256 * 1024;
/// Bedrock's headers with the tokens of a model's own API.
const BEDROCK_INPUT: &str = "x-amzn-bedrock-input-token-count";
const BEDROCK_OUTPUT: &str = "x-amzn-bedrock-output-token-count";

/// Watches one reply.
pub struct Watch {
    kind: Kind,
    told: Option<Usage>,
    how: How,
}

enum How {
    /// Events of a format whose streams are relayed elsewhere too.
    Events(Box<Relay>),
    /// Of one whose streams are translated only.
    Decoded(Box<Decoded>),
    Whole(Vec<u8>),
    End(Tail),
    Not,
}

struct Decoded {
    frames: Cutter,
    decoder: Box<dyn StreamDecoder>,
}

enum Cutter {
    Events(Frames),
    Messages(eventstream::Messages),
}

impl Watch {
    /// Of a reply with these headers, in the dialect of the request.
    #[must_use]
    pub fn new(kind: Kind, headers: &Headers) -> Self {
        let relayed = !matches!(kind, Kind::BedrockConverse | Kind::CohereChat);
        let decoded = |frames| {
            let decoder = format(kind).stream_decoder(&Sent::default());
            How::Decoded(Box::new(Decoded { frames, decoder }))
        };
        let how = if headers.is_of_type("text/event-stream") {
            match relayed {
                true => How::Events(Box::new(Relay::new(grammar_of(kind), false))),
                false => decoded(Cutter::Events(Frames::default())),
            }
        } else if headers.is_of_type("application/vnd.amazon.eventstream") && !relayed {
            decoded(Cutter::Messages(eventstream::Messages::default()))
        } else if headers.is_of_type("application/json") {
            How::Whole(Vec::new())
        } else {
            How::Not
        };
        Watch { kind, told: in_headers(headers), how }
    }

    /// One that looks at nothing.
    #[must_use]
    pub fn blind() -> Self {
        Watch { kind: Kind::OpenaiChat, told: None, how: How::Not }
    }

    /// Sees what passes.
    pub fn see(&mut self, data: &Bytes) {
        match &mut self.how {
            How::Events(relay) => drop(relay.push(data.clone())),
            How::Decoded(decoded) => match decoded.see(data) {
                Ok(Some(usage)) => self.told = Some(usage),
                Ok(None) => {}
                // It is the client's to find out.
                Err(_) => self.how = How::Not,
            },
            How::Whole(held) if held.len() + data.len() <= WHOLE_MAX => {
                held.extend_from_slice(data);
            }
            How::Whole(held) => {
                let mut tail = Tail::default();
                tail.add(held);
                tail.add(data);
                self.how = How::End(tail);
            }
            How::End(tail) => tail.add(data),
            How::Not => {}
        }
    }

    /// The usage, once nothing more comes.
    pub fn usage(&mut self) -> Option<Usage> {
        let read = match &mut self.how {
            How::Events(relay) => {
                drop(relay.finish());
                relay.usage()
            }
            How::Whole(body) => whole(self.kind, body),
            How::End(tail) => usage::at_end(Some(self.kind), tail.bytes()),
            How::Decoded(_) | How::Not => None,
        };
        read.or(self.told)
    }

    /// The dialect that is looked for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many events have passed.
    #[must_use]
    pub fn events(&self) -> u64 {
        if let How::Events(relay) = &self.how { relay.events() } else { 0 }
    }
}

impl Decoded {
    fn see(&mut self, data: &[u8]) -> Result<Option<Usage>, Fault> {
        let Decoded { frames, decoder } = self;
        let mut told = None;
        let mut take = |frame: Frame<'_>| {
            decoder.frame(frame, &mut |event| {
                if let Event::Usage(usage) = event {
                    told = Some(usage);
                }
            })
        };
        match frames {
            Cutter::Events(frames) => frames.push(data, &mut take)?,
            Cutter::Messages(messages) => messages.push(data, &mut take)?,
        }
        Ok(told.and_then(usage::believable))
    }
}

fn whole(kind: Kind, body: &[u8]) -> Option<Usage> {
    if matches!(kind, Kind::BedrockConverse | Kind::CohereChat) {
        let text = std::str::from_utf8(body).ok()?;
        let reply = format(kind).decode_reply(text, &Sent::default()).ok()?;
        return reply.usage.and_then(usage::believable);
    }
    usage::of_reply(Some(kind), body)
}

fn in_headers(headers: &Headers) -> Option<Usage> {
    let number = |name| headers.text(name).and_then(|text| text.parse().ok());
    let (input, output) = (number(BEDROCK_INPUT)?, number(BEDROCK_OUTPUT).unwrap_or(0));
    usage::believable(Usage { input, output, ..Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(kind: Kind, media_type: &str, pieces: &[&str]) -> Option<(u64, u64)> {
        let mut watch = Watch::new(kind, &Headers::of_type(media_type));
        for piece in pieces {
            watch.see(&Bytes::from((*piece).to_owned()));
        }
        watch.usage().map(|usage| (usage.input, usage.output))
    }

    #[test]
    fn every_format_tells_its_usage_in_whole_replies() {
        for (kind, body) in [
            (Kind::OpenaiChat, r#"{"usage":{"prompt_tokens":3,"completion_tokens":2}}"#),
            (Kind::OpenaiResponses, r#"{"usage":{"input_tokens":3,"output_tokens":2}}"#),
            (Kind::AnthropicMessages, r#"{"usage":{"input_tokens":3,"output_tokens":2}}"#),
            (
                Kind::GeminiGenerate,
                r#"{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}"#,
            ),
            (
                Kind::BedrockConverse,
                r#"{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},
                    "stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#,
            ),
        ] {
            let (start, end) = body.split_at(9);
            assert_eq!(usage(kind, "application/json", &[start, end]), Some((3, 2)), "{kind:?}");
        }
    }

    #[test]
    fn a_stream_tells_it_at_its_end() {
        let pieces = [
            "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":3}}}\n\nevent: mess",
            "age_delta\ndata: {\"usage\":{\"output_tokens\":2}}\n\n",
        ];
        assert_eq!(usage(Kind::AnthropicMessages, "text/event-stream", &pieces), Some((3, 2)));
    }

    #[test]
    fn a_large_reply_is_read_from_its_end() {
        let large = "x".repeat(WHOLE_MAX);
        let pieces = [r#"{"a":""#, &large, r#"","usage":{"prompt_tokens":3}}"#];
        assert_eq!(usage(Kind::OpenaiChat, "application/json", &pieces), Some((3, 0)));
    }

    #[test]
    fn what_is_no_known_format_tells_nothing() {
        assert_eq!(usage(Kind::OpenaiChat, "audio/mpeg", &["ID3"]), None);
        assert_eq!(
            usage(Kind::BedrockConverse, "application/vnd.amazon.eventstream", &["no"]),
            None
        );
    }
}
