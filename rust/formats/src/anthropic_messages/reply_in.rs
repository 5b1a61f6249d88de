//! An upstream's whole reply.

use super::blocks_in::content;
use super::words::{finish_in, tier_in, usage_in};
use crate::answer;
use crate::chat::{Choice, Finish, Reply};
use crate::format::{Fault, Sent};
use crate::value::Value;

pub(super) fn decode<'a>(body: &'a str, sent: &Sent) -> Result<Reply<'a>, Fault> {
    let body = Value::parse(body)?;
    let mut blocks = Vec::new();
    content(body.get("content"), &|| "content".to_owned(), &mut blocks, &mut None)?;
    let finish = body.get("stop_reason").and_then(Value::as_str).map_or(Finish::Stop, finish_in);
    let calls = answer::unwrap(&mut blocks, sent);
    let finish = if finish == Finish::ToolCalls && !calls { Finish::Stop } else { finish };
    let usage = body.get("usage");
    Ok(Reply {
        id: body.get("id").and_then(Value::text).unwrap_or_default(),
        model: body.get("model").and_then(Value::text).unwrap_or_default(),
        created: None,
        choices: vec![Choice {
            blocks,
            finish,
            stop_sequence: body.get("stop_sequence").and_then(Value::text),
            logprobs: Vec::new(),
        }],
        usage: usage.map(|usage| usage_in(usage, None)),
        service_tier: usage.and_then(|usage| usage.get("service_tier")?.text()).map(tier_in),
    })
}
