//! Usage objects as vendors send them, and what they cost, worked out by hand: `tests/fixtures/pricing`.

#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use llmgw_core::price::{self, PriceList, Served};
use llmgw_core::snapshot::{Price, PricingPolicy, UnknownPrice};
use llmgw_core::sse::{Grammar, Relay};
use llmgw_core::usage::{self, Usage};
use llmgw_formats::chat::Event;
use llmgw_formats::format::Sent;
use llmgw_formats::frames::Frames;
use llmgw_formats::{Kind, format};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/pricing");

fn cases() -> Vec<Value> {
    let mut files: Vec<_> =
        fs::read_dir(Path::new(FOLDER)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file| serde_json::from_slice::<Vec<Value>>(&fs::read(file).unwrap()).unwrap();
    files.into_iter().flat_map(read).collect()
}

fn kind(case: &Value) -> Kind {
    match case["format"].as_str().unwrap() {
        "openai_chat" => Kind::OpenaiChat,
        "openai_responses" => Kind::OpenaiResponses,
        "anthropic_messages" => Kind::AnthropicMessages,
        "gemini_generate" => Kind::GeminiGenerate,
        "bedrock_converse" => Kind::BedrockConverse,
        "cohere_chat" => Kind::CohereChat,
        other => panic!("{other}"),
    }
}

fn grammar(kind: Kind) -> Grammar {
    match kind {
        Kind::OpenaiResponses => Grammar::Responses,
        Kind::AnthropicMessages => Grammar::Messages,
        Kind::GeminiGenerate => Grammar::Content,
        _ => Grammar::Chat,
    }
}

/// The usage as it is read off bytes that are relayed, if those of the format are.
fn relayed(case: &Value) -> Option<Usage> {
    let kind = kind(case);
    if let Some(stream) = case["stream"].as_str() {
        let mut relay = Relay::new(grammar(kind), false);
        relay.push(Bytes::from(stream.to_owned()));
        return relay.usage();
    }
    usage::of_reply(Some(kind), case["body"].to_string().as_bytes())
}

/// The usage as it is read when a chat is translated.
fn translated(case: &Value) -> Option<Usage> {
    let format = format(kind(case));
    let Some(stream) = case["stream"].as_str() else {
        let body = case["body"].to_string();
        return format.decode_reply(&body, &Sent::default()).unwrap().usage;
    };
    let mut decoder = format.stream_decoder(&Sent::default());
    let (mut frames, mut told) = (Frames::default(), None);
    let pushed = frames.push(stream.as_bytes(), &mut |frame| {
        decoder.frame(frame, &mut |event| {
            if let Event::Usage(usage) = event {
                told = Some(usage);
            }
        })
    });
    pushed.unwrap();
    told
}

fn is_relayed(case: &Value) -> bool {
    !matches!(kind(case), Kind::BedrockConverse | Kind::CohereChat)
}

fn is_chat(case: &Value) -> bool {
    case["chat"] != json!(false)
}

fn list(case: &Value) -> Option<PriceList> {
    let mut price = case["price"].as_object()?.clone();
    price.entry("source").or_insert(json!("test"));
    for (name, empty) in [("tiers", json!([])), ("services", json!([])), ("units", json!({}))] {
        price.entry(name).or_insert(empty);
    }
    for service in price["services"].as_array_mut().unwrap() {
        service.as_object_mut().unwrap().entry("tiers").or_insert(json!([]));
    }
    let price: Price = serde_json::from_value(price.into()).unwrap();
    Some(PriceList::new(price))
}

fn policy(case: &Value) -> PricingPolicy {
    let given = case.get("policy").map(|policy| serde_json::from_value(policy.clone()).unwrap());
    let free = UnknownPrice::Free;
    given.unwrap_or(PricingPolicy { unknown: free, ceiling_input: 0, ceiling_output: 0 })
}

fn served(case: &Value) -> Served {
    let count = |name: &str| case["served"][name].as_u64();
    Served {
        images: count("images"),
        milliseconds_heard: count("milliseconds_heard"),
        characters: count("characters"),
        queries: count("queries"),
        ..Served::default()
    }
}

#[test]
fn every_reply_costs_what_was_worked_out_by_hand() {
    let cases = cases();
    assert!(cases.len() >= 25, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let usage = if is_relayed(case) { relayed(case) } else { translated(case) };
        let usage = usage.unwrap_or_default();
        let cost = price::cost(list(case).as_ref(), &policy(case), &usage, &served(case));
        let found = json!({"nano_dollars": cost.nano_dollars, "status": cost.status.name()});
        if found != case["expected"] {
            wrong.push(format!(
                "{} / {}: {found}, not {} ({}) {usage:?}",
                case["format"], case["name"], case["expected"], case["why"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_reply_that_is_translated_costs_what_it_does_when_it_is_relayed() {
    for case in cases().iter().filter(|case| is_chat(case) && is_relayed(case)) {
        assert_eq!(relayed(case), translated(case), "{} / {}", case["format"], case["name"]);
    }
}
