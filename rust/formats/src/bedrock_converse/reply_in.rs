//! An upstream's whole reply.

use super::blocks_in;
use super::words::{finish_in, usage_of};
use crate::answer;
use crate::chat::{Choice, Finish, Reply};
use crate::format::{Fault, Sent};
use crate::value::Value;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let message = body.get("output").and_then(|output| output.get("message"));
    let message = message.ok_or_else(|| Fault::of("output", "The reply has no message."))?;
    let mut blocks = blocks_in::content(message.get("content"), "output.message.content")?;
    let reason = body.get("stopReason").and_then(Value::as_str).unwrap_or_default();
    let calls = answer::unwrap(&mut blocks, sent);
    let finish = ending(finish_in(reason), calls, sent);
    let choice =
        Choice { blocks, finish, stop_sequence: stop_sequence(&body), logprobs: Vec::new() };
    let tier = body.get("serviceTier").and_then(|tier| tier.get("type"));
    Ok(Reply {
        choices: vec![choice],
        usage: usage_of(&body),
        service_tier: tier.and_then(Value::text),
        ..Reply::default()
    })
}

/// The text that ended the reply: Claude tells it if asked.
pub(super) fn stop_sequence<'a>(body: &Value<'a>) -> Option<std::borrow::Cow<'a, str>> {
    body.get("additionalModelResponseFields")?.get("stop_sequence")?.text()
}

fn ending(finish: Finish, calls: bool, sent: &Sent) -> Finish {
    match finish {
        Finish::ToolCalls if !calls && sent.output_tool.is_some() => Finish::Stop,
        other => other,
    }
}
