//! Answers that were asked for as the arguments of a tool, because the model takes no JSON Schema.

mod apart;

use crate::chat::{Block, BlockStart, Delta, Event, Finish, Output, Reply, Request, Thinking};
use crate::format::Sent;
use crate::json_schema;
pub use apart::Apart;
use std::collections::BTreeMap;

/// Turns the call of the tool that stood in for a schema into the text that it is. What was said beside it
/// becomes thought: the client asked for JSON, and for nothing else. Whether tools of the client's are called.
pub(crate) fn unwrap(blocks: &mut [Block<'_>], sent: &Sent) -> bool {
    let answers = |block: &Block<'_>| matches!(block, Block::ToolCall(call) if sent.output_tool == Some(&*call.name));
    let Some(answer) = blocks.iter().position(answers) else {
        return blocks.iter().any(|block| matches!(block, Block::ToolCall(_)));
    };
    let mut calls = false;
    for (at, block) in blocks.iter_mut().enumerate() {
        let is_answer = answers(block);
        match block {
            Block::Text(beside) => {
                let text = std::mem::take(&mut beside.text);
                *block = Block::Thinking(Thinking { text, ..Thinking::default() });
            }
            Block::ToolCall(call) if is_answer => {
                let text = std::mem::take(&mut call.arguments);
                // The first one counts.
                *block = match at == answer {
                    true => Block::text(text),
                    false => Block::Thinking(Thinking { text, ..Thinking::default() }),
                };
            }
            Block::ToolCall(_) => calls = true,
            _ => {}
        }
    }
    calls
}

/// Whether a reply that was asked for as the arguments of a tool does not fit the schema that the client gave.
/// One that was cut, filtered or declined, and one that calls the client's tools, is not judged.
#[must_use]
pub fn is_unfit(request: &Request<'_>, reply: &Reply<'_>, sent: &Sent) -> bool {
    let Output::Schema(output) = &request.output else { return false };
    let is_judged = sent.output_tool.is_some();
    let mut answers = reply.choices.iter().filter(|choice| choice.finish == Finish::Stop);
    is_judged && answers.any(|choice| !json_schema::fits(&output.schema, &said(&choice.blocks)))
}

/// The same of a stream: what has been said so far.
pub struct Judge {
    schema: String,
    answers: BTreeMap<u64, Answer>,
}

/// What has been said in one choice.
#[derive(Default)]
struct Answer {
    /// Whether the block that has begun last is text.
    is_text: bool,
    said: String,
}

impl Judge {
    /// For the stream of a reply, if it is to be judged.
    #[must_use]
    pub fn of(request: &Request<'_>, sent: &Sent) -> Option<Self> {
        match &request.output {
            Output::Schema(output) if sent.output_tool.is_some() => {
                let schema = output.schema.to_string();
                Some(Judge { schema, answers: BTreeMap::new() })
            }
            _ => None,
        }
    }

    /// Takes note of an event. Whether it ends an answer that does not fit.
    pub fn finds_unfit(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::BlockStart { choice, start, .. } => {
                let is_text = matches!(start, BlockStart::Text | BlockStart::Phased(_));
                self.answers.entry(*choice).or_default().is_text = is_text;
            }
            Event::Delta { choice, delta: Delta::Text(text), .. } => {
                let answer = self.answers.entry(*choice).or_default();
                if answer.is_text {
                    answer.said.push_str(text);
                }
            }
            Event::Finish { choice, finish: Finish::Stop, .. } => {
                let answer = self.answers.remove(choice).unwrap_or_default();
                return !json_schema::fits(&self.schema, &answer.said);
            }
            _ => {}
        }
        false
    }
}

/// Whether the client asked for a reply that fits its schema to the letter.
#[must_use]
pub fn has_to_fit(request: &Request<'_>) -> bool {
    matches!(&request.output, Output::Schema(output) if output.strict == Some(true))
}

fn said(blocks: &[Block<'_>]) -> String {
    let texts = blocks.iter().map(|block| match block {
        Block::Text(text) => &*text.text,
        _ => "",
    });
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Choice, OutputSchema, ToolCall};
    use crate::format::OUTPUT_TOOL;

    fn sent() -> Sent {
        Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() }
    }

    fn call(name: &'static str, arguments: &'static str) -> Block<'static> {
        let (id, name, arguments) = ("c".into(), name.into(), arguments.into());
        Block::ToolCall(ToolCall { id, name, arguments, signature: None, cache: None })
    }

    fn unfit(finish: Finish, text: &str) -> bool {
        let schema = r#"{"type":"object","required":["x"]}"#.into();
        let output = Output::Schema(OutputSchema { schema, ..OutputSchema::default() });
        let request = Request { output, ..Request::default() };
        let blocks = vec![Block::text(text)];
        let choice = Choice { blocks, finish, stop_sequence: None, logprobs: Vec::new() };
        let reply = Reply { choices: vec![choice], ..Reply::default() };
        is_unfit(&request, &reply, &sent())
    }

    #[test]
    fn what_is_said_beside_the_answer_is_thought() {
        let mut blocks = [Block::text("Sure:"), call(OUTPUT_TOOL, "{}")];
        assert!(!unwrap(&mut blocks, &sent()));
        let thought = Thinking { text: "Sure:".into(), ..Thinking::default() };
        assert_eq!(blocks, [Block::Thinking(thought), Block::text("{}")]);
    }

    #[test]
    fn calls_of_the_clients_tools_stay_calls() {
        let mut blocks = [Block::text("Let me see."), call("f", "{}")];
        assert!(unwrap(&mut blocks, &sent()));
        assert_eq!(blocks, [Block::text("Let me see."), call("f", "{}")]);
    }

    fn unfit_stream(finish: Finish, texts: &[&'static str]) -> Vec<bool> {
        let schema = r#"{"type":"object","required":["x"]}"#.into();
        let output = Output::Schema(OutputSchema { schema, ..OutputSchema::default() });
        let request = Request { output, ..Request::default() };
        let mut judge = Judge::of(&request, &sent()).unwrap();
        let (choice, stop_sequence) = (0, None);
        let mut events = Vec::new();
        for (block, start) in [(0, BlockStart::Thinking), (1, BlockStart::Text)] {
            events.push(Event::BlockStart { choice, block, start });
            let text = |text: &&'static str| Delta::Text((*text).into());
            events.extend(texts.iter().map(|one| Event::Delta { choice, block, delta: text(one) }));
            events.push(Event::BlockStop { choice, block });
        }
        events.push(Event::Finish { choice, finish, stop_sequence });
        events.iter().map(|event| judge.finds_unfit(event)).collect()
    }

    #[test]
    fn a_stream_is_judged_when_its_answer_is_complete() {
        let found = unfit_stream(Finish::Stop, &["{\"y\"", ":1}"]);
        assert_eq!(found.iter().position(|unfit| *unfit), Some(found.len() - 1));
        assert!(!unfit_stream(Finish::Stop, &["{\"x\"", ":1}"]).contains(&true));
        assert!(!unfit_stream(Finish::Length, &["{"]).contains(&true));
        let free = Request::default();
        assert!(Judge::of(&free, &sent()).is_none());
    }

    #[test]
    fn an_answer_that_is_complete_is_judged() {
        assert!(unfit(Finish::Stop, "{}"));
        assert!(!unfit(Finish::Stop, r#"{"x":1}"#));
        assert!(!unfit(Finish::Length, "{"));
    }
}
