//! Streams: read in pieces of any size, put together again, and written for a client.

use super::{CONTEXT, of};
use llmgw_formats::Kind;
use llmgw_formats::chat::{
    Block, BlockStart, Choice, Delta, Event, Finish, Reply, Request, TextBlock, Thinking, ToolCall,
    Usage,
};
use llmgw_formats::eventstream::Messages;
use llmgw_formats::format::{Fault, Frame, Sent};
use llmgw_formats::frames::Frames;

/// How a stream went.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    /// What happened in it, as text: events borrow from frames that are gone.
    pub events: Vec<String>,
    /// It ended the way its format says.
    pub complete: bool,
    /// What could not be read.
    pub fault: Option<String>,
}

/// Reads a stream that comes in these chunks and hands every event on.
pub fn listen(kind: Kind, chunks: &[&[u8]], hear: &mut dyn FnMut(&Event<'_>)) -> Heard {
    let mut decoder = of(kind).stream_decoder(&Sent::default());
    let mut heard = Heard::default();
    let mut events = Vec::new();
    let mut take = |frame: Frame<'_>| -> Result<(), Fault> {
        decoder.frame(frame, &mut |event| {
            events.push(format!("{event:?}"));
            hear(&event);
        })
    };
    let mut frames = Frames::default();
    let mut messages = Messages::default();
    let mut result = Ok(());
    for chunk in chunks {
        result = result.and_then(|()| match kind {
            Kind::BedrockConverse => messages.push(chunk, &mut take),
            _ => frames.push(chunk, &mut take),
        });
    }
    if kind != Kind::BedrockConverse {
        result = result.and_then(|()| frames.close(&mut take));
    }
    heard.complete = decoder.close(&mut |event| {
        events.push(format!("{event:?}"));
        hear(&event);
    });
    heard.fault = result.err().map(|fault| fault.message);
    heard.events = events;
    heard
}

/// The stream as a client of another format gets it.
pub fn relay(kind: Kind, client: Kind, request: &Request<'_>, chunks: &[&[u8]]) -> Vec<u8> {
    let mut encoder = of(client).stream_encoder(request, &CONTEXT);
    let mut out = Vec::new();
    listen(kind, chunks, &mut |event| encoder.event(event, &mut out));
    out
}

/// The reply that the events of a stream add up to.
#[derive(Default)]
pub struct Sum {
    pub reply: Reply<'static>,
    pub started: u32,
    pub ended: u32,
    pub failed: Option<String>,
    open: Vec<(u64, u64)>,
    usage: Option<Usage>,
    finished: Vec<u64>,
    pub wrong: Vec<String>,
}

impl Sum {
    pub fn of(kind: Kind, chunks: &[&[u8]]) -> (Self, Heard) {
        let mut sum = Sum::default();
        let heard = listen(kind, chunks, &mut |event| sum.add(event));
        sum.reply.usage = sum.usage;
        (sum, heard)
    }

    fn expect(&mut self, holds: bool, what: &str, event: &Event<'_>) {
        if !holds {
            self.wrong.push(format!("{what}: {event:?}"));
        }
    }

