//! Server-sent events as they pass: cut at event borders, watched for usage and for a proper end.
//!
//! Bytes go through unchanged. Only when we asked the upstream for usage on the client's behalf are
//! that usage chunk, and the `"usage":null` it puts into the others, taken out again.

use crate::json;
use crate::usage::{self, Usage};
use bytes::{Bytes, BytesMut};
use memchr::memmem;

mod media;

/// The events that end a stream of the Responses API.
const RESPONSE_ENDS: [&[u8]; 4] =
    [b"response.completed", b"response.incomplete", b"response.failed", b"error"];
/// How much of the end of a huge event is kept: the usage stands there.
const KEPT_END: usize = 4096;

/// An unfinished event larger than this is passed on in pieces instead of being held.
pub const MAX_HELD: usize = 64 * 1024;

/// How a stream says that it is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Chat and completions: `finish_reason`, then `[DONE]`.
    Chat,
    /// The Responses API: a `response.completed`, `.incomplete` or `.failed` event, or `error`.
    Responses,
    /// Anthropic's Messages: a `message_stop` event, or `error`.
    Messages,
    /// Gemini's: a `finishReason`, and then nothing more.
    Content,
    /// Images and audio: see `media`.
    Media,
}

/// Watches one stream.
#[derive(Debug)]
pub struct Relay {
    grammar: Grammar,
    hide_usage: bool,
    held: BytesMut,
    /// Inside an event that was too large to hold: pass until its end.
    spilling: bool,
    /// The last bytes passed while spilling, to see a border that two chunks share.
    tail: [u8; 3],
    /// Of a huge event that ends a response: its last bytes.
    huge_end: Option<Vec<u8>>,
    usage: Option<Usage>,
    finished: bool,
    done: bool,
    failed: bool,
    events: u64,
}

impl Relay {
    /// `hide_usage`: the client did not ask for the usage that the upstream was asked for.
    #[must_use]
    pub fn new(grammar: Grammar, hide_usage: bool) -> Self {
        Relay {
            grammar,
            hide_usage,
            held: BytesMut::new(),
            spilling: false,
            tail: [0; 3],
            huge_end: None,
            usage: None,
            finished: grammar == Grammar::Media,
            done: false,
            failed: false,
            events: 0,
        }
    }

