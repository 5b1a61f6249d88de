//! JSON Schemas as Anthropic's models take them: for a reply, and for the arguments of a strict tool.
//!
//! Reference: "Structured outputs", and what the SDKs make of a schema. Objects have to be closed; numbers,
//! lengths and the like cannot be limited. What cannot be said in the schema is said in its description, so
//! that the model may keep to it. A schema of which too much would be lost is not taken: open maps, recursion.

use crate::value::{Kind, Value};
use crate::writer::{Writer, quote};
use std::borrow::Cow;
use std::collections::HashMap;

/// Formats of strings that are kept to.
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// A schema that is taken.
#[derive(Debug, PartialEq)]
pub(super) struct Taken<'a> {
    pub(super) text: Cow<'a, str>,
    /// Some of it is only in descriptions.
    pub(super) loosened: bool,
}

/// The schema as Anthropic takes it, if it does.
pub(super) fn taken(schema: &str) -> Option<Taken<'_>> {
    let value = Value::parse(schema).ok()?;
    let mut rewriter = Rewriter::default();
    let mut w = Writer::new();
    rewriter.schema(&mut w, &value, "")?;
    if rewriter.is_recursive() {
        return None;
    }
    let text = if rewriter.changed {
        Cow::Owned(String::from_utf8(w.finish()).ok()?)
    } else {
        Cow::Borrowed(schema)
    };
    Some(Taken { text, loosened: rewriter.loosened })
}

#[derive(Default)]
struct Rewriter<'v> {
    changed: bool,
    loosened: bool,
    /// Which definition refers to which; the empty name is the schema itself.
    refers: Vec<(&'v str, &'v str)>,
}

impl<'v> Rewriter<'v> {
    /// Writes a schema that stands in the definition `within`; nothing if it is not taken.
    fn schema(&mut self, w: &mut Writer, schema: &'v Value<'_>, within: &'v str) -> Option<()> {
        if !schema.is_object() || says_nothing(schema) || is_open(schema) {
            return None;
        }
        let mut unsaid = String::new();
        let mut all = Some(());
        w.object(|w| {
            for (name, value) in schema.members() {
                if !value.is_null() && all.is_some() {
                    all = self.member(w, name, value, within, &mut unsaid);
                }
            }
            self.close(w, schema);
            self.describe(w, schema, &unsaid);
        });
        all
    }

    fn member(
        &mut self,
        w: &mut Writer,
        name: &str,
        value: &'v Value<'_>,
        within: &'v str,
        unsaid: &mut String,
    ) -> Option<()> {
        match name {
            // Written last.
            "description" | "additionalProperties" => {}
            "$schema" | "$id" => self.changed = true,
            "type" | "enum" | "const" | "title" | "required" | "default" => {
                w.member(name, value.raw());
            }
            "$ref" => {
                self.refers.push((within, definition(value.as_str()?)?));
                w.member(name, value.raw());
            }
            "items" => self.schema(w.key(name), value, within)?,
            "anyOf" | "allOf" => self.list(w.key(name), value, within)?,
            "oneOf" => {
                self.changed = true;
                self.list(w.key("anyOf"), value, within)?;
            }
            "properties" => self.map(w.key(name), value, |_| within)?,
            "$defs" | "definitions" => self.map(w.key(name), value, |name| name)?,
            "patternProperties" => return None,
            _ if is_kept(name, value) => {
                w.member(name, value.raw());
            }
            _ => {
                (self.changed, self.loosened) = (true, true);
                let comma = if unsaid.is_empty() { "" } else { ", " };
                unsaid.extend([comma, name, ": ", value.raw()]);
            }
        }
        Some(())
    }

    fn list(&mut self, w: &mut Writer, list: &'v Value<'_>, within: &'v str) -> Option<()> {
        let mut all = Some(());
        w.array(|w| {
            all = list.items().iter().try_for_each(|one| self.schema(w, one, within));
        });
        all
    }