    fn choice(&mut self, index: u64) -> &mut Choice<'static> {
        while self.reply.choices.len() as u64 <= index {
            self.reply.choices.push(Choice {
                blocks: Vec::new(),
                finish: Finish::Error,
                stop_sequence: None,
                logprobs: Vec::new(),
            });
        }
        &mut self.reply.choices[index as usize]
    }

    pub fn add(&mut self, event: &Event<'_>) {
        self.expect(self.ended == 0, "after the end", event);
        match event {
            Event::Start { id, model, created } => {
                self.expect(self.started == 0, "a second start", event);
                self.started += 1;
                self.reply.id = id.to_string().into();
                self.reply.model = model.to_string().into();
                self.reply.created = *created;
            }
            Event::Ping | Event::Error(_) => {}
            Event::Usage(usage) => self.usage = Some(*usage),
            _ => self.expect(self.started == 1, "before the start", event),
        }
        match event {
            Event::BlockStart { choice, block, start } => self.begin(*choice, *block, start, event),
            Event::Delta { choice, block, delta } => self.delta(*choice, *block, delta, event),
            Event::BlockStop { choice, block } => {
                let at = self.open.iter().position(|one| *one == (*choice, *block));
                self.expect(at.is_some(), "a stop of what is not open", event);
                self.open.retain(|one| *one != (*choice, *block));
            }
            Event::Finish { choice, finish, stop_sequence } => {
                let open = self.open.iter().any(|one| one.0 == *choice);
                self.expect(!open, "finished with an open block", event);
                self.expect(!self.finished.contains(choice), "finished twice", event);
                self.finished.push(*choice);
                let one = self.choice(*choice);
                one.finish = *finish;
                one.stop_sequence = stop_sequence.as_ref().map(|text| text.to_string().into());
            }
            Event::Error(failure) => self.failed = Some(format!("{:?}", failure.kind)),
            Event::End => self.ended += 1,
            _ => {}
        }
    }

    fn begin(&mut self, choice: u64, block: u64, start: &BlockStart<'_>, event: &Event<'_>) {
        self.expect(!self.finished.contains(&choice), "a block after the finish", event);
        let next = self.choice(choice).blocks.len() as u64;
        self.expect(block == next, "not the next block", event);
        self.expect(!self.open.iter().any(|one| one.0 == choice), "a block is open", event);
        self.open.push((choice, block));
        let block = match start {
            BlockStart::Text | BlockStart::Answer => Block::Text(TextBlock::default()),
            BlockStart::Phased(phase) => {
                let phase = Some(phase.to_string().into());
                Block::Text(TextBlock { phase, ..TextBlock::default() })
            }
            BlockStart::Whole(whole) => whole.clone().into_owned(),
            BlockStart::Thinking => Block::Thinking(Thinking::default()),
            BlockStart::Refusal => Block::Refusal(String::new().into()),
            BlockStart::Redacted(signature) => Block::Thinking(Thinking {
                signature: Some(owned(signature)),
                redacted: true,
                ..Thinking::default()
            }),
            BlockStart::ToolCall { id, name, signature } => Block::ToolCall(ToolCall {
                id: id.to_string().into(),
                name: name.to_string().into(),
                arguments: String::new().into(),
                signature: signature.as_ref().map(owned),
                cache: None,
            }),
        };
        self.choice(choice).blocks.push(block);
    }

    fn delta(&mut self, choice: u64, block: u64, delta: &Delta<'_>, event: &Event<'_>) {
        self.expect(self.open.contains(&(choice, block)), "a delta of what is not open", event);
        let Some(found) = self.choice(choice).blocks.get_mut(block as usize) else {
            return self.expect(false, "a delta of no block", event);
        };
        match (delta, found) {
            (Delta::Text(text), Block::Text(one)) => one.text.to_mut().push_str(text),
            (Delta::Text(text), Block::Thinking(one)) => one.text.to_mut().push_str(text),
            (Delta::Text(text), Block::Refusal(one)) => one.to_mut().push_str(text),
            (Delta::Arguments(text), Block::ToolCall(one)) => one.arguments.to_mut().push_str(text),
            (Delta::Signature(signature), Block::Thinking(one)) => match &mut one.signature {
                Some(before) => before.value.to_mut().push_str(&signature.value),
                None => one.signature = Some(owned(signature)),
            },
            (Delta::Signature(signature), Block::Text(one)) => {
                one.signature = Some(owned(signature))
            }
            (Delta::Citation(_) | Delta::Logprobs(_), _) => {}
            _ => self.expect(false, "a delta that does not fit its block", event),
        }
    }
}

fn owned(one: &llmgw_formats::chat::Signature<'_>) -> llmgw_formats::chat::Signature<'static> {
    llmgw_formats::chat::Signature {
        origin: one.origin,
        id: one.id.as_ref().map(|id| id.to_string().into()),
        value: one.value.to_string().into(),
    }
}
