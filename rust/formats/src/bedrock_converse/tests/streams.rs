//! Streams, in both directions.

use super::*;
use crate::chat::{Block, BlockStart, Delta, Event, FailureKind, Finish, Signature, Usage};
use crate::eventstream::Messages;
use crate::format::{Context, Frame, OUTPUT_TOOL, StreamDecoder};
use crate::{Kind, signature};

fn read(decoder: &mut dyn StreamDecoder, frames: &[(&str, &str)]) -> (Vec<Event<'static>>, bool) {
    let mut events = Vec::new();
    for (event, data) in frames {
        let frame = Frame { event: Some(event), data };
        decoder.frame(frame, &mut |event| events.push(owned(&event))).unwrap();
    }
    let complete = decoder.close(&mut |event| events.push(owned(&event)));
    (events, complete)
}

fn heard(frames: &[(&str, &str)]) -> (Vec<Event<'static>>, bool) {
    read(&mut *BedrockConverse.stream_decoder(&plainly()), frames)
}

/// The event apart from its frame.
fn owned(event: &Event<'_>) -> Event<'static> {
    let text = |text: &str| text.to_owned().into();
    let proof = |one: &Signature<'_>| Signature {
        origin: one.origin,
        id: one.id.as_deref().map(text),
        value: text(&one.value),
    };
    match event {
        Event::Start { .. } => Event::Start { id: "".into(), model: "".into(), created: None },
        Event::BlockStart { choice, block, start } => {
            Event::BlockStart { choice: *choice, block: *block, start: start.clone().into_owned() }
        }
        Event::Delta { choice, block, delta } => Event::Delta {
            choice: *choice,
            block: *block,
            delta: match delta {
                Delta::Text(one) => Delta::Text(text(one)),
                Delta::Arguments(one) => Delta::Arguments(text(one)),
                Delta::Signature(one) => Delta::Signature(proof(one)),
                Delta::Citation(one) => Delta::Citation(crate::chat::Citation {
                    title: one.title.as_deref().map(text),
                    quoted: one.quoted.as_deref().map(text),
                    raw: one.raw.as_deref().map(text),
                    ..Default::default()
                }),
                Delta::Logprobs(_) => Delta::Logprobs(Vec::new()),
            },
        },
        Event::BlockStop { choice, block } => Event::BlockStop { choice: *choice, block: *block },
        Event::Finish { choice, finish, stop_sequence } => Event::Finish {
            choice: *choice,
            finish: *finish,
            stop_sequence: stop_sequence.as_deref().map(text),
        },
        Event::Lost(name) => Event::Lost(text(name)),
        Event::Usage(usage) => Event::Usage(*usage),
        Event::Ping => Event::Ping,
        Event::End => Event::End,
        Event::Error(failure) => Event::Error(crate::chat::Failure {
            status: failure.status,
            kind: failure.kind,
            message: text(&failure.message),
            code: failure.code.as_deref().map(text),
            param: None,
        }),
    }
}

fn start() -> Event<'static> {
    Event::Start { id: "".into(), model: "".into(), created: None }
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

