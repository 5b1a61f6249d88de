//! Whole replies, in both directions.
use super::*;
use crate::chat::{
    Block, Choice, Citation, Finish, Logprob, Reasoning, Reply, Service, Signature, TextBlock,
    Thinking, ToolCall, Usage,
};
use crate::format::{Kind, OUTPUT_TOOL};

fn read(body: &str) -> Reply<'_> {
    GeminiGenerate.decode_reply(body, &Sent::default()).unwrap()
}

fn reply(blocks: Vec<Block<'_>>, finish: Finish) -> Reply<'_> {
    let choice = Choice { blocks, finish, stop_sequence: None, logprobs: Vec::new() };
    Reply { id: "r".into(), model: "m".into(), choices: vec![choice], ..Reply::default() }
}

#[test]
fn a_reply_comes_back_as_it_was() {
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Hi","thoughtSignature":"A"},{"functionCall":{"id":"a","name":"f","args":{"b":1}},"thoughtSignature":"B"},{"executableCode":{"code":"1"}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}],"role":"model"},"finishReason":"STOP","index":0,"logprobsResult":{"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.5}]}],"chosenCandidates":[{"token":"a","logProbability":-0.5}]}}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"totalTokenCount":14,"cachedContentTokenCount":4,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7},{"modality":"AUDIO","tokenCount":2}],"thoughtsTokenCount":2,"serviceTier":"flex"},"modelVersion":"m","responseId":"r"}"#;
    let reply = read(body);
    assert_eq!(reply.choices[0].finish, Finish::ToolCalls);
    assert_eq!(
        reply.usage,
        Some(Usage {
            input: 9,
            output: 5,
            cache_read: 4,
            reasoning: 2,
            audio_input: 2,
            service: Service::Flex,
            ..Usage::default()
        })
    );
    assert_eq!(written(&reply, &Request::default()), body);
}

#[test]
fn what_googles_tools_read_is_input_too() {
    let usage = read(
        r#"{"usageMetadata":{"promptTokenCount":5,"toolUsePromptTokenCount":"7","candidatesTokenCount":1}}"#,
    )
    .usage
    .unwrap();
    assert_eq!((usage.input, usage.output), (12, 1));
}

#[test]
fn every_reason_to_stop_is_known() {
    for (word, finish) in [
        ("STOP", Finish::Stop),
        ("MAX_TOKENS", Finish::Length),
        ("SAFETY", Finish::ContentFilter),
        ("RECITATION", Finish::ContentFilter),
        ("PROHIBITED_CONTENT", Finish::ContentFilter),
        ("IMAGE_SAFETY", Finish::ContentFilter),
        ("MODEL_ARMOR", Finish::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", Finish::Error),
        ("UNEXPECTED_TOOL_CALL", Finish::Error),
        ("OTHER", Finish::Error),
        ("SOMETHING_NEW", Finish::Stop),
    ] {
        let body = format!(r#"{{"candidates":[{{"finishReason":"{word}"}}]}}"#);
        assert_eq!(read(&body).choices[0].finish, finish, "{word}");
    }
}

#[test]
fn a_prompt_that_was_refused_is_a_filtered_choice() {
    let found = read(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#);
    assert_eq!((found.choices.len(), found.choices[0].finish), (1, Finish::ContentFilter));
    assert_eq!(read(r#"{"responseId":"r"}"#).choices[0].finish, Finish::Error);
    let sent = Sent::default();
    assert!(GeminiGenerate.decode_reply("{}", &sent).is_err());
    assert!(GeminiGenerate.decode_reply("[]", &sent).is_err());
}

#[test]
fn calls_without_ids_get_ones_that_are_unique_in_the_conversation() {
    let found = read(
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]}}],"responseId":"x.y"}"#,
    );
    let ids: Vec<_> = found.choices[0]
        .blocks
        .iter()
        .map(|block| match block {
            Block::ToolCall(call) => (&*call.id, &*call.arguments),
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(ids, [("call_x_y_0", "{}"), ("call_x_y_1", "{}")]);
}

#[test]
fn an_answer_given_as_a_call_is_text() {
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let body = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"json_output","args":{"a":1}}}]},"finishReason":"STOP"}]}"#;
    let found = GeminiGenerate.decode_reply(body, &sent).unwrap();
    assert_eq!(found.choices[0].blocks, [Block::text(r#"{"a":1}"#)]);
    assert_eq!(found.choices[0].finish, Finish::Stop);
}

#[test]
fn a_proof_after_a_text_belongs_to_it() {
    let found = read(
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"},{"text":"","thoughtSignature":"A"}]}}]}"#,
    );
    let [Block::Text(text)] = &found.choices[0].blocks[..] else { panic!("not one text") };
    assert_eq!(text.signature.as_ref().map(|one| &*one.value), Some("A"));
}

#[test]
fn sources_are_told_by_characters_and_written_by_bytes() {
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"Zoë is 5. Ok."}],"role":"model"},"finishReason":"STOP","index":0,"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},{"retrievedContext":{"title":"B","text":"five"}}],"groundingSupports":[{"segment":{"startIndex":0,"endIndex":10,"text":"Zoë is 5."},"groundingChunkIndices":[0]},{"segment":{"startIndex":11,"endIndex":14,"text":"Ok."},"groundingChunkIndices":[1]}]}}],"modelVersion":"m","responseId":"r"}"#;
    let found = read(body);
    let Block::Text(text) = &found.choices[0].blocks[0] else { panic!("no text") };
    assert_eq!(
        text.citations,
        [
            Citation {
                start: Some(0),
                end: Some(9),
                url: Some("https://a.example".into()),
                title: Some("A".into()),
                ..Citation::default()
            },
            Citation {
                start: Some(10),
                end: Some(13),
                title: Some("B".into()),
                quoted: Some("five".into()),
                ..Citation::default()
            },
        ]
    );
    assert_eq!(written(&found, &Request::default()), body);
}

