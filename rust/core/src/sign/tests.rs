//! Held to botocore's answers, which `scripts/golden_signatures.py` writes.
#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::Value;

fn signer(region: &str, session_token: Option<&str>) -> Signer {
    Signer {
        region: region.into(),
        service: "bedrock".into(),
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        session_token: session_token.map(Into::into),
    }
}

#[test]
fn signatures_are_botocores() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden.json")).unwrap();
    for case in &cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let headers: Vec<_> = case["headers"].as_array().unwrap().iter().collect();
        let headers: Vec<_> = headers
            .iter()
            .map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap()))
            .collect();
        let signer = signer(text("region"), case["session"].as_str());
        let now = case["now"].as_u64().unwrap();
        let body = text("body").as_bytes();
        let found = signer.sign(text("method"), text("host"), text("path"), &headers, body, now);
        let found: serde_json::Map<_, _> =
            found.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        assert_eq!(Value::Object(found), case["signed"], "{}", text("about"));
    }
    assert!(cases.len() > 10);
}

#[test]
fn nothing_of_the_secret_is_shown() {
    let shown = format!("{:?}", signer("us-east-1", Some("session")));
    assert_eq!(shown, "Signer(bedrock in us-east-1)");
}

#[test]
fn every_day_has_its_date() {
    for (days, expected) in [
        (0, (1970, 1, 1)),
        (58, (1970, 2, 28)),
        (59, (1970, 3, 1)),
        (11_016, (2000, 2, 29)),
        (19_782, (2024, 2, 29)),
        (20_088, (2024, 12, 31)),
        (47_540, (2100, 2, 28)),
        (47_541, (2100, 3, 1)),
    ] {
        assert_eq!(date(days), expected);
    }
    assert!(timestamp(u64::MAX).ends_with('Z'), "no clock makes it panic");
}
