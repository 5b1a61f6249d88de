//! Schemas, to and from Gemini's own.
use super::super::{schema_in, schema_out};
use crate::value::Value;

fn read(schema: &str) -> String {
    schema_in::convert(&Value::parse(schema).unwrap()).into_owned()
}

#[test]
fn an_own_schema_becomes_json_schema() {
    for (own, json) in [
        (r#"{"type":"STRING"}"#, r#"{"type":"string"}"#),
        (r#"{"type":"STRING","nullable":true}"#, r#"{"type":["string","null"]}"#),
        (
            r#"{"type":"STRING","format":"enum","enum":["a"],"nullable":true}"#,
            r#"{"type":["string","null"],"enum":["a",null]}"#,
        ),
        (
            r#"{"type":"ARRAY","min_items":"1","maxItems":3,"items":{"type":"INTEGER"}}"#,
            r#"{"type":"array","minItems":1,"maxItems":3,"items":{"type":"integer"}}"#,
        ),
        (
            r##"{"type":"OBJECT","properties":{"type":{"type":"NUMBER"},"max_items":{"ref":"#/defs/A"}},"defs":{"A":{"any_of":[{"type":"BOOLEAN"}],"nullable":true}},"required":["type"]}"##,
            r##"{"type":"object","properties":{"type":{"type":"number"},"max_items":{"$ref":"#/$defs/A"}},"$defs":{"A":{"anyOf":[{"type":"boolean"},{"type":"null"}]}},"required":["type"]}"##,
        ),
        (r#"{"type":"TYPE_UNSPECIFIED","description":"d"}"#, r#"{"description":"d"}"#),
    ] {
        assert_eq!(read(own), json);
    }
}

#[test]
fn json_schema_is_passed_on_as_it_is() {
    let schema = r##"{ "type":["string","null"], "$defs":{"a_b":{"minLength":1}}, "$ref":"#/$defs/a_b", "properties":{"snake_case":{"format":"date-time"}} }"##;
    assert_eq!(read(schema), schema);
}

fn written(schema: &str) -> String {
    schema_out::convert(schema).unwrap()
}

#[test]
fn json_schema_becomes_an_own_schema() {
    for (json, own) in [
        (
            r#"{"$schema":"x","type":"object","additionalProperties":false,"properties":{"a":{"type":"string","format":"email","minLength":1}},"required":["a"]}"#,
            r#"{"type":"OBJECT","properties":{"a":{"type":"STRING","minLength":1}},"required":["a"]}"#,
        ),
        (
            r#"{"type":["integer","null"],"format":"int64"}"#,
            r#"{"type":"INTEGER","nullable":true,"format":"int64"}"#,
        ),
        (
            r#"{"type":["string","number"],"description":"d"}"#,
            r#"{"description":"d","anyOf":[{"type":"STRING","description":"d"},{"type":"NUMBER","description":"d"}]}"#,
        ),
        (r#"{"const":"a"}"#, r#"{"type":"STRING","enum":["a"]}"#),
        (r#"{"enum":["a",3,null]}"#, r#"{"type":"STRING","nullable":true,"enum":["a","3"]}"#),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"boolean"},{"type":"null"}]}"#,
            r#"{"nullable":true,"anyOf":[{"type":"STRING"},{"type":"BOOLEAN"}]}"#,
        ),
        (
            r#"{"description":"d","anyOf":[{"type":"null"},{"type":"string"}]}"#,
            r#"{"type":"STRING","description":"d","nullable":true}"#,
        ),
        (
            r#"{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"array"}},"required":["b"]}]}"#,
            r#"{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"ARRAY","items":{"type":"STRING"}}},"required":["a","b"]}"#,
        ),
        (
            r##"{"type":"object","$defs":{"m":{"type":"object","properties":{"n":{"type":"number","minimum":0}}}},"properties":{"a":{"$ref":"#/$defs/m","description":"d"},"b":{"type":"array","maxItems":2,"items":{"$ref":"#/$defs/m"}}}}"##,
            r#"{"type":"OBJECT","properties":{"a":{"type":"OBJECT","description":"d","properties":{"n":{"type":"NUMBER","minimum":0}}},"b":{"type":"ARRAY","items":{"type":"OBJECT","properties":{"n":{"type":"NUMBER","minimum":0}}},"maxItems":2}}}"#,
        ),
        (
            r#"{"type":"object","properties":{"a":{"type":"string"}},"anyOf":[{"required":["a"]}]}"#,
            r#"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#,
        ),
    ] {
        assert_eq!(written(json), own, "{json}");
    }
}

#[test]
fn a_function_without_arguments_has_no_schema() {
    assert_eq!(schema_out::parameters("{}"), None);
    assert_eq!(schema_out::parameters(r#"{"type":"object","properties":{}}"#), None);
    assert_eq!(schema_out::parameters("nonsense"), None);
    assert!(schema_out::parameters(r#"{"properties":{"a":{}}}"#).is_some());
}

/// A tree that contains itself twice would grow without end.
#[test]
fn a_schema_that_contains_itself_ends() {
    let tree = r##"{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"l":{"$ref":"#/$defs/t"},"r":{"$ref":"#/$defs/t"},"all":{"allOf":[{"$ref":"#/$defs/t"},{"$ref":"#"}]}}}}}"##;
    let own = written(tree);
    assert!(own.len() < 1_000_000, "{}", own.len());
    assert!(Value::parse(&own).is_ok_and(|value| value.is_object()));
    let circle =
        r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##;
    assert_eq!(written(circle), r#"{"type":"STRING"}"#);
}