    /// Takes a chunk from the upstream and returns what may go to the client now: whole events.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        if self.spilling {
            return self.spill(chunk);
        }
        if self.held.is_empty() {
            let Some(end) = last_border(&chunk, 0) else {
                self.held.extend_from_slice(&chunk);
                return self.overflow();
            };
            if end < chunk.len() {
                self.held.extend_from_slice(&chunk[end..]);
            }
            return self.pass(chunk.slice(..end));
        }
        let from = self.held.len().saturating_sub(3);
        self.held.extend_from_slice(&chunk);
        match last_border(&self.held, from) {
            Some(end) => {
                let events = self.held.split_to(end).freeze();
                self.pass(events)
            }
            None => self.overflow(),
        }
    }

    /// What is left when the upstream ends: an event without its blank line, if any.
    pub fn finish(&mut self) -> Bytes {
        let rest = self.held.split().freeze();
        if rest.is_empty() { rest } else { self.pass(rest) }
    }

    /// Whether the last event has passed: nothing more is to be waited for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done && self.held.is_empty() && !self.spilling
    }

    /// Whether the stream told of a failure, or of an answer that was filtered or cut.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether bytes of an unfinished event have reached the client already.
    #[must_use]
    pub fn is_spilling(&self) -> bool {
        self.spilling
    }

    /// Whether the stream said that it is complete.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The usage seen last.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// How many events have passed.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    fn overflow(&mut self) -> Bytes {
        if self.held.len() <= MAX_HELD {
            return Bytes::new();
        }
        self.spilling = true;
        let out = self.held.split().freeze();
        self.remember_tail(&out);
        if self.grammar == Grammar::Responses
            && let Some(kind) =
                field_line(&out, b"event:").filter(|kind| RESPONSE_ENDS.contains(kind))
        {
            self.failed |= kind != b"response.completed";
            self.huge_end = Some(Vec::new());
            self.keep_end(&out);
        }
        if self.grammar == Grammar::Media {
            self.look_at_media(&out);
            self.huge_end = Some(Vec::new());
            self.keep_end(&out);
        }
        out
    }

    fn remember_tail(&mut self, bytes: &[u8]) {
        let recent: Vec<u8> =
            self.tail.iter().chain(bytes.iter().rev().take(3).rev()).copied().collect();
        self.tail.copy_from_slice(&recent[recent.len() - 3..]);
    }

    fn keep_end(&mut self, bytes: &[u8]) {
        if let Some(end) = &mut self.huge_end {
            end.extend_from_slice(&bytes[bytes.len().saturating_sub(KEPT_END)..]);
            let surplus = end.len().saturating_sub(KEPT_END);
            end.drain(..surplus);
        }
    }

    /// Passes the rest of a huge event, then goes back to whole events.
    fn spill(&mut self, chunk: Bytes) -> Bytes {
        let mut joined = self.tail.to_vec();
        joined.extend_from_slice(&chunk);
        let Some(end) = first_border(&joined) else {
            self.remember_tail(&chunk);
            self.keep_end(&chunk);
            return chunk;
        };
        self.spilling = false;
        self.events += 1;
        self.tail = [0; 3];
        let end = end.saturating_sub(3);
        self.keep_end(&chunk[..end]);
        if let Some(last) = self.huge_end.take() {
            if self.grammar == Grammar::Media {
                self.finished |= media::is_last(&last);
            } else {
                (self.finished, self.done) = (true, true);
            }
            self.usage = usage::at_end(None, &last).or(self.usage);
        }
        let rest = self.push(chunk.slice(end..));
        if rest.is_empty() {
            return chunk.slice(..end);
        }
        let mut out = BytesMut::with_capacity(end + rest.len());
        out.extend_from_slice(&chunk[..end]);
        out.extend_from_slice(&rest);
        out.freeze()
    }

    /// Looks at whole events and, if need be, takes the hidden usage out.
    fn pass(&mut self, events: Bytes) -> Bytes {
        let mut edited: Option<Vec<u8>> = None;
        let mut from = 0;
        while from < events.len() {
            let end = first_border(&events[from..]).map_or(events.len(), |length| from + length);
            let event = &events[from..end];
            self.events += 1;
            let change = self.look(event);
            if let Change::None = change {
                if let Some(out) = &mut edited {
                    out.extend_from_slice(event);
                }
            } else {
                let out = edited.get_or_insert_with(|| events[..from].to_vec());
                if let Change::Cut(range) = change {
                    out.extend_from_slice(&event[..range.start]);
                    out.extend_from_slice(&event[range.end..]);
                }
            }
            from = end;
        }
        edited.map_or(events, Bytes::from)
    }

    fn look(&mut self, event: &[u8]) -> Change {
        match self.grammar {
            Grammar::Chat => self.look_at_chat(event),
            Grammar::Responses => {
                self.look_at_response(event);
                Change::None
            }
            Grammar::Media => {
                self.look_at_media(event);
                Change::None
            }
            Grammar::Messages => {
                self.look_at_message(event);
                Change::None
            }
            Grammar::Content => {
                self.look_at_content(event);
                Change::None
            }
        }
    }

    fn look_at_message(&mut self, event: &[u8]) {
        let path: &[&str] = match field_line(event, b"event:") {
            Some(b"message_start") => &["message", "usage"],
            Some(b"message_delta") => {
                self.failed |= memmem::find(event, b"\"refusal\"").is_some();
                &["usage"]
            }
            Some(b"message_stop") => return (self.finished, self.done) = (true, true),
            Some(b"error") => {
                return (self.finished, self.done, self.failed) = (true, true, true);
            }
            _ => return,
        };
        if let Some(value) = within(event, path) {
            self.usage = usage::parse_messages(value, self.usage).or(self.usage);
        }
    }

    fn look_at_content(&mut self, event: &[u8]) {
        if find_key(event, b"\"finishReason\"").is_some()
            || find_key(event, b"\"blockReason\"").is_some()
        {
            self.finished = true;
            self.failed |= memmem::find(event, b"\"STOP\"").is_none()
                && memmem::find(event, b"\"MAX_TOKENS\"").is_none();
        }
        if let Some(value) = within(event, &["usageMetadata"]) {
            self.usage = usage::parse_content(value).or(self.usage);
        } else if within(event, &["error"]).is_some() {
            (self.finished, self.done, self.failed) = (true, true, true);
        }
    }

    fn look_at_chat(&mut self, event: &[u8]) -> Change {
        if let Some(reason) = finish_reason(event) {
            self.finished = true;
            self.failed |= reason == b"content_filter";
        } else if is_done(event) {
            (self.finished, self.done) = (true, true);
        } else if event.starts_with(b"data: {\"error\"") {
            self.failed = true;
        }
        let Some(hit) = find_key(event, b"\"usage\"") else { return Change::None };
        let Some(start) = memchr::memchr(b'{', event).filter(|&brace| brace < hit) else {
            return Change::None;
        };
        let Some(field) = json::find_member(&event[start..], "usage") else { return Change::None };
        let value = &event[start + field.value.start..start + field.value.end];
        if let Some(usage) = usage::parse_beside(value, &event[start..]) {
            self.usage = Some(usage);
            let only_usage = json::find_member(&event[start..], "choices")
                .is_some_and(|f| event[start + f.value.start..start + f.value.end].len() <= 4);
            return if self.hide_usage && only_usage { Change::Drop } else { Change::None };
        }
        if self.hide_usage && value == b"null" {
            let member = start + field.member.start..start + field.member.end;
            return Change::Cut(with_comma(event, member));
        }
        Change::None
    }

    fn look_at_response(&mut self, event: &[u8]) {
        let kind = field_line(event, b"event:");
        let Some(kind) = kind.filter(|kind| RESPONSE_ENDS.contains(kind)) else { return };
        (self.finished, self.done) = (true, true);
        self.failed |= kind != b"response.completed";
        if kind == b"error" {
            return;
        }
        let Some(data) = memchr::memchr(b'{', event) else { return };
        let Some(response) = json::find_member(&event[data..], "response") else { return };
        let value = &event[data + response.value.start..data + response.value.end];
        self.usage = usage::of_reply(None, value).or(self.usage);
    }
}

