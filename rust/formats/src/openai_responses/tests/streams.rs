//! Streams, in both directions.

use super::*;
use crate::chat::{
    BlockStart, Citation, Delta, Failure, FailureKind, Finish, Logprob, Signature, Usage,
};

fn start(block: u64, start: BlockStart<'_>) -> Event<'_> {
    Event::BlockStart { choice: 0, block, start }
}

fn delta(block: u64, delta: Delta<'_>) -> Event<'_> {
    Event::Delta { choice: 0, block, delta }
}

fn text(block: u64, text: &str) -> Event<'_> {
    delta(block, Delta::Text(text.into()))
}

fn stop(block: u64) -> Event<'static> {
    Event::BlockStop { choice: 0, block }
}

fn called(id: &str) -> BlockStart<'_> {
    BlockStart::ToolCall { id: id.into(), name: "f".into(), signature: None }
}

/// Begin, these events, finish, usage, end.
fn whole<'e>(events: Vec<Event<'e>>, finish: Finish) -> Vec<Event<'e>> {
    let mut all = vec![Event::Start { id: "x".into(), model: "m".into(), created: Some(5) }];
    all.extend(events);
    all.push(Event::Finish { choice: 0, finish, stop_sequence: None });
    all.push(Event::Usage(Usage { input: 3, output: 2, ..Usage::default() }));
    all.push(Event::End);
    all
}

/// The data of the events, without `response` objects and what every event has.
fn sketch(stream: &str) -> Vec<String> {
    let events = stream.split_terminator("\n\n").filter(|event| !event.starts_with(':'));
    events
        .enumerate()
        .map(|(number, event)| {
            let (name, data) = event.split_once("\ndata: ").unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            let head = format!("{{\"type\":\"{name}\",\"sequence_number\":{number},");
            let rest = data.strip_prefix(&*head).unwrap_or_else(|| unreachable!("{data}"));
            let rest = rest.split(",\"background\"").next().unwrap();
            format!("{} {rest}", name.strip_prefix("response.").unwrap_or(name))
        })
        .collect()
}

