//! The inputs that the fuzzer found worth keeping: `tests/fixtures/corpus/TARGET.jsonl`, an input a line,
//! as a JSON string, or as an object whose `hex` it is if it is no UTF-8.
#![allow(dead_code, clippy::unwrap_used)] // each user takes what it needs

use serde_json::Value;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Panics where a property does not hold for these bytes.
type Check = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Something of which a property is claimed for any bytes.
pub struct Target {
    /// Its name, which is that of its corpus too.
    pub name: String,
    check: Check,
}

impl Target {
    /// `check` panics where the property does not hold.
    pub fn new(name: impl Into<String>, check: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Target { name: name.into(), check: Box::new(check) }
    }

    /// Checks the property; panics where it does not hold.
    pub fn check(&self, data: &[u8]) {
        (self.check)(data);
    }

    /// Checks every input that was kept; which ones panicked.
    pub fn replay(&self) -> Vec<String> {
        let inputs = inputs(&self.name);
        let failed = inputs
            .iter()
            .enumerate()
            .filter(|(_, data)| catch_unwind(AssertUnwindSafe(|| self.check(data))).is_err());
        failed.map(|(line, _)| format!("{}.jsonl, line {}", self.name, line + 1)).collect()
    }
}

/// Where they are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus")
}

/// The inputs of a target.
pub fn inputs(target: &str) -> Vec<Vec<u8>> {
    let path = folder().join(format!("{target}.jsonl"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| input(&serde_json::from_str(line).unwrap())).collect()
}

fn input(line: &Value) -> Vec<u8> {
    match line {
        Value::String(text) => text.clone().into_bytes(),
        other => from_hex(other["hex"].as_str().unwrap()),
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}
