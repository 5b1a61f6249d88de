//! What each format can be given by URL, and what has to be fetched for it.

mod common;

use common::original;
use llmgw_formats::chat::{Block, Source};
use llmgw_formats::format as format_of;
use llmgw_formats::format::{Kind, Target};

const URL: &str = "https://example.com/thing";

fn at(url: &'static str) -> Source<'static> {
    Source::Url { url: url.into(), media_type: None }
}

fn image(url: &'static str) -> Block<'static> {
    Block::image(at(url))
}

fn document(url: &'static str) -> Block<'static> {
    Block::Document { source: at(url), title: None, context: None, citations: false, cache: None }
}

/// Of a picture, a document, a recording and a film, those that have to be fetched.
fn fetched(kind: Kind, target: &Target<'_>) -> String {
    let blocks = [
        ('i', image(URL)),
        ('d', document(URL)),
        ('a', Block::audio(at(URL))),
        ('v', Block::Video { source: at(URL) }),
    ];
    let needs = |(_, block): &&(char, Block<'_>)| format_of(kind).needs_bytes(block, target);
    blocks.iter().filter(needs).map(|(name, _)| name).collect()
}

#[test]
fn a_host_that_fetches_is_given_urls_where_its_format_has_a_place_for_them() {
    for (kind, expected) in [
        (Kind::OpenaiChat, "da"),
        (Kind::OpenaiResponses, ""),
        (Kind::AnthropicMessages, ""),
        (Kind::GeminiGenerate, ""),
        (Kind::BedrockConverse, "ida"),
        (Kind::CohereChat, ""),
    ] {
        assert_eq!(fetched(kind, &original()), expected, "{kind:?}");
    }
}

#[test]
fn a_host_that_does_not_fetch_is_given_the_bytes_of_all_that_it_can_see() {
    let target = Target { takes_urls: false, ..original() };
    for (kind, expected) in [
        (Kind::OpenaiChat, "ida"),
        (Kind::OpenaiResponses, "id"),
        (Kind::AnthropicMessages, "id"),
        (Kind::GeminiGenerate, "ida"),
        (Kind::BedrockConverse, "ida"),
        (Kind::CohereChat, "i"),
    ] {
        assert_eq!(fetched(kind, &target), expected, "{kind:?}");
    }
}

#[test]
fn gemini_fetches_from_its_version_2_5_on() {
    let of = |model| fetched(Kind::GeminiGenerate, &Target { model, ..original() });
    assert_eq!(of("gemini-2.0-flash"), "ida");
    assert_eq!(of("gemini-2.5-pro"), "");
    assert_eq!(of("gemini-3-flash-preview"), "");
}

#[test]
fn what_lies_at_its_own_maker_is_fetched_for_nobody() {
    let old = Target { model: "gemini-2.0-flash", ..original() };
    let file = image("https://generativelanguage.googleapis.com/v1beta/files/abc");
    assert!(!format_of(Kind::GeminiGenerate).needs_bytes(&file, &old));
    let object = document("s3://bucket/a.pdf");
    assert!(!format_of(Kind::BedrockConverse).needs_bytes(&object, &old));
}
