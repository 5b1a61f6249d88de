//! What is read of a session's events: which models a client names, what a response has cost.

use crate::json;
use crate::usage::{self, Usage};
use std::ops::Range;

/// Where a client's event may name the session's own model: the member, and the path to it.
const OWN: [&[&str]; 2] = [&["session", "model"], &["response", "model"]];
/// Where it may name the one that writes down what is said.
const LISTENER: [&[&str]; 2] = [
    &["session", "audio", "input", "transcription", "model"],
    &["session", "input_audio_transcription", "model"],
];
/// The client's events that have the model read or speak.
const COSTLY: [&str; 2] = ["response.create", "input_audio_buffer.append"];
/// The upstream's events that tell what was charged, and the path to it.
const CHARGES: [(&str, &[&str]); 2] = [
    ("response.done", &["response", "usage"]),
    ("conversation.item.input_audio_transcription.completed", &["usage"]),
];

/// What a model that is named is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is the session's own.
    Own,
    /// It writes down what is said.
    Listener,
}

/// A model that an event names.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// What for.
    pub role: Role,
    /// Its name; `None` if what stands there is no text.
    pub model: Option<String>,
    /// Where it stands, quotes included.
    pub at: Range<usize>,
}

/// What there is to know of a client's event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// The client's id for it.
    pub id: Option<String>,
    /// Whether it has the model read or speak.
    pub is_costly: bool,
    /// The models that it names.
    pub models: Vec<Named>,
}

impl Event {
    /// Reads one; `None` if it is not one JSON object, or if two readers could see two different ones in it.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let object = json::parse_object(text).ok()?;
        let member = |name: &str| string(&text[object.get(text, name)?]);
        let roles = OWN.iter().map(|path| (Role::Own, *path));
        let roles = roles.chain(LISTENER.iter().map(|path| (Role::Listener, *path)));
        let models = roles.filter_map(|(role, path)| {
            let at = find(text, path)?;
            let value = &text[at.clone()];
            (value != b"null").then(|| Named { role, model: string(value), at })
        });
        Some(Event {
            id: member("event_id"),
            is_costly: member("type").is_some_and(|kind| COSTLY.contains(&&kind[..])),
            models: models.collect(),
        })
    }
}

/// What an upstream's event says was charged.
#[must_use]
pub fn charged(text: &[u8]) -> Option<Usage> {
    // Most events are pieces of sound: what they are stands in the first of them.
    let told = |kind: &str| memchr::memmem::find(text, kind.as_bytes()).is_some();
    let (kind, path) = CHARGES.iter().find(|(kind, _)| told(kind))?;
    let own = json::find_member(text, "type")?;
    (string(&text[own.value])? == *kind).then_some(())?;
    usage::parse(&text[find(text, path)?])
}

/// The value at a path of members.
fn find(text: &[u8], path: &[&str]) -> Option<Range<usize>> {
    let mut at = 0..text.len();
    for name in path {
        let inside = &text[at.clone()];
        if !inside.trim_ascii_start().starts_with(b"{") {
            return None;
        }
        let value = json::find_member(inside, name)?.value;
        at = at.start + value.start..at.start + value.end;
    }
    Some(at)
}

fn string(value: &[u8]) -> Option<String> {
    let inside = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut decoded = Vec::with_capacity(inside.len());
    json::unescape(inside, &mut decoded);
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn models(text: &str) -> Vec<(Role, Option<String>)> {
        let event = Event::read(text.as_bytes()).unwrap();
        event.models.into_iter().map(|named| (named.role, named.model)).collect()
    }

    #[test]
    fn every_place_that_names_a_model_is_looked_at() {
        for (text, role) in [
            (r#"{"type":"session.update","session":{"model":"m"}}"#, Role::Own),
            (r#"{"type":"x","response":{"metadata":{"model":"y"},"model" : "m"}}"#, Role::Own),
            (r#"{"session":{"audio":{"input":{"transcription":{"model":"m"}}}}}"#, Role::Listener),
            (r#"{"session":{"input_audio_transcription":{"model":"m"}}}"#, Role::Listener),
        ] {
            assert_eq!(models(text), [(role, Some("m".to_owned()))], "{text}");
        }
    }

    #[test]
    fn a_model_cannot_hide_behind_escapes_or_be_no_text() {
        assert_eq!(
            models(r#"{"s\u0065ssion":{"mod\u0065l":"\u006d"}}"#)[0].1.as_deref(),
            Some("m")
        );
        assert_eq!(models(r#"{"session":{"model":["m"]}}"#), [(Role::Own, None)]);
        assert_eq!(models(r#"{"session":{"model":null}}"#), []);
    }

    #[test]
    fn what_two_readers_could_see_differently_is_no_event() {
        for text in [
            r#"{"session":{"model":"a"},"session":{"model":"b"}}"#,
            r#"{"session":{"model":"a","m\u006fdel":"b"}}"#,
            r#"[{"session":{"model":"a"}}]"#,
            r#"{"session":{"model":"a"}"#,
            "",
        ] {
            assert_eq!(Event::read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_place_of_a_model_is_that_of_its_text() {
        let text = r#"{"event_id":"e","type":"session.update","session":{"model": "m" }}"#;
        let event = Event::read(text.as_bytes()).unwrap();
        assert_eq!(&text[event.models[0].at.clone()], r#""m""#);
        assert_eq!((event.id.as_deref(), event.is_costly), (Some("e"), false));
    }

    #[test]
    fn what_has_the_model_work_is_told_from_the_rest() {
        for (kind, costly) in [
            ("response.create", true),
            ("input_audio_buffer.append", true),
            ("response.cancel", false),
        ] {
            let text = format!(r#"{{"audio":"AAAA","type":"{kind}"}}"#);
            assert_eq!(Event::read(text.as_bytes()).unwrap().is_costly, costly, "{kind}");
        }
    }

    #[test]
    fn a_response_tells_what_it_has_cost() {
        let text = br#"{"type":"response.done","event_id":"e","response":{"id":"r","usage":{
            "total_tokens":253,"input_tokens":132,"output_tokens":121,
            "input_token_details":{"text_tokens":119,"audio_tokens":13,"cached_tokens":64},
            "output_token_details":{"text_tokens":30,"audio_tokens":91}}}}"#;
        let expected = Usage {
            input: 132,
            output: 121,
            cache_read: 64,
            audio_input: 13,
            audio_output: 91,
            ..Usage::default()
        };
        assert_eq!(charged(text), Some(expected));
    }

    #[test]
    fn what_was_written_down_has_a_cost_of_its_own() {
        let text =
            br#"{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi",
            "usage":{"type":"tokens","total_tokens":22,"input_tokens":13,"output_tokens":9}}"#;
        assert_eq!(charged(text).map(|usage| (usage.input, usage.output)), Some((13, 9)));
    }

    #[test]
    fn a_word_in_a_text_costs_nothing() {
        let text = br#"{"type":"response.text.done","text":"response.done","response":{"usage":{"input_tokens":9}}}"#;
        assert_eq!(charged(text), None);
    }
}