    fn map(
        &mut self,
        w: &mut Writer,
        map: &'v Value<'_>,
        within: impl Fn(&'v str) -> &'v str,
    ) -> Option<()> {
        let mut all = Some(());
        w.object(|w| {
            all = map
                .members()
                .iter()
                .try_for_each(|(name, one)| self.schema(w.key(name), one, within(name)));
        });
        all
    }

    fn close(&mut self, w: &mut Writer, schema: &Value<'_>) {
        if is_object(schema) {
            self.changed |=
                schema.get("additionalProperties").and_then(Value::as_bool) != Some(false);
            w.flag("additionalProperties", false);
        }
    }

    fn describe(&mut self, w: &mut Writer, schema: &Value<'_>, unsaid: &str) {
        let description = schema.get("description");
        if unsaid.is_empty() {
            w.member_if("description", description.map(Value::raw));
            return;
        }
        let said = description.and_then(Value::as_str).unwrap_or_default();
        let border = if said.is_empty() { "" } else { "\n\n" };
        w.member("description", &quote(&[said, border, "(", unsaid, ")"].concat()));
    }

    /// Whether a definition refers to itself: takes away, one by one, those to which none refers.
    fn is_recursive(&self) -> bool {
        let mut referred: HashMap<&str, usize> = HashMap::new();
        let mut onward: HashMap<&str, Vec<&str>> = HashMap::new();
        for (from, to) in &self.refers {
            referred.entry(from).or_default();
            *referred.entry(to).or_default() += 1;
            onward.entry(from).or_default().push(to);
        }
        let mut free: Vec<&str> =
            referred.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        let mut taken = 0;
        while let Some(name) = free.pop() {
            taken += 1;
            for to in onward.get(name).into_iter().flatten() {
                if let Some(count) = referred.get_mut(to) {
                    *count -= 1;
                    if *count == 0 {
                        free.push(to);
                    }
                }
            }
        }
        taken < referred.len()
    }
}

/// The definition that a reference leads to; others than those of the same schema are not taken.
fn definition(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/$defs/").or_else(|| reference.strip_prefix("#/definitions/"))
}

fn is_object(schema: &Value<'_>) -> bool {
    let named = match schema.get("type").map(Value::kind) {
        Some(Kind::String(name)) => name == "object",
        Some(Kind::Array(names)) => names.iter().any(|name| name.as_str() == Some("object")),
        _ => false,
    };
    named || schema.get("properties").is_some()
}

/// Whether it has names that the schema does not know: closing it would change what it is for.
fn is_open(schema: &Value<'_>) -> bool {
    let more = schema.get("additionalProperties");
    if more.is_some_and(Value::is_object) {
        return true;
    }
    let closed = more.and_then(Value::as_bool) == Some(false);
    let unnamed = schema.get("properties").is_none_or(|known| known.members().is_empty());
    is_object(schema) && unnamed && !closed
}

/// Whether anything would do.
fn says_nothing(schema: &Value<'_>) -> bool {
    ["type", "properties", "anyOf", "oneOf", "allOf", "enum", "const", "$ref"]
        .iter()
        .all(|name| schema.get(name).is_none())
}

fn is_kept(name: &str, value: &Value<'_>) -> bool {
    match name {
        "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        "minItems" => value.as_u64().is_some_and(|least| least <= 1),
        "pattern" => value.as_str().is_some_and(is_plain_pattern),
        _ => false,
    }
}

/// Whether a pattern does without looking around, back references and borders of words.
fn is_plain_pattern(pattern: &str) -> bool {
    let mut escaped = false;
    let refused = pattern.chars().any(|letter| {
        let special = escaped && (letter.is_ascii_digit() || matches!(letter, 'b' | 'B' | 'k'));
        escaped = letter == '\\' && !escaped;
        special
    });
    !refused && !pattern.contains("(?")
}
