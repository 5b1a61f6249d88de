use super::closed;

#[test]
fn every_object_of_a_schema_is_closed() {
    let open = r#"{"type":"object","properties":{"type":{"type":"string"},"list":{"type":"array","items":{"properties":{}}},"one":{"anyOf":[{"type":"object"},{"type":"null"}]}}}"#;
    let shut = r#"{"type":"object","properties":{"type":{"type":"string"},"list":{"type":"array","items":{"properties":{},"additionalProperties":false}},"one":{"anyOf":[{"type":"object","additionalProperties":false},{"type":"null"}]}},"additionalProperties":false}"#;
    assert_eq!(closed(open).as_deref(), Some(shut));
    assert_eq!(closed(shut).as_deref(), Some(shut));
}

#[test]
fn a_schema_that_wants_to_be_open_stays_so() {
    for open in [
        r#"{"type":"object","additionalProperties":true}"#,
        r#"{"type":"object","properties":{"map":{"type":"object","additionalProperties":{"type":"string"}}}}"#,
        "true",
        "{",
    ] {
        assert_eq!(closed(open), None, "{open}");
    }
}
