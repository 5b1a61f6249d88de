#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn key(body: &str) -> Option<CacheKey> {
    request_key(&[b"tenant"], body.as_bytes())
}

#[test]
fn whitespace_outside_strings_does_not_matter() {
    let compact = key(r#"{"model":"m","messages":[{"role":"user","content":"a b"}],"n":1}"#);
    let loose = " {\n\t\"model\" : \"m\" , \"messages\": [ { \"role\":\"user\",\r\n\"content\" : \
                 \"a b\" } ] , \"n\" : 1 }\n";
    assert_eq!(compact, key(loose));
    assert!(compact.is_some());
    assert_eq!(
        compact,
        key(&format!(
            "\n{}\n",
            r#"{"model":"m","messages":[{"role":"user","content":"a b"}],"n":1}"#
        ))
    );
}

#[test]
fn the_order_of_top_level_members_does_not_matter() {
    assert_eq!(key(r#"{"a":1,"b":[2,{}],"c":"x"}"#), key(r#"{"c":"x", "a":1,"b":[2,{}]}"#));
}

#[test]
fn different_requests_have_different_keys() {
    let bodies = [
        r#"{}"#,
        r#"{"a":1}"#,
        r#"{"a":2}"#,
        r#"{"a":"1"}"#,
        r#"{"a":1.0}"#,
        r#"{"b":1}"#,
        r#"{"a":"x y"}"#,
        r#"{"a":"x  y"}"#,
        r#"{"a":"xy"}"#,
        r#"{"a":"x\u0020y"}"#,
        r#"{"a":{"b":1,"c":2}}"#,
        r#"{"a":{"c":2,"b":1}}"#,
        r#"{"a":[1,2]}"#,
        r#"{"a":[2,1]}"#,
        r#"{"a":[12]}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"a":{"b":2}}"#,
        r#"{"a":true}"#,
        r#"{"a":null}"#,
    ];
    let keys: std::collections::HashSet<_> = bodies.iter().map(|body| key(body).unwrap()).collect();
    assert_eq!(keys.len(), bodies.len());
}

#[test]
fn scopes_are_kept_apart_part_by_part() {
    let body = br#"{"a":1}"#;
    let scopes: [&[&[u8]]; 5] = [&[], &[b""], &[b"ab"], &[b"a", b"b"], &[b"", b"ab"]];
    let keys: std::collections::HashSet<_> =
        scopes.iter().map(|scope| request_key(scope, body).unwrap()).collect();
    assert_eq!(keys.len(), scopes.len());
}

#[test]
fn what_is_not_json_has_no_key() {
    let bodies = [
        "",
        " ",
        "{",
        "}",
        "{}x",
        "{}{}",
        "[]",
        "1",
        "\"a\"",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":nan}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"b}",
        "{\"a\":\"\\\"}",
        "{\"a\":[}",
        "{\"a\":[1}",
        "{\"a\":{\"b\":1]}",
        "{\"a\":\u{a0}1}",
    ];
    for body in bodies {
        assert_eq!(key(body), None, "{body}");
    }
    assert_eq!(request_key(&[], b"{\"a\":\"\xff\"}"), None);
}

#[test]
fn ambiguous_names_have_no_key() {
    assert_eq!(key(r#"{"model":"a","model":"b"}"#), None);
    assert_eq!(key(r#"{"model":"a","mod\u0065l":"b"}"#), None);
}

#[test]
fn nesting_is_followed_to_its_limit_only() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(key(&nested(128)).is_some());
    assert_eq!(key(&nested(129)), None);
    assert_eq!(key(&nested(1_000_000)), None);
}

#[test]
fn plain_text_ends_at_the_first_special_byte_wherever_it_stands() {
    for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
        for at in 0..40 {
            let mut text = "aé\u{7f}\u{80}zß".repeat(6).into_bytes();
            text.truncate(40);
            text[at] = special;
            assert_eq!(plain_length(&text), at, "{special} at {at}");
        }
    }
    assert_eq!(plain_length(&[0xff; 33]), 33);
}

/// Random JSON, printed compactly by the reference and loosely by us.
#[test]
fn random_bodies_agree_with_a_real_parser() {
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..2_000 {
        let mut text = random_object(&mut rng, 4).into_bytes();
        let loose = String::from_utf8(text.clone()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&loose).unwrap();
        assert_eq!(key(&loose), key(&value.to_string()), "{loose}");
        let at = rng.usize(..text.len());
        text[at] = *rng.choice(b"\"\\{}[],:0 atx-.").unwrap();
        let is_object = serde_json::from_slice::<serde_json::Map<_, _>>(&text).is_ok();
        assert!(
            is_object || request_key(&[], &text).is_none(),
            "{}",
            String::from_utf8_lossy(&text)
        );
    }
}

fn random_object(rng: &mut fastrand::Rng, depth: u8) -> String {
    let mut names: Vec<String> = (0..rng.usize(..5)).map(|at| format!("k{at}")).collect();
    if depth == 4 {
        rng.shuffle(&mut names);
    }
    let members: Vec<String> = names
        .iter()
        .map(|name| format!("{}\"{name}\"{}:{}", gap(rng), gap(rng), random_value(rng, depth)))
        .collect();
    format!("{{{}{}}}", members.join(","), gap(rng))
}

fn random_value(rng: &mut fastrand::Rng, depth: u8) -> String {
    let kind = rng.u8(if depth == 0 { 2..6 } else { 0..6 });
    let value = match kind {
        0 => random_object(rng, depth - 1),
        1 => {
            let items: Vec<String> =
                (0..rng.usize(..4)).map(|_| random_value(rng, depth - 1)).collect();
            format!("[{}]", items.join(","))
        }
        2 => rng.i64(-1000..1000).to_string(),
        3 => ["true", "false", "null"][rng.usize(..3)].to_owned(),
        4 => format!("\"{}é {}\"", "x".repeat(rng.usize(..20)), rng.u32(..)),
        _ => r#""a \"b\" \\ c\n""#.to_owned(),
    };
    format!("{}{value}{}", gap(rng), gap(rng))
}

fn gap(rng: &mut fastrand::Rng) -> &'static str {
    ["", "", " ", "\n\t", "\r\n  "][rng.usize(..5)]
}
