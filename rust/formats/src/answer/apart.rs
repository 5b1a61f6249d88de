//! In a stream: the answer that was asked for as a tool's arguments, apart from what is said beside it.
//!
//! A whole reply shows what its text is: thought if the answer follows, else what the model said. So text is
//! held until the stream shows it, and what is said after the answer is thought at once. The answer itself
//! passes as it comes.

use crate::chat::{BlockStart, Delta, Event};
use crate::format::Sent;
use std::collections::BTreeMap;

/// Tells the two apart, for every choice of a stream.
#[derive(Default)]
pub struct Apart(BTreeMap<u64, Choice>);

#[derive(Default)]
struct Choice {
    answered: bool,
    /// Text that may turn out to be either.
    held: String,
    /// The number of the next block: held ones begin later than they came.
    next: u64,
    open: Open,
}

/// What becomes of the block that is under way.
#[derive(Default, Clone, Copy)]
enum Open {
    #[default]
    None,
    Passed(u64),
    Held,
}

impl Apart {
    /// For a reply to this request, if its answer was asked for as a tool's arguments.
    #[must_use]
    pub fn of(sent: &Sent) -> Option<Self> {
        sent.output_tool.map(|_| Apart::default())
    }

    /// Takes an event, and hands on what it amounts to.
    pub fn take(&mut self, event: &Event<'_>, pass: &mut dyn FnMut(&Event<'_>)) {
        match event {
            Event::BlockStart { choice, start, .. } => {
                self.0.entry(*choice).or_default().begin(*choice, start, pass);
            }
            Event::Delta { choice, delta, .. } => {
                self.0.entry(*choice).or_default().go_on(*choice, delta, pass);
            }
            Event::BlockStop { choice, .. } => {
                let one = self.0.entry(*choice).or_default();
                if let Open::Passed(block) = std::mem::take(&mut one.open) {
                    pass(&Event::BlockStop { choice: *choice, block });
                }
            }
            Event::Finish { choice, .. } => {
                self.0.entry(*choice).or_default().release(*choice, &BlockStart::Text, pass);
                pass(event);
            }
            _ => pass(event),
        }
    }
}

impl Choice {
    fn begin(&mut self, choice: u64, start: &BlockStart<'_>, pass: &mut dyn FnMut(&Event<'_>)) {
        match start {
            BlockStart::Text | BlockStart::Phased(_) if !self.answered => {
                self.open = Open::Held;
                return;
            }
            BlockStart::Text | BlockStart::Phased(_) => {
                return self.open(choice, BlockStart::Thinking, pass);
            }
            // The first one counts.
            BlockStart::Answer if self.answered => {
                return self.open(choice, BlockStart::Thinking, pass);
            }
            BlockStart::Answer => {
                self.release(choice, &BlockStart::Thinking, pass);
                self.answered = true;
                return self.open(choice, BlockStart::Text, pass);
            }
            BlockStart::ToolCall { .. } => self.release(choice, &BlockStart::Text, pass),
            _ => {}
        }
        self.open(choice, start.clone(), pass);
    }

    fn open(&mut self, choice: u64, start: BlockStart<'_>, pass: &mut dyn FnMut(&Event<'_>)) {
        let block = self.next;
        self.next += 1;
        self.open = Open::Passed(block);
        pass(&Event::BlockStart { choice, block, start });
    }

    fn go_on(&mut self, choice: u64, delta: &Delta<'_>, pass: &mut dyn FnMut(&Event<'_>)) {
        match (self.open, delta) {
            (Open::Passed(block), _) => {
                pass(&Event::Delta { choice, block, delta: delta.clone() });
            }
            (Open::Held, Delta::Text(text)) => self.held.push_str(text),
            (Open::Held | Open::None, _) => {}
        }
    }

    /// Says what was held, as what it has turned out to be.
    fn release(
        &mut self,
        choice: u64,
        start: &BlockStart<'static>,
        pass: &mut dyn FnMut(&Event<'_>),
    ) {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return;
        }
        let block = self.next;
        self.next += 1;
        pass(&Event::BlockStart { choice, block, start: start.clone() });
        pass(&Event::Delta { choice, block, delta: Delta::Text(held.into()) });
        pass(&Event::BlockStop { choice, block });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Finish;

    /// What a stream of these blocks says, as `kind:text`, with the numbers of its blocks.
    fn said(blocks: &[(BlockStart<'static>, &'static str)]) -> (Vec<String>, Vec<u64>) {
        let mut apart = Apart::default();
        let (mut words, mut numbers) = (Vec::new(), Vec::new());
        let mut pass = |event: &Event<'_>| match event {
            Event::BlockStart { start, block, .. } => {
                numbers.push(*block);
                words.push(match start {
                    BlockStart::Text => "text:".to_owned(),
                    BlockStart::Thinking => "thought:".to_owned(),
                    BlockStart::ToolCall { .. } => "call:".to_owned(),
                    other => format!("{other:?}:"),
                });
            }
            Event::Delta { delta: Delta::Text(text), .. } => {
                words.last_mut().unwrap().push_str(text);
            }
            Event::Finish { .. } => words.push("end".to_owned()),
            _ => {}
        };
        for (at, (start, text)) in blocks.iter().enumerate() {
            let (choice, block) = (0, at as u64);
            apart.take(&Event::BlockStart { choice, block, start: start.clone() }, &mut pass);
            for piece in text.split_inclusive(' ') {
                let delta = Delta::Text(piece.into());
                apart.take(&Event::Delta { choice, block, delta }, &mut pass);
            }
            apart.take(&Event::BlockStop { choice, block }, &mut pass);
        }
        let (choice, finish, stop_sequence) = (0, Finish::Stop, None);
        apart.take(&Event::Finish { choice, finish, stop_sequence }, &mut pass);
        (words, numbers)
    }

    fn call() -> BlockStart<'static> {
        BlockStart::ToolCall { id: "c".into(), name: "f".into(), signature: None }
    }

    #[test]
    fn what_is_said_beside_the_answer_is_thought() {
        use BlockStart::{Answer, Text};
        let (words, numbers) =
            said(&[(Text, "Here it is:"), (Answer, "{ }"), (Text, "Done."), (Answer, "[]")]);
        assert_eq!(
            words,
            ["thought:Here it is:", "text:{ }", "thought:Done.", "thought:[]", "end"]
        );
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn where_there_is_no_answer_the_text_is_what_was_said() {
        let (words, numbers) = said(&[(BlockStart::Thinking, "Hm."), (BlockStart::Text, "{ }")]);
        assert_eq!(
            (words, numbers),
            (vec!["thought:Hm.".into(), "text:{ }".into(), "end".into()], vec![0, 1])
        );
    }

    #[test]
    fn before_a_call_of_the_clients_the_text_stays_text() {
        let (words, _) = said(&[(BlockStart::Text, "Let me see."), (call(), "")]);
        assert_eq!(words, ["text:Let me see.", "call:", "end"]);
    }
}