#[test]
fn a_text_is_announced_told_and_repeated() {
    let events = whole(
        vec![start(0, BlockStart::Text), text(0, "Hel"), text(0, "lo"), stop(0)],
        Finish::Stop,
    );
    let stream = write_stream(&Request::default(), &events);
    let found = sketch(&stream);
    assert_eq!(
        found[2..9],
        [
            r#"output_item.added "output_index":0,"item":{"id":"msg_7f_0","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
            r#"content_part.added "item_id":"msg_7f_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}"#,
            r#"output_text.delta "item_id":"msg_7f_0","output_index":0,"content_index":0,"delta":"Hel","logprobs":[]}"#,
            r#"output_text.delta "item_id":"msg_7f_0","output_index":0,"content_index":0,"delta":"lo","logprobs":[]}"#,
            r#"output_text.done "item_id":"msg_7f_0","output_index":0,"content_index":0,"text":"Hello","logprobs":[]}"#,
            r#"content_part.done "item_id":"msg_7f_0","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}}"#,
            r#"output_item.done "output_index":0,"item":{"id":"msg_7f_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}],"role":"assistant"}}"#,
        ]
    );
    assert!(found[0].starts_with(r#"created "response":{"id":"resp_7f","object":"response","created_at":5,"status":"in_progress""#));
    assert!(found[1].starts_with("in_progress "));
    assert_eq!(
        found[9],
        r#"completed "response":{"id":"resp_7f","object":"response","created_at":5,"status":"completed","error":null,"incomplete_details":null,"model":"m","output":[{"id":"msg_7f_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hello"}],"role":"assistant"}]"#
    );
    assert!(stream.ends_with("\"total_tokens\":5}}}\n\n"));
}

#[test]
fn the_last_response_is_the_one_that_would_have_come_whole() {
    let cited = Citation {
        start: Some(0),
        end: Some(1),
        url: Some("https://x.example".into()),
        ..Citation::default()
    };
    let signature = Signature { origin: Kind::AnthropicMessages, id: None, value: "sig".into() };
    let likely = Logprob { token: "A".into(), logprob: -0.5, bytes: None, top: Vec::new() };
    let events = whole(
        vec![
            start(0, BlockStart::Thinking),
            text(0, "Hm."),
            delta(0, Delta::Signature(signature.clone())),
            stop(0),
            start(1, BlockStart::Redacted(signature.clone())),
            stop(1),
            start(2, BlockStart::Text),
            text(2, "A"),
            delta(2, Delta::Logprobs(vec![likely.clone()])),
            delta(2, Delta::Citation(cited.clone())),
            stop(2),
            start(3, BlockStart::Refusal),
            text(3, "No."),
            stop(3),
            start(4, called("a")),
            delta(4, Delta::Arguments("{}".into())),
            stop(4),
        ],
        Finish::ToolCalls,
    );
    let stream = write_stream(&Request::default(), &events);
    let thought =
        Thinking { text: "Hm.".into(), signature: Some(signature.clone()), redacted: false };
    let hidden = Thinking { signature: Some(signature), redacted: true, ..Thinking::default() };
    let cited =
        crate::chat::TextBlock { text: "A".into(), citations: vec![cited], ..Default::default() };
    let call = ToolCall {
        id: "a".into(),
        name: "f".into(),
        arguments: "{}".into(),
        signature: None,
        cache: None,
    };
    let mut reply = says(vec![
        Block::Thinking(thought),
        Block::Thinking(hidden),
        Block::Text(cited),
        Block::Refusal("No.".into()),
        Block::ToolCall(call),
    ]);
    reply.created = Some(5);
    reply.usage = Some(Usage { input: 3, output: 2, ..Usage::default() });
    reply.choices[0].logprobs = vec![likely];
    let last = stream.rsplit_once("\"response\":").unwrap().1.strip_suffix("}\n\n").unwrap();
    assert_eq!(last, write_reply(&reply, &Request::default()));
}

#[test]
fn calls_that_are_written_at_once_end_when_they_are_complete() {
    let events = whole(
        vec![
            start(0, called("a")),
            delta(0, Delta::Arguments("{\"x\"".into())),
            stop(0),
            start(1, called("b")),
            delta(1, Delta::Arguments("{}".into())),
            delta(0, Delta::Arguments(":1}".into())),
            stop(1),
        ],
        Finish::ToolCalls,
    );
    let stream = sketch(&write_stream(&Request::default(), &events));
    let done: Vec<&String> =
        stream.iter().filter(|event| event.starts_with("function_call_arguments.done")).collect();
    assert_eq!(
        done,
        [
            r#"function_call_arguments.done "item_id":"fc_7f_1","output_index":1,"arguments":"{}"}"#,
            r#"function_call_arguments.done "item_id":"fc_7f_0","output_index":0,"arguments":"{\"x\":1}"}"#,
        ]
    );
}

#[test]
fn a_failure_ends_the_stream_with_what_there_was() {
    let failure = Failure {
        status: 400,
        kind: FailureKind::ContextLength,
        message: "Too long.".into(),
        code: Some("too_long".into()),
        param: None,
    };
    let events = [
        Event::Start { id: "x".into(), model: "m".into(), created: None },
        start(0, BlockStart::Text),
        text(0, "Hel"),
        Event::Error(failure.clone()),
        text(0, "lo"),
        Event::End,
    ];
    let stream = sketch(&write_stream(&Request::default(), &events));
    assert_eq!(
        stream[5..],
        [
            r#"error "code":"context_length_exceeded","message":"Too long.","param":null,"error":{"message":"Too long.","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}"#,
            r#"failed "response":{"id":"resp_7f","object":"response","created_at":1700000000,"status":"failed","error":{"code":"context_length_exceeded","message":"Too long."},"incomplete_details":null,"model":"m","output":[{"id":"msg_7f_0","type":"message","status":"incomplete","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hel"}],"role":"assistant"}]"#,
        ]
    );
    let stream = sketch(&write_stream(&Request::default(), &[Event::Error(failure)]));
    assert_eq!(stream.len(), 1);
    assert!(stream[0].starts_with("error "));
}

#[test]
fn a_reply_that_was_cut_ends_incomplete() {
    let events = whole(vec![start(0, BlockStart::Text), text(0, "Hel"), stop(0)], Finish::Length);
    let stream = sketch(&write_stream(&Request::default(), &events));
    assert!(stream[7].contains(r#""status":"incomplete""#), "{}", stream[7]);
    assert!(stream[8].starts_with("incomplete "));
}

#[test]
fn an_endless_reply_is_not_remembered_for_ever() {
    let mut encoder = OpenaiResponses.stream_encoder(&Request::default(), &CONTEXT);
    let mut out = Vec::new();
    encoder.event(&start(0, BlockStart::Text), &mut out);
    let piece = "x".repeat(1024 * 1024);
    for _ in 0..40 {
        out.clear();
        encoder.event(&text(0, &piece), &mut out);
    }
    assert!(out.is_empty());
}

const CREATED: &str = r#"{"type":"response.created","response":{"id":"resp_1","model":"m","created_at":5,"status":"in_progress","output":[]}}"#;

/// The events of a stream that begins with `response.created`, after their start.
fn heard(frames: &[&str]) -> (Vec<String>, bool) {
    let all: Vec<&str> = std::iter::once(CREATED).chain(frames.iter().copied()).collect();
    let (mut events, complete) = hear(&all, &Sent::default());
    assert!(events.remove(0).starts_with("Start"));
    (events, complete)
}

/// The events as they would have to be.
fn told(events: &[Event<'_>]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

fn finished(finish: Finish) -> [Event<'static>; 2] {
    [Event::Finish { choice: 0, finish, stop_sequence: None }, Event::End]
}

#[test]
fn hosts_may_leave_out_everything_but_whole_items() {
    let (events, complete) = heard(&[
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"gAA"}}"#,
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"message","content":[{"type":"output_text","text":"Hi"}]}}"#,
        r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}}"#,
        r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}}"#,
    ]);
    let signature =
        Signature { origin: Kind::OpenaiResponses, id: Some("rs_1".into()), value: "gAA".into() };
    let mut expected = vec![
        start(0, BlockStart::Thinking),
        text(0, "Hm."),
        delta(0, Delta::Signature(signature)),
        stop(0),
        start(1, BlockStart::Text),
        text(1, "Hi"),
        stop(1),
        start(2, called("a")),
        delta(2, Delta::Arguments("{}".into())),
        stop(2),
    ];
    expected.extend(finished(Finish::ToolCalls));
    assert_eq!((events, complete), (told(&expected), true));
}

