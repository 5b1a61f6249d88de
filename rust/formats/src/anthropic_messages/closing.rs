//! Schemas with every object closed: Anthropic takes no others. What fits the closed one fits the open one.

use crate::value::{Kind as Json, Value};
use crate::writer::Writer;
use std::borrow::Cow;

/// The schema with `"additionalProperties": false` where it says nothing of it; none if it says otherwise.
pub(super) fn closed(schema: &str) -> Option<Cow<'_, str>> {
    let value = Value::parse(schema).ok().filter(Value::is_object)?;
    if !is_closable(&value) {
        return None;
    }
    let mut w = Writer::new();
    write(&mut w, &value);
    String::from_utf8(w.finish()).ok().map(Cow::Owned)
}

/// The schemas that stand in a member of one.
fn inner<'v, 'a>(name: &str, value: &'v Value<'a>) -> Vec<&'v Value<'a>> {
    match name {
        "items" | "not" => vec![value],
        "anyOf" | "allOf" | "oneOf" | "prefixItems" => value.items().iter().collect(),
        "properties" | "$defs" | "definitions" => {
            value.members().iter().map(|(_, one)| one).collect()
        }
        _ => Vec::new(),
    }
}

fn is_closable(schema: &Value<'_>) -> bool {
    schema.members().iter().all(|(name, value)| match &**name {
        "additionalProperties" => value.as_bool() == Some(false),
        name => inner(name, value).into_iter().all(is_closable),
    })
}

fn write(w: &mut Writer, schema: &Value<'_>) {
    if !schema.is_object() {
        return w.raw(schema.raw());
    }
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object")
        || schema.get("properties").is_some();
    w.object(|w| {
        for (name, value) in schema.members() {
            w.key(name);
            member(w, name, value);
        }
        if is_object && schema.get("additionalProperties").is_none() {
            w.flag("additionalProperties", false);
        }
    });
}

fn member(w: &mut Writer, name: &str, value: &Value<'_>) {
    match (name, value.kind()) {
        ("items" | "not", _) => write(w, value),
        ("anyOf" | "allOf" | "oneOf" | "prefixItems", Json::Array(items)) => {
            w.array(|w| items.iter().for_each(|one| write(w, one)));
        }
        ("properties" | "$defs" | "definitions", Json::Object(members)) => {
            w.object(|w| {
                for (name, one) in members {
                    w.key(name);
                    write(w, one);
                }
            });
        }
        _ => w.raw(value.raw()),
    }
}

#[cfg(test)]
mod tests;
