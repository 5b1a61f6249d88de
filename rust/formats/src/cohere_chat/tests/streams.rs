//! Streams, in both directions.

use super::*;
use crate::chat::{BlockStart, Delta, Event, Failure, FailureKind, Finish, Usage};
use crate::format::{Frame, OUTPUT_TOOL};
use crate::frames::Frames;

/// What is heard in a stream, and whether it ended as it should.
fn heard(bytes: &[u8], sent: &Sent) -> (Vec<String>, bool) {
    let mut frames: Vec<(Option<String>, String)> = Vec::new();
    let mut take = |frame: Frame<'_>| {
        frames.push((frame.event.map(str::to_owned), frame.data.to_owned()));
        Ok::<(), Fault>(())
    };
    let mut cut = Frames::default();
    cut.push(bytes, &mut take).unwrap();
    cut.close(&mut take).unwrap();
    let mut decoder = CohereChat.stream_decoder(sent);
    let mut events = Vec::new();
    for (event, data) in &frames {
        let frame = Frame { event: event.as_deref(), data };
        decoder.frame(frame, &mut |event| events.push(format!("{event:?}"))).unwrap();
    }
    let complete = decoder.close(&mut |_| {});
    (events, complete)
}

fn written(events: &[Event<'_>]) -> Vec<u8> {
    let mut encoder = CohereChat.stream_encoder(&hello(), &CONTEXT);
    let mut bytes = Vec::new();
    events.iter().for_each(|event| encoder.event(event, &mut bytes));
    bytes
}

fn start() -> Event<'static> {
    Event::Start { id: "r1".into(), model: "".into(), created: None }
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

fn call(id: &'static str) -> BlockStart<'static> {
    BlockStart::ToolCall { id: id.into(), name: "f".into(), signature: None }
}

fn finish(finish: Finish) -> [Event<'static>; 3] {
    let usage = Usage { input: 5, output: 7, cache_read: 3, ..Usage::default() };
    let finish = Event::Finish { choice: 0, finish, stop_sequence: None };
    [Event::Usage(usage), finish, Event::End]
}

fn broad() -> Vec<Event<'static>> {
    let mut events = vec![
        start(),
        begin(0, BlockStart::Thinking),
        delta(0, Delta::Text("Hm.".into())),
        stop(0),
        begin(1, BlockStart::Text),
        delta(1, Delta::Text("Hé".into())),
        delta(1, Delta::Text(" so".into())),
        stop(1),
        begin(2, call("c1")),
        delta(2, Delta::Arguments("{\"a\":".into())),
        delta(2, Delta::Arguments("1}".into())),
        stop(2),
        begin(3, call("c2")),
        delta(3, Delta::Arguments("{}".into())),
        stop(3),
    ];
    events.extend(finish(Finish::ToolCalls));
    events
}

#[test]
fn a_stream_written_reads_the_same() {
    let (events, complete) = heard(&written(&broad()), &Sent::default());
    let expected: Vec<_> = broad().iter().map(|event| format!("{event:?}")).collect();
    assert_eq!(events, expected);
    assert!(complete);
}

#[test]
fn a_stream_is_written_as_cohere_writes_it() {
    let mut events =
        vec![start(), begin(0, BlockStart::Text), delta(0, Delta::Text("Hi".into())), stop(0)];
    events.extend(finish(Finish::Stop));
    let expected = r#"event: message-start
data: {"type":"message-start","id":"r1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}

event: content-end
data: {"type":"content-end","index":0}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":{"input_tokens":5,"output_tokens":7},"cached_tokens":3}}}

data: [DONE]

"#;
    assert_eq!(String::from_utf8(written(&events)).unwrap(), expected);
}

fn sse(events: &[&str]) -> Vec<u8> {
    events.iter().flat_map(|data| ["data: ", data, "\n\n"].concat().into_bytes()).collect()
}

#[test]
fn citations_that_come_after_the_text_belong_to_it() {
    let bytes = sse(&[
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":"a"}}}}"#,
        r#"{"type":"content-end","index":0}"#,
        r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":1,"sources":[]}}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#,
    ]);
    let (events, complete) = heard(&bytes, &Sent::default());
    assert!(events[3].contains("Citation"), "{events:?}");
    assert!(events[4].contains("BlockStop"), "{events:?}");
    assert!(complete);
}

#[test]
fn a_plan_is_text_before_the_calls() {
    let bytes = sse(&[
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I "}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"look."}}}"#,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c1","function":{"name":"f","arguments":""}}}}}"#,
        r#"{"type":"tool-call-end","index":0}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
    ]);
    let (events, _) = heard(&bytes, &Sent::default());
    let expected = [
        begin(0, BlockStart::Text),
        delta(0, Delta::Text("I ".into())),
        delta(0, Delta::Text("look.".into())),
        stop(0),
        begin(1, call("c1")),
        delta(1, Delta::Arguments("{}".into())),
        stop(1),
    ];
    assert_eq!(events[1..8], expected.map(|event| format!("{event:?}")));
}

#[test]
fn the_answer_that_comes_as_a_call_is_text() {
    let bytes = sse(&[
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c1","function":{"name":"json_output","arguments":"{"}}}}}"#,
        r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"}"}}}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
    ]);
    let sent = Sent { output_tool: Some(OUTPUT_TOOL), ..Sent::default() };
    let (events, _) = heard(&bytes, &sent);
    let expected = [
        begin(0, BlockStart::Answer),
        delta(0, Delta::Text("{".into())),
        delta(0, Delta::Text("}".into())),
        stop(0),
        Event::Finish { choice: 0, finish: Finish::Stop, stop_sequence: None },
        Event::End,
    ];
    assert_eq!(events[1..], expected.map(|event| format!("{event:?}")));
}