/// The value at the end of a path of members of the event's data.
fn within<'e>(event: &'e [u8], path: &[&str]) -> Option<&'e [u8]> {
    let mut value = &event[memchr::memchr(b'{', event)?..];
    for name in path {
        let field = json::find_member(value, name)?;
        value = &value[field.value];
    }
    Some(value)
}

enum Change {
    None,
    /// Leave the whole event out.
    Drop,
    /// Leave these bytes of the event out.
    Cut(std::ops::Range<usize>),
}

/// The member and the comma that joins it to its neighbour.
fn with_comma(event: &[u8], member: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let before = event[..member.start].trim_ascii_end();
    if before.last() == Some(&b',') {
        return before.len() - 1..member.end;
    }
    let after = &event[member.end..];
    let blanks = after.len() - after.trim_ascii_start().len();
    let comma = after.get(blanks) == Some(&b',');
    member.start..if comma { member.end + blanks + 1 } else { member.end }
}

/// Where a key stands that is not part of an escaped string.
fn find_key(event: &[u8], key: &[u8]) -> Option<usize> {
    memmem::find_iter(event, key).find(|&at| at == 0 || event[at - 1] != b'\\')
}

/// The finish reason that an event gives, if any.
fn finish_reason(event: &[u8]) -> Option<&[u8]> {
    // Some hosts say "" until there is a reason.
    words_of(event, b"\"finish_reason\"").find(|reason| !reason.is_empty())
}

/// The strings that are values of a key (given with its quotes), wherever it stands in a JSON text.
pub fn words_of<'t>(text: &'t [u8], key: &'t [u8]) -> impl Iterator<Item = &'t [u8]> {
    memmem::find_iter(text, key).filter_map(move |at| {
        // Part of a string, if a backslash stands before it.
        let is_key = at == 0 || text[at - 1] != b'\\';
        let value = text[at + key.len()..].trim_ascii_start().strip_prefix(b":")?;
        let word = value.trim_ascii_start().strip_prefix(b"\"").filter(|_| is_key)?;
        Some(&word[..memchr::memchr(b'"', word)?])
    })
}

fn is_done(event: &[u8]) -> bool {
    event.len() < 32 && field_line(event, b"data:") == Some(b"[DONE]")
}

/// The value of the first line that begins with `name`.
fn field_line<'a>(event: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let line = event.split(|&byte| byte == b'\n').find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim_ascii())
}

/// The length of the first event, its blank line included.
#[must_use]
pub fn first_border(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'\n', b'\r', text).find_map(|at| border_at(text, at))
}

/// The offset after the last blank line that ends at or after `from`.
fn last_border(text: &[u8], from: usize) -> Option<usize> {
    let mut at = text.len();
    while let Some(found) = memchr::memrchr2(b'\n', b'\r', &text[..at]) {
        if found < from.saturating_sub(3) {
            return None;
        }
        if let Some(end) = border_at(text, found) {
            return Some(end);
        }
        at = found;
    }
    None
}

/// If a blank line begins with the line end at `at`: the offset after it.
fn border_at(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    [&b"\n\n"[..], b"\r\n\r\n", b"\r\r", b"\n\r\n"]
        .iter()
        .find(|border| rest.starts_with(border))
        .map(|border| at + border.len())
}

#[cfg(test)]
mod tests;
