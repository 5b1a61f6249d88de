//! Streams, in both directions.
use super::*;
use crate::chat::{BlockStart, Citation, Delta, Event, Failure, FailureKind, Finish, Logprob};
use crate::chat::{Signature, Usage};
use crate::format::{Kind, OUTPUT_TOOL};

fn chunk(parts: &str, rest: &str) -> String {
    format!(
        r#"{{"candidates":[{{"content":{{"parts":[{parts}],"role":"model"}}{rest}}}],"modelVersion":"m","responseId":"r"}}"#
    )
}

/// The events, shortened to what is looked at here.
fn short(frames: &[String], sent: &Sent) -> (Vec<String>, bool) {
    let frames: Vec<&str> = frames.iter().map(|one| &**one).collect();
    let (seen, complete) = events(&frames, sent);
    let seen = seen
        .iter()
        .map(|one| {
            ["choice: 0, ", " }", ", stop_sequence: None", ", created: None"]
                .iter()
                .fold(one.clone(), |text, out| text.replace(out, ""))
        })
        .collect();
    (seen, complete)
}

#[test]
fn thoughts_texts_and_calls_are_blocks_in_order() {
    let (seen, complete) = short(
        &[
            chunk(r#"{"text":"hm","thought":true}"#, ""),
            chunk(r#"{"text":"mm","thought":true,"thoughtSignature":"A"}"#, ""),
            chunk(r#"{"text":"Hi"},{"text":" you"}"#, r#","finishReason":"STOP""#),
            chunk(r#"{"text":"","thoughtSignature":"B"}"#, ""),
            chunk(
                r#"{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"C"},{"functionCall":{"id":"x","name":"g"}}"#,
                r#","finishReason":"STOP""#,
            ),
        ],
        &Sent::default(),
    );
    let signature =
        |value| format!("Signature {{ origin: GeminiGenerate, id: None, value: \"{value}\"");
    assert_eq!(
        seen,
        [
            r#"Start { id: "r", model: "m""#.to_owned(),
            "BlockStart { block: 0, start: Thinking".to_owned(),
            r#"Delta { block: 0, delta: Text("hm")"#.to_owned(),
            r#"Delta { block: 0, delta: Text("mm")"#.to_owned(),
            format!("Delta {{ block: 0, delta: Signature({})", signature("A")),
            "BlockStop { block: 0".to_owned(),
            "BlockStart { block: 1, start: Text".to_owned(),
            r#"Delta { block: 1, delta: Text("Hi")"#.to_owned(),
            r#"Delta { block: 1, delta: Text(" you")"#.to_owned(),
            format!("Delta {{ block: 1, delta: Signature({})", signature("B")),
            "BlockStop { block: 1".to_owned(),
            format!(
                "BlockStart {{ block: 2, start: ToolCall {{ id: \"call_r_0\", name: \"f\", signature: Some({})",
                signature("C")
            ),
            r#"Delta { block: 2, delta: Arguments("{\"a\":1}")"#.to_owned(),
            "BlockStop { block: 2".to_owned(),
            r#"BlockStart { block: 3, start: ToolCall { id: "x", name: "g", signature: None"#
                .to_owned(),
            r#"Delta { block: 3, delta: Arguments("{}")"#.to_owned(),
            "BlockStop { block: 3".to_owned(),
            "Finish { finish: ToolCalls".to_owned(),
            "End".to_owned(),
        ]
    );
    assert!(complete);
}

#[test]
fn a_stream_is_complete_only_if_every_candidate_is() {
    let done = chunk(r#"{"text":"a"}"#, r#","finishReason":"STOP","index":0"#);
    let more = chunk(r#"{"text":"b"}"#, r#","index":1"#);
    assert!(short(std::slice::from_ref(&done), &Sent::default()).1);
    assert!(!short(&[done.clone(), more.clone()], &Sent::default()).1);
    let rest = chunk("", r#","finishReason":"STOP","index":1"#);
    assert!(short(&[done, more, rest], &Sent::default()).1);
    assert!(!short(&[], &Sent::default()).1);
    let usage = r#"{"usageMetadata":{"promptTokenCount":1}}"#.to_owned();
    assert!(!short(&[usage], &Sent::default()).1);
}

#[test]
fn a_refused_prompt_ends_a_stream_in_good_order() {
    let refused = r#"{"promptFeedback":{"blockReason":"SAFETY"},"responseId":"r"}"#.to_owned();
    let (seen, complete) = short(&[refused], &Sent::default());
    assert_eq!(seen[1..], ["Finish { finish: ContentFilter", "End"]);
    assert!(complete);
}

#[test]
fn an_error_ends_a_stream() {
    for error in [
        r#"{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}"#,
        r#"[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]"#,
    ] {
        let frames = [chunk(r#"{"text":"a"}"#, r#","finishReason":"STOP""#), error.to_owned()];
        let (seen, complete) = short(&frames, &Sent::default());
        assert!(seen.last().unwrap().contains("status: 503, kind: Overloaded"), "{seen:?}");
        assert!(!complete);
    }
}

#[test]
fn usage_is_told_when_it_changes() {
    let usage = |tokens| {
        format!(r#"{{"usageMetadata":{{"promptTokenCount":1,"candidatesTokenCount":{tokens}}}}}"#)
    };
    let frames = [usage(1), usage(1), usage(2), chunk("", r#","finishReason":"STOP""#)];
    let (seen, _) = short(&frames, &Sent::default());
    assert_eq!(seen.iter().filter(|one| one.starts_with("Usage")).count(), 2);
}

#[test]
fn a_call_in_pieces_is_handed_on_when_it_is_whole() {
    let frames = [
        chunk(r#"{"functionCall":{"name":"f","willContinue":true}}"#, ""),
        chunk(
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"x","willContinue":true}],"willContinue":true}}"#,
            "",
        ),
        chunk(
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"y"}],"willContinue":true}}"#,
            "",
        ),
        chunk(r#"{"functionCall":{}}"#, r#","finishReason":"STOP""#),
    ];
    let (seen, complete) = short(&frames, &Sent::default());
    assert_eq!(
        seen[2..],
        [
            r#"Delta { block: 0, delta: Arguments("{\"a\":\"xy\"}")"#,
            "BlockStop { block: 0",
            "Finish { finish: ToolCalls",
            "End",
        ]
    );
    assert!(complete);
    // The last piece never came.
    let (seen, _) = short(
        &[&frames[..2], &[chunk("", r#","finishReason":"STOP""#)]].concat(),
        &Sent::default(),
    );
    assert!(seen.contains(&r#"Delta { block: 0, delta: Arguments("{\"a\":\"x\"}")"#.to_owned()));
}

#[test]
fn an_answer_given_as_a_call_is_text() {
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let call = r#"{"functionCall":{"name":"json_output","args":{"a":1}}}"#;
    let (seen, _) = short(&[chunk(call, r#","finishReason":"STOP""#)], &sent);
    assert_eq!(
        seen[1..],
        [
            "BlockStart { block: 0, start: Answer",
            r#"Delta { block: 0, delta: Text("{\"a\":1}")"#,
            "BlockStop { block: 0",
            "Finish { finish: Stop",
            "End",
        ]
    );
}

#[test]
fn sources_are_told_by_characters_of_the_whole_text() {
    let grounding = r#","finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}],"groundingSupports":[{"segment":{"startIndex":3,"endIndex":5},"groundingChunkIndices":[0,7]}]}"#;
    let frames = [chunk(r#"{"text":"éa"}"#, ""), chunk(r#"{"text":"bc"}"#, grounding)];
    let (seen, _) = short(&frames, &Sent::default());
    let cited: Vec<_> = seen.iter().filter(|one| one.contains("Citation")).collect();
    assert_eq!(cited.len(), 1);
    assert!(cited[0].contains(r#"start: Some(2), end: Some(4), url: Some("u")"#), "{cited:?}");
}

#[test]
fn nonsense_does_no_harm() {
    for data in [
        "{}",
        r#"{"candidates":5}"#,
        r#"{"candidates":[5,{"content":7},{"content":{"parts":[1,{},{"text":5},{"functionCall":1}]}}]}"#,
        r#"{"candidates":[{"index":99999999999,"content":{"parts":[{"text":"x"}]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{}]}}]}}]}"#,
        "[]",
        "[DONE]",
        "",
    ] {
        let (seen, complete) = events(&[data], &Sent::default());
        assert!(!complete && seen.len() < 8, "{data}: {seen:?}");
    }
    let mut decoder = GeminiGenerate.stream_decoder(&Sent::default());
    let broken = Frame { event: None, data: "{" };
    assert!(decoder.frame(broken, &mut |_| {}).is_err());
}

fn write(events: &[Event<'_>], mut encoder: Box<dyn StreamEncoder>) -> String {
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.event(event, &mut out));
    String::from_utf8(out).unwrap()
}

fn start() -> Event<'static> {
    Event::Start { id: "r".into(), model: "m".into(), created: None }
}

fn begin(block: u64, start: BlockStart<'static>) -> Event<'static> {
    Event::BlockStart { choice: 0, block, start }
}

fn delta(block: u64, delta: Delta<'static>) -> Event<'static> {
    Event::Delta { choice: 0, block, delta }
}

fn stop(block: u64) -> Event<'static> {
    Event::BlockStop { choice: 0, block }
}

fn finish(finish: Finish) -> Event<'static> {
    Event::Finish { choice: 0, finish, stop_sequence: None }
}

fn reply() -> Vec<Event<'static>> {
    let foreign = |value: &'static str| Signature {
        origin: Kind::AnthropicMessages,
        id: None,
        value: value.into(),
    };
    let call = BlockStart::ToolCall { id: "a".into(), name: "f".into(), signature: None };
    vec![
        start(),
        begin(0, BlockStart::Thinking),
        delta(0, Delta::Text("hm".into())),
        delta(0, Delta::Signature(foreign("S"))),
        delta(0, Delta::Signature(foreign("IG"))),
        stop(0),
        begin(1, BlockStart::Text),
        delta(1, Delta::Text("Hi".into())),
        stop(1),
        begin(2, call),
        delta(2, Delta::Arguments(r#"{"a":"#.into())),
        delta(2, Delta::Arguments("1}".into())),
        stop(2),
        finish(Finish::ToolCalls),
        Event::Usage(Usage { input: 3, output: 5, reasoning: 2, ..Usage::default() }),
        Event::End,
    ]
}

/// The sealed signature of `reply`.
const SEALED: &str = "bGxtZ3cxLmFudGhyb3BpY19tZXNzYWdlcy4uU0lH";

#[test]
fn a_stream_of_another_format_is_one_of_geminis() {
    let found = write(&reply(), GeminiGenerate.stream_encoder(&Request::default(), &CONTEXT));
    let part = |part: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}},\"index\":0}}],\"modelVersion\":\"m\",\"responseId\":\"r\"}}\n\n"
        )
    };
    let expected = [
        part(r#"{"text":"hm","thought":true}"#),
        part(&format!(r#"{{"text":"","thought":true,"thoughtSignature":"{SEALED}"}}"#)),
        part(r#"{"text":"Hi"}"#),
        part(r#"{"functionCall":{"id":"a","name":"f","args":{"a":1}}}"#),
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"index\":0,\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":3,\"totalTokenCount\":8,\"thoughtsTokenCount\":2},\"modelVersion\":\"m\",\"responseId\":\"r\"}\n\n".to_owned(),
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn a_stream_without_events_is_one_array() {
    let found = write(&reply(), array_encoder(&Request::default(), &CONTEXT));
    let value = crate::value::Value::parse(&found).unwrap();
    assert_eq!(value.items().len(), 5);
    assert!(found.starts_with("[{\"candidates\"") && found.ends_with("}\n]"), "{found}");
    let failed = Event::Error(Failure {
        status: 503,
        kind: FailureKind::Overloaded,
        message: "busy".into(),
        code: None,
        param: None,
    });
    let found = write(&[start(), failed, Event::End], array_encoder(&Request::default(), &CONTEXT));
    assert_eq!(
        found,
        "[{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n]"
    );
}

#[test]
fn a_stream_that_breaks_off_has_no_reason_to_stop() {
    let all = reply();
    let found = write(&all[..8], GeminiGenerate.stream_encoder(&Request::default(), &CONTEXT));
    assert!(!found.contains("finishReason"));
}

#[test]
fn a_written_stream_reads_the_same_again() {
    let found = write(&reply(), GeminiGenerate.stream_encoder(&Request::default(), &CONTEXT));
    let frames: Vec<&str> =
        found.split("\n\n").filter_map(|frame| frame.strip_prefix("data: ")).collect();
    let (seen, complete) = events(&frames, &Sent::default());
    assert!(complete);
    let arguments = delta(2, Delta::Arguments(r#"{"a":1}"#.into()));
    let signature = Signature { origin: Kind::AnthropicMessages, id: None, value: "SIG".into() };
    for event in [
        delta(0, Delta::Text("hm".into())),
        delta(0, Delta::Signature(signature)),
        delta(1, Delta::Text("Hi".into())),
        arguments,
        finish(Finish::ToolCalls),
        Event::Usage(Usage { input: 3, output: 5, reasoning: 2, ..Usage::default() }),
    ] {
        assert!(seen.contains(&format!("{event:?}")), "{event:?}: {seen:?}");
    }
}

#[test]
fn several_candidates_sources_and_probabilities_are_told_at_their_places() {
    let citation =
        Citation { start: Some(1), end: Some(2), url: Some("u".into()), ..Citation::default() };
    let logprob = Logprob { token: "éa".into(), logprob: -1.0, bytes: None, top: vec![] };
    let found = write(
        &[
            start(),
            begin(0, BlockStart::Text),
            Event::BlockStart { choice: 1, block: 0, start: BlockStart::Refusal },
            delta(0, Delta::Text("éa".into())),
            delta(0, Delta::Logprobs(vec![logprob])),
            delta(0, Delta::Citation(citation)),
            Event::Delta { choice: 1, block: 0, delta: Delta::Text("No.".into()) },
            stop(0),
            finish(Finish::Stop),
            Event::Ping,
            Event::BlockStop { choice: 1, block: 0 },
            Event::Finish { choice: 1, finish: Finish::Refusal, stop_sequence: None },
            Event::End,
        ],
        GeminiGenerate.stream_encoder(&Request::default(), &CONTEXT),
    );
    let last = found.trim_end().rsplit("\n\n").next().unwrap();
    assert_eq!(
        last,
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"index\":0,\"finishReason\":\"STOP\",\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}],\"groundingSupports\":[{\"segment\":{\"startIndex\":2,\"endIndex\":3,\"text\":\"a\"},\"groundingChunkIndices\":[0]}]}},{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"index\":1,\"finishReason\":\"SAFETY\"}],\"modelVersion\":\"m\",\"responseId\":\"r\"}"
    );
    assert!(found.contains("\"logprobsResult\":{\"topCandidates\":[{\"candidates\":[]}]"));
    assert!(found.contains("{\"text\":\"No.\"}],\"role\":\"model\"},\"index\":1"));
}