#[test]
fn a_failure_at_the_end_is_an_error() {
    for (end, kind) in [
        (
            r#"{"type":"message-end","delta":{"error":"It broke.","finish_reason":"ERROR"}}"#,
            "Server",
        ),
        (r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#, "Timeout"),
        (r#"{"id":"x","message":"It broke."}"#, "Server"),
    ] {
        let (events, complete) = heard(&sse(&[end]), &Sent::default());
        let last = events.last().unwrap();
        assert!(last.contains("Error(") && last.contains(&format!("kind: {kind}")), "{last}");
        assert!(!complete);
    }
}

#[test]
fn a_client_gets_a_failure_as_an_end() {
    let failure = Failure {
        status: 500,
        kind: FailureKind::Server,
        message: "It broke.".into(),
        code: None,
        param: None,
    };
    let bytes = written(&[start(), Event::Error(failure)]);
    let (events, complete) = heard(&bytes, &Sent::default());
    assert!(events.last().unwrap().contains("It broke."));
    assert!(!complete);
}

#[test]
fn a_stream_without_its_end_is_not_complete() {
    let bytes = written(&broad());
    let text = String::from_utf8(bytes).unwrap();
    let end = text.find("event: message-end").unwrap();
    assert!(!heard(&text.as_bytes()[..end], &Sent::default()).1);
}

#[test]
fn arguments_of_a_call_that_is_not_under_way_break_the_stream() {
    let mut decoder = CohereChat.stream_decoder(&Sent::default());
    let data = r#"{"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}"#;
    assert!(decoder.frame(Frame { event: None, data }, &mut |_| {}).is_err());
}

/// Events in any order, also nonsensical ones: no panic, and never an event after the end.
#[test]
fn a_stream_in_disorder_does_no_harm() {
    let text = String::from_utf8(written(&broad())).unwrap();
    let mut all: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    all.extend(["{}", "[]", r#"{"type":"debug","prompt":"x"}"#, r#"{"type":"tool-call-start"}"#]);
    let mut chance = fastrand::Rng::with_seed(3);
    for _ in 0..2000 {
        let mut decoder = CohereChat.stream_decoder(&Sent::default());
        let mut ended = 0;
        for _ in 0..chance.usize(1..30) {
            let frame = Frame { event: None, data: all[chance.usize(..all.len())] };
            let _ = decoder.frame(frame, &mut |event| {
                assert_eq!(ended, 0, "{event:?}");
                ended += u32::from(event == Event::End);
            });
        }
    }
}
