//! Gemini's own schemas (a subset of OpenAPI's) as JSON Schema.
//!
//! Types are in capitals there, `nullable` stands for a second type, counts may be strings, references
//! go to `defs`. A schema that is JSON Schema already is passed on as it is.

use super::names::{camel, get};
use crate::chat::Raw;
use crate::value::{Kind as Json, Value};
use crate::writer::Writer;
use std::borrow::Cow;

/// The schema as JSON Schema.
pub(super) fn convert<'a>(schema: &Value<'a>) -> Raw<'a> {
    if !needs(schema) {
        return Cow::Borrowed(schema.raw());
    }
    let mut w = Writer::new();
    write(&mut w, schema);
    String::from_utf8(w.finish()).map_or(Cow::Borrowed(schema.raw()), Cow::Owned)
}

/// What the values of a keyword are.
enum Holds {
    Schema,
    Schemas,
    Named,
    Count,
    Other,
}

fn holds(keyword: &str) -> Holds {
    match keyword {
        "items" | "additionalProperties" | "not" => Holds::Schema,
        "anyOf" | "allOf" | "oneOf" | "prefixItems" => Holds::Schemas,
        "properties" | "defs" | "$defs" | "definitions" => Holds::Named,
        "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
            Holds::Count
        }
        _ => Holds::Other,
    }
}

/// Whether anything in it is Gemini's own way to write.
fn needs(schema: &Value<'_>) -> bool {
    schema.members().iter().any(|(key, value)| {
        let name = camel(key);
        let other_spelling = matches!(name, Cow::Owned(_)) && !key.starts_with('$');
        other_spelling || is_own(&name, value)
    })
}

fn is_own(name: &str, value: &Value<'_>) -> bool {
    match holds(name) {
        Holds::Schema => needs(value),
        Holds::Schemas => value.items().iter().any(needs),
        Holds::Named => name == "defs" || value.members().iter().any(|(_, one)| needs(one)),
        Holds::Count => value.as_str().is_some(),
        Holds::Other => match name {
            "type" => value.as_str().is_some_and(|t| t.bytes().any(|b| b.is_ascii_uppercase())),
            "nullable" | "ref" => true,
            "format" => value.as_str() == Some("enum"),
            _ => false,
        },
    }
}

fn write(w: &mut Writer, schema: &Value<'_>) {
    if !schema.is_object() {
        return w.raw(schema.raw());
    }
    let nullable = get(schema, "nullable").and_then(Value::as_bool).unwrap_or(false);
    w.object(|w| {
        for (key, value) in schema.members() {
            if !value.is_null() {
                member(w, key, value, nullable);
            }
        }
    });
}

fn member(w: &mut Writer, key: &str, value: &Value<'_>, nullable: bool) {
    let name = camel(key);
    match holds(&name) {
        Holds::Schema => {
            w.key(&name);
            write(w, value);
        }
        Holds::Schemas => w.key(&name).array(|w| {
            value.items().iter().for_each(|one| write(w, one));
            if nullable && name == "anyOf" {
                w.raw("{\"type\":\"null\"}");
            }
        }),
        Holds::Named => w.key(if name == "defs" { "$defs" } else { &name }).object(|w| {
            for (key, one) in value.members() {
                w.key(key);
                write(w, one);
            }
        }),
        Holds::Count => {
            let number = value.as_str().filter(|text| text.parse::<u64>().is_ok());
            w.member(&name, number.unwrap_or(value.raw()));
        }
        Holds::Other => other(w, &name, value, nullable),
    }
}

fn other(w: &mut Writer, name: &str, value: &Value<'_>, nullable: bool) {
    match (name, value.as_str()) {
        ("nullable", _) | ("format", Some("enum")) | ("type", Some("TYPE_UNSPECIFIED")) => {}
        ("type", Some(word)) => {
            let word = word.to_ascii_lowercase();
            w.key("type");
            if nullable {
                w.array(|w| {
                    w.string(&word);
                    w.string("null");
                });
            } else {
                w.string(&word);
            }
        }
        ("ref", Some(place)) => {
            let place = place.strip_prefix("#/defs/").map(|rest| ["#/$defs/", rest].concat());
            w.text("$ref", place.as_deref().unwrap_or(value.as_str().unwrap_or_default()));
        }
        ("enum", _) if nullable && !value.items().iter().any(|one| *one.kind() == Json::Null) => {
            w.key("enum").array(|w| {
                value.items().iter().for_each(|one| w.raw(one.raw()));
                w.null();
            });
        }
        _ => {
            w.member(name, value.raw());
        }
    }
}
