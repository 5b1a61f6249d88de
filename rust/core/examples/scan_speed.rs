//! Prints what a PII scan costs next to the bare engine: `cargo run --release --example scan_speed`
//! (`-- --each` for every trigger by itself).
//!
//! The bare engine is `hs_scan` on the same 31 triggers with a callback that does nothing, so that the
//! difference is the price of verification.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use llmgw_core::pii::{Scanner, triggers};
use llmgw_core::scan::{Choice, Ends, PatternSet};
use std::hint::black_box;
use std::time::Instant;

const PROSE: &str = "The quarterly review went well; we shipped 14 of the 17 planned changes, and \
    support tickets fell by 23% against the previous period. Could you summarise the attached notes \
    (about 3,500 words) in five bullet points, and keep the tone friendly? ";
const CODE: &str = "def load(path: str, limit: int = 10_000) -> list[dict]:\n    with open(path) as \
    file:\n        return [json.loads(line) for line in file][:limit]\n\n# see https://example.com/docs/v2.1/api?page=3\n\
    for (i, item) in items.iter().enumerate() { map.insert(i, std::mem::take(item)); }\n";
const LOG: &str = "2026-03-14T09:26:53.589Z INFO request id=f47ac10b-58cc-4372-a567-0e02b2c3d479 \
    took=12.7ms status=200 bytes=18233 host=api-7f9c.internal sha=9f86d081884c7d659a2feaa0c55ad015\n";
const PERSONAL: &str = "Please contact Jane at jane.doe@example.com or (415) 555-0132; her card \
    4111 1111 1111 1111 was charged on 03/12/2024, SSN 536-22-1234.\n";

fn main() {
    let mixed = PROSE.repeat(4) + &CODE.repeat(3) + &LOG.repeat(4) + &PROSE.repeat(4) + CODE;
    let clean: String = mixed.chars().take(4096).collect();
    let findings: String = (PERSONAL.to_owned() + &mixed).chars().take(4096).collect();
    let chat = chat_body();
    println!("{:34} {:>9} {:>9} {:>9} {:>7}", "text", "bare", "scan", "rust", "events");
    for (name, text) in [
        ("4 KB mixed, nothing to find", clean.as_str()),
        ("4 KB mixed, four findings", &findings),
        ("4 KB prose", &PROSE.repeat(20)[..4096]),
        ("4 KB code", &CODE.repeat(20)[..4096]),
        ("4 KB log", &LOG.repeat(40)[..4096]),
        ("4 KB personal data", &PERSONAL.repeat(40)[..4096]),
        ("1 KB JSON chat body", &chat),
    ] {
        report(name, text.as_bytes());
    }
    if std::env::args().any(|argument| argument == "--each") {
        each_trigger(clean.as_bytes());
    }
}

fn chat_body() -> String {
    let body = serde_json::json!({
        "model": "gpt-4o-mini",
        "temperature": 0.2,
        "max_tokens": 512,
        "messages": [
            {"role": "system", "content": "You are a helpful assistant. Answer in short sentences."},
            {"role": "user", "content": PROSE.repeat(3)},
        ],
    });
    let mut body = body.to_string();
    body.truncate(1024);
    body
}

fn report(name: &str, text: &[u8]) {
    let scanner = Scanner::new(Choice::Auto).unwrap();
    let rust = Scanner::new(Choice::Rust).unwrap();
    let mut ends = Ends::new(1 << 16);
    PatternSet::compile(&triggers(), Choice::Auto).unwrap().ends(text, &mut ends).unwrap();
    let mut findings = Vec::new();
    let mut scan = |scanner: &Scanner| {
        findings.clear();
        scanner.scan(text, &mut findings).unwrap();
        black_box(&findings);
    };
    let bare = bare(text);
    println!(
        "{name:34} {bare:>6.2} µs {:>6.2} µs {:>6.2} µs {:>7}",
        best(|| scan(&scanner)),
        best(|| scan(&rust)),
        ends.as_slice().len(),
    );
}

/// Microseconds of the best of many rounds.
fn best(mut run: impl FnMut()) -> f64 {
    (0..400)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..20 {
                run();
            }
            start.elapsed().as_secs_f64() * 1e6 / 20.0
        })
        .fold(f64::INFINITY, f64::min)
}

#[cfg(feature = "hyperscan")]
mod engine {
    pub(super) struct Nothing;

    impl llmgw_hs_sys::Sink for Nothing {
        fn accept(&mut self, _: u32, _: u64) -> bool {
            true
        }
    }
}

#[cfg(feature = "hyperscan")]
fn bare(text: &[u8]) -> f64 {
    use llmgw_hs_sys::{Database, Expression, Mode, Scratch};
    let expressions: Vec<Expression> = triggers()
        .into_iter()
        .map(|p| Expression { id: p.id, pattern: std::ffi::CString::new(p.expression).unwrap() })
        .collect();
    let database = Database::compile(&expressions, Mode::Block).unwrap();
    let mut scratch = Scratch::new(&database).unwrap();
    best(|| database.scan(text, &mut scratch, &mut engine::Nothing).unwrap())
}

#[cfg(not(feature = "hyperscan"))]
fn bare(_: &[u8]) -> f64 {
    f64::NAN
}

/// What the engine takes for each trigger alone, and what it saves without it.
fn each_trigger(text: &[u8]) {
    let all = triggers();
    for trigger in &all {
        let alone = PatternSet::compile(std::slice::from_ref(trigger), Choice::Auto).unwrap();
        let others: Vec<_> = all.iter().filter(|other| other.id != trigger.id).cloned().collect();
        let without = PatternSet::compile(&others, Choice::Auto).unwrap();
        let time = |set: &PatternSet| {
            let mut ends = Ends::new(1 << 16);
            best(|| {
                ends.reset(1 << 16);
                set.ends(text, &mut ends).unwrap();
            })
        };
        let shown: String = trigger.expression.chars().take(60).collect();
        println!("alone {:>6.2} µs, rest {:>6.2} µs  {shown}", time(&alone), time(&without));
    }
}