#[test]
fn recitations_are_found_in_the_text_that_they_are_of() {
    let found = read(
        r#"{"candidates":[{"content":{"parts":[{"text":"éa"},{"text":"bcd"}]},
            "citationMetadata":{"citationSources":[{"startIndex":4,"endIndex":5,"uri":"u"},{"uri":"v","endIndex":999}]}}]}"#,
    );
    let Block::Text(second) = &found.choices[0].blocks[1] else { panic!("no text") };
    assert_eq!((second.citations[0].start, second.citations[0].end), (Some(1), Some(2)));
    let Block::Text(first) = &found.choices[0].blocks[0] else { panic!("no text") };
    assert_eq!((first.citations[0].url.as_deref(), first.citations[0].start), (Some("v"), None));
}

#[test]
fn foreign_thoughts_are_shown_with_their_proofs_sealed() {
    let foreign = Signature { origin: Kind::AnthropicMessages, id: None, value: "SIG".into() };
    let thought = Thinking { text: "hm".into(), signature: Some(foreign.clone()), redacted: false };
    let hidden = Thinking { signature: Some(foreign), redacted: true, ..Thinking::default() };
    let unsigned = Thinking { text: "so".into(), ..Thinking::default() };
    let blocks = [thought, hidden, unsigned].map(Block::Thinking).to_vec();
    let found = written(&reply(blocks.clone(), Finish::Stop), &Request::default());
    assert_eq!(read(&found).choices[0].blocks, blocks);

    let reasoning = Some(Reasoning { visible: Some(false), ..Reasoning::default() });
    let asked = Request { reasoning, ..Request::default() };
    let found = written(&reply(blocks, Finish::Stop), &asked);
    let read = read(&found);
    let texts: Vec<_> = read.choices[0]
        .blocks
        .iter()
        .map(|block| match block {
            Block::Thinking(one) => (&*one.text, one.signature.is_some()),
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(texts, [("", true), ("", true)]);
}

#[test]
fn a_reply_of_another_format_is_one_of_geminis() {
    let blocks = vec![
        Block::Refusal("No.".into()),
        Block::ToolCall(ToolCall {
            id: "call_1".into(),
            name: "f".into(),
            arguments: r#"{"a":"#.into(),
            signature: None,
            cache: None,
        }),
        Block::Text(TextBlock::default()),
    ];
    let mut reply = reply(blocks, Finish::Length);
    (reply.id, reply.model) = Default::default();
    let asked = Request { model: "asked".into(), ..Request::default() };
    assert_eq!(
        written(&reply, &asked),
        r#"{"candidates":[{"content":{"parts":[{"text":"No."},{"functionCall":{"id":"call_1","name":"f","args":{"arguments":"{\"a\":"}}},{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"modelVersion":"asked","responseId":"req_1"}"#
    );
}

#[test]
fn an_empty_reply_has_an_empty_part() {
    let found = written(&reply(Vec::new(), Finish::ContentFilter), &Request::default());
    assert_eq!(
        found,
        r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"SAFETY","index":0}],"modelVersion":"m","responseId":"r"}"#
    );
}

#[test]
fn log_probabilities_keep_their_alternatives() {
    let one = |token: &'static str, logprob, top| Logprob {
        token: token.into(),
        logprob,
        bytes: None,
        top,
    };
    let mut reply = reply(vec![Block::text("a")], Finish::Stop);
    reply.choices[0].logprobs =
        vec![one("a", -0.5, vec![one("a", -0.5, vec![]), one("b", -2.0, vec![])])];
    let found = written(&reply, &Request::default());
    assert_eq!(read(&found).choices[0].logprobs, reply.choices[0].logprobs);
}
