//! Requests to count tokens, and errors.
use super::*;
use crate::chat::FailureKind;

#[test]
fn both_ways_to_ask_for_a_count_are_read() {
    let path = PathFacts { model: Some("m"), stream: false };
    let plain = decode_count_request(r#"{"contents":[{"parts":[{"text":"x"}]}]}"#, path).unwrap();
    let whole = decode_count_request(
        r#"{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"x"}]}]}}"#,
        path,
    );
    assert_eq!(plain, whole.unwrap());
    assert_eq!(decode_count_request("{}", path).unwrap_err().param.as_deref(), Some("contents"));
}

#[test]
fn a_count_is_told() {
    assert_eq!(
        String::from_utf8(count_reply(7)).unwrap(),
        r#"{"totalTokens":7,"promptTokensDetails":[{"modality":"TEXT","tokenCount":7}]}"#
    );
}

#[test]
fn errors_are_known_by_their_signs() {
    use FailureKind as Is;
    for (status, body, kind) in [
        (
            400,
            r#"{"error":{"code":400,"message":"Bad","status":"INVALID_ARGUMENT"}}"#,
            Is::InvalidRequest,
        ),
        (
            400,
            r#"{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}"#,
            Is::ContextLength,
        ),
        (
            400,
            r#"{"error":{"message":"x","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            Is::Authentication,
        ),
        (400, r#"{"error":{"message":"x","status":"FAILED_PRECONDITION"}}"#, Is::Permission),
        (403, r#"[{"error":{"message":"x","status":"PERMISSION_DENIED"}}]"#, Is::Permission),
        (404, r#"{"error":{"message":"x","status":"NOT_FOUND"}}"#, Is::NotFound),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}"#,
            Is::RateLimit,
        ),
        (
            429,
            r#"{"error":{"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED"}}"#,
            Is::RateLimit,
        ),
        (
            429,
            r#"{"error":{"message":"Your prepayment credits are depleted.","status":"RESOURCE_EXHAUSTED"}}"#,
            Is::Quota,
        ),
        (499, r#"{"error":{"message":"x","status":"CANCELLED"}}"#, Is::Timeout),
        (500, r#"{"error":{"message":"x","status":"INTERNAL"}}"#, Is::Server),
        (503, r#"{"error":{"message":"x","status":"UNAVAILABLE"}}"#, Is::Overloaded),
        (504, r#"{"error":{"message":"x","status":"DEADLINE_EXCEEDED"}}"#, Is::Timeout),
        (418, r#"{"error":{"message":"x","status":"NEW"}}"#, Is::InvalidRequest),
        (413, "<html>too large</html>", Is::TooLarge),
        (502, "", Is::Server),
        (400, r#"{"error":5}"#, Is::InvalidRequest),
    ] {
        let failure = GeminiGenerate.decode_error(status, body);
        assert_eq!((failure.kind, failure.status), (kind, status), "{body}");
        assert!(!failure.message.is_empty());
    }
}

#[test]
fn the_field_at_fault_is_told_in_both_directions() {
    let body = r#"{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]","description":"m"}]}]}}"#;
    let failure = GeminiGenerate.decode_error(400, body);
    assert_eq!(failure.param.as_deref(), Some("contents[0]"));
    assert_eq!(String::from_utf8(GeminiGenerate.encode_error(&failure, &CONTEXT)).unwrap(), body);
}

#[test]
fn a_delay_before_the_next_try_is_read() {
    let body = |delay: &str| {
        format!(
            r#"{{"error":{{"details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}]}}}}"#
        )
    };
    assert_eq!(retry_delay(&body("7s")), Some(7.0));
    assert_eq!(retry_delay(&body("0.25s")), Some(0.25));
    for nonsense in ["7", "s", "-1s", "infs", "NaNs"] {
        assert_eq!(retry_delay(&body(nonsense)), None, "{nonsense}");
    }
    assert_eq!(retry_delay("{}"), None);
}
