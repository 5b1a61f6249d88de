//! JSON Schema as Gemini's own schemas, for hosts that know nothing newer than `parameters`.
//!
//! They are a subset of OpenAPI's. References are put in place (a schema that contains itself ends as a
//! free object), `const` becomes an `enum`, whose values are strings; a second type `null` becomes
//! `nullable`, several types an `anyOf`, as does `oneOf`; the parts of an `allOf` are merged. `$schema`,
//! `additionalProperties`, formats and keywords that Gemini refuses are left out.

use crate::value::{Kind as Json, Value};
use crate::writer::{Writer, quote};
use std::collections::HashSet;

/// How deep schemas may nest once references are in place.
const DEEPEST: usize = 24;
/// How many schemas there may be then.
const MOST: usize = 5000;
/// How many times as long the text may become by it, and bytes that always may be added.
const LONGER: (usize, usize) = (16, 1024);
/// Keywords that cost as much to look through as a schema does to write.
const KEYWORDS: usize = 32;
/// How many schemas may be merged into one.
const MOST_LAYERS: usize = 64;

/// The schema, or nothing if it is no JSON object.
pub(super) fn convert(text: &str) -> Option<String> {
    let root = Value::parse(text).ok().filter(Value::is_object)?;
    let mut w = Writer::new();
    Converter::new(&root).schema(&mut w, &root, 0);
    String::from_utf8(w.finish()).ok()
}

/// The schema of a function's arguments; nothing if there are none, since Gemini refuses an object
/// without properties.
pub(super) fn parameters(text: &str) -> Option<String> {
    let root = Value::parse(text).ok().filter(Value::is_object)?;
    let layers = Converter::new(&root).layers(&root);
    let properties = find(&layers, "properties").is_some_and(|all| !all.members().is_empty());
    let choices = find(&layers, "anyOf").or_else(|| find(&layers, "oneOf")).is_some();
    if properties || choices { convert(text) } else { None }
}

struct Converter<'v, 'a> {
    root: &'v Value<'a>,
    /// How many schemas may still be written.
    left: usize,
    /// How long the text may become.
    longest: usize,
}

/// A schema and what is merged into it; the first that has a keyword counts.
type Layers<'v, 'a> = Vec<&'v Value<'a>>;

fn find<'v, 'a>(layers: &Layers<'v, 'a>, keyword: &str) -> Option<&'v Value<'a>> {
    layers.iter().find_map(|layer| layer.get(keyword))
}

impl<'v, 'a> Converter<'v, 'a> {
    fn new(root: &'v Value<'a>) -> Self {
        let longest = root.raw().len() * LONGER.0 + LONGER.1;
        Converter { root, left: MOST, longest }
    }

    /// The schema with what it refers to and what its `allOf` holds.
    fn layers(&self, schema: &'v Value<'a>) -> Layers<'v, 'a> {
        let mut layers = vec![schema];
        let mut at = 0;
        while at < layers.len() && layers.len() < MOST_LAYERS {
            let layer = layers[at];
            if let Some(place) = layer.get("$ref").and_then(Value::as_str) {
                layers.extend(self.resolve(place));
            }
            layers.extend(layer.get("allOf").map(Value::items).unwrap_or_default());
            at += 1;
        }
        layers.truncate(MOST_LAYERS);
        layers
    }

