//! A response that is there already, as the stream of events that would have brought it.
//!
//! Each text comes in one piece, whatever pieces it came in at first: who numbers on from one replay gets
//! the rest of every other, for they are all alike.

use super::events::Events;
use crate::format::Fault;
use crate::value::Value;
use crate::writer::{Writer, quote};

/// The events of a response, given as JSON, after the one of that number.
///
/// # Errors
/// [`Fault`] if it is no JSON object.
pub fn replay(response: &str, after: Option<u64>) -> Result<Vec<u8>, Fault> {
    let value = Value::parse(response)?;
    if !value.is_object() {
        return Err(Fault::new("The response must be a JSON object."));
    }
    let mut replay = Replay { events: Events::after(after), out: Vec::new() };
    replay.begin(&value);
    for (index, item) in
        value.get("output").map(Value::items).unwrap_or_default().iter().enumerate()
    {
        replay.item(index, item);
    }
    replay.end(&value);
    Ok(replay.out)
}

/// The members of a response that are as they say as long as it is being written.
const UNKNOWN_YET: [(&str, &str); 6] = [
    ("status", "\"in_progress\""),
    ("error", "null"),
    ("incomplete_details", "null"),
    ("output", "[]"),
    ("usage", "null"),
    ("completed_at", "null"),
];

/// What of an item of a type is empty as long as nothing of it has come.
fn empty_at_first(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "message" => &[("status", "\"in_progress\""), ("content", "[]")],
        "reasoning" => &[("status", "\"in_progress\""), ("summary", "[]"), ("content", "[]")],
        "function_call" => &[("status", "\"in_progress\""), ("arguments", "\"\"")],
        "custom_tool_call" => &[("status", "\"in_progress\""), ("input", "\"\"")],
        _ => &[("status", "\"in_progress\"")],
    }
}

/// An object with other values for some of the members that it has.
fn with(object: &Value<'_>, others: &[(&str, &str)]) -> String {
    let mut w = Writer::new();
    w.object(|w| {
        for (name, value) in object.members() {
            let other = others.iter().find(|(one, _)| one == name);
            w.member(name, other.map_or(value.raw(), |(_, other)| *other));
        }
    });
    String::from_utf8(w.finish()).unwrap_or_default()
}

fn word<'v>(object: &'v Value<'_>, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The parts of a list within an item.
fn parts<'v, 'a>(item: &'v Value<'a>, name: &str) -> &'v [Value<'a>] {
    item.get(name).map(Value::items).unwrap_or_default()
}

struct Replay {
    events: Events,
    out: Vec<u8>,
}

impl Replay {
    fn write(&mut self, name: &str, fill: impl FnOnce(&mut Writer)) {
        self.events.write(&mut self.out, name, fill);
    }

    fn begin(&mut self, response: &Value<'_>) {
        let begun = with(response, &UNKNOWN_YET);
        for name in ["response.created", "response.in_progress"] {
            self.write(name, |w| {
                w.member("response", &begun);
            });
        }
    }

    fn end(&mut self, response: &Value<'_>) {
        let name = match word(response, "status") {
            "incomplete" => "response.incomplete",
            "failed" => "response.failed",
            _ => "response.completed",
        };
        self.write(name, |w| {
            w.member("response", response.raw());
        });
    }

    fn item(&mut self, index: usize, item: &Value<'_>) {
        let kind = word(item, "type");
        self.whole("response.output_item.added", index, &with(item, empty_at_first(kind)));
        let of = (word(item, "id"), index);
        match kind {
            "message" => self.parts(of, item),
            "reasoning" => {
                self.summary(of, item);
                self.parts(of, item);
            }
            "function_call" => {
                self.text(of, "response.function_call_arguments", "arguments", item);
            }
            "custom_tool_call" => self.text(of, "response.custom_tool_call_input", "input", item),
            // The steps of what a host does itself were told when it did it.
            _ => {}
        }
        self.whole("response.output_item.done", index, item.raw());
    }

    fn whole(&mut self, name: &str, index: usize, item: &str) {
        self.write(name, |w| {
            w.count("output_index", index as u64).member("item", item);
        });
    }

    /// A text that is a member of its item.
    fn text(&mut self, of: (&str, usize), name: &str, member: &str, item: &Value<'_>) {
        let (Replay { events, out }, text) = (self, word(item, member));
        if !text.is_empty() {
            events.of_item(out, &[name, ".delta"].concat(), of, "delta", text);
        }
        events.of_item(out, &[name, ".done"].concat(), of, member, text);
    }

    fn summary(&mut self, (id, index): (&str, usize), item: &Value<'_>) {
        for (at, part) in parts(item, "summary").iter().enumerate() {
            let place = |w: &mut Writer| {
                w.text("item_id", id).count("output_index", index as u64);
                w.count("summary_index", at as u64);
            };
            let text = quote(word(part, "text"));
            let events = [
                ("part.added", "part", with(part, &[("text", "\"\"")])),
                ("text.delta", "delta", text.clone()),
                ("text.done", "text", text),
                ("part.done", "part", part.raw().to_owned()),
            ];
            for (name, member, json) in &events {
                self.write(&["response.reasoning_summary_", name].concat(), |w| {
                    place(w);
                    w.member(member, json);
                });
            }
        }
    }

    fn parts(&mut self, (id, index): (&str, usize), item: &Value<'_>) {
        for (at, part) in parts(item, "content").iter().enumerate() {
            self.part(part, &|w| {
                w.text("item_id", id).count("output_index", index as u64);
                w.count("content_index", at as u64);
            });
        }
    }

    fn part(&mut self, part: &Value<'_>, place: &dyn Fn(&mut Writer)) {
        let (name, member) = match word(part, "type") {
            "refusal" => ("refusal", "refusal"),
            "reasoning_text" => ("reasoning_text", "text"),
            _ => ("output_text", "text"),
        };
        let begun = [(member, "\"\""), ("annotations", "[]"), ("logprobs", "[]")];
        let begun = with(part, &begun);
        let event = |what: &str| ["response.", name, what].concat();
        // Only what a model says has them.
        let logprobs = (name == "output_text")
            .then(|| part.get("logprobs").filter(|list| list.is_array()).map_or("[]", Value::raw));
        let text = word(part, member);
        self.write("response.content_part.added", |w| {
            place(w);
            w.member("part", &begun);
        });
        if !text.is_empty() {
            self.write(&event(".delta"), |w| {
                place(w);
                w.text("delta", text).member_if("logprobs", logprobs);
            });
        }
        for (number, annotation) in parts(part, "annotations").iter().enumerate() {
            self.write("response.output_text.annotation.added", |w| {
                place(w);
                w.count("annotation_index", number as u64);
                w.member("annotation", annotation.raw());
            });
        }
        self.write(&event(".done"), |w| {
            place(w);
            w.text(member, text).member_if("logprobs", logprobs);
        });
        self.write("response.content_part.done", |w| {
            place(w);
            w.member("part", part.raw());
        });
    }
}
