//! Usage objects as providers send them.

#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn both_spellings_are_read() {
    let chat = br#"{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,
        "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}"#;
    let responses = br#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},
        "output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":14}"#;
    let expected = Usage { input: 9, output: 5, cache_read: 4, reasoning: 2, ..Usage::default() };
    assert_eq!(parse(chat), Some(expected));
    assert_eq!(parse(responses), Some(expected));
}

#[test]
fn numbers_that_cannot_be_are_not_believed() {
    for text in [
        "{}",
        "null",
        r#"{"prompt_tokens":-1}"#,
        r#"{"prompt_tokens":1e99}"#,
        r#"{"prompt_tokens":99999999999999999}"#,
    ] {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn the_end_of_a_large_reply_is_enough() {
    let tail = br#"0.25],"index":9}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#;
    assert_eq!(at_end(None, tail).map(|usage| usage.input), Some(3));
    assert_eq!(at_end(None, b"0.25]}]}"), None);
}

#[test]
fn a_reranking_may_give_nothing_but_a_total() {
    let body = br#"{"results":[],"usage":{"total_tokens":15}}"#;
    assert_eq!(of_reply(None, body).unwrap(), Usage { input: 15, ..Usage::default() });
}

#[test]
fn an_embedding_has_no_output() {
    let body = br#"{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
    assert_eq!(of_reply(None, body).unwrap(), Usage { input: 3, ..Usage::default() });
}

#[test]
fn what_anthropic_cached_counts_as_input() {
    let first = br#"{"input_tokens":3,"cache_read_input_tokens":10,"cache_creation_input_tokens":5,"output_tokens":1}"#;
    let start = parse_messages(first, None);
    assert_eq!(start.unwrap().input, 18);
    let last = parse_messages(br#"{"output_tokens":7}"#, start).unwrap();
    assert_eq!((last.input, last.output, last.cache_read, last.cache_write), (18, 7, 10, 5));
}

#[test]
fn what_gemini_thought_counts_as_output() {
    let body = br#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":3,"totalTokenCount":16}}"#;
    let usage = of_reply(Some(Kind::GeminiGenerate), body).unwrap();
    assert_eq!((usage.input, usage.output, usage.reasoning), (9, 7, 3));
}

#[test]
fn openai_tells_how_it_served_beside_the_usage() {
    let body = br#"{"choices":[],"usage":{"prompt_tokens":3},"service_tier":"flex"}"#;
    assert_eq!(of_reply(None, body).unwrap().service, Service::Flex);
    let quoted =
        br#"{"choices":[{"message":{"service_tier":"flex"}}],"usage":{"prompt_tokens":3}}"#;
    assert_eq!(of_reply(None, quoted).unwrap().service, Service::Standard);
}

#[test]
fn how_a_large_response_was_served_stands_before_its_usage() {
    let tail =
        br#"t":"..."}],"service_tier":"priority","tools":[],"usage":{"input_tokens":3},"x":1}"#;
    assert_eq!(at_end(None, tail).unwrap().service, Service::Priority);
}

#[test]
fn anthropic_tells_once_how_it_served_and_how_long_it_caches() {
    let first = br#"{"input_tokens":3,"cache_creation_input_tokens":9,"output_tokens":1,
        "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":5},
        "service_tier":"batch"}"#;
    let last = parse_messages(br#"{"output_tokens":7}"#, parse_messages(first, None)).unwrap();
    assert_eq!((last.cache_write, last.cache_write_1h), (9, 5));
    assert_eq!(last.service, Service::Batch);
}

#[test]
fn thoughts_that_are_told_beside_the_output_are_added_to_it() {
    let beside = br#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,
        "completion_tokens_details":{"reasoning_tokens":94}}"#;
    let within = br#"{"prompt_tokens":32,"completion_tokens":103,"total_tokens":135,
        "completion_tokens_details":{"reasoning_tokens":94}}"#;
    assert_eq!(parse(beside).unwrap(), parse(within).unwrap());
}

#[test]
fn a_host_that_sends_both_spellings_is_read() {
    let both = br#"{"prompt_tokens":3,"input_tokens":3,"completion_tokens":2,"output_tokens":2}"#;
    assert_eq!(parse(both).map(|usage| (usage.input, usage.output)), Some((3, 2)));
}
