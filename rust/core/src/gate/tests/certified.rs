//! Certificates of clients, alone and beside keys.

use super::*;
use crate::certificate::{Certificate, Sender};

fn with(words: &[&str]) -> Sender {
    let certificate = Certificate::from_text(&words.join(" ")).unwrap();
    Sender { address: None, certificate: Some(Arc::new(certificate)) }
}

fn hex(digit: &str) -> String {
    digit.repeat(64)
}

/// `app` is known by a digest and a URI, `other` by another digest.
fn front() -> Front {
    Front::new(|snapshot| {
        set_app(snapshot, "certificates", json!([hex("a"), "uri:spiffe://acme/app", "dns:shared"]));
        snapshot["auth"]["keys"][1]["certificates"] = json!([hex("b"), "dns:shared"]);
    })
}

fn show(front: &Front, key: Option<&str>, sender: Sender) -> Result<String> {
    let key = front.shop.authenticate(&front.plan, key.map(str::as_bytes), sender)?;
    Ok(key.alias.to_string())
}

#[test]
fn a_certificate_stands_for_the_key_that_names_it() {
    let front = front();
    assert_eq!(show(&front, None, with(&[&hex("a")])).unwrap(), "app");
    assert_eq!(show(&front, None, with(&[&hex("c"), "uri:spiffe://acme/app"])).unwrap(), "app");
    assert_eq!(show(&front, None, with(&[&hex("b"), "dns:shared"])).unwrap(), "other");
    let stranger = show(&front, None, with(&[&hex("c"), "dns:other"])).unwrap_err();
    assert_eq!(stranger.class, Class::Unauthenticated);
}

#[test]
fn a_name_that_several_keys_have_stands_for_none() {
    let error = show(&front(), None, with(&[&hex("c"), "dns:shared"])).unwrap_err();
    assert_eq!(error.class, Class::Unauthenticated);
    assert!(error.message.contains("several keys"));
}

#[test]
fn key_and_certificate_have_to_belong_together() {
    let front = front();
    assert_eq!(show(&front, Some(APP_KEY), with(&[&hex("a")])).unwrap(), "app");
    assert_eq!(show(&front, Some(APP_KEY), with(&[&hex("c"), "dns:shared"])).unwrap(), "app");
    for words in [vec![hex("b")], vec![hex("c")]] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let error = show(&front, Some(APP_KEY), with(&words)).unwrap_err();
        assert_eq!(error.class, Class::InvalidRequest);
    }
    assert_eq!(show(&front, Some(APP_KEY), Sender::default()).unwrap(), "app");
}

#[test]
fn a_key_that_names_no_certificate_is_fine_with_one_that_is_nobodys() {
    let front = Front::new(|snapshot| set_app(snapshot, "certificates", json!([hex("a")])));
    assert_eq!(show(&front, Some(OTHER_KEY), with(&[&hex("c")])).unwrap(), "other");
    let error = show(&front, Some(OTHER_KEY), with(&[&hex("a")])).unwrap_err();
    assert_eq!(error.class, Class::InvalidRequest);
}

#[test]
fn a_blocked_key_blocks_its_certificate() {
    let front = Front::new(|snapshot| {
        set_app(snapshot, "certificates", json!([hex("a")]));
        set_app(snapshot, "blocked", true);
    });
    let error = show(&front, None, with(&[&hex("a")])).unwrap_err();
    assert_eq!((error.class, &*error.message), (Class::Unauthenticated, "The API key is blocked."));
}
