//! What the mock upstream reads in a request body: model, streaming, and what the user said last.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The part of a request that shapes the reply, for all endpoints that answer with text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ask<'a> {
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    pub stream: Option<bool>,
    pub stream_options: Option<StreamOptions>,
    #[serde(borrow)]
    pub messages: Said<'a>,
    #[serde(borrow)]
    pub prompt: Said<'a>,
    #[serde(borrow)]
    pub input: Said<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StreamOptions {
    pub include_usage: bool,
}

impl<'a> Ask<'a> {
    /// The model's name and, behind a question mark, its script.
    pub fn model_and_script(&self) -> (&str, &str) {
        self.model.split_once('?').unwrap_or((&self.model, ""))
    }

    /// The last words of the user, wherever this endpoint keeps them.
    pub fn last_words(&self) -> &str {
        [&self.messages, &self.prompt, &self.input]
            .into_iter()
            .map(|said| said.text.as_ref())
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }

    pub fn include_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }
}

/// Words found in a string, in a list of parts (joined) or in a list of messages (the user's last).
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    role: Cow<'a, str>,
    text: Cow<'a, str>,
}

impl<'a> Said<'a> {
    fn hear(&mut self, next: Said<'a>) {
        match next.role.as_ref() {
            "user" => self.text = next.text,
            "" if self.text.is_empty() => self.text = next.text,
            "" => self.text.to_mut().push_str(&next.text),
            _ => {}
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Said<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SaidVisitor)
    }
}

struct SaidVisitor;

impl<'de> Visitor<'de> for SaidVisitor {
    type Value = Said<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, parts of text or messages")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Said { role: Cow::default(), text: Cow::Borrowed(text) })
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Said { role: Cow::default(), text: Cow::Owned(text.to_owned()) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut said = Said::default();
        while let Some(next) = items.next_element()? {
            said.hear(next);
        }
        Ok(said)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut said = Said::default();
        while let Some(Name(name)) = fields.next_key()? {
            match name.as_ref() {
                "role" => said.role = fields.next_value::<Said>()?.text,
                "content" | "text" => said.text = fields.next_value::<Said>()?.text,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(said)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Said::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Said::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Said::default())
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn last_words(body: &str) -> String {
        serde_json::from_str::<Ask>(body).unwrap().last_words().to_owned()
    }

    #[test]
    fn the_last_user_message_is_found_among_messages() {
        let body = r#"{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},
            {"role":"user","content":[{"type":"text","text":"th\u0072ee "},{"type":"text","text":"four"}]},
            {"role":"assistant","content":null,"tool_calls":[]}]}"#;
        assert_eq!(last_words(body), "three four");
    }

    #[test]
    fn prompts_and_inputs_are_read_as_text_or_lists() {
        assert_eq!(last_words(r#"{"prompt":"once"}"#), "once");
        assert_eq!(last_words(r#"{"prompt":[1,2,3]}"#), "");
        let input = r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}]}"#;
        assert_eq!(last_words(input), "hi");
    }

    #[test]
    fn a_model_carries_its_script_behind_a_question_mark() {
        let ask: Ask = serde_json::from_str(r#"{"model":"echo?chunks=2"}"#).unwrap();
        assert_eq!(ask.model_and_script(), ("echo", "chunks=2"));
    }
}
