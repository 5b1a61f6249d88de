//! The events of a stream, one by one: names, numbers, members.

use crate::chat::{Failure, Logprob};
use crate::openai_errors;
use crate::openai_responses::output::{Item, Part, logprobs, summary_part};
use crate::openai_responses::response::{Ending, Shell, State, write};
use crate::writer::Writer;

/// The item of an event: its id, and its place in the output.
type Of<'i> = (&'i str, usize);
/// The part of an event: its item's id and place, and its own place there.
type OfPart<'i> = (&'i str, usize, usize);

/// Writes events and numbers them.
#[derive(Debug, Default)]
pub(super) struct Events {
    next: u64,
    /// The first number that is wanted.
    first: u64,
}

impl Events {
    /// Writes only those after the one of this number.
    pub(super) fn after(number: Option<u64>) -> Self {
        Events { next: 0, first: number.map_or(0, |number| number.saturating_add(1)) }
    }

    /// Writes an event whose other members `fill` writes.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Writer)) {
        if self.next < self.first {
            self.next += 1;
            return;
        }
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut w = Writer::onto(std::mem::take(out));
        w.object(|w| {
            w.text("type", name).count("sequence_number", self.next);
            fill(w);
        });
        *out = w.finish_line();
        out.extend_from_slice(b"\n\n");
        self.next += 1;
    }

    /// An event that holds the response.
    pub(super) fn response(
        &mut self,
        out: &mut Vec<u8>,
        name: &str,
        shell: &Shell,
        state: State<'_>,
        items: &[Item<'_>],
        ending: Ending<'_>,
    ) {
        self.write(out, name, |w| {
            w.key("response");
            let output = |w: &mut Writer| {
                for (index, item) in items.iter().enumerate() {
                    let is_last = index + 1 == items.len();
                    item.write(w, if is_last { state.item_status() } else { "completed" });
                }
            };
            write(w, shell, state, output, ending);
        });
    }

    /// An event that holds an item.
    pub(super) fn item(
        &mut self,
        out: &mut Vec<u8>,
        name: &str,
        index: usize,
        item: &Item<'_>,
        status: &str,
    ) {
        self.write(out, name, |w| {
            w.count("output_index", index as u64).key("item");
            item.write(w, status);
        });
    }

    /// An event that tells of an item alone.
    pub(super) fn bare(&mut self, out: &mut Vec<u8>, name: &str, (id, index): Of<'_>) {
        self.write(out, name, |w| {
            w.text("item_id", id).count("output_index", index as u64);
        });
    }

    /// An event of an item that adds or repeats one of its texts, called `member`.
    pub(super) fn of_item(
        &mut self,
        out: &mut Vec<u8>,
        name: &str,
        (id, index): Of<'_>,
        member: &str,
        text: &str,
    ) {
        self.write(out, name, |w| {
            w.text("item_id", id).count("output_index", index as u64).text(member, text);
        });
    }

    pub(super) fn text_delta(
        &mut self,
        out: &mut Vec<u8>,
        is_refusal: bool,
        (id, index, at): OfPart<'_>,
        text: &str,
        probable: &[Logprob<'_>],
    ) {
        let name = if is_refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        self.write(out, name, |w| {
            w.text("item_id", id).count("output_index", index as u64);
            w.count("content_index", at as u64).text("delta", text);
            if !is_refusal {
                w.key("logprobs").array(|w| logprobs(w, probable));
            }
        });
    }

    /// The two events that end a part of a message.
    pub(super) fn part_done(
        &mut self,
        out: &mut Vec<u8>,
        (id, index, at): OfPart<'_>,
        part: &Part<'_>,
    ) {
        let place = |w: &mut Writer| {
            w.text("item_id", id).count("output_index", index as u64);
            w.count("content_index", at as u64);
        };
        if part.is_refusal {
            self.write(out, "response.refusal.done", |w| {
                place(w);
                w.text("refusal", &part.text);
            });
        } else {
            self.write(out, "response.output_text.done", |w| {
                place(w);
                w.text("text", &part.text);
                w.key("logprobs").array(|w| logprobs(w, &part.logprobs));
            });
        }
        self.write(out, "response.content_part.done", |w| {
            place(w);
            w.key("part");
            part.write(w);
        });
    }

    /// A summary's part begins (`added`) or is complete (`done`). There is one, so that it is the first.
    pub(super) fn summary_part(
        &mut self,
        out: &mut Vec<u8>,
        what: &str,
        (id, index): Of<'_>,
        text: &str,
    ) {
        let name = ["response.reasoning_summary_part.", what].concat();
        self.write(out, &name, |w| {
            w.text("item_id", id).count("output_index", index as u64);
            w.count("summary_index", 0).key("part");
            summary_part(w, text);
        });
    }

    /// A summary's text goes on (`delta`) or is complete (`done`).
    pub(super) fn summary_text(
        &mut self,
        out: &mut Vec<u8>,
        what: &str,
        (id, index): Of<'_>,
        text: &str,
    ) {
        let (name, member) = match what {
            "delta" => ("response.reasoning_summary_text.delta", "delta"),
            _ => ("response.reasoning_summary_text.done", "text"),
        };
        self.write(out, name, |w| {
            w.text("item_id", id).count("output_index", index as u64);
            w.count("summary_index", 0).text(member, text);
        });
    }

    /// The error of a stream. OpenAI's reference has its members beside `type`, its servers send them
    /// within `error`, and its SDKs read either: both are there.
    pub(super) fn error(&mut self, out: &mut Vec<u8>, failure: &Failure<'_>) {
        self.write(out, "error", |w| {
            w.text_or_null("code", openai_errors::code_of(failure));
            w.text("message", &failure.message);
            w.text_or_null("param", failure.param.as_deref());
            w.key("error").object(|w| openai_errors::members(w, failure));
        });
    }
}
