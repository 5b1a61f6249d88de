//! An upstream's whole reply.

use super::messages_in::assistant;
use super::words::{finish_in, logprob_in, usage_in};
use crate::answer;
use crate::chat::{Choice, Finish, Reply};
use crate::format::{Fault, Sent};
use crate::value::Value;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let message = body.get("message").filter(|message| message.is_object());
    let message = message.ok_or_else(|| Fault::of("message", "The reply has no `message`."))?;
    let mut blocks = assistant(message, "message.content")?;
    let reason = body.get("finish_reason").and_then(Value::as_str).unwrap_or_default();
    let calls = answer::unwrap(&mut blocks, sent);
    let finish = ending(finish_in(reason), calls, sent);
    let logprobs = body.get("logprobs").map(Value::items).unwrap_or_default();
    let choice = Choice {
        blocks,
        finish,
        stop_sequence: None,
        logprobs: logprobs.iter().filter_map(logprob_in).collect(),
    };
    Ok(Reply {
        id: body.get("id").and_then(Value::text).unwrap_or_default(),
        choices: vec![choice],
        usage: body.get("usage").and_then(usage_in),
        ..Reply::default()
    })
}

fn ending(finish: Finish, calls: bool, sent: &Sent) -> Finish {
    match finish {
        Finish::ToolCalls if !calls && sent.output_tool.is_some() => Finish::Stop,
        other => other,
    }
}
