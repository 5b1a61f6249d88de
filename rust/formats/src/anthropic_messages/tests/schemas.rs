//! Schemas of replies and of strict tools.

use super::super::schema::taken;
use super::*;
use crate::chat::{Function, Output, OutputSchema, Tool};
use serde_json::json;

/// The schema as it is sent, and whether some of it is only described.
fn rewritten(schema: &Value) -> Option<(Value, bool)> {
    let text = schema.to_string();
    let taken = taken(&text)?;
    Some((serde_json::from_str(&taken.text).unwrap(), taken.loosened))
}

fn with_schema(schema: &Value) -> Request<'static> {
    let schema = schema.to_string().into();
    let one = OutputSchema { name: "x".into(), schema, ..OutputSchema::default() };
    Request { output: Output::Schema(one), ..hello() }
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// A map from any name to a text.
fn open_map() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

#[test]
fn a_schema_that_is_taken_is_sent_to_the_byte() {
    let text = r##"{"type":"object", "properties":{"a":{"$ref":"#/$defs/A"},
        "b":{"type":["string","null"],"format":"date"},
        "c":{"type":"array","items":{"enum":[1,2]},"minItems":1},
        "d":{"type":"string","pattern":"^[a-z]+$"}},
        "$defs":{"A":{"anyOf":[{"const":1},{"type":"null"}]}}, "additionalProperties":false}"##;
    let found = taken(text).unwrap();
    assert_eq!((&*found.text, found.loosened), (text, false));
}

#[test]
fn objects_are_closed() {
    let inner = json!({"type": "object", "properties": {"b": {"type": "null"}}});
    let open = json!({"type": "object", "properties": {"a": inner}, "additionalProperties": true});
    let closed = object(json!({"a": object(json!({"b": {"type": "null"}}))}));
    assert_eq!(rewritten(&open), Some((closed, false)));
}

#[test]
fn what_cannot_be_demanded_is_described() {
    let limited = json!({"type": "integer", "description": "Age", "minimum": 1});
    let said = json!({"type": "integer", "description": "Age\n\n(minimum: 1)"});
    let expected = Some((object(json!({"a": said})), true));
    assert_eq!(rewritten(&object(json!({"a": limited}))), expected);
}

#[test]
fn patterns_and_formats_that_are_not_kept_to_are_described() {
    for (name, value) in [("pattern", "(?=a)"), ("pattern", r"\bx"), ("format", "hostess")] {
        let schema = json!({"type": "string", name: value});
        assert!(rewritten(&schema).unwrap().1, "{schema}");
    }
}

#[test]
fn one_of_is_any_of() {
    let schema = json!({"oneOf": [{"type": "null"}, {"type": "string"}]});
    let expected = json!({"anyOf": [{"type": "null"}, {"type": "string"}]});
    assert_eq!(rewritten(&schema), Some((expected, false)));
}

#[test]
fn a_schema_of_which_too_much_would_be_lost_is_not_taken() {
    let names = json!({"type": "object", "patternProperties": {"a": {"type": "null"}},
        "additionalProperties": false});
    for schema in [
        json!({}),
        json!(true),
        json!({"type": "object"}),
        open_map(),
        names,
        object(json!({"a": {}})),
        object(json!({"a": {"$ref": "https://x/y.json"}})),
    ] {
        assert_eq!(rewritten(&schema), None, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_is_not_taken() {
    let a = json!({"$ref": "#/$defs/A"});
    let list = json!({"type": "array", "items": {"$ref": "#/$defs/B"}});
    for definitions in [
        json!({"A": object(json!({"a": a}))}),
        json!({"A": list, "B": {"anyOf": [a, {"type": "null"}]}}),
    ] {
        let schema = json!({"$ref": "#/$defs/A", "$defs": definitions});
        assert_eq!(rewritten(&schema), None, "{schema}");
    }
}

#[test]
fn a_definition_may_be_used_more_than_once() {
    let a = json!({"$ref": "#/$defs/A"});
    let definitions = json!({"A": {"type": "null"}, "B": a});
    let schema = json!({"anyOf": [a, a, {"$ref": "#/$defs/B"}], "$defs": definitions});
    assert_eq!(rewritten(&schema), Some((schema.clone(), false)));
}

#[test]
fn a_schema_is_sent_natively_where_it_is_taken() {
    let schema = object(json!({"a": {"type": "string"}}));
    let (body, dropped) = sent(&with_schema(&schema), NEWEST);
    let config = json!({"format": {"type": "json_schema", "schema": schema}});
    assert_eq!((&body["output_config"], body.get("tools")), (&config, None));
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn a_schema_that_is_loosened_is_named() {
    let schema = object(json!({"a": {"type": "string", "maxLength": 3}}));
    assert_eq!(sent(&with_schema(&schema), ANY).1, ["response_format (loosened)"]);
}

#[test]
fn a_schema_that_is_not_taken_is_a_tools() {
    let simple = Target { native_schema: false, ..target(ANY) };
    for (target, schema) in
        [(target(ANY), open_map()), (simple, object(json!({"a": {"type": "null"}})))]
    {
        let (body, dropped) = sent_to(&with_schema(&schema), &target).unwrap();
        assert_eq!(body["tools"][0]["input_schema"], schema);
        assert_eq!((body.get("output_config"), dropped), (None, vec![]));
    }
}

#[test]
fn a_strict_tool_is_strict_where_its_schema_is_taken() {
    let closed = object(json!({"a": {"type": "string"}}));
    let limited = object(json!({"a": {"type": "string", "maxLength": 3}}));
    for (schema, strict, dropped) in
        [(closed, json!(true), vec![]), (limited, Value::Null, vec!["tools[0].strict".to_owned()])]
    {
        let (parameters, strictly) = (Some(schema.to_string().into()), Some(true));
        let one =
            Function { name: "f".into(), parameters, strict: strictly, ..Function::default() };
        let (body, found) = sent(&Request { tools: vec![Tool::Function(one)], ..hello() }, ANY);
        assert_eq!((&body["tools"][0]["strict"], found), (&strict, dropped));
        assert_eq!(body["tools"][0]["input_schema"], schema);
    }
}
