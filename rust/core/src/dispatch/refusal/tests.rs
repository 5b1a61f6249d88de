//! Tests of what a refusal means.

#![allow(clippy::unwrap_used)]
use super::*;

fn headers(name: &str, value: &str) -> Headers {
    let (end, text) = (name.len(), format!("{name}{value}"));
    let fields = vec![(0..end, end..text.len())];
    Headers::new(text.into(), fields)
}

#[test]
fn retry_after_is_read_in_all_its_forms() {
    let seconds = |name, value: &str| retry_after(&headers(name, value)).map(|d| d.as_secs_f64());
    assert_eq!(seconds("retry-after", "2"), Some(2.0));
    assert_eq!(seconds("retry-after", "0.5"), Some(0.5));
    assert_eq!(seconds("retry-after-ms", "1500"), Some(1.5));
    assert_eq!(seconds("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"), Some(0.0));
    assert_eq!(seconds("retry-after", "-1"), None);
    assert_eq!(seconds("retry-after", "soon"), None);
    let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
    assert!(seconds("retry-after", &later).is_some_and(|s| s > 90.0 && s <= 100.0));
}

#[test]
fn a_status_says_what_dispatch_may_do() {
    let class = |status, body: &'static str| {
        classify(status, format(Kind::OpenaiChat).decode_error(status, body).kind)
    };
    assert_eq!(
        class(400, "{\"error\":{\"code\":\"context_length_exceeded\"}}"),
        Class::ContextWindowExceeded
    );
    assert_eq!(class(400, "{}"), Class::UpstreamRejected);
    assert_eq!(class(404, "{}"), Class::UpstreamRejected);
    assert_eq!(class(401, "{}"), Class::UpstreamAuth);
    assert_eq!(class(429, "{}"), Class::UpstreamRateLimited);
    assert_eq!(classify(400, FailureKind::RateLimit), Class::UpstreamRateLimited);
    assert_eq!(classify(400, FailureKind::Quota), Class::UpstreamRateLimited);
    assert_eq!(class(302, ""), Class::UpstreamProtocol);
    assert_eq!(class(500, ""), Class::UpstreamOverloaded);
    assert_eq!(class(529, ""), Class::UpstreamOverloaded);
}