#[test]
fn a_host_that_only_sends_the_response_is_heard_too() {
    let (events, complete) = heard(&[
        r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"No."}]}]}}"#,
    ]);
    let mut expected = vec![start(0, BlockStart::Refusal), text(0, "No."), stop(0)];
    expected.extend(finished(Finish::Refusal));
    assert_eq!((events, complete), (told(&expected), true));
}

#[test]
fn what_is_repeated_is_heard_once_and_what_was_missed_is_added() {
    let (events, _) = heard(&[
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hé"}"#,
        r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hé!"}"#,
        r#"{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hé!"}}"#,
        r#"{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hé!"}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"Hé!"}]}}"#,
    ]);
    assert_eq!(events, told(&[start(0, BlockStart::Text), text(0, "Hé"), text(0, "!"), stop(0)]));
}

#[test]
fn parts_of_a_summary_are_paragraphs_of_one_thought() {
    let (events, _) = heard(&[
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"One."}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"Two."}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One."},{"type":"summary_text","text":"Two."}]}}"#,
    ]);
    let expected = [
        start(0, BlockStart::Thinking),
        text(0, "One."),
        text(0, "\n\n"),
        text(0, "Two."),
        stop(0),
    ];
    assert_eq!(events, told(&expected));
}

#[test]
fn a_thought_without_words_is_its_proof_alone() {
    let (events, _) = heard(&[
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAA"}}"#,
    ]);
    let signature =
        Signature { origin: Kind::OpenaiResponses, id: Some("rs_1".into()), value: "gAA".into() };
    assert_eq!(events, told(&[start(0, BlockStart::Redacted(signature)), stop(0)]));
}