fn call(id: &'static str) -> BlockStart<'static> {
    BlockStart::ToolCall { id: id.into(), name: "f".into(), signature: None }
}

fn proof(origin: Kind, value: &'static str) -> Signature<'static> {
    Signature { origin, id: None, value: value.into() }
}

const STOP: (&str, &str) = ("messageStop", r#"{"stopReason":"tool_use"}"#);
const METADATA: (&str, &str) = (
    "metadata",
    r#"{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":9},"p":"abc"}"#,
);
fn usage() -> Usage {
    Usage { input: 1, output: 2, ..Usage::default() }
}

const BROAD: [(&str, &str); 15] = [
    ("messageStart", r#"{"role":"assistant"}"#),
    ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}"#),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}"#,
    ),
    ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"aGlk"}}}"#,
    ),
    ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
    ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"text":"Hé"}}"#),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":2,"delta":{"citation":{"title":"T","sourceContent":[{"text":"so"}]}}}"#,
    ),
    ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
    (
        "contentBlockStart",
        r#"{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}}"#,
    ),
    ("contentBlockDelta", r#"{"contentBlockIndex":3,"delta":{"toolUse":{"input":""}}}"#),
    ("contentBlockDelta", r#"{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"a\":1}"}}}"#),
    ("contentBlockStop", r#"{"contentBlockIndex":3}"#),
    STOP,
    METADATA,
];

fn broad() -> Vec<Event<'static>> {
    let cited = crate::chat::Citation {
        title: Some("T".into()),
        quoted: Some("so".into()),
        raw: Some(r#"{"title":"T","sourceContent":[{"text":"so"}]}"#.into()),
        ..Default::default()
    };
    vec![
        start(),
        begin(0, BlockStart::Thinking),
        delta(0, Delta::Text("Hm.".into())),
        delta(0, Delta::Signature(proof(Kind::BedrockConverse, "c2ln"))),
        stop(0),
        begin(1, BlockStart::Redacted(proof(Kind::BedrockConverse, "aGlk"))),
        stop(1),
        begin(2, BlockStart::Text),
        delta(2, Delta::Text("Hé".into())),
        delta(2, Delta::Citation(cited)),
        stop(2),
        begin(3, call("t1")),
        delta(3, Delta::Arguments("{\"a\":1}".into())),
        stop(3),
        finish(Finish::ToolCalls),
        Event::Usage(usage()),
        Event::End,
    ]
}

#[test]
fn a_broad_stream_has_its_canonical_meaning() {
    assert_eq!(heard(&BROAD), (broad(), true));
}

#[test]
fn a_stream_written_reads_the_same_whatever_the_chunks() {
    let context = Context { request_id: "req_1", now: 0 };
    let mut encoder = BedrockConverse.stream_encoder(&hello(), &context);
    let mut bytes = Vec::new();
    broad().iter().for_each(|event| encoder.event(event, &mut bytes));
    // Bedrock tells the usage last, as here.
    for at in 0..=bytes.len() {
        let mut messages = Messages::default();
        let mut decoder = BedrockConverse.stream_decoder(&plainly());
        let mut events = Vec::new();
        for chunk in [&bytes[..at], &bytes[at..]] {
            let mut take =
                |frame: Frame<'_>| decoder.frame(frame, &mut |event| events.push(owned(&event)));
            messages.push::<Fault>(chunk, &mut take).unwrap();
        }
        assert!(decoder.close(&mut |_| {}));
        assert_eq!(events, broad(), "split at {at}");
    }
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let (events, _) = heard(&[BROAD[0], BROAD[9], BROAD[10], BROAD[12], STOP, METADATA]);
    assert_eq!(events[2], delta(0, Delta::Arguments("{}".into())));
}

#[test]
fn the_answer_that_comes_as_a_call_is_text() {
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let begins =
        r#"{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t","name":"json_output"}}}"#;
    let frames = [BROAD[0], ("contentBlockStart", begins), BROAD[11], BROAD[12], STOP, METADATA];
    let (events, complete) = read(&mut *BedrockConverse.stream_decoder(&sent), &frames);
    assert_eq!(
        events[1..5],
        [
            begin(0, BlockStart::Answer),
            delta(0, Delta::Text("{\"a\":1}".into())),
            stop(0),
            finish(Finish::Stop)
        ]
    );
    assert!(complete);
}

#[test]
fn an_exception_ends_the_stream() {
    let failed = ("throttlingException", r#"{"message":"Slow down."}"#);
    let (events, complete) = heard(&[BROAD[0], BROAD[6], failed, BROAD[6]]);
    let Some(Event::Error(failure)) = events.last() else { panic!("{events:?}") };
    assert_eq!((failure.status, failure.kind), (429, FailureKind::RateLimit));
    assert_eq!(failure.message, "Slow down.");
    assert!(!complete);
    let (events, _) = heard(&[("InternalFailure", r#"{"message":"x"}"#)]);
    assert!(matches!(&events[..], [Event::Error(_)]));
}

#[test]
fn a_stream_without_its_last_events_is_not_complete() {
    for length in 0..BROAD.len() {
        assert!(!heard(&BROAD[..length]).1, "{length}");
    }
}

#[test]
fn a_tool_that_bedrock_runs_is_not_the_clients() {
    let begins = r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"g","type":"server_tool_use"}}}"#;
    let told = r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#;
    let frames = [
        BROAD[0],
        ("contentBlockStart", begins),
        ("contentBlockDelta", told),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        BROAD[6],
        ("messageStop", r#"{"stopReason":"end_turn"}"#),
        METADATA,
    ];
    let (events, complete) = heard(&frames);
    let Event::BlockStart { start: BlockStart::Whole(Block::Opaque { kind, .. }), .. } = &events[1]
    else {
        panic!("{:?}", events[1]);
    };
    assert_eq!(kind, "toolUse");
    assert_eq!(events[2..4], [stop(0), begin(1, BlockStart::Text)]);
    assert!(complete);
}

#[test]
fn arguments_of_a_call_that_is_not_under_way_break_the_stream() {
    let mut decoder = BedrockConverse.stream_decoder(&plainly());
    for (at, fails) in [(0, false), (9, false), (11, false), (12, false), (11, true)] {
        let (event, data) = BROAD[at];
        let result = decoder.frame(Frame { event: Some(event), data }, &mut |_| {});
        assert_eq!(result.is_err(), fails, "{data}");
    }
}

/// Events in any order, also nonsensical ones, and broken JSON: no panic, and never an event after the end.
#[test]
fn a_stream_in_disorder_does_no_harm() {
    let mut chance = fastrand::Rng::with_seed(11);
    let extra = [("initial-response", ""), ("newEvent", "{}"), ("contentBlockDelta", "{}")];
    let all: Vec<_> = BROAD.iter().chain(&extra).copied().collect();
    for _ in 0..2000 {
        let mut decoder = BedrockConverse.stream_decoder(&plainly());
        let mut ended = 0;
        for _ in 0..chance.usize(1..30) {
            let (event, data) = all[chance.usize(..all.len())];
            let frame = Frame { event: Some(event), data };
            let _ = decoder.frame(frame, &mut |event| {
                assert_eq!(ended, 0, "{event:?}");
                ended += u32::from(event == Event::End);
            });
        }
    }
    let mut decoder = BedrockConverse.stream_decoder(&plainly());
    let frame = Frame { event: Some("contentBlockDelta"), data: "{" };
    assert!(decoder.frame(frame, &mut |_| {}).is_err());
}

#[test]
fn proofs_of_others_stand_in_thoughts_of_their_own() {
    let context = Context { request_id: "req_1", now: 0 };
    let mut encoder = BedrockConverse.stream_encoder(&hello(), &context);
    let foreign = proof(Kind::GeminiGenerate, "Zw==");
    let signed = BlockStart::ToolCall {
        id: "t1".into(),
        name: "f".into(),
        signature: Some(foreign.clone()),
    };
    let mut bytes = Vec::new();
    for event in [
        begin(0, BlockStart::Text),
        delta(0, Delta::Text("Hi".into())),
        delta(0, Delta::Signature(foreign.clone())),
        stop(0),
        begin(1, signed),
        delta(1, Delta::Arguments("{}".into())),
        stop(1),
    ] {
        encoder.event(&event, &mut bytes);
    }
    let mut told = Vec::new();
    let mut take = |frame: Frame<'_>| {
        let value: Value = serde_json::from_str(frame.data).unwrap();
        let proof = &value["delta"]["reasoningContent"]["signature"];
        told.push((
            value["contentBlockIndex"].as_u64().unwrap(),
            proof.as_str().map(str::to_owned),
        ));
        Ok::<(), Fault>(())
    };
    Messages::default().push(&bytes, &mut take).unwrap();
    let sealed = Some(signature::seal(&foreign));
    let indexes: Vec<_> = told.iter().map(|(index, _)| *index).collect();
    assert_eq!(indexes, [0, 0, 1, 1, 2, 2, 3, 3, 3], "no number is used twice");
    assert_eq!((&told[2].1, &told[4].1), (&sealed, &sealed));
}
