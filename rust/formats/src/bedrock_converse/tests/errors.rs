//! Error bodies.

use super::*;
use crate::bedrock_converse::{decode_error_of, error_name};
use crate::chat::{Failure, FailureKind as Kind};
use crate::format::Context;

#[test]
fn errors_have_their_kind() {
    for (name, status, body, kind) in [
        (None, 400, r#"{"message":"messages.0.role: wrong"}"#, Kind::InvalidRequest),
        (None, 400, r#"{"message":"Input is too long for requested model."}"#, Kind::ContextLength),
        (None, 403, r#"{"message":"You don't have access to the model."}"#, Kind::Permission),
        (
            None,
            403,
            r#"{"message":"The security token included in the request is invalid."}"#,
            Kind::Authentication,
        ),
        (Some("UnrecognizedClientException"), 403, r#"{"message":"x"}"#, Kind::Authentication),
        (None, 403, r#"{"__type":"ExpiredTokenException","message":"x"}"#, Kind::Authentication),
        (None, 404, r#"{"message":"No such model."}"#, Kind::NotFound),
        (None, 408, r#"{"message":"timed out"}"#, Kind::Timeout),
        (None, 424, r#"{"message":"The model failed.","originalStatusCode":500}"#, Kind::Server),
        (None, 429, r#"{"message":"Too many tokens, please wait."}"#, Kind::RateLimit),
        (
            Some("ModelNotReadyException:http://internal.amazon.com/coral/"),
            429,
            "{}",
            Kind::Overloaded,
        ),
        (None, 400, r#"{"__type":"com.amazon.coral#ServiceQuotaExceededException"}"#, Kind::Quota),
        (None, 503, "", Kind::Overloaded),
        (None, 502, "<html>Bad gateway</html>", Kind::Server),
    ] {
        assert_eq!(decode_error_of(name, status, body).kind, kind, "{name:?} {status} {body}");
    }
}

#[test]
fn the_message_is_the_providers_own_or_says_that_there_is_none() {
    let told = |body| BedrockConverse.decode_error(500, body).message.into_owned();
    assert_eq!(told(r#"{"message":"It broke."}"#), "It broke.");
    assert_eq!(told(r#"{"Message":"It broke."}"#), "It broke.");
    assert_eq!(told("It broke."), "It broke.");
    assert_eq!(told("<p>"), "The provider answered with status 500 and gave no reason.");
    assert_eq!(told(&"é".repeat(5000).leak()[..]).chars().count(), 500);
}

#[test]
fn an_exception_in_a_stream_has_the_status_it_would_have_had() {
    let failure = decode_error_of(Some("throttlingException"), 0, r#"{"message":"Slow."}"#);
    assert_eq!((failure.status, failure.kind), (429, Kind::RateLimit));
    assert_eq!(failure.code.as_deref(), Some("throttlingException"));
}

#[test]
fn clients_get_the_exceptions_name_and_the_message() {
    let failure = Failure {
        status: 429,
        kind: Kind::RateLimit,
        message: "Slow \"down\".".into(),
        code: None,
        param: None,
    };
    let context = Context { request_id: "req_1", now: 0 };
    let body = String::from_utf8(BedrockConverse.encode_error(&failure, &context)).unwrap();
    assert_eq!(body, r#"{"__type":"ThrottlingException","message":"Slow \"down\"."}"#);
    assert_eq!(error_name(Kind::NotFound), "ResourceNotFoundException");
    let again = BedrockConverse.decode_error(429, &body);
    assert_eq!((again.kind, &*again.message), (failure.kind, &*failure.message));
}
