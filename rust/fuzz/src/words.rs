//! Words that mean something to the formats: the keys and the short texts of the fixtures.

use crate::common::fixtures;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

/// Longer texts are prompts.
const LONGEST: usize = 40;

static WORDS: OnceLock<Vec<String>> = OnceLock::new();

/// All of them, sorted.
pub fn words() -> &'static [String] {
    WORDS.get_or_init(|| {
        let mut found = BTreeSet::new();
        gather(&fixtures(), &mut found);
        found.into_iter().collect()
    })
}

fn gather(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("corpus") {
            gather(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // Whole documents, and the data of events.
            let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let documents = [&*text].into_iter().chain(data);
            documents
                .filter_map(|text| serde_json::from_str(text).ok())
                .for_each(|value| learn(&value, found));
        }
    }
}

fn learn(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() <= LONGEST => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| learn(item, found)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            learn(value, found);
        }),
        _ => {}
    }
}
