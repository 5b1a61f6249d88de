//! Whether JSON fits a JSON Schema, as far as schemas of replies go.
//!
//! Judged are `type` (and OpenAPI's `nullable`), `enum`, `const`; `properties`, `required`,
//! `additionalProperties`, `minProperties`, `maxProperties`; `items`, `prefixItems`, `minItems`, `maxItems`,
//! `uniqueItems`; `minLength`, `maxLength`; `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`,
//! `multipleOf` of whole numbers; `anyOf`, `oneOf`, `allOf`, `not`; and `$ref` within the schema. What is not
//! judged (`pattern`, `format`, `if`, …) is taken to fit: nobody is refused for want of a judge.

mod numbers;

use crate::value::{Kind, Value};
use std::collections::HashSet;

/// Schemas looked at for one text: some name each other without end, or branch without measure.
const MOST_STEPS: usize = 100_000;
/// Schemas within each other.
const DEEPEST: usize = 256;

/// Whether the text is JSON that fits the schema. A schema that is none of JSON fits everything.
#[must_use]
pub fn fits(schema: &str, text: &str) -> bool {
    let Ok(schema) = Value::parse(schema) else { return true };
    let Ok(value) = Value::parse(text) else { return false };
    let mut judge = Judge { root: &schema, steps: 0 };
    judge.fits(&schema, &value, 0)
}

struct Judge<'s> {
    root: &'s Value<'s>,
    steps: usize,
}

impl<'s> Judge<'s> {
    fn fits(&mut self, schema: &'s Value<'s>, value: &Value<'_>, depth: usize) -> bool {
        self.steps += 1;
        if depth > DEEPEST || self.steps > MOST_STEPS {
            return true;
        }
        if let Kind::Bool(allowed) = schema.kind() {
            return *allowed;
        }
        has_type(schema, value)
            && is_one_of(schema, value)
            && self.is_as_named(schema, value, depth)
            && self.combined(schema, value, depth)
            && match value.kind() {
                Kind::Object(_) => self.object(schema, value, depth),
                Kind::Array(_) => self.array(schema, value, depth),
                Kind::String(text) => within(schema, "Length", text.chars().count()),
                Kind::Number => numbers::fits(schema, value),
                Kind::Null | Kind::Bool(_) => true,
            }
    }

    /// `$ref`, to a place in this schema; others are not looked up.
    fn is_as_named(&mut self, schema: &'s Value<'s>, value: &Value<'_>, depth: usize) -> bool {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.find(name));
        named.is_none_or(|named| self.fits(named, value, depth + 1))
    }

    fn find(&self, name: &str) -> Option<&'s Value<'s>> {
        let path = name.strip_prefix('#')?;
        path.split('/').skip(1).try_fold(self.root, |at, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match at.kind() {
                Kind::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => at.get(&step),
            }
        })
    }

    fn combined(&mut self, schema: &'s Value<'s>, value: &Value<'_>, depth: usize) -> bool {
        if let Some(all) = schema.get("allOf")
            && !all.items().iter().all(|one| self.fits(one, value, depth + 1))
        {
            return false;
        }
        if let Some(any) = schema.get("anyOf").filter(|any| !any.items().is_empty())
            && !any.items().iter().any(|one| self.fits(one, value, depth + 1))
        {
            return false;
        }
        if let Some(one) = schema.get("oneOf").filter(|one| !one.items().is_empty()) {
            let fitting = one.items().iter().filter(|one| self.fits(one, value, depth + 1)).count();
            // Where the judge was stopped everything fits.
            if fitting != 1 && self.steps <= MOST_STEPS {
                return false;
            }
        }
        match schema.get("not") {
            Some(not) => !self.fits(not, value, depth + 1) || self.steps > MOST_STEPS,
            None => true,
        }
    }

    fn object(&mut self, schema: &'s Value<'s>, value: &Value<'_>, depth: usize) -> bool {
        let members = value.members();
        let required = schema.get("required").map(Value::items).unwrap_or_default();
        let has = |name: &str| members.iter().any(|(known, _)| known == name);
        if !required.iter().filter_map(Value::as_str).all(has) {
            return false;
        }
        let properties = schema.get("properties").map(Value::members).unwrap_or_default();
        // Which names the patterns take is not judged.
        let others = schema
            .get("additionalProperties")
            .filter(|_| schema.get("patternProperties").is_none());
        within(schema, "Properties", members.len())
            && members.iter().all(|(name, member)| {
                match properties.iter().find(|(known, _)| known == name) {
                    Some((_, property)) => self.fits(property, member, depth + 1),
                    None => others.is_none_or(|others| self.fits(others, member, depth + 1)),
                }
            })
    }

    fn array(&mut self, schema: &'s Value<'s>, value: &Value<'_>, depth: usize) -> bool {
        let items = value.items();
        let first = schema.get("prefixItems").map(Value::items).unwrap_or_default();
        let rest = schema.get("items").filter(|rest| !rest.is_array());
        let is_unique = schema.get("uniqueItems").and_then(Value::as_bool) == Some(true);
        within(schema, "Items", items.len())
            && (!is_unique || all_differ(items))
            && items.iter().enumerate().all(|(at, item)| match (first.get(at), rest) {
                (Some(one), _) | (None, Some(one)) => self.fits(one, item, depth + 1),
                (None, None) => true,
            })
    }
}

/// `minLength` and `maxLength`, and the like for items and properties.
fn within(schema: &Value<'_>, what: &str, count: usize) -> bool {
    let limit = |end: &str| schema.get(&[end, what].concat()).and_then(Value::as_u64);
    let count = count as u64;
    limit("min").is_none_or(|least| count >= least) && limit("max").is_none_or(|most| count <= most)
}

fn has_type(schema: &Value<'_>, value: &Value<'_>) -> bool {
    let Some(asked) = schema.get("type") else { return true };
    let nullable = schema.get("nullable").and_then(Value::as_bool) == Some(true);
    if value.is_null() && nullable {
        return true;
    }
    match asked.kind() {
        Kind::String(name) => is_a(name, value),
        Kind::Array(names) => names.iter().filter_map(Value::as_str).any(|name| is_a(name, value)),
        _ => true,
    }
}

fn is_a(name: &str, value: &Value<'_>) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.as_bool().is_some(),
        "string" => value.as_str().is_some(),
        "number" => matches!(value.kind(), Kind::Number),
        "integer" => numbers::is_whole(value),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

/// `enum` and `const`.
fn is_one_of(schema: &Value<'_>, value: &Value<'_>) -> bool {
    let all = schema.get("enum").map(Value::items);
    // A member that is null is one all the same.
    let only = schema.members().iter().find(|(name, _)| name == "const");
    all.is_none_or(|all| all.iter().any(|one| same(one, value)))
        && only.is_none_or(|(_, only)| same(only, value))
}

/// Whether two values mean the same: numbers by their worth, objects whatever their order.
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one.kind(), other.kind()) {
        (Kind::Number, Kind::Number) => numbers::same(one, other),
        (Kind::Array(one), Kind::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Kind::Object(one), Kind::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let found = other.iter().find(|(known, _)| known == name);
                    found.is_some_and(|(_, found)| same(value, found))
                })
        }
        (one, other) => one == other,
    }
}

/// Whether no two items are written alike.
fn all_differ(items: &[Value<'_>]) -> bool {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().all(|item| seen.insert(item.raw()))
}

#[cfg(test)]
mod tests;
