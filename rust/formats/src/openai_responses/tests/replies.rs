//! Whole replies, in both directions.

use super::*;
use crate::chat::{Citation, Finish, Signature, Source, TextBlock, Usage};

fn answer(rest: &str) -> String {
    format!(r#"{{"id":"resp_1","model":"m","created_at":5.5,"status":"completed",{rest}}}"#)
}

#[test]
fn a_reply_tells_its_items_in_order_and_its_usage() {
    let body = answer(
        r#""output":[
            {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hm."}]},
            {"type":"web_search_call","id":"ws_1"},
            {"type":"message","id":"msg_1","content":[{"type":"output_text","text":"Hi","annotations":[]}]},
            {"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":"{}"}],
        "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}"#,
    );
    let reply = reply(&body);
    let choice = &reply.choices[0];
    assert_eq!(
        (choice.finish, choice.blocks.len(), reply.created),
        (Finish::ToolCalls, 4, Some(5))
    );
    assert!(matches!(&choice.blocks[0], Block::Thinking(thought) if thought.text == "Hm."));
    assert!(matches!(&choice.blocks[1], Block::Opaque { kind, .. } if kind == "web_search_call"));
    let usage = Usage {
        input: 9,
        output: 3,
        cache_read: 4,
        cache_write: 1,
        reasoning: 2,
        ..Usage::default()
    };
    assert_eq!(reply.usage, Some(usage));
}

#[test]
fn the_status_tells_why_a_reply_ended() {
    let finish = |status: &str, rest: &str| {
        let body = format!(
            r#"{{"id":"r","status":"{status}","output":[{{"type":"message","content":[{{"type":"output_text","text":"x"}}]}}]{rest}}}"#
        );
        reply(&body).choices[0].finish
    };
    assert_eq!(finish("completed", ""), Finish::Stop);
    let cut = r#","incomplete_details":{"reason":"max_output_tokens"}"#;
    assert_eq!(finish("incomplete", cut), Finish::Length);
    let filtered = r#","incomplete_details":{"reason":"content_filter"}"#;
    assert_eq!(finish("incomplete", filtered), Finish::ContentFilter);
    assert_eq!(
        finish("failed", r#","error":{"code":"server_error","message":"x"}"#),
        Finish::Error
    );
}

#[test]
fn what_is_no_finished_response_is_refused() {
    for body in [
        "{}",
        r#"{"status":"in_progress","output":[]}"#,
        r#"{"status":"failed","output":[],"error":{"code":"server_error","message":"Boom."}}"#,
        r#"{"output":7}"#,
    ] {
        assert!(OpenaiResponses.decode_reply(body, &Sent::default()).is_err(), "{body}");
    }
}

#[test]
fn the_answer_in_a_forced_tool_is_text() {
    let body = answer(
        r#""output":[{"type":"function_call","call_id":"a","name":"json_output","arguments":"{\"x\":1}"}]"#,
    );
    let sent = Sent { output_tool: Some("json_output"), ..Sent::default() };
    let reply = OpenaiResponses.decode_reply(&body, &sent).unwrap();
    assert_eq!(reply.choices[0].finish, Finish::Stop);
    assert_eq!(reply.choices[0].blocks, [Block::text(r#"{"x":1}"#)]);
}

#[test]
fn the_clients_own_settings_are_repeated() {
    let request = decode(
        r#"{"model":"alias","input":"Hi","instructions":"Be short.","temperature":0.2,"tools":[{"type":"function","name":"f"}],
            "text":{"verbosity":"low"},"metadata":{"a":"b"},"store":false,"conversation":"conv_1","llmgw_previous_response_id":"resp_0"}"#,
    );
    let mut reply = says(vec![Block::text("Hi")]);
    reply.usage = Some(Usage { input: 3, output: 1, ..Usage::default() });
    assert_eq!(
        write_reply(&reply, &request),
        concat!(
            r#"{"id":"resp_7f","object":"response","created_at":1700000000,"status":"completed","error":null,"incomplete_details":null,"model":"m","#,
            r#""output":[{"id":"msg_7f_0","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Hi"}],"role":"assistant"}],"#,
            r#""background":false,"conversation":{"id":"conv_1"},"instructions":"Be short.","max_output_tokens":null,"max_tool_calls":null,"parallel_tool_calls":true,"#,
            r#""previous_response_id":"resp_0","prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"store":false,"temperature":0.2,"#,
            r#""text":{"verbosity":"low"},"tool_choice":"auto","tools":[{"type":"function","name":"f"}],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","user":null,"#,
            r#""metadata":{"a":"b"},"service_tier":null,"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":1,"#,
            r#""output_tokens_details":{"reasoning_tokens":0},"total_tokens":4}}"#
        )
    );
}

#[test]
fn neighbouring_texts_are_parts_of_one_message_with_their_citations() {
    let cited = Citation {
        start: Some(0),
        url: Some("https://x.example".into()),
        title: Some("X".into()),
        ..Citation::default()
    };
    let cited = TextBlock { text: "Née".into(), citations: vec![cited], ..TextBlock::default() };
    let of_document =
        Citation { title: Some("a.pdf".into()), document: Some(2), ..Citation::default() };
    let of_document =
        TextBlock { text: "x".into(), citations: vec![of_document], ..TextBlock::default() };
    let blocks = vec![Block::Text(cited), Block::Text(of_document), Block::Refusal("No.".into())];
    let written = write_reply(&says(blocks), &Request::default());
    assert_eq!(
        only(&written, &["output"]),
        concat!(
            r#"{"output":[{"id":"msg_7f_0","type":"message","status":"completed","content":["#,
            r#"{"type":"output_text","annotations":[{"type":"url_citation","start_index":0,"end_index":3,"title":"X","url":"https://x.example"}],"logprobs":[],"text":"Née"},"#,
            r#"{"type":"output_text","annotations":[{"type":"file_citation","file_id":"","filename":"a.pdf","index":2}],"logprobs":[],"text":"x"},"#,
            r#"{"type":"refusal","refusal":"No."}],"role":"assistant"}]}"#
        )
    );
}

#[test]
fn messages_of_several_phases_stay_apart() {
    let message = |phase: &str, text: &str| {
        format!(
            r#"{{"type":"message","phase":"{phase}","content":[{{"type":"output_text","text":"{text}"}}]}}"#
        )
    };
    let body = answer(&format!(
        r#""output":[{},{}]"#,
        message("commentary", "Hm"),
        message("final_answer", "So")
    ));
    let written = write_reply(&reply(&body), &Request::default());
    for phase in ["commentary", "final_answer"] {
        assert!(
            written.contains(&format!(r#""status":"completed","phase":"{phase}""#)),
            "{written}"
        );
    }
}

#[test]
fn a_picture_that_the_model_made_is_an_image_generation_call() {
    let source = Source::Base64 { media_type: "image/png".into(), data: "AA==".into() };
    let picture = Block::image(source);
    let written = write_reply(&says(vec![picture]), &Request::default());
    assert_eq!(
        only(&written, &["output"]),
        r#"{"output":[{"id":"ig_7f_0","type":"image_generation_call","status":"completed","result":"AA==","output_format":"png"}]}"#
    );
}

/// What the client gets for a thought, and reads as when it sends the item back.
fn there_and_back(thought: &Thinking<'_>) -> (String, String) {
    let written = write_reply(&says(vec![Block::Thinking(thought.clone())]), &Request::default());
    let value = crate::value::Value::parse(&written).unwrap();
    let items = value.get("output").unwrap().raw().to_owned();
    let body = format!(r#"{{"model":"m","input":{items}}}"#);
    let request = decode(&body);
    let Block::Thinking(back) = &request.messages[0].blocks[0] else { unreachable!() };
    (items, format!("{back:?}"))
}

#[test]
fn thoughts_of_every_provider_come_back_as_they_were() {
    let proof = |origin, id: Option<&'static str>| {
        Some(Signature { origin, id: id.map(Into::into), value: "a.b/c==".into() })
    };
    for (text, origin, id, redacted) in [
        ("Hm.", Kind::AnthropicMessages, None, false),
        ("", Kind::AnthropicMessages, None, false),
        ("", Kind::AnthropicMessages, None, true),
        ("Hm.", Kind::GeminiGenerate, None, false),
        ("Hm.", Kind::BedrockConverse, None, false),
        ("", Kind::BedrockConverse, None, true),
        ("Hm.", Kind::OpenaiResponses, Some("rs_1"), false),
        ("", Kind::OpenaiResponses, Some("rs_1"), true),
    ] {
        let thought = Thinking { text: text.into(), signature: proof(origin, id), redacted };
        let (items, back) = there_and_back(&thought);
        assert_eq!(back, format!("{thought:?}"), "{items}");
    }
}

#[test]
fn an_own_thought_keeps_its_id_and_its_bytes() {
    let signature =
        Signature { origin: Kind::OpenaiResponses, id: Some("rs_1".into()), value: "gAA".into() };
    let thought = Thinking { text: "".into(), signature: Some(signature), redacted: true };
    assert_eq!(
        there_and_back(&thought).0,
        r#"[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAA"}]"#
    );
}

#[test]
fn a_signed_call_is_preceded_by_a_thought_that_holds_its_proof() {
    let signature = Signature { origin: Kind::GeminiGenerate, id: None, value: "abc".into() };
    let call = ToolCall {
        id: "a".into(),
        name: "f".into(),
        arguments: "{}".into(),
        signature: Some(signature),
        cache: None,
    };
    let written = write_reply(&says(vec![Block::ToolCall(call.clone())]), &Request::default());
    assert!(written.contains(r#""encrypted_content":"llmgw1.gemini_generate..abc""#), "{written}");
    let value = crate::value::Value::parse(&written).unwrap();
    let body = format!(r#"{{"model":"m","input":{}}}"#, value.get("output").unwrap().raw());
    assert_eq!(decode(&body).messages[0].blocks, [Block::ToolCall(call)]);
}

#[test]
fn thoughts_that_the_client_does_not_want_are_not_shown() {
    let request = decode(r#"{"model":"m","input":"x","reasoning":{"summary":"none"}}"#);
    let thought = Thinking { text: "Hm.".into(), ..Thinking::default() };
    let written = write_reply(&says(vec![Block::Thinking(thought)]), &request);
    assert!(!written.contains("Hm."));
}

#[test]
fn a_reply_that_was_cut_says_so_and_so_does_its_last_item() {
    let mut reply = says(vec![Block::text("Hel")]);
    reply.choices[0].finish = Finish::Length;
    let written = write_reply(&reply, &Request::default());
    assert_eq!(
        only(&written, &["status", "incomplete_details"]),
        r#"{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}"#
    );
    assert!(written.contains(r#""type":"message","status":"incomplete""#));
}
