//! Cohere's chat, version 2.
//!
//! Reference: Cohere's API reference, "Chat" (v2), and the types of its SDK. What the model plans before
//! it calls tools (`tool_plan`) is text here. Thoughts are not signed: they go back as they are, and
//! proofs of others have no place. Documents of the user's are `documents` beside the messages, and pictures
//! in a tool's result follow in a message of the user's.
//!
//! How much to think is a budget; without one the model thinks as much as it likes:
//!
//! | minimal | low | medium | high, xhigh |
//! |--:|--:|--:|--:|
//! | 1024 | 4096 | 10,000 | – |

mod citations;
mod errors;
mod messages_in;
mod messages_out;
mod reply_in;
mod reply_out;
mod request_in;
mod request_out;
mod stream_in;
mod stream_out;
mod words;

use crate::chat::{Failure, Reply, Request};
use crate::format::{
    Context, Dropped, Fault, Format, Kind, PathFacts, Sent, StreamDecoder, StreamEncoder, Target,
};

/// The format.
pub struct CohereChat;

impl Format for CohereChat {
    fn kind(&self) -> Kind {
        Kind::CohereChat
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

    fn encode_reply(&self, reply: &Reply<'_>, _: &Request<'_>, context: &Context<'_>) -> Vec<u8> {
        reply_out::encode(reply, context)
    }

    fn stream_decoder(&self, sent: &Sent) -> Box<dyn StreamDecoder> {
        Box::new(stream_in::Decoder::new(sent))
    }

    fn stream_encoder(&self, _: &Request<'_>, context: &Context<'_>) -> Box<dyn StreamEncoder> {
        Box::new(stream_out::Encoder::new(context))
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
            "top_p" => "p",
            "top_k" => "k",
            "stop" => "stop_sequences",
            "reasoning" => "thinking",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
