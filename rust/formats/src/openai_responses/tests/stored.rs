//! Stored requests and responses.

use super::*;
use crate::openai_responses::stored::{JOINED, Page, input_items, join, previous};

fn items(body: &str, page: Page<'_>) -> String {
    String::from_utf8(input_items(body, "resp_7f", page).unwrap()).unwrap()
}

const OLDEST_FIRST: Page<'static> = Page { after: None, ascending: true, limit: 20 };

#[test]
fn the_input_is_listed_as_items_with_ids() {
    let body = r#"{"input":[{"role":"user","content":"Hi"},{"type":"message","id":"msg_a","role":"assistant","content":[]},{"type":"function_call_output","call_id":"a","output":"1"}]}"#;
    assert_eq!(
        items(body, OLDEST_FIRST),
        concat!(
            r#"{"object":"list","data":["#,
            r#"{"id":"msg_7f_in0","type":"message","status":"completed","content":[{"type":"input_text","text":"Hi"}],"role":"user"},"#,
            r#"{"id":"msg_a","type":"message","status":"completed","role":"assistant","content":[]},"#,
            r#"{"id":"fco_7f_in2","type":"function_call_output","call_id":"a","output":"1"}],"#,
            r#""first_id":"msg_7f_in0","last_id":"fco_7f_in2","has_more":false}"#
        )
    );
}

#[test]
fn a_string_is_one_item_and_no_input_none() {
    assert!(items(r#"{"input":"Hi"}"#, Page::default()).contains(r#""text":"Hi""#));
    assert_eq!(
        items("{}", Page::default()),
        r#"{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}"#
    );
}

#[test]
fn pages_go_on_after_an_item_newest_first() {
    let body = r#"{"input":[{"role":"user","content":"1"},{"role":"user","content":"2"},{"role":"user","content":"3"}]}"#;
    let first = items(body, Page { limit: 1, ..Page::default() });
    assert!(first.ends_with(r#""first_id":"msg_7f_in2","last_id":"msg_7f_in2","has_more":true}"#));
    let rest = items(body, Page { after: Some("msg_7f_in2"), ..Page::default() });
    assert!(rest.ends_with(r#""first_id":"msg_7f_in1","last_id":"msg_7f_in0","has_more":false}"#));
    let fault = input_items(body, "resp_7f", Page { after: Some("x"), ..Page::default() });
    assert_eq!(fault.unwrap_err().param.as_deref(), Some("after"));
}

const STORED: &str = r#"{"model":"m","instructions":"Old.","input":"Hi"}"#;
const RESPONSE: &str = r#"{"id":"resp_0","output":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAA"},{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]}]}"#;

#[test]
fn a_conversation_goes_on_from_a_stored_response() {
    let request = r#"{"model":"m","previous_response_id":"resp_0","input":"And?","stream":true}"#;
    let body = String::from_utf8(join(STORED, RESPONSE, request).unwrap()).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"model":"m","llmgw_previous_response_id":"resp_0","stream":true,"input":[{"type":"message","role":"user","content":"Hi"},"#,
            r#"{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAA"},"#,
            r#"{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hello","annotations":[]}]},"#,
            r#"{"type":"message","role":"user","content":"And?"}]}"#
        )
    );
    let joined = decode(&body);
    assert_eq!(joined.messages.len(), 3);
    assert!(joined.extra.is_empty());
    assert_eq!(joined.echo[0].value, "\"resp_0\"");
}

#[test]
fn a_joined_request_holds_its_whole_conversation_for_the_next() {
    let second = r#"{"model":"m","previous_response_id":"resp_0","input":"And?"}"#;
    let second = String::from_utf8(join(STORED, RESPONSE, second).unwrap()).unwrap();
    let third = r#"{"model":"m","previous_response_id":"resp_1","input":"So?"}"#;
    let third = join(&second, r#"{"output":[]}"#, third).unwrap();
    let third = String::from_utf8(third).unwrap();
    assert_eq!(decode(&third).messages.len(), 4);
    assert!(third.contains(&format!("\"{JOINED}\":\"resp_1\"")));
}

#[test]
fn references_are_replaced_by_the_items_they_mean() {
    let request = r#"{"previous_response_id":"resp_0","input":[{"type":"item_reference","id":"msg_1"},{"id":"rs_1"}]}"#;
    let body = String::from_utf8(join(STORED, RESPONSE, request).unwrap()).unwrap();
    assert!(!body.contains("item_reference"));
    assert_eq!(body.matches("\"id\":\"msg_1\"").count(), 2);
    let request =
        r#"{"previous_response_id":"resp_0","input":[{"type":"item_reference","id":"msg_9"}]}"#;
    assert_eq!(join(STORED, RESPONSE, request).unwrap_err().param.as_deref(), Some("input[0].id"));
}

#[test]
fn a_request_says_what_it_goes_on_from() {
    assert_eq!(
        previous(r#"{"previous_response_id":"resp_0"}"#).unwrap().as_deref(),
        Some("resp_0")
    );
    assert_eq!(previous(r#"{"previous_response_id":null}"#).unwrap(), None);
    assert!(previous("[]").is_err());
}