    /// What a reference within the schema points at.
    fn resolve(&self, place: &str) -> Option<&'v Value<'a>> {
        let path = place.strip_prefix('#')?;
        path.split('/').filter(|step| !step.is_empty()).try_fold(self.root, |value, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            value.get(&step).or_else(|| value.items().get(step.parse::<usize>().ok()?))
        })
    }

    fn schema(&mut self, w: &mut Writer, schema: &'v Value<'a>, depth: usize) {
        if depth > DEEPEST || self.left == 0 || w.length() > self.longest {
            return w.raw("{\"type\":\"OBJECT\"}");
        }
        let layers = self.layers(schema);
        let keywords: usize = layers.iter().map(|layer| layer.members().len()).sum();
        self.left = self.left.saturating_sub(1 + keywords / KEYWORDS);
        let (types, mut nullable) = types(&layers);
        let choices = find(&layers, "anyOf").or_else(|| find(&layers, "oneOf"));
        let mut choices: Vec<_> = choices.map(Value::items).unwrap_or_default().iter().collect();
        let all = choices.len();
        choices.retain(|one| one.get("type").and_then(Value::as_str) != Some("null"));
        nullable |= choices.len() < all;
        if let ([one], true) = (&choices[..], types.is_empty()) {
            let mut merged = layers;
            merged.extend(self.layers(one));
            let (types, also) = self::types(&merged);
            return self.one(w, &merged, types.first().copied(), nullable || also, depth);
        }
        // Beside properties, alternatives only say which of them are needed.
        if !choices.is_empty() && find(&layers, "properties").is_none() {
            return w.object(|w| {
                description(w, &layers, nullable);
                w.key("anyOf")
                    .array(|w| choices.iter().for_each(|one| self.schema(w, one, depth + 1)));
            });
        }
        match &types[..] {
            [] | [_] => self.one(w, &layers, types.first().copied(), nullable, depth),
            several => w.object(|w| {
                description(w, &layers, nullable);
                w.key("anyOf").array(|w| {
                    for word in several {
                        self.one(w, &layers, Some(word), false, depth + 1);
                    }
                });
            }),
        }
    }

    /// A schema of one type.
    fn one(
        &mut self,
        w: &mut Writer,
        layers: &Layers<'v, 'a>,
        told: Option<&str>,
        nullable: bool,
        depth: usize,
    ) {
        let word = told.unwrap_or_else(|| guess(layers));
        w.object(|w| {
            w.text("type", &word.to_ascii_uppercase());
            description(w, layers, nullable);
            match word {
                "object" => self.properties(w, layers, depth),
                "array" => {
                    w.key("items");
                    match find(layers, "items").filter(|items| items.is_object()) {
                        Some(items) => self.schema(w, items, depth + 1),
                        None => w.raw("{\"type\":\"STRING\"}"),
                    }
                }
                "string" => allowed(w, layers),
                _ => {}
            }
            limits(w, layers, word);
        });
    }

    fn properties(&mut self, w: &mut Writer, layers: &Layers<'v, 'a>, depth: usize) {
        let mut all: Vec<(&'v str, &'v Value<'a>)> = Vec::new();
        let mut known = HashSet::new();
        for layer in layers {
            for (name, one) in layer.get("properties").map(Value::members).unwrap_or_default() {
                if known.insert(&**name) {
                    all.push((name, one));
                }
            }
        }
        if all.is_empty() {
            return;
        }
        w.key("properties").object(|w| {
            for (name, one) in &all {
                w.key(name);
                self.schema(w, one, depth + 1);
            }
        });
        let needed: Vec<&str> = layers
            .iter()
            .flat_map(|layer| layer.get("required").map(Value::items).unwrap_or_default())
            .filter_map(Value::as_str)
            .collect();
        if !needed.is_empty() {
            w.key("required").array(|w| needed.iter().for_each(|name| w.string(name)));
        }
        if let Some(order) = find(layers, "propertyOrdering") {
            w.member("propertyOrdering", order.raw());
        }
    }
}

/// The types that a schema allows, and whether `null` is one of them.
fn types<'v>(layers: &Layers<'v, '_>) -> (Vec<&'v str>, bool) {
    let mut words: Vec<&str> = match find(layers, "type") {
        Some(one) if one.is_array() => one.items().iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    };
    let all = words.len();
    words.retain(|word| *word != "null");
    let listed = find(layers, "enum")
        .is_some_and(|list| list.items().iter().any(|one| *one.kind() == Json::Null));
    let marked = find(layers, "nullable").and_then(Value::as_bool).unwrap_or(false);
    (words.clone(), words.len() < all || listed || marked)
}

/// The type of a schema that tells none: Gemini wants one.
fn guess(layers: &Layers<'_, '_>) -> &'static str {
    let has = |keyword| find(layers, keyword).is_some();
    if has("properties") || has("additionalProperties") {
        "object"
    } else if has("items") {
        "array"
    } else if has("minimum") || has("maximum") {
        "number"
    } else {
        "string"
    }
}

fn description(w: &mut Writer, layers: &Layers<'_, '_>, nullable: bool) {
    for keyword in ["title", "description"] {
        w.text_if(keyword, find(layers, keyword).and_then(Value::as_str));
    }
    if nullable {
        w.flag("nullable", true);
    }
}

/// The values allowed; Gemini has them as strings.
fn allowed(w: &mut Writer, layers: &Layers<'_, '_>) {
    let constant = find(layers, "const");
    let values = match constant {
        Some(one) => std::slice::from_ref(one),
        None => find(layers, "enum").map(Value::items).unwrap_or_default(),
    };
    let mut values = values.iter().filter(|one| *one.kind() != Json::Null).peekable();
    if values.peek().is_some() {
        w.key("enum").array(|w| {
            for one in values {
                match one.as_str() {
                    Some(text) => w.string(text),
                    None => w.raw(&quote(one.raw())),
                }
            }
        });
    }
}

fn limits(w: &mut Writer, layers: &Layers<'_, '_>, word: &str) {
    let (keywords, formats): (&[&str], &[&str]) = match word {
        "string" => (&["minLength", "maxLength", "pattern"], &["date-time"]),
        "number" => (&["minimum", "maximum"], &["float", "double"]),
        "integer" => (&["minimum", "maximum"], &["int32", "int64"]),
        "array" => (&["minItems", "maxItems"], &[]),
        "object" => (&["minProperties", "maxProperties"], &[]),
        _ => (&[], &[]),
    };
    for keyword in keywords {
        w.member_if(keyword, find(layers, keyword).map(Value::raw));
    }
    let format = find(layers, "format").and_then(Value::as_str);
    w.text_if("format", format.filter(|format| formats.contains(format)));
}
