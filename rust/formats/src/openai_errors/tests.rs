#![allow(clippy::unwrap_used)]
use super::*;

fn kind(status: u16, body: &str) -> FailureKind {
    decode(status, body).kind
}

#[test]
fn openais_own_errors_keep_all_they_say() {
    let body = r#"{"error":{"message":"No such thing.","type":"invalid_request_error","param":"input[0]","code":"invalid_value"}}"#;
    let failure = decode(400, body);
    assert_eq!(failure.kind, FailureKind::InvalidRequest);
    assert_eq!(String::from_utf8(encode(&failure)).unwrap(), body);
}

#[test]
fn codes_and_types_tell_the_kind_before_the_status_does() {
    let with_code = |code: &str| format!(r#"{{"error":{{"message":"x","code":"{code}"}}}}"#);
    assert_eq!(kind(400, &with_code("context_length_exceeded")), FailureKind::ContextLength);
    assert_eq!(kind(429, &with_code("insufficient_quota")), FailureKind::Quota);
    assert_eq!(kind(400, &with_code("content_filter")), FailureKind::ContentFilter);
    assert_eq!(kind(400, &with_code("invalid_api_key")), FailureKind::Authentication);
    assert_eq!(kind(429, r#"{"error":{"message":"x","type":"tokens"}}"#), FailureKind::RateLimit);
}

#[test]
fn a_prompt_that_is_too_long_is_known_by_its_words() {
    for words in [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "Your input exceeds the context window of this model.",
        "Prompt is too long: 210000 tokens",
    ] {
        let body = format!(r#"{{"error":{{"message":"{words}","type":"invalid_request_error"}}}}"#);
        assert_eq!(kind(400, &body), FailureKind::ContextLength, "{words}");
    }
}

#[test]
fn compatible_hosts_are_read_too() {
    for (body, message) in [
        (r#"{"error":"model not loaded"}"#, "model not loaded"),
        (r#"{"detail":"Nope"}"#, "Nope"),
        (r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "field required"),
        (r#"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#, "bad"),
        (r#"[{"error":{"code":400,"message":"bad key","status":"INVALID_ARGUMENT"}}]"#, "bad key"),
        ("upstream connect error", "upstream connect error"),
    ] {
        let failure = decode(400, body);
        assert_eq!((failure.message.as_ref(), failure.code), (message, None), "{body}");
    }
}

#[test]
fn pages_and_empty_bodies_are_told_by_their_status() {
    for (status, body, expected) in [
        (502, "<html><body>Bad Gateway</body></html>", FailureKind::Server),
        (503, "", FailureKind::Overloaded),
        (504, "{\"error\":", FailureKind::Timeout),
        (402, "{}", FailureKind::Quota),
        (413, "null", FailureKind::TooLarge),
    ] {
        let failure = decode(status, body);
        assert_eq!(failure.kind, expected, "{status} {body}");
        assert!(!failure.message.contains('<'));
    }
}

#[test]
fn an_error_in_a_stream_gets_the_status_it_would_have_had() {
    let status = |text: &str| decode_value(0, &Value::parse(text).unwrap()).status;
    assert_eq!(status(r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#), 429);
    assert_eq!(status(r#"{"error":{"message":"x","code":502}}"#), 502);
    assert_eq!(status(r#"{"message":"x"}"#), 500);
}

#[test]
fn clients_find_the_codes_they_act_on_whatever_the_provider_called_them() {
    let failure = Failure {
        status: 400,
        kind: FailureKind::ContextLength,
        message: Cow::Borrowed("prompt is too long"),
        code: Some(Cow::Borrowed("invalid_request_error")),
        param: None,
    };
    assert_eq!(code_of(&failure), Some("context_length_exceeded"));
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let body = "é".repeat(1000);
    assert_eq!(decode(500, &body).message.len(), 500);
}
