//! Changes inputs as those who speak JSON would get it wrong, besides libFuzzer's changes of bytes.

use crate::words::words;
use fastrand::Rng;
use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};

/// Texts that are easily mistaken for something else.
const TEXTS: [&str; 16] = [
    "",
    " ",
    "null",
    "{}",
    "{\"a\":1}",
    "[",
    "{\"a\":",
    "\"",
    "\\",
    "\n",
    "\u{0}",
    "😀é\u{2028}",
    "data:image/png;base64,AAAA",
    "https://example.com/a.png",
    "[DONE]",
    "0",
];
/// JSON texts of numbers that are easily read wrong.
const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.5",
    "1e2",
    "1E-2",
    "5.0",
    "1e999",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890.5",
];
/// Stands in a tree where a number is put into the text.
const PLACE: &str = "a number";
/// libFuzzer's own part of the changes: one in so many.
const BYTES: u8 = 4;

/// Changes `data[..size]` in place; how long it is then.
pub fn mutate(target: &str, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = Rng::with_seed(seed.into());
    let text = std::str::from_utf8(&data[..size]).unwrap_or_default();
    let changed = if rng.u8(..BYTES) == 0 {
        None
    } else if let Some((status, body)) =
        text.split_once('\n').filter(|_| target.starts_with("errors"))
    {
        document(body, &mut rng).map(|body| format!("{status}\n{body}"))
    } else if ["streams", "frames", "relay"].iter().any(|name| target.starts_with(name)) {
        events(text, &mut rng)
    } else {
        document(text, &mut rng)
    };
    match changed.filter(|text| text.len() <= max_size.min(data.len())) {
        Some(text) => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

fn events(text: &str, rng: &mut Rng) -> Option<String> {
    let mut events: Vec<String> =
        text.split("\n\n").filter(|event| !event.is_empty()).map(str::to_owned).collect();
    let at = rng.usize(..events.len().max(1));
    let event = events.get(at)?.clone();
    let other = rng.usize(..events.len());
    match rng.u8(..8) {
        0 => drop(events.remove(at)),
        1 => events.insert(other, event),
        2 => events.swap(at, other),
        3 => events.truncate(at + 1),
        4 if event.starts_with("event: ") => {
            let (_, rest) = event.split_once('\n').unwrap_or_default();
            events[at] = format!("event: {}\n{rest}", rng.choice(words())?);
        }
        _ => {
            let start = event.find("data: ")? + "data: ".len();
            let changed = document(&event[start..], rng)?;
            events[at] = format!("{}{changed}", &event[..start]);
        }
    }
    Some(events.join("\n\n") + "\n\n")
}

fn document(text: &str, rng: &mut Rng) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    for _ in 0..rng.usize(1..4) {
        let (mut from, mut to) = (rng.usize(..nodes(&value)), rng.usize(..nodes(&value)));
        let picked = nth(&mut value, &mut from)?.clone();
        change(nth(&mut value, &mut to)?, picked, rng);
    }
    // Numbers that a tree cannot hold.
    Some(value.to_string().replace(&format!("\"{PLACE}\""), rng.choice(NUMBERS)?))
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum(),
        _ => 0,
    }
}

/// The node of that number, counted from the root.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Object(members) => members.values_mut().find_map(|member| nth(member, left)),
        _ => None,
    }
}

fn change(value: &mut Value, picked: Value, rng: &mut Rng) {
    match (rng.u8(..10), &mut *value) {
        (0, _) => *value = scalar(rng),
        (1, _) => *value = picked,
        (2, _) => *value = json!([value.take()]),
        (3, _) => *value = json!({ word(rng): value.take() }),
        (_, Value::Object(members)) => change_object(members, picked, rng),
        (_, Value::Array(items)) => change_array(items, picked, rng),
        (_, Value::String(text)) => change_text(text, rng),
        _ => *value = scalar(rng),
    }
}

fn change_object(members: &mut Map<String, Value>, picked: Value, rng: &mut Rng) {
    let key = rng.choice(members.keys()).cloned().unwrap_or_default();
    match rng.u8(..5) {
        0 => drop(members.shift_remove(&key)),
        1 => {
            let value = members.shift_remove(&key).unwrap_or_default();
            members.insert(word(rng), value);
        }
        2 => drop(members.insert(word(rng), picked)),
        3 => drop(members.insert(key, scalar(rng))),
        _ => drop(members.insert(word(rng), scalar(rng))),
    }
}

fn change_array(items: &mut Vec<Value>, picked: Value, rng: &mut Rng) {
    let at = rng.usize(..items.len().max(1));
    match (rng.u8(..5), items.is_empty()) {
        (0, false) => drop(items.remove(at)),
        (1, false) => items.insert(at, items[at].clone()),
        (2, false) => {
            let other = rng.usize(..items.len());
            items.swap(at, other);
        }
        (3, _) => items.clear(),
        _ => items.push(picked),
    }
}

fn change_text(text: &mut String, rng: &mut Rng) {
    let borders: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
    let at = rng.choice(&borders).copied().unwrap_or_default();
    match rng.u8(..5) {
        0 => text.truncate(at),
        1 => drop(text.drain(..at)),
        2 => text.insert_str(at, rng.choice(TEXTS).unwrap_or_default()),
        3 => *text = rng.choice(TEXTS).unwrap_or_default().to_owned(),
        _ => *text = word(rng),
    }
}

fn word(rng: &mut Rng) -> String {
    rng.choice(words()).cloned().unwrap_or_default()
}

fn scalar(rng: &mut Rng) -> Value {
    match rng.u8(..9) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!([]),
        3 => json!({}),
        4 => json!(rng.u8(..5)),
        5 | 6 => json!(PLACE),
        7 => json!(rng.choice(TEXTS)),
        _ => json!(word(rng)),
    }
}
