use super::*;

fn named(body: &str) -> Vec<String> {
    ids_in(body.as_bytes())
}

#[test]
fn files_are_found_wherever_a_provider_would_fetch_them() {
    for body in [
        r#"{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"a"}}]}]}"#,
        r#"{"input":[{"role":"user","content":[{"type":"input_file","file_id":"a"}]}]}"#,
        r#"{"input":[{"role":"user","content":[{"file_id":"a","type":"input_image"}]}]}"#,
        r#"{"input":[{"type":"computer_call_output","output":{"file_id":"a"}}]}"#,
        r#"{"input":[{"type":"function_call_output","output":[{"type":"input_file","file_id":"a"}]}]}"#,
        r#"{"prompt":{"id":"p","variables":{"x":{"type":"input_file","file_id":"a"}}}}"#,
        r#"{"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["a"]}}]}"#,
        r#"{"tools":[{"type":"image_generation","input_image_mask":{"file_id":"a"}}]}"#,
        r#"{"messages":[{"content":[{"type":"document","source":{"type":"file","file_id":"a"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"container_upload","file_id":"a"}]}]}"#,
        r#"{"contents":[{"parts":[{"fileData":{"fileUri":"a","mimeType":"application/pdf"}}]}]}"#,
        r#"{"contents":[{"parts":[{"file_data":{"file_uri":"a"}}]}]}"#,
        r#"{"images":[{"file_id":"a"}],"prompt":"x"}"#,
        r#"{"file_ids":["a"]}"#,
        r#"{"input":[{"content":[{"type":"input_file","file_\u0069d":"\u0061"}]}]}"#,
        r#"{"input":[{"content":[{"file_id":"a"},{"file_id":"a"}]}]}"#,
        r#"{"input":[{"content":[{"annotations":[{"file_id":"b"}]},{"file_id":"a"}]}]}"#,
    ] {
        assert_eq!(named(body), ["a"], "{body}");
    }
}

#[test]
fn no_name_and_no_type_that_a_client_chooses_hides_a_file() {
    for name in
        ["input", "results", "response", "args", "schema", "metadata", "annotations", "type"]
    {
        let variables = format!(r#"{{"{name}":{{"type":"input_file","file_id":"a"}}}}"#);
        let body = format!(r#"{{"prompt":{{"id":"p","variables":{variables}}}}}"#);
        assert_eq!(named(&body), ["a"], "{body}");
    }
    for body in [
        r#"{"messages":[{"content":[{"type":"file","file":{"file_id":"a","type":"code_execution_output"}}]}]}"#,
        r#"{"images":[{"file_id":"a","type":"code_execution_output"}]}"#,
        r#"{"tools":[{"input_image_mask":{"file_id":"a","type":"bash_code_execution_output"}}]}"#,
        r#"{"prompt":{"variables":{"type":"tool_use","input":{"type":"input_file","file_id":"a"}}}}"#,
        r#"{"messages":[{"content":[{"type":"file","citations":{"file_id":"a"}}]}]}"#,
    ] {
        assert_eq!(named(body), ["a"], "{body}");
    }
}

#[test]
fn several_are_told_apart() {
    let body = r#"{"x":{"file_ids":["b","a",["c"]],"file_id":"d","type":"auto"}}"#;
    assert_eq!(named(body), ["a", "b", "d"]);
}

#[test]
fn what_is_only_told_names_no_file() {
    for body in [
        r#"{"messages":[{"role":"user","content":"file_id"}]}"#,
        r#"{"metadata":{"file_id":"a"}}"#,
        r#"{"input":[{"content":[{"annotations":[{"type":"file_citation","file_id":"a"}]}]}]}"#,
        r#"{"input":[{"type":"file_search_call","results":[{"file_id":"a","text":"x"}]}]}"#,
        r#"{"messages":[{"content":[{"type":"tool_use","name":"read","input":{"file_id":"a"}}]}]}"#,
        r#"{"messages":[{"content":[{"type":"text","citations":[{"type":"char_location","file_id":"a"}]}]}]}"#,
        r#"{"contents":[{"parts":[{"functionCall":{"name":"read","args":{"file_id":"a"}}}]}]}"#,
        r#"{"contents":[{"parts":[{"functionResponse":{"name":"read","response":{"file_id":"a"}}}]}]}"#,
        r#"{"contents":[{"parts":[{"fileData":{"fileUri":"https://example.com/a.pdf"}}]}]}"#,
        r#"{"tools":[{"function":{"parameters":{"examples":[{"file_id":"a"}]}}}]}"#,
        r#"{"tools":[{"function":{"parameters":{"properties":{"file_id":{"type":"string"}}}}}]}"#,
        r#"{"tools":[{"name":"read","input_schema":{},"input_examples":[{"file_id":"a"}]}]}"#,
        r#"{"tools":[{"functionDeclarations":[{"parametersJsonSchema":{"default":{"file_id":"a"}}}]}]}"#,
        r#"{"input":[{"type":"mcp_list_tools","tools":[{"input_schema":{"default":{"file_id":"a"}}}]}]}"#,
        r#"{"guided_json":{"properties":{"file_ids":{"type":"array","description":"Which"}}}}"#,
        r#"{"documents":[{"id":"1","data":{"file_id":"a"}}]}"#,
        r#"{"messages":[{"content":[{"type":"code_execution_tool_result","content":
            {"type":"code_execution_result","content":[{"type":"code_execution_output","file_id":"a"}]}}]}]}"#,
        r#"{"messages":[{"content":[{"content":{"content":
            [{"file_id":"a","type":"bash_code_execution_output"}],"type":"bash_code_execution_result"}}]}]}"#,
        r#"{"input":[{"file_id":"a"}"#,
    ] {
        assert!(named(body).is_empty(), "{body}");
    }
}

#[test]
fn what_no_model_reads_files_for_is_not_looked_at() {
    let body = br#"{"query":"q","documents":[],"x":{"file_id":"a"}}"#;
    assert!(ids(Operation::Rerank, body).is_empty());
    assert_eq!(ids(Operation::Messages, body), ["a"]);
}
