use super::fits;

/// Which of these values fit the schema and which do not.
fn check(schema: &str, right: &[&str], wrong: &[&str]) {
    for value in right {
        assert!(fits(schema, value), "{value} should fit {schema}");
    }
    for value in wrong {
        assert!(!fits(schema, value), "{value} should not fit {schema}");
    }
}

#[test]
fn types_are_judged() {
    check(r#"{"type":"string"}"#, &[r#""a""#], &["1", "null", "{}"]);
    check(r#"{"type":"integer"}"#, &["1", "-2", "1.0", "1e3"], &["1.5", r#""1""#]);
    check(r#"{"type":["number","null"]}"#, &["1.5", "null"], &["true"]);
    check(r#"{"type":"string","nullable":true}"#, &["null", r#""a""#], &["1"]);
    check(r#"{"type":"array"}"#, &["[]"], &["{}"]);
}

#[test]
fn objects_are_judged_by_their_members() {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":["integer","null"]}},
        "required":["a","b"],"additionalProperties":false}"#;
    let wrong = [r#"{"a":"x"}"#, r#"{"a":1,"b":1}"#, r#"{"a":"x","b":1,"c":1}"#, "[]"];
    check(schema, &[r#"{"a":"x","b":1}"#, r#"{"b":null,"a":""}"#], &wrong);
    let open = r#"{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}"#;
    check(open, &[r#"{"a":"x","b":1}"#], &[r#"{"b":"x"}"#]);
    check(r#"{"minProperties":1,"maxProperties":2}"#, &[r#"{"a":1}"#], &["{}"]);
}

#[test]
fn names_that_a_pattern_may_take_are_not_refused() {
    let schema = r#"{"patternProperties":{"^x":{}},"additionalProperties":false}"#;
    check(schema, &[r#"{"x1":1}"#, r#"{"y":1}"#], &[]);
}

#[test]
fn arrays_are_judged_by_their_items() {
    check(r#"{"items":{"type":"integer"}}"#, &["[]", "[1,2]"], &[r#"[1,"a"]"#]);
    let row = r#"{"prefixItems":[{"type":"string"}],"items":false}"#;
    check(row, &[r#"["a"]"#, "[]"], &["[1]", r#"["a",1]"#]);
    check(r#"{"minItems":1,"maxItems":2}"#, &["[1]"], &["[]", "[1,2,3]"]);
    check(r#"{"uniqueItems":true}"#, &["[1,2]"], &["[1,1]"]);
}

#[test]
fn values_are_compared_by_what_they_mean() {
    check(r#"{"enum":["a",1,null]}"#, &[r#""\u0061""#, "1.0", "null"], &["2"]);
    check(r#"{"const":{"a":1,"b":[2]}}"#, &[r#"{"b":[2.0],"a":1}"#], &[r#"{"a":1}"#]);
    check(r#"{"const":null}"#, &["null"], &["0"]);
}

#[test]
fn numbers_and_lengths_keep_their_limits() {
    check(r#"{"minimum":1,"maximum":2}"#, &["1", "2"], &["0.9", "2.1"]);
    check(r#"{"exclusiveMinimum":1,"exclusiveMaximum":3}"#, &["2"], &["1", "3"]);
    check(r#"{"minimum":1,"exclusiveMinimum":true}"#, &["1.1"], &["1"]);
    check(r#"{"multipleOf":5}"#, &["10", "-5"], &["7"]);
    check(r#"{"minLength":2,"maxLength":3}"#, &[r#""äö""#], &[r#""ä""#, r#""abcd""#]);
}

#[test]
fn schemas_are_combined() {
    let number_or_null = r#"[{"type":"number"},{"type":"null"}]"#;
    check(&format!(r#"{{"anyOf":{number_or_null}}}"#), &["1", "null"], &["true"]);
    check(r#"{"oneOf":[{"minimum":1},{"minimum":5}]}"#, &["2"], &["0", "6"]);
    check(r#"{"allOf":[{"minimum":1},{"maximum":5}]}"#, &["2"], &["0", "6"]);
    check(r#"{"not":{"type":"null"}}"#, &["1"], &["null"]);
}

#[test]
fn references_are_followed_within_the_schema() {
    let tree = r##"{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","required":["v"],
        "properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}}}}}"##;
    let wrong = [r#"{"v":1,"next":{"v":"x"}}"#, r#"{"next":null}"#];
    check(tree, &[r#"{"v":1,"next":{"v":2,"next":null}}"#], &wrong);
    let itself = r##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##;
    check(itself, &[r#"{"a":{"a":{}}}"#], &[r#"{"a":{"b":{}}}"#]);
    check(r#"{"$ref":"https://else.example/schema"}"#, &["1"], &[]);
}

#[test]
fn a_schema_without_end_or_measure_is_given_up() {
    check(r##"{"$ref":"#"}"##, &["1"], &[]);
    let many = r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}],"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##;
    check(many, &["1"], &[]);
}

#[test]
fn what_is_no_json_fits_nothing() {
    check("{}", &["null"], &["", "{", "Sure! {}", "{}{}"]);
    check("true", &["1"], &[]);
    check("false", &[], &["1"]);
}
