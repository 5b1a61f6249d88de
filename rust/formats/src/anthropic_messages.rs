//! Anthropic's Messages, for clients such as Claude Code and for Claude wherever it is hosted.
//!
//! Reference: Anthropic's API reference, "Messages", the types of its SDKs, and its migration guides for
//! what each model takes (`models`).
//!
//! How much to think is told by an effort to models that decide for themselves (`thinking: adaptive`, since
//! Claude 4.6) and by a budget in tokens to those before. Efforts become budgets, and budgets the effort that
//! they come closest to, by this table; a budget that the client did not give is half of the reply at most:
//!
//! | minimal | low | medium | high | xhigh |
//! |--:|--:|--:|--:|--:|
//! | 1024 | 4096 | 10,000 | 24,000 | 32,000 |
//!
//! `max_tokens` has to be given: without one from the client it is what the model can write, or 4096.
//!
//! What the system says within the conversation stays there for models that hear it there (`turns`). A
//! prefill is the assistant's last turn as it is: models that take none say so themselves. No beta header is
//! needed for anything that is written. Of several choices, a client gets the first. Blocks and tools that
//! only Anthropic knows are carried in whole replies and requests; streams do not have them.

mod blocks_in;
mod blocks_out;
mod errors;
mod hosted;
mod messages_out;
mod models;
mod own;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod sampling;
mod schema;
mod strangers;
mod stream_in;
mod stream_out;
mod thinking;
mod tools_out;
mod turns;
mod words;

use crate::chat::{Failure, Reply, Request};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};
use crate::writer::Writer;

/// The format.
pub struct AnthropicMessages;

impl Format for AnthropicMessages {
    fn kind(&self) -> Kind {
        Kind::AnthropicMessages
    }

    fn decode_request<'a>(&self, body: &'a str, path: PathFacts<'a>) -> Result<Request<'a>, Fault> {
        request_in::decode(body, path)
    }

    fn encode_request(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        dropped: &mut Dropped,
    ) -> Result<Sent, Fault> {
        request_out::encode(request, target, dropped)
    }

    fn decode_reply<'a>(&self, body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
        reply_in::decode(body, sent)
    }

    fn encode_reply(
        &self,
        reply: &Reply<'_>,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Vec<u8> {
        reply_out::encode(reply, request, context)
    }

    fn stream_decoder(&self, sent: &Sent) -> Box<dyn StreamDecoder> {
        Box::new(stream_in::Decoder::new(sent))
    }

    fn stream_encoder(
        &self,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Box<dyn StreamEncoder> {
        Box::new(stream_out::Encoder::new(request, context))
    }

    fn decode_error<'a>(&self, status: u16, body: &'a str) -> Failure<'a> {
        errors::decode(status, body)
    }

    fn encode_error(&self, failure: &Failure<'_>, context: &Context<'_>) -> Vec<u8> {
        errors::encode(failure, context)
    }

    fn spelling(&self, field: &'static str) -> &'static str {
        match field {
            "max_output_tokens" => "max_tokens",
            "end_user" => "metadata.user_id",
            "stop" => "stop_sequences",
            "reasoning" => "thinking",
            "response_format" => "output_config.format",
            "parallel_tool_calls" => "tool_choice.disable_parallel_tool_use",
            other => other,
        }
    }
}

/// The answer to `count_tokens`.
#[must_use]
pub fn count_reply(input_tokens: u64) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.count("input_tokens", input_tokens);
    });
    w.finish()
}

#[cfg(test)]
mod tests;
