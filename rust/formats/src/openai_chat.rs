//! OpenAI's chat completions, as OpenAI and the many hosts that follow it speak them.
//!
//! Reference: OpenAI's API reference, "Chat". Beside it, what others have added and clients rely on:
//! `reasoning_content` (DeepSeek and most open-weight hosts), `reasoning` (OpenRouter, vLLM),
//! `thinking_blocks` with signatures (LiteLLM), `extra_content.google.thought_signature` on tool calls
//! (Gemini's OpenAI surface), `cache_control` on parts (LiteLLM, OpenRouter).

mod functions;
mod made;
mod messages_in;
mod messages_out;
pub(crate) mod parts;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod strangers;
mod stream_in;
mod stream_out;
mod tools_in;
pub(crate) mod words;

use crate::chat::{Block, Failure, Reply, Request};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};
use crate::openai_errors;

/// The format.
pub struct OpenaiChat;

impl Format for OpenaiChat {
    fn kind(&self) -> Kind {
        Kind::OpenaiChat
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
        openai_errors::decode(status, body)
    }

    fn encode_error(&self, failure: &Failure<'_>, _: &Context<'_>) -> Vec<u8> {
        openai_errors::encode(failure)
    }

    /// Documents and recordings have no URLs here; pictures do, if the host fetches them.
    fn needs_bytes(&self, block: &Block<'_>, target: &Target<'_>) -> bool {
        match block {
            Block::Document { .. } | Block::Audio { .. } => true,
            Block::Image { .. } => !self.fetches(target),
            _ => false,
        }
    }

    fn spelling(&self, field: &'static str) -> &'static str {
        match field {
            "max_output_tokens" => "max_completion_tokens",
            "end_user" => "user",
            "reasoning" => "reasoning_effort",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
