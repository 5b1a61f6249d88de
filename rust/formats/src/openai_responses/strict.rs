//! Whether a JSON Schema is strict as it stands, by OpenAI's rules for structured outputs.

use crate::value::Value;

/// Whether every object of the schema names all its properties as required and allows no others.
pub(super) fn is_strict(schema: &Value<'_>) -> bool {
    if let Some(properties) = schema.get("properties") {
        let closed = schema.get("additionalProperties").and_then(Value::as_bool) == Some(false);
        let required = schema.get("required").map(Value::items).unwrap_or_default();
        // OpenAI wants each name there once, so that equal counts and no stranger mean all.
        let all = required.len() == properties.members().len()
            && required
                .iter()
                .all(|name| name.as_str().is_some_and(|name| properties.get(name).is_some()));
        if !closed || !all || !properties.members().iter().all(|(_, one)| is_strict(one)) {
            return false;
        }
    } else if schema.get("type").and_then(Value::as_str) == Some("object") {
        return false;
    }
    let of_each = |name: &str| {
        let group = schema.get(name);
        group.is_none_or(|group| {
            group.items().iter().all(is_strict)
                && group.members().iter().all(|(_, one)| is_strict(one))
        })
    };
    schema.get("items").is_none_or(is_strict)
        && ["anyOf", "$defs", "definitions"].into_iter().all(of_each)
}
