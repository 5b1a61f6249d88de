//! Tests of the strict reader and of splicing.

#![allow(clippy::unwrap_used)]
use super::*;

fn value<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let object = parse_object(body.as_bytes()).unwrap();
    object.get(body.as_bytes(), name).map(|range| &body[range])
}

#[test]
fn the_fields_of_a_body_are_found_with_their_bytes() {
    let body =
        r#" { "model" : "gpt-4o", "messages":[{"role":"user","content":"hi"}], "n": 1.5e3 } "#;
    assert_eq!(value(body, "model"), Some(r#""gpt-4o""#));
    assert_eq!(value(body, "messages"), Some(r#"[{"role":"user","content":"hi"}]"#));
    assert_eq!(value(body, "n"), Some("1.5e3"));
    assert_eq!(value(body, "stream"), None);
}

#[test]
fn an_escaped_key_is_the_key_it_reads_as() {
    assert_eq!(value(r#"{"mo\u0064el":"x"}"#, "model"), Some(r#""x""#));
}

#[test]
fn what_is_not_strict_json_is_refused() {
    for body in [
        "",
        "[]",
        "{",
        "{}x",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":.5}",
        "{\"a\":\"\n\"}",
        r#"{"a":"\x"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":1,"\u0062":2}}"#,
        "\u{feff}{}",
        "{'a':1}",
        "{\"a\":tru}",
        "{\"a\" 1}",
        "{\"a\":\"x}",
    ] {
        assert!(parse_object(body.as_bytes()).is_err(), "{body:?}");
    }
    assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn duplicate_keys_are_found_among_many() {
    let keys: Vec<String> = (0..100).map(|n| format!("\"k{n}\":1")).collect();
    assert!(parse_object(format!("{{{}}}", keys.join(",")).as_bytes()).is_ok());
    assert!(parse_object(format!("{{{},\"k7\":2}}", keys.join(",")).as_bytes()).is_err());
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(parse_object(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
    assert!(parse_object(nested(MAX_DEPTH).as_bytes()).is_err());
    assert!(parse_object(nested(1_000_000).as_bytes()).is_err());
}

#[test]
fn unescaping_reads_every_escape() {
    let mut out = Vec::new();
    unescape(br#"a\n\"\\\/\u00e9\ud83d\ude00z"#, &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "a\n\"\\/é😀z");
}

#[test]
fn a_walk_tells_keys_from_texts() {
    let mut seen = Vec::new();
    walk(br#"[{"role" : "us\"er","n":[1,null]}]"#, |token| seen.push(token));
    let expected = [
        Token::Open(b'['),
        Token::Open(b'{'),
        Token::Key(b"role"),
        Token::Text(br#"us\"er"#),
        Token::Key(b"n"),
        Token::Open(b'['),
        Token::Plain(b"1"),
        Token::Plain(b"null"),
        Token::Close,
        Token::Close,
        Token::Close,
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_member_is_found_only_at_the_top_level() {
    let text = br#"{"a":{"usage":1},"b":"\"usage\":2","usage" : {"x":[1,2]} ,"c":3}"#;
    let field = find_member(text, "usage").unwrap();
    assert_eq!(&text[field.value.clone()], br#"{"x":[1,2]}"#);
    assert_eq!(&text[field.member], br#""usage" : {"x":[1,2]}"#);
    assert_eq!(find_member(text, "c").map(|f| text[f.value].to_vec()), Some(b"3".to_vec()));
    assert!(find_member(text, "x").is_none());
    assert!(find_member(b"{\"usage", "usage").is_none());
}

#[test]
fn splicing_changes_only_the_ranges_given() {
    let edits = [(1..3, b"XYZ".to_vec()), (4..4, b"+".to_vec())];
    assert_eq!(splice(b"abcdef", &edits), b"aXYZd+ef");
}
