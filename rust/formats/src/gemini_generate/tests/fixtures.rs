//! The fixtures that all dialects share, as far as they are Gemini's.
use super::*;
use crate::chat::{Block, Reply};
use crate::frames::Frames;
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

/// Names and texts of the files in a folder, sorted.
fn files(name: &str) -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn conversations() -> Vec<(String, String)> {
    files("conversations")
        .into_iter()
        .filter_map(|(name, text)| {
            let file: Json = serde_json::from_str(&text).unwrap();
            Some((name, file.get("gemini_generate")?.to_string()))
        })
        .collect()
}

#[test]
fn every_conversation_reads_the_same_after_it_was_written() {
    for (name, body) in conversations() {
        let request = decode(&body);
        let (again, dropped) = encode(&request, &target("upstream-model"));
        if dropped.is_empty() {
            assert_eq!(decode(&again), request, "{name}");
        } else {
            let only = ["x_flux_capacitor".to_owned(), "temperature (clamped)".to_owned()];
            assert!(dropped.iter().all(|one| only.contains(one)), "{name}: {dropped:?}");
        }
    }
}

/// Text, calls, finish and usage of the first choice, in the words of `scenarios.json`.
fn in_words(reply: &Reply<'_>) -> Json {
    let choice = &reply.choices[0];
    let (mut text, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
    for block in &choice.blocks {
        match block {
            Block::Text(one) => text.push_str(&one.text),
            Block::Thinking(one) => thinking.push_str(&one.text),
            Block::ToolCall(call) => {
                let arguments: Json = serde_json::from_str(&call.arguments).unwrap();
                calls.push(serde_json::json!({"name": call.name, "arguments": arguments}));
            }
            _ => {}
        }
    }
    let usage = reply.usage.unwrap();
    serde_json::json!({
        "text": text, "thinking": thinking, "calls": calls,
        "finish": format!("{:?}", choice.finish).to_lowercase(),
        "input": usage.input, "output": usage.output, "reasoning": usage.reasoning,
    })
}

fn expected(scenario: &Json) -> Json {
    let of = |name: &str, other: Json| scenario.get(name).cloned().unwrap_or(other);
    let count = |name: &str| scenario["usage"].get(name).cloned().unwrap_or(0.into());
    let text = scenario["choices"].get(0).cloned().unwrap_or_else(|| of("text", "".into()));
    serde_json::json!({
        "text": text, "thinking": of("thinking", "".into()), "calls": of("calls", Json::Array(vec![])),
        "finish": scenario["finish"].as_str().unwrap().replace('_', ""),
        "input": count("input"), "output": count("output"), "reasoning": count("reasoning"),
    })
}

fn scenarios() -> Json {
    serde_json::from_str(&fs::read_to_string(folder("scenarios.json")).unwrap()).unwrap()
}

#[test]
fn every_reply_says_what_its_scenario_says() {
    let scenarios = scenarios();
    for (name, body) in files("replies/gemini_generate") {
        let mut scenario = &scenarios["replies"][&name];
        if scenario.is_null() {
            let like = scenarios["variants"][&name]["like"].as_str().unwrap();
            scenario = &scenarios["replies"][like];
        }
        let reply = GeminiGenerate.decode_reply(&body, &Sent::default()).unwrap();
        assert_eq!(in_words(&reply), expected(scenario), "{name}");
        let again = written(&reply, &Request::default());
        let again = GeminiGenerate.decode_reply(&again, &Sent::default()).unwrap();
        assert_eq!(again, reply, "{name}");
    }
}

/// The events of a stream that comes in these chunks.
fn heard(chunks: &[&[u8]]) -> (Vec<String>, bool) {
    let mut decoder = GeminiGenerate.stream_decoder(&Sent::default());
    let mut frames = Frames::default();
    let mut seen = Vec::new();
    let mut take = |frame: Frame<'_>| -> Result<(), Fault> {
        decoder.frame(frame, &mut |event| seen.push(format!("{event:?}"))).unwrap();
        Ok(())
    };
    chunks.iter().for_each(|chunk| frames.push(chunk, &mut take).unwrap());
    frames.close(&mut take).unwrap();
    let complete = decoder.close(&mut |event| seen.push(format!("{event:?}")));
    (seen, complete)
}

#[test]
fn every_split_of_a_stream_gives_the_same_events() {
    let broken = scenarios()["broken"].clone();
    for (name, body) in files("streams/gemini_generate") {
        let bytes = body.as_bytes();
        let whole = heard(&[bytes]);
        assert_eq!(whole.1, broken.get(&name).is_none(), "{name}");
        let step = if bytes.len() > 6000 { 97 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            assert_eq!(heard(&[&bytes[..at], &bytes[at..]]), whole, "{name} at {at}");
        }
    }
}

#[test]
fn damaged_bodies_are_refused_and_do_no_harm() {
    let mut random = fastrand::Rng::with_seed(7);
    let bodies = conversations().into_iter().chain(files("replies/gemini_generate"));
    for (_, body) in bodies.filter(|(_, body)| body.len() < 5000) {
        for _ in 0..40 {
            let mut bytes = body.clone().into_bytes();
            let at = random.usize(..bytes.len());
            match random.u8(..3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = *random.choice(b"{}[]\",:0a").unwrap(),
                _ => drop(bytes.remove(at)),
            }
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let _ = GeminiGenerate.decode_reply(&text, &Sent::default());
            let _ = GeminiGenerate.decode_error(400, &text);
            if let Ok(request) = GeminiGenerate.decode_request(&text, PathFacts::default()) {
                let mut dropped = Dropped::default();
                let _ = GeminiGenerate.encode_request(&request, &target("m"), &mut dropped);
            }
        }
    }
}