#[test]
fn a_stream_without_its_last_event_is_not_complete() {
    let (_, complete) = heard(&[
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hi"}"#,
    ]);
    assert!(!complete);
}

#[test]
fn failures_in_a_stream_are_told_in_all_their_shapes() {
    for data in [
        r#"{"type":"error","code":"rate_limit_exceeded","message":"Slow.","param":null}"#,
        r#"{"type":"error","error":{"type":"tokens","code":"rate_limit_exceeded","message":"Slow."}}"#,
        r#"{"error":{"code":429,"message":"Slow."}}"#,
        r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"Slow."}}}"#,
    ] {
        let (events, complete) = heard(&[data, CREATED]);
        assert_eq!(events.len(), 1, "{data}");
        assert!(
            events[0].contains("status: 429, kind: RateLimit, message: \"Slow.\""),
            "{events:?}"
        );
        assert!(!complete);
    }
}

#[test]
fn the_answer_in_a_forced_tool_streams_as_text() {
    let sent = Sent { output_tool: Some("json_output"), ..Sent::default() };
    let frames = [
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"a","name":"json_output","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"x\":"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"a","name":"json_output","arguments":"{\"x\":1}"}}"#,
        r#"{"type":"response.completed","response":{"status":"completed"}}"#,
    ];
    let (events, _) = hear(&frames, &sent);
    let mut expected =
        vec![start(0, BlockStart::Answer), text(0, "{\"x\":"), text(0, "1}"), stop(0)];
    expected.extend(finished(Finish::Stop));
    assert_eq!(events[1..], told(&expected));
}

/// Frames in any order, twice or not at all: no panic, and the order of events holds.
#[test]
fn disorder_keeps_the_order_of_events() {
    let frames = [
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1"}}"#,
        r#"{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"Hm."}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","encrypted_content":"g"}}"#,
        r#"{"type":"response.content_part.added","output_index":1,"content_index":0,"part":{"type":"output_text"}}"#,
        r#"{"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"Hi"}"#,
        r#"{"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","call_id":"a","name":"f"}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":2,"delta":"{}"}"#,
        r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}}"#,
        r#"{"type":"response.output_text.annotation.added","output_index":1,"annotation":{"type":"url_citation","url":"u"}}"#,
        r#"{"type":"response.what.ever"}"#,
        "[DONE]",
        r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#,
    ];
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..3000 {
        let picked: Vec<&str> = (0..15).map(|_| frames[random.usize(..frames.len())]).collect();
        let mut decoder = OpenaiResponses.stream_decoder(&Sent::default());
        let (mut open, mut next, mut begun, mut ended) = (None, 0, false, false);
        for data in &picked {
            let frame = Frame { event: None, data };
            let mut check = |event: Event<'_>| {
                assert!(!ended, "{picked:?}");
                match event {
                    Event::Start { .. } => assert!(!std::mem::replace(&mut begun, true)),
                    Event::BlockStart { block, .. } => {
                        assert_eq!((open.replace(block), block), (None, next), "{picked:?}");
                        next += 1;
                    }
                    Event::BlockStop { block, .. } => assert_eq!(open.take(), Some(block)),
                    Event::Finish { .. } => assert_eq!(open, None),
                    Event::End => ended = true,
                    _ => {}
                }
            };
            decoder.frame(frame, &mut check).unwrap();
        }
    }
}
