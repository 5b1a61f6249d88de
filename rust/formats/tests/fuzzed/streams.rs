//! Streams: whatever an upstream says, its events keep their order, and each client gets a stream that
//! its own dialect can read.
//!
//! An input is a stream of server-sent events, Bedrock's too: its binary messages are `frames`' matter.

use super::{GROWTH, assert_json, is_depth};
use crate::common::stream::Sum;
use crate::common::{CLIENTS, CONTEXT, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::{Event, Request};
use llmgw_formats::format::{Fault, Frame, OUTPUT_TOOL, PathFacts, Sent, StreamEncoder};
use llmgw_formats::frames::Frames;
use llmgw_formats::gemini_generate::array_encoder;

pub fn check(upstream: Kind, data: &[u8]) {
    let request = request();
    for output_tool in [None, Some(OUTPUT_TOOL)] {
        let sent = Sent { output_tool, ..Sent::default() };
        let mut outs: Vec<Out> =
            CLIENTS.into_iter().map(|client| Out::new(client, &request)).collect();
        let mut array = (array_encoder(&request, &CONTEXT), Vec::new());
        let (sum, read) = listen(upstream, &sent, data, &mut |event| {
            outs.iter_mut().for_each(|out| out.encoder.event(event, &mut out.bytes));
            array.0.event(event, &mut array.1);
        });
        assert!(sum.wrong.is_empty(), "{}: {:#?}", upstream.name(), sum.wrong);
        let whole = read == Ok(true) && sum.failed.is_none();
        assert!(!whole || sum.ended == 1, "{} is complete without an end", upstream.name());
        for out in &outs {
            out.assert_readable(upstream, data.len(), whole);
        }
        if whole || sum.failed.is_some() {
            assert_json("array", &array.1, data.len() * 8);
        }
    }
}

/// What the client asked. Replies of the Responses API repeat much of it.
fn request() -> Request<'static> {
    const BODY: &str = r#"{
      "model": "test-model", "stream": true, "input": "Weather?", "top_logprobs": 2,
      "metadata": {
        "a": "b" },
      "tools": [
        {"type": "function", "name": "get_weather", "parameters": {
          "type": "object" }},
        {"type": "custom", "name": "free"},
        {"type": "web_search" }
      ]
    }"#;
    of(Kind::OpenaiResponses)
        .decode_request(BODY, PathFacts::default())
        .map(|request| Request { stream_usage: true, ..request })
        .unwrap_or_default()
}

/// A stream as a client gets it.
struct Out {
    client: Kind,
    encoder: Box<dyn StreamEncoder>,
    bytes: Vec<u8>,
}

impl Out {
    fn new(client: Kind, request: &Request<'_>) -> Self {
        let encoder = of(client).stream_encoder(request, &CONTEXT);
        Out { client, encoder, bytes: Vec::new() }
    }

    fn assert_readable(&self, upstream: Kind, made_from: usize, whole: bool) {
        let what = format!("{} for {}", upstream.name(), self.client.name());
        // Each event repeats what identifies the reply.
        assert!(self.bytes.len() <= (made_from * GROWTH.0 + GROWTH.1) * 8, "{what}");
        let mut take = |frame: Frame<'_>| {
            if frame.data != "[DONE]" {
                assert_json(&what, frame.data.as_bytes(), self.bytes.len());
            }
            Ok(())
        };
        let mut frames = Frames::default();
        assert_eq!(frames.push(&self.bytes, &mut take), Ok(()), "{what}");
        assert!(self.bytes.is_empty() || self.bytes.ends_with(b"\n\n"), "{what}: no blank line");
        let (sum, read) = listen(self.client, &Sent::default(), &self.bytes, &mut |_| {});
        let text = || String::from_utf8_lossy(&self.bytes);
        assert!(sum.wrong.is_empty(), "{what}: {:#?}\n{}", sum.wrong, text());
        let complete = read.as_ref().map_or_else(is_depth, |complete| *complete);
        assert!(!whole || complete, "{what} does not end:\n{}", text());
    }
}

/// Reads a stream; whether it ended the way its format says, or what could not be read.
fn listen(
    kind: Kind,
    sent: &Sent,
    data: &[u8],
    hear: &mut dyn FnMut(&Event<'_>),
) -> (Sum, Result<bool, Fault>) {
    let mut decoder = of(kind).stream_decoder(sent);
    let mut sum = Sum::default();
    let mut emit = |event: Event<'_>| {
        sum.add(&event);
        hear(&event);
    };
    let mut frames = Frames::default();
    let mut take = |frame: Frame<'_>| decoder.frame(frame, &mut emit);
    let read = frames.push(data, &mut take).and_then(|()| frames.close(&mut take));
    let complete = decoder.close(&mut emit);
    (sum, read.map(|()| complete))
}
